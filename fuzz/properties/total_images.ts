import fc from "fast-check";
import { arm64Files, riscv64Files } from "../arbitraries/flat_files.ts";
import { peek } from "../arbitraries/images.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "total-images",
  says: "parseArm64Image and parseRiscv64Image say what the header says, or throw a LoaderError",
  inputs: fc.oneof(
    fc.record({ arch: fc.constant("arm64"), bytes: arm64Files.map(({ bytes }) => bytes) }),
    fc.record({ arch: fc.constant("riscv64"), bytes: riscv64Files.map(({ bytes }) => bytes) }),
  ),
  check({ arch, bytes }, { parseArm64Image, parseRiscv64Image }) {
    const parse = arch === "arm64" ? parseArm64Image : parseRiscv64Image;
    const { value: image } = judge(bytes.length, () => parse(sourceWith(bytes)));
    if (!image) return;
    const magic = arch === "arm64" ? 0x644d5241n : 0x05435352n; // "ARM\x64", "RSC\x05"
    if (peek(bytes, 0x38, 4) !== magic) throw new Violation("another magic is taken");
    const size = peek(bytes, 0x10, 8);
    const flags = peek(bytes, 0x18, 8);
    const isOld = arch === "arm64" && size === 0n;
    const expected = {
      textOffset: isOld ? 0x80000n : peek(bytes, 0x08, 8),
      imageSize: size === 0n ? undefined : size,
      bigEndian: (flags & 1n) === 1n,
    };
    for (const name of ["textOffset", "imageSize", "bigEndian"] as const) {
      if (image[name] !== expected[name]) {
        throw new Violation(`${name} is wrong`, `${image[name]}, not ${expected[name]}`);
      }
    }
  },
});
