import { MAX_FRAMES } from "../limits.ts";
import type { PackedInput } from "./input.ts";
import type { Output } from "./output.ts";
import { type FrameBounds, type ZstdEngine, zstdEngine } from "./zstd_engine.ts";

/** RFC 8878, 3.1.1. */
const FRAME_MAGIC = 0xfd2fb528;
const MAGIC_SIZE = 4;
/** RFC 8878, 3.1.2: sixteen magics of frames to skip. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** RFC 8878, 3.1.1.1.1: bits of the frame header descriptor. */
const SINGLE_SEGMENT = 1 << 5;
const RESERVED = 1 << 3;
const CONTENT_CHECKSUM = 1 << 2;
/** RFC 8878, 3.1.1.2.4: a block holds at most this much, and no more than the window. */
const MAX_BLOCK = 128 << 10;
/** ZSTD_WINDOWLOG_LIMIT_DEFAULT: what `zstd -d` takes, and what the kernel's build makes at most. */
const MAX_WINDOW = 128 << 20;

/** What the headers of a frame say, without a byte decompressed. */
interface Frame {
  /** Where it starts in the input. */
  readonly start: number;
  /** What comes out at least. */
  readonly least: number;
  /** What comes out at most. */
  readonly most: number;
}

/**
 * Decompresses zstd frames in a row, with their checksums.
 *
 * Libraries tell little of an error, and take a truncated frame for a shorter one. So the headers of
 * frames and blocks are read here: that the frames are whole, where they end, and how much may come
 * out.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 * @param engine What decompresses a frame; the best one if not given.
 */
export async function decodeZstd(
  input: PackedInput,
  output: Output,
  engine?: ZstdEngine,
): Promise<void> {
  const decompress = engine ?? await zstdEngine();
  let frames = 0;
  do {
    if (++frames > MAX_FRAMES) {
      const expected = `at most ${MAX_FRAMES}`;
      throw input.corrupt("frame count", input.at, expected, "more", "LIMIT_EXCEEDED");
    }
    const frame = readFrame(input);
    if (frame === undefined) continue;
    const { start, least, most } = frame;
    output.announce(least);
    const data = decompressFrame(input, start, decompress, {
      room: output.limit - output.length,
      most,
    });
    if (data === undefined) throw output.overflow();
    if (data.length < least || data.length > most) {
      const expected = `${least} to ${most} bytes, as the blocks hold`;
      throw input.corrupt("frame", start, expected, `${data.length} bytes`);
    }
    output.append(data);
  } while (input.rest > 0);
}

function decompressFrame(
  input: PackedInput,
  start: number,
  engine: ZstdEngine,
  bounds: FrameBounds,
): Uint8Array | undefined {
  try {
    return engine(input.bytes.subarray(start, input.at), bounds);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = input.corrupt("frame", start, "whole blocks and a right checksum", reason);
    error.cause = cause;
    throw error;
  }
}

/** RFC 8878, 3.1.1 and 3.1.2: goes past a frame; `undefined` if it is one to skip. */
function readFrame(input: PackedInput): Frame | undefined {
  const bytes = input.bytes;
  const start = input.at;
  if (start > 0) input.endUnless(MAGIC_SIZE);
  const magic = input.u32("magic");
  if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
    input.skip(input.u32("skippable frame size"), "skippable frame");
    return undefined;
  }
  if (magic !== FRAME_MAGIC) {
    input.at = start;
    if (start > 0) input.end();
    throw input.corrupt("magic", start, `0x${FRAME_MAGIC.toString(16)}`, magic);
  }
  const { descriptor, contentSize, contentSizeAt, blockMaximum } = readFrameHeader(input);
  let least = 0;
  let most = 0;
  for (let isLast = false; !isLast;) {
    const at = input.skip(3, "block header"); // no view of it: there may be one for 3 bytes
    const header = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16;
    const size = header >>> 3;
    const type = header >>> 1 & 3;
    if (type === 3 || size > blockMaximum) {
      const expected = `a raw, RLE or compressed block of at most ${blockMaximum} bytes`;
      throw input.corrupt("block header", at, expected, header);
    }
    isLast = (header & 1) !== 0;
    input.skip(type === 1 ? 1 : size, "block");
    least += type === 2 ? 0 : size;
    most += type === 2 ? blockMaximum : size;
  }
  if (descriptor & CONTENT_CHECKSUM) input.skip(4, "content checksum");
  if (contentSize !== undefined) {
    if (contentSize < least || contentSize > most) {
      const expected = `${least} to ${most} bytes, as the blocks hold`;
      throw input.corrupt("content size", contentSizeAt, expected, `${contentSize} bytes`);
    }
    least = most = Number(contentSize);
  }
  return { start, least, most };
}

interface FrameHeader {
  readonly descriptor: number;
  readonly contentSize: bigint | undefined;
  readonly contentSizeAt: number;
  readonly blockMaximum: number;
}

function readFrameHeader(input: PackedInput): FrameHeader {
  const at = input.at;
  const descriptor = input.u8("frame header descriptor");
  if (descriptor & RESERVED) {
    throw input.corrupt("frame header descriptor", at, "reserved bit 0", descriptor);
  }
  const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
  const window = isSingle ? undefined : input.u8("window descriptor");
  const dictionaryAt = input.at;
  const dictionary = readLittle(input, [0, 1, 2, 4][descriptor & 3], "dictionary id");
  if (dictionary !== 0n) {
    throw input.corrupt(
      "dictionary id",
      dictionaryAt,
      "none",
      dictionary,
      "COMPRESSED_UNSUPPORTED",
    );
  }
  const sizeCode = descriptor >>> 6;
  const contentSizeAt = input.at;
  const sizeWidth = [isSingle ? 1 : 0, 2, 4, 8][sizeCode];
  const contentSize = sizeWidth === 0
    ? undefined
    : readLittle(input, sizeWidth, "content size") + (sizeCode === 1 ? 256n : 0n);
  // RFC 8878, 3.1.1.1.2: a power of two and eighths of it; a single segment is its own window
  const windowSize = window === undefined
    ? Number(contentSize)
    : 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8);
  if (window !== undefined && windowSize > MAX_WINDOW) {
    const expected = `at most ${MAX_WINDOW} bytes`;
    throw input.corrupt("window", at + 1, expected, windowSize, "COMPRESSED_UNSUPPORTED");
  }
  const blockMaximum = Math.min(windowSize, MAX_BLOCK);
  return { descriptor, contentSize, contentSizeAt, blockMaximum };
}

function readLittle(input: PackedInput, width: number, field: string): bigint {
  return input.take(width, field).reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
}
