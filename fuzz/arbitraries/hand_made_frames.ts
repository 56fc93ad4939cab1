/** gzip members and zstd frames, written by hand. */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
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

/** One after the other. */
export const join = (...parts: readonly ArrayLike<number>[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => Array.from(part)));
/** Again. */
export const twice = (data: Uint8Array): Uint8Array => join(data, data);
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
  "gzip with all of a header": {
    format: "gzip",
    make: (data) => {
      const more = [2, 0, 9, 9, 0x61, 0, 0x62, 0];
      const sum = crc32([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, ...more]);
      return gzip({ flags: 0x1e, more: [...more, ...le(sum, 2)] })(data);
    },
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
  ...Object.fromEntries(([[0x20, 1], [0xe0, 8]] as const).map(([descriptor, width]): [
    string,
    HandMade,
  ] => [
    `zstd with a size of ${width} bytes`,
    {
      format: "zstd",
      make: () => join(zstdHead(descriptor, ...le(200, width)), zstdRun(200)),
      gives: new Uint8Array(200).fill(0x61),
    },
  ])),
  "zstd with a size of 2 bytes": {
    format: "zstd",
    make: () => join(zstdHead(0x60, ...le(600 - 256, 2)), zstdRun(600)),
    gives: new Uint8Array(600).fill(0x61),
  },
  "zstd with a size of 2^32": {
    format: "zstd",
    make: () => join(zstdHead(0xe0, ...le(2 ** 32 + 200, 8)), zstdRun(200)),
    ...{ code: CORRUPT, field: "content size", at: 5 },
  },
  "zstd with a smaller size": {
    format: "zstd",
    make: zstd({ descriptor: 0x80, fields: (size) => [0x50, ...le(size - 1, 4)] }),
    ...{ code: CORRUPT, field: "content size", at: 6 },
  },
  "zstd with a dictionary of 2 bytes": {
    format: "zstd",
    make: zstd({ descriptor: 0xa2, fields: (size) => [0, 0, ...le(size, 4)] }),
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
};
