/**
 * Compressed streams written by hand, byte by byte from the formats' documents: checksums are right
 * where nothing else is said, so that a decoder gets as far as what is odd.
 */
import { BZIP2_WRITTEN } from "./bzip2_writer.ts";
import type { HandMade } from "./hand_made_bytes.ts";
import { FRAMES } from "./hand_made_frames.ts";
import { BZIP2_FILES } from "./hand_made_bzip2.ts";
import { LZ4_FILES } from "./hand_made_lz4.ts";
import { LZMA_FILES } from "./hand_made_lzma.ts";
import { LZO_FILES } from "./hand_made_lzo.ts";
import { XZ_FILES } from "./hand_made_xz.ts";

/** By name. Data of at most 4 KiB goes in, and nothing else comes out. */
export const HAND_MADE: Readonly<Record<string, HandMade>> = {
  ...FRAMES,
  ...BZIP2_FILES,
  ...BZIP2_WRITTEN,
  ...LZ4_FILES,
  ...LZO_FILES,
  ...XZ_FILES,
  ...LZMA_FILES,
};
