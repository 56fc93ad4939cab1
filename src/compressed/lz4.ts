import { xxh32 } from "./checksums.ts";
import { BULK, copyMatch, copyWords, viewOf } from "./copy.ts";
import type { PackedInput } from "./input.ts";
import type { Output } from "./output.ts";

/** LZ4 Frame Format, "Legacy frame". */
const LEGACY_MAGIC = 0x184c2102;
/** What a block of a legacy frame holds when it is decompressed, the last one excepted. */
const LEGACY_BLOCK = 8 << 20;
/** LZ4_COMPRESSBOUND of that: a block of noise. */
const LEGACY_MAX_PACKED = LEGACY_BLOCK + Math.floor(LEGACY_BLOCK / 255) + 16;

/** LZ4 Frame Format, "General Structure". */
const FRAME_MAGIC = 0x184d2204;
const MAGIC_SIZE = 4;
/** Sixteen magics of frames to skip. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const FLG_VERSION_1 = 0b01;
const FLG_INDEPENDENT = 1 << 5;
const FLG_BLOCK_CHECKSUM = 1 << 4;
const FLG_CONTENT_SIZE = 1 << 3;
const FLG_CONTENT_CHECKSUM = 1 << 2;
const FLG_RESERVED = 1 << 1;
const FLG_DICTIONARY = 1 << 0;
const BD_RESERVED = 0b10001111;
/** "Block Maximum Size" 4 to 7. */
const blockMaximum = (code: number): number => 1 << 8 + 2 * code;
/** Block size, highest bit: the block is not compressed. */
const UNCOMPRESSED = 0x80000000;
const MIN_MATCH = 4;

/**
 * Decompresses what starts with a legacy frame, as `lz4 -l` and the kernel's build make them. They
 * have no checksum and no end mark: that they are whole is the size's to say. A magic without a
 * block, which `lz4 -l` makes of nothing, is refused: a file that was cut off looks like that, too,
 * and no kernel does.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export function decodeLz4Legacy(input: PackedInput, output: Output): void {
  checkMagic(input, LEGACY_MAGIC);
  decodeLegacyFrame(input, output);
  decodeFrames(input, output);
}

/**
 * Decompresses frames, with all their checksums.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export function decodeLz4(input: PackedInput, output: Output): void {
  const magic = input.u32("magic");
  input.at = 0;
  if (!isSkippable(magic)) {
    checkMagic(input, FRAME_MAGIC);
    decodeFrame(input, output);
  }
  decodeFrames(input, output);
}

const isSkippable = (magic: number): boolean => (magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC;

/** Frames of all kinds in a row, as `lz4 -d` takes them, up to the end. */
function decodeFrames(input: PackedInput, output: Output): void {
  while (input.rest > 0) {
    input.endUnless(MAGIC_SIZE);
    const at = input.at;
    const magic = input.u32("magic");
    if (isSkippable(magic)) {
      input.skip(input.u32("skippable frame size"), "skippable frame");
    } else if (magic === FRAME_MAGIC) {
      decodeFrame(input, output);
    } else if (magic === LEGACY_MAGIC) {
      decodeLegacyFrame(input, output);
    } else {
      input.at = at;
      input.end();
    }
  }
}

/** Goes on until the end or another frame's magic: no block is that large. */
function decodeLegacyFrame(input: PackedInput, output: Output): void {
  for (let isFirst = true, isLast = false; isFirst || input.rest > 0; isFirst = false) {
    const at = input.at;
    if (isLast) return; // no block comes after one of under 8 MiB
    const size = input.u32("block size");
    if (!isFirst && (size === FRAME_MAGIC || size === LEGACY_MAGIC || isSkippable(size))) {
      input.at = at;
      return;
    }
    if (size === 0 || size > LEGACY_MAX_PACKED) {
      throw input.corrupt("block size", at, `1 to ${LEGACY_MAX_PACKED}`, size);
    }
    const end = input.skip(size, "block") + size;
    const start = output.length;
    decodeBlock(input, end - size, end, output, start, LEGACY_BLOCK);
    isLast = output.length - start < LEGACY_BLOCK;
  }
}

/** A frame, whose magic is behind. */
function decodeFrame(input: PackedInput, output: Output): void {
  const { flags, maximum, contentSize } = readDescriptor(input);
  if (contentSize !== undefined) output.announce(contentSize);
  const start = output.length;
  for (;;) {
    const at = input.at;
    const word = input.u32("block size");
    if (word === 0) break;
    const size = word & ~UNCOMPRESSED;
    if (size > maximum) throw input.corrupt("block size", at, `at most ${maximum}`, size);
    const blockAt = input.skip(size, "block");
    const block = () => input.bytes.subarray(blockAt, blockAt + size);
    if (flags & FLG_BLOCK_CHECKSUM) {
      const checksum = input.u32("block checksum");
      input.verify("block checksum", input.at - 4, checksum, xxh32(block()));
    }
    if (word & UNCOMPRESSED) {
      output.reserve(size).set(block(), output.length);
      output.length += size;
    } else {
      const first = flags & FLG_INDEPENDENT ? output.length : start;
      decodeBlock(input, at + 4, at + 4 + size, output, first, maximum);
    }
  }
  const size = output.length - start;
  if (contentSize !== undefined && contentSize !== BigInt(size)) {
    throw input.corrupt("content size", input.at - 4, `${contentSize} bytes`, `${size} bytes`);
  }
  if (flags & FLG_CONTENT_CHECKSUM) {
    const stored = input.u32("content checksum");
    const computed = xxh32(output.bytes.subarray(start, output.length));
    input.verify("content checksum", input.at - 4, stored, computed);
  }
}

interface Descriptor {
  readonly flags: number;
  readonly maximum: number;
  readonly contentSize: bigint | undefined;
}

function readDescriptor(input: PackedInput): Descriptor {
  const at = input.at;
  const flags = input.u8("FLG");
  const isFlags = flags >>> 6 === FLG_VERSION_1 && (flags & FLG_RESERVED) === 0;
  if (!isFlags) throw input.corrupt("FLG", at, "version 1, reserved bit 0", flags);
  const bd = input.u8("BD");
  const code = bd >>> 4;
  if (bd & BD_RESERVED || code < 4) {
    throw input.corrupt("BD", at + 1, "a block maximum of 4 to 7, reserved bits 0", bd);
  }
  const contentSize = flags & FLG_CONTENT_SIZE ? input.u64("content size") : undefined;
  if (flags & FLG_DICTIONARY) {
    const id = input.u32("dictionary id");
    throw input.corrupt("dictionary id", input.at - 4, "none", id, "COMPRESSED_UNSUPPORTED");
  }
  const hash = xxh32(input.bytes.subarray(at, input.at)) >>> 8 & 0xff;
  input.verify("header checksum", input.at, input.u8("header checksum"), hash);
  return { flags, maximum: blockMaximum(code), contentSize };
}

function checkMagic(input: PackedInput, magic: number): void {
  const actual = input.u32("magic");
  if (actual !== magic) {
    throw input.corrupt("magic", input.at - 4, `0x${magic.toString(16)}`, actual);
  }
}

/**
 * Decompresses one block (LZ4 Block Format).
 *
 * @param input The whole stream.
 * @param at Where the block starts.
 * @param end Where it ends.
 * @param output Where it goes.
 * @param first The first byte of the output that matches may reach.
 * @param maximum What it may come to, in bytes.
 */
function decodeBlock(
  input: PackedInput,
  at: number,
  end: number,
  output: Output,
  first: number,
  maximum: number,
): void {
  const bytes = input.bytes;
  const from = viewOf(bytes);
  const out = output.makeRoom(maximum);
  const to = viewOf(out);
  let position = output.length;
  const roomEnd = Math.min(position + maximum, output.limit);
  while (at < end) {
    const token = bytes[at++];
    let length = token >>> 4;
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (at >= end) throw broken(input, at, "the rest of a literal length");
        byte = bytes[at++];
      }
    }
    if (length > end - at) throw broken(input, at, `${length} literals`);
    if (length > roomEnd - position) throw tooMuch(input, at, output, roomEnd, maximum);
    if (length <= BULK && at + length + 8 <= end && position + length + 8 <= roomEnd) {
      copyWords(from, at, to, position, length);
    } else {
      out.set(bytes.subarray(at, at + length), position);
    }
    at += length;
    position += length;
    if (at === end) { // the last sequence has literals only
      output.length = position;
      return;
    }

    if (end - at < 2) throw broken(input, at, "a match offset");
    const distance = bytes[at] | bytes[at + 1] << 8;
    if (distance === 0 || distance > position - first) {
      throw input.corrupt("match offset", at, `1 to ${position - first}`, distance);
    }
    at += 2;
    length = token & 15;
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (at >= end) throw broken(input, at, "the rest of a match length");
        byte = bytes[at++];
      }
    }
    length += MIN_MATCH;
    if (length > roomEnd - position) throw tooMuch(input, at, output, roomEnd, maximum);
    copyMatch(out, to, position, distance, length, roomEnd);
    position += length;
  }
  throw broken(input, at, "a sequence of literals at the end");
}

function broken(input: PackedInput, at: number, expected: string): Error {
  return input.corrupt("block", at, expected, "its end");
}

function tooMuch(
  input: PackedInput,
  at: number,
  output: Output,
  roomEnd: number,
  maximum: number,
): Error {
  if (roomEnd === output.limit) return output.overflow();
  return input.corrupt("block", at, `at most ${maximum} bytes in a block`, "more");
}
