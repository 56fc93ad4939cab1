import type { PackedInput } from "./input.ts";
import type { LzmaDecoder } from "./lzma_decoder.ts";
import type { Output } from "./output.ts";

/** Control bytes: chunks that are not compressed, with and without a reset of the dictionary. */
const RESETS_DICTIONARY = 1;
const UNCOMPRESSED = 2;
/** From here on chunks are compressed, and each range resets what the one before it does, and more. */
const LZMA = 0x80;
const RESETS_STATE = 0xa0;
const SETS_PROPERTIES = 0xc0;
const RESETS_ALL = 0xe0;

/**
 * Decodes LZMA2's chunks, straight into the output (lzma2_decoder.c of liblzma is its specification).
 *
 * @param input From the first chunk on; stops after the end mark.
 * @param output Where it goes.
 * @param decoder The decoder under it.
 * @param dictionarySize How far back matches may reach.
 */
export function decodeLzma2(
  input: PackedInput,
  output: Output,
  decoder: LzmaDecoder,
  dictionarySize: number,
): void {
  let first = -1; // where the dictionary starts
  let needsProperties = true;
  for (;;) {
    const at = input.at;
    const control = input.u8("LZMA2 control");
    if (control === 0) return;
    const isLzma = control >= LZMA;
    if (control >= RESETS_ALL || control === RESETS_DICTIONARY) {
      first = output.length;
      needsProperties = true;
    }
    if (
      first < 0 || !isLzma && control > UNCOMPRESSED ||
      isLzma && needsProperties && control < SETS_PROPERTIES
    ) {
      throw input.corrupt("LZMA2 control", at, "one that resets what has to be reset", control);
    }
    if (!isLzma) {
      const size = input.u16be("LZMA2 size") + 1;
      const chunk = input.take(size, "LZMA2 chunk");
      output.reserve(size).set(chunk, output.length);
      output.length += size;
      continue;
    }
    const size = ((control & 0x1f) << 16 | input.u16be("LZMA2 size")) + 1;
    const packedSize = input.u16be("LZMA2 compressed size") + 1;
    if (control >= SETS_PROPERTIES) {
      decoder.setProperties(input.u8("properties"), input.at - 1);
      needsProperties = false;
    } else if (control >= RESETS_STATE) {
      decoder.resetState();
    }
    const end = input.skip(packedSize, "LZMA2 chunk") + packedSize;
    input.at = end - packedSize;
    decoder.startRange();
    const out = output.reserve(size);
    const stop = output.length + size;
    output.length = decoder.decode(out, output.length, stop, first, dictionarySize, end);
    if (decoder.ended || !decoder.isFinished || input.at !== end) {
      throw input.corrupt("LZMA2 chunk", at, `${size} bytes from ${packedSize}`, "another size");
    }
  }
}
