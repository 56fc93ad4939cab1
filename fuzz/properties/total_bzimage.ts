import fc from "fast-check";
import { bzImageFiles } from "../arbitraries/flat_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { property, requireNone } from "../property.ts";

export default property({
  name: "total-bzimage",
  says: "parseBzImage describes what the file holds, or throws a LoaderError",
  inputs: fc.oneof(
    { arbitrary: bzImageFiles.map(({ bytes }) => bytes), weight: 6 },
    { arbitrary: fc.uint8Array({ maxLength: 700 }), weight: 1 },
  ),
  check(bytes, { parseBzImage }) {
    const { value: image } = judge(bytes.length, () => parseBzImage(sourceWith(bytes)));
    if (!image) return;
    const faults: string[] = [];
    const end = 0x1f1 + image.headerBytes.length;
    if (end > bytes.length || end > 0x202 + bytes[0x201]) faults.push("the header is too long");
    if (image.setupSize > bytes.length) faults.push("the setup leaves the file");
    if (image.setupSize + image.fileKernelSize !== bytes.length) {
      faults.push("the parts do not add up");
    }
    if (image.kernelSize % 16 !== 0) faults.push("syssize counts 16 bytes each");
    requireNone("a bzImage description that is wrong", faults);
  },
});
