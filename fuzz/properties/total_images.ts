import fc from "fast-check";
import { requireSections } from "../inside.ts";
import { arm64Files, riscv64Files, sectionFiles } from "../arbitraries/flat_files.ts";
import { arm64Image } from "../arbitraries/images.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { imageOf, sectionsOf } from "../model/parsed_flat.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

const arches = fc.constantFrom("arm64" as const, "riscv64" as const);

export default property({
  name: "total-images",
  says: "Images' parsers say all that the file does, or which field is wrong and where",
  inputs: fc.oneof(
    fc.record({ arch: arches, bytes: arm64Files.map(({ bytes }) => bytes) }),
    fc.record({ arch: arches, bytes: riscv64Files.map(({ bytes }) => bytes) }),
    fc.record({ arch: arches, bytes: sectionFiles }),
    // A bit of the magic is another
    fc.tuple(arches, fc.nat(31)).map(([arch, bit]) => {
      const bytes = arm64Image({ magic: arch === "arm64" ? 0x644d5241 : 0x05435352 });
      bytes[0x38 + (bit >> 3)] ^= 1 << (bit & 7);
      return { arch, bytes };
    }),
  ),
  check({ arch, bytes }, { parseArm64Image, parseRiscv64Image }) {
    const parse = arch === "arm64" ? parseArm64Image : parseRiscv64Image;
    const parsed = judge(bytes.length, () => parse(sourceWith(bytes)));
    requireSaid(parsed, reading(() => imageOf(bytes, arch)));
    const looked = judge(bytes.length, () => requireSections(sourceWith(bytes)));
    requireSaid(looked, reading(() => sectionsOf(bytes)));
  },
});
