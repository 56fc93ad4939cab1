import { ZSTDDecoder } from "zstddec";
import type { PackedInput } from "./input.ts";
import type { Output } from "./output.ts";

/** RFC 8878, 3.1.1. */
const FRAME_MAGIC = 0xfd2fb528;
/** RFC 8878, 3.1.2: sixteen magics of frames to skip. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** RFC 8878, 3.1.1.1.1: bits of the frame header descriptor. */
const SINGLE_SEGMENT = 1 << 5;
const RESERVED = 1 << 3;
const CONTENT_CHECKSUM = 1 << 2;
/** RFC 8878, 3.1.1.2.4: a block holds at most this much, and no more than the window. */
const MAX_BLOCK = 128 << 10;
/** The decoder's own limit, ZSTD_WINDOWLOG_MAX_32: a window costs nothing here. */
const MAX_WINDOW = 2 ** 30;
/** What the decoder's memory can hold: 2 GiB, less its own. */
const MAX_MEMORY = 2 ** 31 - 2 ** 26;

/** What the headers of all frames say, without a byte decompressed. */
interface Extent {
  /** What comes out at least. */
  least: number;
  /** What comes out at most. */
  most: number;
}

/**
 * Decompresses zstd frames, with their checksums.
 *
 * The library decompresses in one go and tells nothing of an error. So the headers of frames and
 * blocks are read here: that the frames are whole, where they end, and how much may come out.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export async function decodeZstd(input: PackedInput, output: Output): Promise<void> {
  const extent: Extent = { least: 0, most: 0 };
  do {
    readFrame(input, extent);
    output.announce(extent.least);
  } while (input.rest > 0);
  if (extent.most === 0) return;

  const room = output.limit - output.length;
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const decode = (capacity: number): Uint8Array => {
    if (capacity + input.bytes.length > MAX_MEMORY) {
      const limit = MAX_MEMORY - input.bytes.length;
      throw input.corrupt("data", 0, `at most ${limit} bytes`, "more", "COMPRESSED_SIZE");
    }
    return decoder.decode(input.bytes, capacity);
  };
  let data = decode(Math.min(room, extent.most));
  if (data.length === 0 && extent.most > room) {
    // Damaged or too large? One block more tells them apart, but for damage in what lies beyond
    data = decode(Math.min(extent.most, room + Math.max(MAX_BLOCK, room >> 2)));
    if (data.length > 0 || extent.most > 2 * room) throw output.overflow();
  }
  if (data.length < Math.max(extent.least, 1)) {
    throw input.corrupt("data", 0, "blocks and checksums that are right", "damage");
  }
  output.adopt(data);
}

/** RFC 8878, 3.1.1 and 3.1.2. */
function readFrame(input: PackedInput, extent: Extent): void {
  const start = input.at;
  const magic = input.u32("magic");
  if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
    input.skip(input.u32("skippable frame size"), "skippable frame");
    return;
  }
  if (magic !== FRAME_MAGIC) {
    input.at = start;
    if (start > 0) input.end();
    throw input.corrupt("magic", start, `0x${FRAME_MAGIC.toString(16)}`, magic);
  }
  const { descriptor, contentSize, blockMaximum } = readFrameHeader(input);
  let least = 0;
  let most = 0;
  for (let isLast = false; !isLast;) {
    const at = input.at;
    const [low, middle, high] = input.take(3, "block header");
    const header = low | middle << 8 | high << 16;
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
      throw input.corrupt("content size", start, expected, `${contentSize} bytes`);
    }
    least = most = Number(contentSize);
  }
  extent.least += least;
  extent.most += most;
}

interface FrameHeader {
  readonly descriptor: number;
  readonly contentSize: bigint | undefined;
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
  const dictionary = readLittle(input, [0, 1, 2, 4][descriptor & 3], "dictionary id");
  if (dictionary !== 0n) {
    throw input.corrupt("dictionary id", at, "none", dictionary, "COMPRESSED_UNSUPPORTED");
  }
  const sizeCode = descriptor >>> 6;
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
  return { descriptor, contentSize, blockMaximum: Math.min(windowSize, MAX_BLOCK) };
}

function readLittle(input: PackedInput, width: number, field: string): bigint {
  return input.take(width, field).reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
}
