import type { PackedInput } from "./input.ts";
import { LzmaDecoder } from "./lzma_decoder.ts";
import type { Output } from "./output.ts";

/** LZMA specification: the size of a stream that ends with a marker instead. */
const UNKNOWN_SIZE = 0xffffffffffffffffn;
const MIN_DICTIONARY = 4096;
/** Made room for at a time where the size is not known. */
const STEP = 1 << 20;

/**
 * Decompresses a .lzma file, as `lzma` and the kernel's build make them. It has no checksum: the
 * range coder must come out even, and the size right.
 *
 * @param input From the properties on.
 * @param output Where it goes.
 */
export function decodeLzma(input: PackedInput, output: Output): void {
  const decoder = new LzmaDecoder(input);
  decoder.setProperties(input.u8("properties"), 0);
  const dictionarySize = Math.max(input.u32("dictionary size"), MIN_DICTIONARY);
  const declared = input.u64("uncompressed size");
  const size = declared === UNKNOWN_SIZE ? undefined : declared;
  if (size !== undefined) output.announce(size);
  decoder.startRange();

  const end = input.bytes.length;
  while (!decoder.ended) {
    const wanted = size === undefined ? output.limit : Number(size);
    if (output.length === wanted) break;
    output.makeRoom(STEP);
    const stop = Math.min(output.bytes.length, wanted);
    output.length = decoder.decode(output.bytes, output.length, stop, 0, dictionarySize, end);
  }
  // A size may be followed by the marker; a full output must be
  if (!decoder.ended && (size === undefined || !decoder.isFinished)) {
    const full = output.bytes.subarray(0, output.length); // what is written past its end is lost
    decoder.decode(full, full.length, full.length + 1, 0, dictionarySize, end);
    if (!decoder.ended) throw output.overflow();
  }
  if (size !== undefined && BigInt(output.length) !== size) {
    throw input.corrupt("end marker", input.at, `after ${size} bytes`, `after ${output.length}`);
  }
  if (!decoder.isFinished) throw input.corrupt("end", input.at, "an even range coder", "a rest");
  input.end();
}
