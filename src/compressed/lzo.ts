import { adler32, crc32 } from "./checksums.ts";
import { BULK, copyMatch, copyWords, viewOf } from "./copy.ts";
import type { PackedInput } from "./input.ts";
import type { Output } from "./output.ts";

/** lzop's src/lzop.c, "lzop_magic". */
const MAGIC = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a];
/** From this version on, the header has all the fields that are read here (1995). */
const MIN_VERSION = 0x0940;
/** lzop's src/conf.h: LZO1X_1, LZO1X_1_15, LZO1X_999: one decompressor. */
const MAX_METHOD = 3;
/** lzop's src/conf.h, "MAX_BLOCK_SIZE". */
const MAX_BLOCK = 64 << 20;

/** lzop's src/conf.h: flags. */
const ADLER32_DATA = 0x0001;
const ADLER32_PACKED = 0x0002;
const EXTRA_FIELD = 0x0040;
const CRC32_DATA = 0x0100;
const CRC32_PACKED = 0x0200;
const MULTIPART = 0x0400;
const FILTER = 0x0800;
const HEADER_CRC32 = 0x1000;
/** Header, name, time: what changes nothing for the data. */
const KNOWN_FLAGS = 0xff003fff >>> 0;

/** A first byte above this is a run of literals, less this. */
const FIRST_RUN = 17;

/**
 * Decompresses an .lzo file as lzop makes it, with all its checksums.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export function decodeLzo(input: PackedInput, output: Output): void {
  const flags = readHeader(input);
  for (;;) {
    const at = input.at;
    const size = input.u32be("block size");
    if (size === 0) break;
    const packedSize = input.u32be("compressed block size");
    if (size > MAX_BLOCK || packedSize === 0 || packedSize > size) {
      const actual = `${size} bytes from ${packedSize}`;
      throw input.corrupt("block size", at, `at most ${MAX_BLOCK} bytes from no more`, actual);
    }
    const isPacked = packedSize < size;
    const sums = readChecksums(input, flags, isPacked);
    const packedAt = input.at;
    const packed = input.take(packedSize, "block");
    verify(input, sums.packed, packed);
    const out = output.reserve(size);
    if (isPacked) decodeBlock(input, packedAt, input.at, out, output.length, output.length + size);
    else out.set(packed, output.length);
    verify(input, sums.data, out.subarray(output.length, output.length + size));
    output.length += size;
  }
  input.end();
}

function readHeader(input: PackedInput): number {
  for (const byte of MAGIC) {
    const actual = input.u8("magic");
    if (actual !== byte) {
      throw input.corrupt("magic", input.at - 1, `0x${byte.toString(16)}`, actual);
    }
  }
  const start = input.at;
  const version = input.u16be("version");
  if (version < MIN_VERSION) {
    throw input.corrupt("version", start, "at least 0x940", version, "COMPRESSED_UNSUPPORTED");
  }
  input.skip(4, "header"); // the library's version, the version needed
  const method = input.u8("method");
  if (method === 0 || method > MAX_METHOD) {
    throw input.corrupt("method", input.at - 1, "1 to 3 (LZO1X)", method, "COMPRESSED_UNSUPPORTED");
  }
  input.skip(1, "level");
  const flags = input.u32be("flags");
  if (flags & (FILTER | MULTIPART) || (flags & ~KNOWN_FLAGS) !== 0) {
    const at = input.at - 4;
    throw input.corrupt("flags", at, "no filter, one part", flags, "COMPRESSED_UNSUPPORTED");
  }
  input.skip(12, "header"); // mode, time
  input.skip(input.u8("name length"), "name");
  verifyHeader(input, "header checksum", start, flags);
  if (flags & EXTRA_FIELD) {
    const start = input.at;
    input.skip(input.u32be("extra field size"), "extra field");
    verifyHeader(input, "extra field checksum", start, flags);
  }
  return flags;
}

function verifyHeader(input: PackedInput, field: string, start: number, flags: number): void {
  const bytes = input.bytes.subarray(start, input.at);
  const computed = flags & HEADER_CRC32 ? crc32(bytes) : adler32(bytes);
  input.verify(field, input.at, input.u32be(field), computed);
}

/** A checksum in the stream. */
interface Checksum {
  readonly field: string;
  readonly at: number;
  readonly stored: number;
  readonly compute: (bytes: Uint8Array) => number;
}

function readChecksums(
  input: PackedInput,
  flags: number,
  isPacked: boolean,
): { readonly data: readonly Checksum[]; readonly packed: readonly Checksum[] } {
  const read = (flag: number, field: string, compute: Checksum["compute"]): Checksum[] =>
    flags & flag ? [{ field, at: input.at, stored: input.u32be(field), compute }] : [];
  const data = [
    ...read(ADLER32_DATA, "block Adler-32", adler32),
    ...read(CRC32_DATA, "block CRC-32", crc32),
  ];
  // A block that is not compressed has them once
  const packed = isPacked
    ? [
      ...read(ADLER32_PACKED, "compressed block Adler-32", adler32),
      ...read(CRC32_PACKED, "compressed block CRC-32", crc32),
    ]
    : [];
  return { data, packed };
}

function verify(input: PackedInput, checksums: readonly Checksum[], bytes: Uint8Array): void {
  for (const { field, at, stored, compute } of checksums) {
    input.verify(field, at, stored, compute(bytes));
  }
}

/**
 * Decompresses one block (the kernel's Documentation/staging/lzo.rst).
 *
 * @param input The whole stream.
 * @param at Where the block starts.
 * @param end Where it ends.
 * @param out Where it goes.
 * @param start Where in it; matches reach no further back.
 * @param stop Where it must end.
 */
function decodeBlock(
  input: PackedInput,
  at: number,
  end: number,
  out: Uint8Array,
  start: number,
  stop: number,
): void {
  const bytes = input.bytes;
  const from = viewOf(bytes);
  const to = viewOf(out);
  let position = start;
  /** Literals to copy before the next instruction. */
  let literals = 0;
  /** Literals that the last instruction copied: 0 to 3, or 4 for a long run. */
  let state = 0;
  if (at < end && bytes[at] > FIRST_RUN) literals = bytes[at++] - FIRST_RUN;
  for (;;) {
    if (literals > 0) {
      if (literals > end - at) throw broken(input, at, `${literals} literals`, "the end");
      if (literals > stop - position) throw broken(input, at, `${stop - start} bytes`, "more");
      if (literals <= BULK && at + literals + 8 <= end && position + literals + 8 <= stop) {
        copyWords(from, at, to, position, literals);
      } else {
        out.set(bytes.subarray(at, at + literals), position);
      }
      at += literals;
      position += literals;
      state = literals < 4 ? literals : 4;
    } else {
      state = 0;
    }
    if (end - at < 3) throw broken(input, at, "an instruction", "the end"); // the end mark has 3

    let instruction = bytes[at++];
    let length = 0;
    let distance: number;
    if (instruction < 64 && (instruction >= 16 || state === 0)) {
      // A length in the low bits; where they are 0, 255 for each zero byte and the byte after them
      const mask = instruction >= 32 ? 31 : instruction >= 16 ? 7 : 15;
      length = instruction & mask;
      if (length === 0) {
        for (length = mask; at < end && bytes[at] === 0; at++) length += 255;
        length += bytes[at++];
        if (at > end) throw broken(input, end, "a length", "the end");
      }
    }
    if (instruction >= 64) {
      length = (instruction >> 5) + 1;
      distance = (bytes[at++] << 3) + (instruction >> 2 & 7) + 1;
    } else if (instruction >= 16) {
      if (end - at < 2) throw broken(input, at, "a distance", "the end");
      length += 2;
      distance = (bytes[at] >> 2) + (bytes[at + 1] << 6) + 1;
      if (instruction < 32) {
        distance += ((instruction & 8) << 11) + 0x3fff;
        if (distance === 0x4000) {
          if (length === 3 && at + 2 === end && position === stop) return;
          const actual = `after ${position - start} of ${stop - start} bytes`;
          throw broken(input, at, "the end mark at the end", actual);
        }
      }
      instruction = bytes[at];
      at += 2;
    } else if (state === 0) {
      literals = length + 3;
      continue;
    } else {
      length = state === 4 ? 3 : 2;
      distance = (bytes[at++] << 2) + (instruction >> 2) + (state === 4 ? 0x801 : 1);
    }
    if (distance > position - start) {
      throw broken(input, at, `a distance up to ${position - start}`, distance);
    }
    if (length > stop - position) throw broken(input, at, `${stop - start} bytes`, "more");
    copyMatch(out, to, position, distance, length, stop);
    position += length;
    literals = instruction & 3;
  }
}

function broken(input: PackedInput, at: number, expected: string, actual: string | number): Error {
  return input.corrupt("block", at, expected, actual);
}
