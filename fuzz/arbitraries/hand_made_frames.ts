/** gzip members, zstd frames and bzip2 streams, written by hand. */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { fixture, sample } from "./compressed.ts";
import {
  CHECKSUM,
  CORRUPT,
  crc32,
  type HandMade,
  le,
  SIZE,
  TRAILING,
  TRUNCATED,
  UNSUPPORTED,
} from "./hand_made_bytes.ts";

/** What may be odd about a gzip file. */
interface Gzip {
  readonly flags?: number;
  /** What stands between the header and the data. */
  readonly more?: readonly number[];
  readonly sizePlus?: number;
  readonly crcPlus?: number;
  readonly after?: readonly number[];
}

/** RFC 1952. */
const gzip = (odd: Gzip = {}) => (data: Uint8Array): Uint8Array => {
  const { flags = 0, more = [], sizePlus = 0, crcPlus = 0, after = [] } = odd;
  return Uint8Array.from([
    ...[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3],
    ...more,
    ...deflateRawSync(Buffer.from(data), { level: 0 }),
    ...le((crc32([...data]) + crcPlus) % 2 ** 32, 4),
    ...le(data.length + sizePlus, 4),
    ...after,
  ]);
};

/** What may be odd about a zstd frame. */
interface Zstd {
  readonly descriptor?: number;
  /** What follows the descriptor. */
  readonly fields?: (size: number) => readonly number[];
  readonly type?: number;
  readonly sizePlus?: number;
  readonly after?: readonly number[];
}

/** RFC 8878: a frame of one block, raw where nothing else is said. */
const zstd = (odd: Zstd = {}) => (data: Uint8Array): Uint8Array => {
  const { descriptor = 0xa0, fields = (size) => le(size, 4), type = 0, sizePlus = 0, after = [] } =
    odd;
  return Uint8Array.from([
    ...[0x28, 0xb5, 0x2f, 0xfd, descriptor, ...fields(data.length)],
    ...le((data.length + sizePlus) * 8 + type * 2 + 1, 3),
    ...data,
    ...after,
  ]);
};

const join = (...parts: readonly ArrayLike<number>[]) =>
  Uint8Array.from(parts.flatMap((part) => Array.from(part)));
const twice = (data: Uint8Array) => join(data, data);
const HEADER_CRC = [0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3];
/** A member of nothing, of 20 bytes; a frame to skip, of 8. */
const EMPTY_MEMBER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, ...le(0, 8)];
const SKIPPED = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
const many = (count: number, part: readonly number[]) => () => join(...Array(count).fill(part));
/** MAX_FRAMES of limits.ts. */
const MOST = 4096;

/** A block of one byte again and again. */
const zstdRun = (size: number) => [...le(size * 8 + 2 + 1, 3), 0x61];
const zstdHead = (descriptor: number, ...fields: readonly number[]) => [
  ...[0x28, 0xb5, 0x2f, 0xfd, descriptor, ...fields],
];

/** A stream's bits, some of them replaced. */
function poked(bytes: Uint8Array, at: number, width: number, value: number): Uint8Array {
  const result = bytes.slice();
  for (let i = 0; i < width; i++) {
    const [byte, mask] = [at + i >> 3, 0x80 >> (at + i & 7)];
    result[byte] = value >>> width - 1 - i & 1 ? result[byte] | mask : result[byte] & ~mask;
  }
  return result;
}

const bitsOf = (bytes: ArrayLike<number>) =>
  Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
const bytesOf = (bits: string) =>
  Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => parseInt(byte.padEnd(8, "0"), 2));
const BZIP2 = fixture("bzip2");
const BZIP2_END = bitsOf([0x17, 0x72, 0x45, 0x38, 0x50, 0x90]);
/** bzip2's decompress.c: the level, the block, the end's magic and the CRC of all blocks. */
const [BZIP2_BLOCK] = bitsOf(BZIP2).slice(32).split(BZIP2_END);
const BZIP2_CRC = parseInt(BZIP2_BLOCK.slice(48, 80), 2);
const bzip2 = (blocks: string, crc: number, level = 0x39) =>
  join(bytesOf(
    bitsOf([0x42, 0x5a, 0x68, level]) + blocks + BZIP2_END +
      (crc >>> 0).toString(2).padStart(32, "0"),
  ));
/** Where the count of tables is: behind the CRC, a bit, the origin and the map of used bytes. */
const BZIP2_MAP = 32 + 48 + 32 + 1 + 24;
const BZIP2_RANGES = bitsOf(BZIP2).slice(BZIP2_MAP, BZIP2_MAP + 16).split("1").length - 1;
const BZIP2_TABLES = BZIP2_MAP + 16 + 16 * BZIP2_RANGES;
const bzip2Bent = (at: number, width: number, value: number) => () =>
  poked(BZIP2, at, width, value);
/** Both blocks' CRCs, the first one turned by a bit. */
const BZIP2_TWO = (BZIP2_CRC << 1 | BZIP2_CRC >>> 31) ^ BZIP2_CRC;
const BZIP2_DATA = sample();

/** By name. */
export const FRAMES: Readonly<Record<string, HandMade>> = {
  "gzip": { format: "gzip", make: gzip() },
  "gzip with an extra field": { format: "gzip", make: gzip({ flags: 4, more: [1, 0, 0xaa] }) },
  "gzip with a name and a comment": {
    format: "gzip",
    make: gzip({ flags: 24, more: [0x61, 0, 0x62, 0x63, 0] }),
  },
  "gzip with a header CRC": {
    format: "gzip",
    make: gzip({ flags: 2, more: le(crc32([0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3]), 2) }),
  },
  "gzip with another header CRC": {
    format: "gzip",
    make: gzip({ flags: 2, more: le(crc32([0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3]) ^ 1, 2) }),
    code: CHECKSUM,
    field: "header CRC",
    at: 10,
  },
  "gzip with a reserved flag": {
    format: "gzip",
    make: gzip({ flags: 0x20 }),
    code: CORRUPT,
    field: "flags",
    at: 3,
  },
  "gzip with another size": {
    format: "gzip",
    make: gzip({ sizePlus: 1 }),
    code: CHECKSUM,
    field: "ISIZE",
    at: -4,
  },
  "gzip with another CRC": {
    format: "gzip",
    make: gzip({ crcPlus: 1 }),
    code: CHECKSUM,
    field: "CRC32",
    at: -8,
  },
  "gzip with bytes behind": {
    format: "gzip",
    make: gzip({ after: [0] }),
    code: TRAILING,
    field: "end",
    at: -1,
  },
  "zstd": { format: "zstd", make: zstd() },
  "zstd without a size": { format: "zstd", make: zstd({ descriptor: 0, fields: () => [0x50] }) },
  "zstd with a window of 512 MiB": {
    format: "zstd",
    make: zstd({ descriptor: 0, fields: () => [19 << 3] }),
    code: UNSUPPORTED,
    field: "window",
    at: 5,
  },
  "zstd with a dictionary": {
    format: "zstd",
    make: zstd({ descriptor: 0xa1, fields: (size) => [7, ...le(size, 4)] }),
    code: UNSUPPORTED,
    field: "dictionary id",
    at: 5,
  },
  "zstd with a reserved bit": {
    format: "zstd",
    make: zstd({ descriptor: 0xa8 }),
    code: CORRUPT,
    field: "frame header descriptor",
    at: 4,
  },
  "zstd with another size": {
    format: "zstd",
    make: zstd({ fields: (size) => le(size + 1, 4) }),
    code: CORRUPT,
    field: "content size",
    at: 5,
  },
  "zstd with a reserved block": {
    format: "zstd",
    make: zstd({ type: 3 }),
    code: CORRUPT,
    field: "block header",
    at: 9,
  },
  "zstd that is cut off": {
    format: "zstd",
    make: zstd({ descriptor: 0, fields: () => [0x50], sizePlus: 1 }),
    code: "TRUNCATED",
    field: "block",
    at: -0,
  },
  "zstd with bytes behind": {
    format: "zstd",
    make: zstd({ after: [1, 2] }),
    code: TRAILING,
    field: "end",
    at: -2,
  },
  "zstd of compressed blocks that hold nothing": {
    format: "zstd",
    make: (data) => {
      const blocks = Array(data.length).fill([0x14, 0, 0, 0, 0]).flat();
      return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, ...blocks, 1, 0, 0]);
    },
    gives: new Uint8Array(0),
  },
  "zstd with a skippable frame": {
    format: "zstd",
    make: zstd({ after: [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9] }),
  },
  "gzip of two members": { format: "gzip", make: (data) => twice(gzip()(data)), gives: twice },
  "gzip whose second member has a header CRC": {
    format: "gzip",
    make: (data) => join(gzip()(data), gzip({ flags: 2, more: le(crc32(HEADER_CRC), 2) })(data)),
    gives: twice,
  },
  "gzip whose second member has another CRC": {
    format: "gzip",
    make: (data) => join(gzip()(data), gzip({ crcPlus: 1 })(data)),
    ...{ code: CHECKSUM, field: "CRC32", at: -8 },
  },
  "gzip whose header CRC's high byte is another": {
    format: "gzip",
    make: gzip({ flags: 2, more: le(crc32(HEADER_CRC) ^ 0x100, 2) }),
    ...{ code: CHECKSUM, field: "header CRC", at: 10 },
  },
  "gzip with the second reserved flag": {
    format: "gzip",
    make: gzip({ flags: 0x40 }),
    ...{ code: CORRUPT, field: "flags", at: 3 },
  },
  "gzip with the third reserved flag": {
    format: "gzip",
    make: gzip({ flags: 0x80 }),
    code: CORRUPT,
    field: "flags",
    at: 3,
  },
  "gzip with half a magic behind": {
    format: "gzip",
    make: gzip({ after: [0x1f, 0] }),
    ...{ code: TRAILING, field: "end", at: -2 },
  },
  "gzip whose data is cut off": {
    format: "gzip",
    make: (data) => gzip()(join(data, data, data, data)).slice(0, -9 - data.length),
    ...{ code: TRUNCATED, field: "data", at: -0 },
  },
  "gzip of as many members as are allowed": {
    format: "gzip",
    make: many(MOST, EMPTY_MEMBER),
    gives: new Uint8Array(0),
  },
  "gzip of one member more": {
    format: "gzip",
    make: many(MOST + 1, EMPTY_MEMBER),
    ...{ code: "LIMIT_EXCEEDED", field: "member count", at: -20 },
  },
  "zstd of two frames": { format: "zstd", make: (data) => twice(zstd()(data)), gives: twice },
  "zstd with another size in the second frame": {
    format: "zstd",
    make: (data) => join(zstd()(data), zstd({ fields: (size) => le(size + 1, 4) })(data)),
    ...{ code: CORRUPT, field: "content size", at: (size) => size + 17 },
  },
  "zstd with the last frame to skip": {
    format: "zstd",
    make: zstd({ after: [0x5f, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9] }),
  },
  "zstd with a frame to skip that is cut off": {
    format: "zstd",
    make: zstd({ after: [0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9] }),
    ...{ code: TRUNCATED, field: "skippable frame" },
  },
  "zstd of a run": {
    format: "zstd",
    make: () => join(zstdHead(0, 0x50), zstdRun(1000)),
    gives: new Uint8Array(1000).fill(0x61),
  },
  "zstd with a block as large as the window": {
    format: "zstd",
    make: () => join(zstdHead(0, 0), zstdRun(1024)),
    gives: new Uint8Array(1024).fill(0x61),
  },
  "zstd with a block larger than the window": {
    format: "zstd",
    make: () => join(zstdHead(0, 0), zstdRun(1025)),
    ...{ code: CORRUPT, field: "block header", at: 6 },
  },
  "zstd with a window of 128 MiB": {
    format: "zstd",
    make: zstd({ descriptor: 0, fields: () => [17 << 3] }),
  },
  "zstd with a window of 144 MiB": {
    format: "zstd",
    make: zstd({ descriptor: 0, fields: () => [17 << 3 | 1] }),
    ...{ code: UNSUPPORTED, field: "window", at: 5 },
  },
  "zstd with a dictionary of 0": {
    format: "zstd",
    make: zstd({ descriptor: 0xa3, fields: (size) => [0, 0, 0, 0, ...le(size, 4)] }),
  },
  "zstd with a dictionary of 4 bytes": {
    format: "zstd",
    make: zstd({ descriptor: 0xa3, fields: (size) => [0, 0, 1, 0, ...le(size, 4)] }),
    ...{ code: UNSUPPORTED, field: "dictionary id", at: 5 },
  },
  "zstd with a checksum that is cut off": {
    format: "zstd",
    make: zstd({ descriptor: 0xa4, after: [1, 2, 3] }),
    ...{ code: TRUNCATED, field: "content checksum", at: -0 },
  },
  "zstd with another checksum": {
    format: "zstd",
    make: zstd({ descriptor: 0xa4, after: [1, 2, 3, 4] }),
    ...{ code: CORRUPT, field: "frame", at: 0 },
  },
  "zstd that says to be too large": {
    format: "zstd",
    make: () =>
      join(zstdHead(0, 0x50), ...Array(40).fill([...le(131_072 * 8 + 2, 3), 0]), zstdRun(1)),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "zstd of as many frames as are allowed": {
    format: "zstd",
    make: many(MOST, SKIPPED),
    gives: new Uint8Array(0),
  },
  "zstd of one frame more": {
    format: "zstd",
    make: many(MOST + 1, SKIPPED),
    ...{ code: "LIMIT_EXCEEDED", field: "frame count", at: -8 },
  },
  "bzip2 of two blocks": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK + BZIP2_BLOCK, BZIP2_TWO),
    gives: twice(BZIP2_DATA),
  },
  "bzip2 of two blocks with the CRC of the last": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK + BZIP2_BLOCK, BZIP2_CRC),
    ...{ code: CHECKSUM, field: "stream CRC" },
  },
  "bzip2 with another stream CRC": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK, BZIP2_CRC ^ 1),
    ...{ code: CHECKSUM, field: "stream CRC" },
  },
  "bzip2 with another block CRC": {
    format: "bzip2",
    make: bzip2Bent(32 + 48, 32, BZIP2_CRC ^ 1),
    ...{ code: CHECKSUM, field: "block CRC", at: 10 },
  },
  "bzip2 of nothing": { format: "bzip2", make: () => bzip2("", 0), gives: new Uint8Array(0) },
  "bzip2 of level 1": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK, BZIP2_CRC, 0x31),
    gives: BZIP2_DATA,
  },
  "bzip2 of level 0": {
    format: "bzip2",
    make: () => bzip2("", 0, 0x30),
    ...{ code: CORRUPT, field: "block size", at: 3 },
  },
  "bzip2 of level 10": {
    format: "bzip2",
    make: () => bzip2("", 0, 0x3a),
    ...{ code: CORRUPT, field: "block size", at: 3 },
  },
  "bzip2 with a randomised block": {
    format: "bzip2",
    make: bzip2Bent(32 + 48 + 32, 1, 1),
    ...{ code: UNSUPPORTED, field: "randomised", at: 14 },
  },
  "bzip2 with an origin past its block": {
    format: "bzip2",
    make: bzip2Bent(32 + 48 + 32 + 1, 24, 0xffffff),
    ...{ code: CORRUPT, field: "origin", at: 14 },
  },
  "bzip2 without bytes": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_MAP, 16, 0),
    ...{ code: CORRUPT, field: "byte map", at: 14 },
  },
  "bzip2 of one table": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES, 3, 1),
    ...{ code: CORRUPT, field: "table count", at: 14 },
  },
  "bzip2 of seven tables": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES, 3, 7),
    ...{ code: CORRUPT, field: "table count", at: 14 },
  },
  "bzip2 without selectors": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES + 3, 15, 0),
    ...{ code: CORRUPT, field: "selector count", at: 14 },
  },
  "bzip2 with a selector of no table": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES + 18, 7, 0x7f),
    ...{ code: CORRUPT, field: "selector", at: 14 },
  },
  "bzip2 with a code of no length": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES, 18, 2 << 15 | 1),
    ...{ code: CORRUPT, field: "code length", at: 14 },
  },
  "bzip2 with half a stream behind": {
    format: "bzip2",
    make: () => join(BZIP2, [0x42, 0x5a]),
    ...{ code: TRUNCATED, field: "magic", at: -0 },
  },
};
