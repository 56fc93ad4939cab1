/**
 * Compressed files that grow without much coming out: parts that are empty, or hold one byte, and
 * headers that go on and on. Written by hand, byte by byte from the formats' documents.
 */
import { adler32, be, crc32, le } from "./hand_made_bytes.ts";

/** A family of streams. */
export interface PackedFamily {
  readonly name: string;
  readonly format: "gzip" | "bzip2" | "lzma" | "xz" | "lzo" | "lz4" | "lz4-legacy" | "zstd";
  /** The smallest member that grows evenly, in the family's own unit. */
  readonly first: number;
  readonly make: (n: number) => Uint8Array;
}

type Bytes = ArrayLike<number>;

const zeros = (n: number) => new Uint8Array(n);

function joined(...parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The same bytes, so many times. */
export function times(n: number, bytes: Bytes): Uint8Array {
  const all = new Uint8Array(n * bytes.length);
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
  return all;
}

/** RFC 1952: a member of nothing; the flags, and what they ask for. */
const member = (flags = 0, more: Bytes = []) =>
  joined([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3], more, [3, 0], zeros(8));

/** decompress.c of bzip2: streams of one block that holds an "a". */
function bzip2(selectors: number): Uint8Array {
  let bits = "";
  const put = (value: number, width: number) => bits += value.toString(2).padStart(width, "0");
  for (const byte of [0x42, 0x5a, 0x68, 0x31]) put(byte, 8);
  const crc = 0x19939b6b; // of "a"; of the stream, too
  for (const [value, width] of [[0x314159, 24], [0x265359, 24], [crc, 32], [0, 25]]) {
    put(value, width);
  }
  for (const [value, width] of [[0x0200, 16], [0x4000, 16], [2, 3], [selectors, 15]]) {
    put(value, width);
  }
  bits += "0".repeat(selectors);
  for (let table = 0; table < 2; table++) put(0b00010_0_0_0, 8); // three codes of two bits
  put(0b00_10, 4); // RUNA, the end
  for (const [value, width] of [[0x177245, 24], [0x385090, 24], [crc, 32]]) put(value, width);
  return Uint8Array.from(bits.match(/.{1,8}/g)!, (byte) => parseInt(byte.padEnd(8, "0"), 2));
}

/** The .xz file format: check sizes by their ids. */
const CHECK_SIZES: Readonly<Record<number, number>> = { 0: 0, 1: 4, 10: 32 };
const sealed = (part: Bytes) => joined(part, le(crc32([...Array.from(part)]), 4));
const padded = (part: Bytes) => joined(part, zeros(-part.length & 3));

/** An xz stream of blocks that are all alike. */
export function xzBlocks(
  count: number,
  { check = 1, chunks = [], size = 0, sum = [] }: {
    readonly check?: number;
    readonly chunks?: Bytes;
    /** What comes out of a block. */
    readonly size?: number;
    /** Its check; zeros if not given. */
    readonly sum?: Bytes;
  } = {},
): Uint8Array {
  const number = (value: number) => {
    const parts = [];
    for (let rest = value; parts.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
      parts.push(rest % 128 | (rest >= 128 ? 128 : 0));
    }
    return parts;
  };
  const header = sealed([2, 0, 0x21, 1, 0, 0, 0, 0]);
  const sumBytes = joined(sum, zeros(CHECK_SIZES[check] - sum.length));
  const block = joined(header, padded(joined(chunks, [0])), sumBytes);
  const record = [...number(header.length + chunks.length + 1 + sumBytes.length), ...number(size)];
  const index = sealed(padded(joined([0, ...number(count)], times(count, record))));
  const footer = [...le(index.length / 4 - 1, 4), 0, check];
  return joined(
    [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    sealed([0, check]),
    times(count, block),
    index,
    le(crc32(footer), 4),
    footer,
    [0x59, 0x5a],
  );
}

/** LZMA2: a chunk that resets everything and holds "a". */
const LETTER = [0xe0, 0, 0, 0, 5, 0x5d, 0, 0x30, 0x7f, 0xfc, 0, 0];
const LETTER_CRC = le(0xe8b7be43, 4);

/** FIPS 180-4: the digest of no bytes. */
export const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  .match(/../g)!.map((byte) => parseInt(byte, 16));

/** lzop 1.04: version 1.03, no checksums of blocks. */
function lzop(blocks: Bytes): Uint8Array {
  const header = [...be(0x1030, 2), ...be(0x2080, 2), ...be(0x0940, 2), 1, 5, ...zeros(17)];
  const magic = [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a];
  return joined(magic, header, be(adler32(header), 4), blocks, zeros(4));
}
const lzopBlock = (size: number, packed: Bytes) =>
  joined(be(size, 4), be(packed.length, 4), packed);

/** LZ4 Frame Format: independent blocks of at most 64 KiB, no checksums but the header's. */
const LZ4 = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const LEGACY = [0x02, 0x21, 0x4c, 0x18];
const SKIPPED = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];

/** RFC 8878: a frame without a size, of these blocks and an empty one. */
const zstd = (blocks: Bytes = []) => joined([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58], blocks, [1, 0, 0]);

/** Every kind of part that a format has. */
export const PACKED_FAMILIES: readonly PackedFamily[] = [
  { name: "members of nothing", format: "gzip", first: 256, make: (n) => times(n, member()) },
  {
    name: "a long name",
    format: "gzip",
    first: 8192,
    make: (n) => member(8, joined(zeros(n).fill(97), [0])),
  },
  {
    name: "an extra field in each member",
    format: "gzip",
    first: 64,
    make: (n) => times(n, member(4, joined([0, 1], zeros(256)))),
  },
  {
    name: "streams of nothing",
    format: "bzip2",
    first: 512,
    make: (n) => times(n, [0x42, 0x5a, 0x68, 0x39, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0]),
  },
  { name: "streams of a byte", format: "bzip2", first: 64, make: (n) => times(n, bzip2(1)) },
  {
    name: "selectors that nothing uses",
    format: "bzip2",
    first: 4,
    make: (n) => times(n, bzip2(18_002)),
  },
  {
    name: "zeros, a tenth of a bit each",
    format: "lzma",
    first: 1024,
    make: (n) => joined([0x5d, 0, 0x10, 0, 0], zeros(8).fill(255), zeros(n)),
  },
  { name: "blocks of nothing", format: "xz", first: 256, make: (n) => xzBlocks(n) },
  {
    name: "blocks of a byte",
    format: "xz",
    first: 128,
    make: (n) => xzBlocks(n, { chunks: LETTER, size: 1, sum: LETTER_CRC }),
  },
  {
    name: "blocks with SHA-256",
    format: "xz",
    first: 1024,
    make: (n) => xzBlocks(n, { check: 10, sum: SHA256_OF_NOTHING }),
  },
  { name: "streams of nothing", format: "xz", first: 256, make: (n) => times(n, xzBlocks(0)) },
  {
    name: "streams of a byte",
    format: "xz",
    first: 64,
    make: (n) => times(n, xzBlocks(1, { chunks: LETTER, size: 1, sum: LETTER_CRC })),
  },
  {
    name: "chunks that reset everything",
    format: "xz",
    first: 256,
    make: (n) => xzBlocks(1, { check: 0, chunks: times(n, LETTER), size: n }),
  },
  {
    name: "chunks of a raw byte",
    format: "xz",
    first: 512,
    make: (n) => xzBlocks(1, { check: 0, chunks: times(n, [1, 0, 0, 97]), size: n }),
  },
  {
    name: "stream padding",
    format: "xz",
    first: 16384,
    make: (n) => joined(xzBlocks(0), zeros(n & ~3)),
  },
  {
    name: "blocks of a byte",
    format: "lzo",
    first: 512,
    make: (n) => lzop(times(n, lzopBlock(1, [97]))),
  },
  {
    name: "a length of many zeros",
    format: "lzo",
    first: 8192,
    make: (n) => lzop(lzopBlock(1 << 20, joined([21, 1, 2, 3, 4, 0x20], zeros(n)))),
  },
  {
    name: "frames of nothing",
    format: "lz4",
    first: 512,
    make: (n) => times(n, [...LZ4, 0, 0, 0, 0]),
  },
  {
    name: "blocks of nothing",
    format: "lz4",
    first: 1024,
    make: (n) => joined(LZ4, times(n, [0, 0, 0, 0x80]), zeros(4)),
  },
  {
    name: "blocks of a byte",
    format: "lz4",
    first: 1024,
    make: (n) => joined(LZ4, times(n, [2, 0, 0, 0, 0x10, 97]), zeros(4)),
  },
  { name: "frames to skip", format: "lz4", first: 1024, make: (n) => times(n, SKIPPED) },
  {
    name: "frames of a byte",
    format: "lz4-legacy",
    first: 512,
    make: (n) => times(n, [...LEGACY, 2, 0, 0, 0, 0x10, 97]),
  },
  {
    name: "a length without end",
    format: "lz4-legacy",
    first: 8192,
    make: (n) => joined(LEGACY, le(n + 1, 4), [0xf0], zeros(n).fill(255)),
  },
  {
    name: "matches of four bytes",
    format: "lz4-legacy",
    first: 1024,
    make: (n) => joined(LEGACY, le(4 * n + 2, 4), times(n, [0x10, 97, 1, 0]), [0x10, 97]),
  },
  { name: "frames of nothing", format: "zstd", first: 128, make: (n) => times(n, zstd()) },
  {
    name: "frames of a byte",
    format: "zstd",
    first: 128,
    make: (n) => times(n, zstd([8, 0, 0, 97])),
  },
  {
    name: "blocks of nothing",
    format: "zstd",
    first: 512,
    make: (n) => zstd(times(n, [0, 0, 0])),
  },
  {
    name: "repeated bytes, none of each",
    format: "zstd",
    first: 512,
    make: (n) => zstd(times(n, [2, 0, 0, 97])),
  },
  { name: "frames to skip", format: "zstd", first: 256, make: (n) => times(n, SKIPPED) },
];
