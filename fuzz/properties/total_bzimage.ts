import fc from "fast-check";
import { bzImageChecksum } from "../../src/compressed/mod.ts";
import { bzImageFiles } from "../arbitraries/flat_files.ts";
import { poke } from "../arbitraries/images.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { bzImageOf, checksumOf } from "../model/parsed_flat.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

const oddities = fc.oneof(
  fc.record({ end: fc.constantFrom(0x1f1, 0x206, 0x210, 0x211, 0x212, 0x213) }),
  fc.record({ sectors: fc.constantFrom(0x80, 0x81, 0x84, 0xff) }),
  fc.record({ bit: fc.nat(8 * 0x11 - 1) }),
);

/** A file that ends early, has more setup than it says with 7 bits, or a bit turned in its first fields. */
function odd([file, odd]: [Uint8Array, { end?: number; sectors?: number; bit?: number }]) {
  const bytes = file.slice(0, odd.end);
  if (odd.sectors !== undefined && bytes.length > 0x1f1) bytes[0x1f1] = odd.sectors;
  const at = 0x201 + ((odd.bit ?? 0) >> 3);
  if (odd.bit !== undefined && at < bytes.length) bytes[at] ^= 1 << (odd.bit & 7);
  return bytes;
}

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
    // One thing that is odd about what is looked at first
    { arbitrary: fc.tuple(bzImageFiles.map(({ bytes }) => bytes), oddities).map(odd), weight: 2 },
  ),
  check(bytes, { parseBzImage }) {
    const parsed = judge(bytes.length, () => parseBzImage(sourceWith(bytes)));
    requireSaid(parsed, reading(() => bzImageOf(bytes)));
    const checked = judge(bytes.length, () => bzImageChecksum(sourceWith(bytes)));
    requireSaid(checked, reading(() => checksumOf(bytes)));
  },
});
