/**
 * Compressed streams written by hand, byte by byte from the formats' documents: checksums are right
 * where nothing else is said, so that a decoder gets as far as what is odd.
 */
import { BLOCKS } from "./hand_made_blocks.ts";
import { BZIP2_FILES } from "./hand_made_bzip2.ts";
import type { HandMade } from "./hand_made_bytes.ts";
import { FRAMES } from "./hand_made_frames.ts";
import { LZMA_FILES } from "./hand_made_lzma.ts";
import { XZ_FILES } from "./hand_made_xz.ts";

/** By name. Data of at most 4 KiB goes in, and nothing else comes out. */
export const HAND_MADE: Readonly<Record<string, HandMade>> = {
  ...FRAMES,
  ...BLOCKS,
  ...XZ_FILES,
  ...BZIP2_FILES,
  ...LZMA_FILES,
};
