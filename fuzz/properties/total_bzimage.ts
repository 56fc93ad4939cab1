import fc from "fast-check";
import { bzImageChecksum } from "../../src/compressed/mod.ts";
import { bzImageFiles } from "../arbitraries/flat_files.ts";
import { poke } from "../arbitraries/images.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { bzImageOf, checksumOf } from "../model/parsed_flat.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

/** With the checksum that the kernel's build puts at its end. */
function summed(file: Uint8Array): Uint8Array {
  const bytes = file.slice();
  const { value } = reading(() => checksumOf(file));
  const { setupSize, kernelSize } = reading(() => bzImageOf(file)).value ?? {};
  if (value?.computed === undefined) return file;
  poke(bytes, Number(setupSize) + Number(kernelSize) - 4, 4, value.computed as number);
  return bytes;
}

export default property({
  name: "total-bzimage",
  says: "parseBzImage says all that the file does, or which field is wrong and where",
  inputs: fc.oneof(
    { arbitrary: bzImageFiles.map(({ bytes }) => bytes), weight: 6 },
    { arbitrary: bzImageFiles.map(({ bytes }) => summed(bytes)), weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 700 }), weight: 1 },
  ),
  check(bytes, { parseBzImage }) {
    const parsed = judge(bytes.length, () => parseBzImage(sourceWith(bytes)));
    requireSaid(parsed, reading(() => bzImageOf(bytes)));
    const checked = judge(bytes.length, () => bzImageChecksum(sourceWith(bytes)));
    requireSaid(checked, reading(() => checksumOf(bytes)));
  },
});
