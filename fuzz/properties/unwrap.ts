import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { type Bend, bends, bent, type Place } from "../arbitraries/numbers.ts";
import { wrappedFiles } from "../arbitraries/wrapped_files.ts";
import { sameBytes } from "../guest.ts";
import { judged } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** As in limits.ts. */
const MAX_UNWRAPS = 4;
/** The headers of compressed data and zboot; setup_sects, syssize, payload_offset and its length. */
const PLACES: readonly Place[] = [
  ...Array.from({ length: 34 }, (_, at): Place => [4 * at, 4]),
  ...Array.from({ length: 20 }, (_, at): Place => [at, 1]),
  [0x1f1, 1],
  [0x1f4, 4],
  [0x248, 4],
  [0x24c, 4],
];
const BOOTABLE = ["elf", "arm64-image", "riscv64-image"];

const inputs = fc.record({
  wrapped: wrappedFiles,
  bends: bends(PLACES) as fc.Arbitrary<Bend[]>,
  maxSize: fc.constantFrom(1 << 20, 1 << 20, 1 << 20, 4096, 100),
  hasOutput: fc.boolean(),
}).map(({ wrapped, bends, ...rest }) => ({
  ...wrapped,
  ...rest,
  file: bent(wrapped.file, bends),
  isBent: bends.length > 0,
}));

type Unwrapped = Awaited<ReturnType<typeof compressed.unwrapKernel>>;

/** Unpacks by hand what the layers say lies where. */
async function peeled(file: Uint8Array, { layers }: Unwrapped): Promise<Uint8Array> {
  let bytes = file;
  for (const { format, offset, size } of layers) {
    bytes = bytes.subarray(offset, offset + size);
    const isImage = format === "bzimage" || format === "efi-zboot";
    if (!isImage && !BOOTABLE.includes(format)) {
      bytes = await compressed.decompress(format as compressed.CompressedFormat, bytes);
    }
  }
  return bytes;
}

export default property({
  name: "unwrap",
  says: "unwrapKernel gives the kernel that was wrapped, within its bound, or a LoaderError",
  inputs,
  isAsync: true,
  share: 0.25,
  async check({ file, kernel, inside, isBent, maxSize, hasOutput }, library) {
    // A test's broken copy brings its own
    const { unwrapKernel } = { ...compressed, ...library };
    const output = hasOutput ? new Uint8Array(maxSize) : undefined;
    const largest = Math.max(file.length, ...inside.map(({ length }) => length), maxSize);
    let unwrapped: Unwrapped;
    try {
      unwrapped = await unwrapKernel(file, { maxSize, output });
    } catch (error) {
      const { code, message } = judged(error, largest);
      if (isBent) return;
      if (inside.length > MAX_UNWRAPS && code === "COMPRESSED_NESTING") return;
      const isLarge = [...inside, ...hasOutput ? [kernel] : []].some(({ length }) => {
        return length > maxSize;
      });
      if (isLarge && code === "COMPRESSED_SIZE") return;
      throw new Violation("a wrapped kernel is refused", message);
    }
    const bytes = new Uint8Array(unwrapped.size);
    unwrapped.readAt(0, bytes);
    if (unwrapped.layers.length > 1 && bytes.length > maxSize) {
      throw new Violation("more than was allowed");
    }
    if (unwrapped.bytes && output && unwrapped.bytes.buffer !== output.buffer) {
      throw new Violation("the output is not used");
    }
    if (!isBent && !sameBytes(bytes, kernel)) throw new Violation("another kernel");
    if (!isBent && inside.length > MAX_UNWRAPS) throw new Violation("more layers than allowed");
    if (!sameBytes(bytes, await peeled(file, unwrapped))) {
      throw new Violation("not what lies where the layers say");
    }
  },
});
