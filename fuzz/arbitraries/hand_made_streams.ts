/**
 * Compressed streams written by hand, byte by byte from the formats' documents: checksums are right
 * where nothing else is said, so that a decoder gets as far as what is odd.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import {
  type Bzip2,
  bzip2,
  bzip2OfNoBytes,
  bzip2OfNothing,
  bzip2Run,
  runGives,
} from "./hand_made_bzip2.ts";

type Format = "gzip" | "lzma" | "xz" | "lzo" | "lz4" | "lz4-legacy" | "zstd" | "bzip2";

/** A stream, and what a decoder must make of it. */
export interface HandMade {
  readonly format: Format;
  /** Makes it of some bytes. */
  readonly make: (data: Uint8Array) => Uint8Array;
  /** What comes out; what went in if not given. */
  readonly gives?: Uint8Array;
  /** The code that it is refused with; undefined if it is valid. */
  readonly code?: string;
  /** The field that the error names, where others lie at the same place. */
  readonly field?: string;
  /** Where the error points, for data of a size. */
  readonly at?: (size: number) => number;
}

const le = (value: number, width: number) =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) & 255);
const be = (value: number, width: number) => le(value, width).reverse();

/** ISO 3309, as gzip and xz have it. */
export function crc32(bytes: readonly number[]): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** RFC 1950. */
export function adler32(bytes: readonly number[]): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) [a, b] = [(a + byte) % 65521, (b + a + byte) % 65521];
  return b * 65536 + a;
}

const padded = (bytes: readonly number[], with_ = 0) => {
  return [...bytes, ...Array(-bytes.length & 3).fill(with_)];
};

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

/** What may be odd about an xz file. */
interface Xz {
  /** The control byte of the first LZMA2 chunk: 1 resets the dictionary. */
  readonly control?: number;
  readonly indexPlus?: number;
  readonly unpaddedPlus?: number;
  readonly countPlus?: number;
  readonly padding?: number;
  readonly backwardPlus?: number;
  readonly checkPlus?: number;
  readonly filter?: number;
  /** What the block's header says of the data's size beyond what it is; nothing if not given. */
  readonly headerSizePlus?: number;
  /** Whether the last filter's properties lie behind the block's header. */
  readonly isHeaderShort?: boolean;
  readonly footerCheck?: number;
  readonly after?: readonly number[];
  /** The dictionary's size: the .xz file format, 5.3.1; 0 is 4 KiB. */
  readonly dictionary?: number;
  /** The chunk, instead of an uncompressed one. */
  readonly chunk?: readonly number[];
}

/** The .xz file format, 1.1.0: one block of one uncompressed LZMA2 chunk, CRC32. */
export const xz = (odd: Xz = {}) => (data: Uint8Array): Uint8Array => {
  const bytes = data.length === 0 ? Uint8Array.of(0) : data;
  const { control = 1, indexPlus = 0, unpaddedPlus = 0, countPlus = 0, padding = 0 } = odd;
  const { backwardPlus = 0, checkPlus = 0, filter = 0x21, footerCheck = 1, after = [] } = odd;
  const { headerSizePlus, isHeaderShort = false, dictionary = 0 } = odd;
  const sealed = (part: readonly number[]) => [...part, ...le(crc32(part), 4)];
  const number = (value: number) => {
    const parts = [];
    for (let rest = value; parts.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
      parts.push(rest % 128 | (rest >= 128 ? 128 : 0));
    }
    return parts;
  };
  const flags = [0, 1];
  let header = sealed([2, 0, filter, 1, dictionary, 0, 0, 0]);
  if (headerSizePlus !== undefined) {
    const sized = padded([0, 0x80, ...number(bytes.length + headerSizePlus), 0x21, 1, 0]);
    header = sealed([sized.length / 4, ...sized.slice(1)]);
  }
  // Two x86 filters first; the CRC32's first byte is to be a dictionary's size
  for (let start = 0; isHeaderShort && (start === 0 || header[12] > 40); start++) {
    header = sealed([3, 2, 4, 4, ...le(start, 4), 4, 0, 0x21, 1]);
  }
  const chunk = [...odd.chunk ?? [control, ...be(bytes.length - 1, 2), ...bytes], 0];
  const check = le((crc32([...bytes]) + checkPlus) % 2 ** 32, 4);
  const unpadded = header.length + chunk.length + 4;
  const index = sealed(padded([
    ...[0, ...number(1 + countPlus)],
    ...number(unpadded + unpaddedPlus),
    ...number(bytes.length + indexPlus),
  ], padding));
  const footer = [...le(index.length / 4 - 1 + backwardPlus, 4), 0, footerCheck];
  return Uint8Array.from([
    ...[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    ...sealed(flags),
    ...header,
    ...padded(chunk, padding),
    ...check,
    ...index,
    ...le(crc32(footer), 4),
    ...footer,
    ...[0x59, 0x5a],
    ...after,
  ]);
};

/** lzop 1.04, conf.h and lzop.c: version 1.03, no checksums of blocks. */
export const lzo = (blocks: (data: Uint8Array) => readonly number[], flags = 0, method = 1) => {
  return (data: Uint8Array): Uint8Array => {
    const header = [
      ...[...be(0x1030, 2), ...be(0x2080, 2), ...be(0x0940, 2), method, 5],
      ...[...be(flags, 4), ...be(0o644, 4), ...be(0, 8), 0],
    ];
    return Uint8Array.from([
      ...[0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a],
      ...[...header, ...be(adler32(header), 4)],
      ...blocks(data),
      ...be(0, 4),
    ]);
  };
};
export const lzoBlock = (size: number, packed: readonly number[]) => {
  return [...be(size, 4), ...be(packed.length, 4), ...packed];
};
/** A first run of four literals; M3 copies; the end mark. */
const [FOUR, END] = [[21, 1, 2, 3, 4], [0x11, 0, 0]];

/** Four bytes and the last of them again: six such blocks pass a megabyte, so output has to grow. */
const RUN_SIZE = 38 + 255 * 1000;
const RUN = lzoBlock(RUN_SIZE, [...FOUR, 0x20, ...Array(1000).fill(0), 1, 0, 0, ...END]);
const RUNS = new Uint8Array(6 * RUN_SIZE).fill(4);
for (let at = 0; at < RUNS.length; at += RUN_SIZE) RUNS.set([1, 2, 3, 4], at);

/** The LZMA specification: properties, a dictionary of 4 KiB, no bytes at all. */
const lzma = (properties: number) => (): Uint8Array => {
  return Uint8Array.from([properties, ...le(4096, 4), ...le(0, 8), 0, 0, 0, 0, 0]);
};

/** The LZMA specification, "Range Encoder": bits whose probabilities nothing has changed yet. */
function ranged(bits: readonly number[]): number[] {
  let [low, range, size] = [0n, 0xffff_ffffn, 4];
  for (const bit of bits) {
    const bound = (range >> 11n) * 1024n;
    if (bit === 1) low += bound;
    range = bit === 1 ? range - bound : bound;
    if (range >= 1n << 24n) continue;
    [low, range, size] = [low << 8n, range << 8n, size + 1];
  }
  const bytes = Array.from({ length: size }, (_, i) => Number(low >> BigInt(8 * i) & 255n));
  return [0, ...bytes.reverse()];
}

/** A match, not a repeated one; length 2; a distance slot, of those without more bits. */
const matchOf = (
  slot: number,
) => [1, 0, 0, 0, 0, 0, ...[32, 16, 8, 4, 2, 1].map((bit) => slot & bit ? 1 : 0)];

const lzmaMatch = (slot: number) => (): Uint8Array => {
  return Uint8Array.from([0x5d, ...le(4096, 4), ...le(2, 8), ...ranged(matchOf(slot))]);
};

/** An xz file of an LZMA chunk that holds "a"; its range coder ends at 0, where nothing is added. */
const xzOfA = (plus: number) => (): Uint8Array => {
  const packed = ranged([0, 0, 1, 1, 0, 0, 0, 0, 1]);
  packed[packed.length - 1] += plus;
  const chunk = [0xe0, ...be(0, 2), ...be(packed.length - 1, 2), 0x5d, ...packed];
  return xz({ chunk })(Uint8Array.of(0x61));
};

/** lz4 legacy frames: a block's size, a block. */
export const lz4 = (...blocks: readonly (readonly number[])[]) => (): Uint8Array => {
  const framed = blocks.flatMap((block) => [...le(block.length, 4), ...block]);
  return Uint8Array.from([0x02, 0x21, 0x4c, 0x18, ...framed]);
};

/** LZ4 Frame Format: independent blocks of at most 64 KiB, no checksums, all raw. */
const lz4Raw = (data: Uint8Array): Uint8Array => {
  const size = [...le(data.length, 3), 0x80];
  return Uint8Array.from([
    ...[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82],
    ...[...data.length === 0 ? [] : [...size, ...data], 0, 0, 0, 0],
  ]);
};
const lz4Packed = (block: readonly number[]): Uint8Array => {
  const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
  return Uint8Array.from([...header, ...le(block.length, 4), ...block, 0, 0, 0, 0]);
};
const LZ4_BLOCK = 0x1_0000;

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

/** Where the check of an xz file begins, its index, and where its footer ends. */
const unpaddedSize = (size: number) => 12 + 3 + size + 1 + 4;
const xzIndex = (size: number) => 24 + padded(Array(3 + size + 1)).length + 4;
const xzEnd = (size: number) =>
  xzIndex(size) + padded(Array(unpaddedSize(size) < 128 ? 4 : 6)).length + 16;

/** Where the first block of a bzip2 file has its data: an error in it points there. */
const BZIP2_DATA = 14;
/** A block of "BZh1". */
const BZIP2_BLOCK = 100_000;
const bzip2Of = (
  bytes: readonly number[],
  odd: Bzip2,
  comes?: string | readonly number[],
  place = BZIP2_DATA,
) => {
  const make = () => bzip2(odd)(Uint8Array.from(bytes));
  const gives = Uint8Array.from(Array.isArray(comes) ? comes : bytes);
  return {
    format: "bzip2",
    make,
    gives,
    code: typeof comes === "string" ? comes : undefined,
    at: () => place,
  } as const;
};

const [CORRUPT, UNSUPPORTED] = ["COMPRESSED_CORRUPT", "COMPRESSED_UNSUPPORTED"];
const [CHECKSUM, TRAILING] = ["COMPRESSED_CHECKSUM", "COMPRESSED_TRAILING"];

/** By name. Data of at most 4 KiB goes in, and nothing else comes out. */
export const HAND_MADE: Readonly<Record<string, HandMade>> = {
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
    at: () => 10,
  },
  "gzip with a reserved flag": {
    format: "gzip",
    make: gzip({ flags: 0x20 }),
    code: CORRUPT,
    at: () => 3,
  },
  "gzip with another size": {
    format: "gzip",
    make: gzip({ sizePlus: 1 }),
    code: CHECKSUM,
    at: (size) => 19 + size,
  },
  "gzip with another CRC": {
    format: "gzip",
    make: gzip({ crcPlus: 1 }),
    code: CHECKSUM,
    at: (size) => 15 + size,
  },
  "gzip with bytes behind": {
    format: "gzip",
    make: gzip({ after: [0] }),
    code: TRAILING,
    at: (size) => 23 + size,
  },
  "lzma of nothing": { format: "lzma", make: lzma(0x5d), gives: new Uint8Array(0) },
  "lzma with a match before the start": {
    format: "lzma",
    make: lzmaMatch(0),
    code: CORRUPT,
    at: () => 19,
  },
  "lzma with a match far before the start": {
    format: "lzma",
    make: lzmaMatch(3),
    code: CORRUPT,
    at: () => 19,
  },
  "lzma with lc + lp of 12": { format: "lzma", make: lzma(8 + 9 * 4), code: CORRUPT, at: () => 0 },
  "lzma with pb of 5": { format: "lzma", make: lzma(45 * 5), code: CORRUPT, at: () => 0 },
  "xz": { format: "xz", make: xz() },
  "xz of one letter": { format: "xz", make: xzOfA(0), gives: Uint8Array.of(0x61) },
  "xz of one letter with a rest in the range coder": {
    format: "xz",
    make: xzOfA(1),
    code: CORRUPT,
    at: () => 24,
  },
  "xz with stream padding": { format: "xz", make: xz({ after: [0, 0, 0, 0] }) },
  "xz with half a stream padding": {
    format: "xz",
    make: xz({ after: [0, 0] }),
    code: TRAILING,
    at: xzEnd,
  },
  "xz with bytes behind": {
    format: "xz",
    make: xz({ after: [1, 0, 0, 0] }),
    code: TRAILING,
    at: xzEnd,
  },
  "xz without a dictionary": {
    format: "xz",
    make: xz({ control: 2 }),
    code: CORRUPT,
    at: () => 24,
  },
  "xz with an unknown chunk": {
    format: "xz",
    make: xz({ control: 3 }),
    code: CORRUPT,
    at: () => 24,
  },
  "xz with another size in the index": {
    format: "xz",
    make: xz({ indexPlus: 1 }),
    code: CORRUPT,
    at: (size) => xzIndex(size) + (unpaddedSize(size) < 128 ? 3 : 4),
  },
  "xz with another block in the index": {
    format: "xz",
    make: xz({ unpaddedPlus: 4 }),
    code: CORRUPT,
    at: (size) => xzIndex(size) + 2,
  },
  "xz with a block less in the index": {
    format: "xz",
    make: xz({ countPlus: -1 }),
    code: CORRUPT,
    at: (size) => xzIndex(size) + 1,
  },
  "xz with another index size": {
    format: "xz",
    make: xz({ backwardPlus: 1 }),
    code: CORRUPT,
    at: (size) => xzEnd(size) - 8,
  },
  "xz with another check": {
    format: "xz",
    make: xz({ checkPlus: 1 }),
    code: CHECKSUM,
    at: (size) => xzIndex(size) - 4,
  },
  "xz with a filter of PowerPC": {
    format: "xz",
    make: xz({ filter: 0x05 }),
    code: UNSUPPORTED,
    at: () => 14,
  },
  "xz with the size in the header": { format: "xz", make: xz({ headerSizePlus: 0 }) },
  "xz with a larger size in the header": {
    format: "xz",
    make: xz({ headerSizePlus: 1 }),
    code: CORRUPT,
    at: () => 12,
  },
  "xz with a smaller size in the header": {
    format: "xz",
    make: xz({ headerSizePlus: -1 }),
    code: CORRUPT,
    at: () => 12,
  },
  "xz with a filter behind the header": {
    format: "xz",
    make: xz({ isHeaderShort: true }),
    code: CORRUPT,
    at: () => 12,
  },
  "xz with padding of ones": {
    format: "xz",
    make: () => xz({ padding: 1 })(Uint8Array.of(1)),
    code: CORRUPT,
    at: () => 29,
  },
  "xz whose footer has another check": {
    format: "xz",
    make: xz({ footerCheck: 4 }),
    code: CORRUPT,
    at: (size) => xzEnd(size) - 4,
  },
  "lzo": {
    format: "lzo",
    make: lzo((data) => data.length === 0 ? [] : lzoBlock(data.length, [...data])),
  },
  "lzo of long runs": {
    format: "lzo",
    make: lzo(() => Array(6).fill(RUN).flat()),
    gives: RUNS,
  },
  "lzo with a match before the start": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [...FOUR, 0x21, 0xfc, 0xff, ...END])),
    code: CORRUPT,
    at: () => 54,
  },
  "lzo with a match past the end": {
    format: "lzo",
    make: lzo(() => lzoBlock(12, [...FOUR, 0x3f, 0, 0, ...END])),
    code: CORRUPT,
    at: () => 54,
  },
  "lzo with an early end mark": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [...FOUR, ...END])),
    code: CORRUPT,
    at: () => 52,
  },
  "lzo with literals past the end": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [0x20, ...FOUR])),
    code: CORRUPT,
    at: () => 47,
  },
  "lzo with a filter": {
    format: "lzo",
    make: lzo(() => [], 0x800),
    code: UNSUPPORTED,
    at: () => 17,
  },
  "lzo of another method": {
    format: "lzo",
    make: lzo(() => [], 0, 4),
    code: UNSUPPORTED,
    at: () => 15,
  },
  "lz4 of raw blocks": { format: "lz4", make: lz4Raw },
  "lz4 with the largest raw block": {
    format: "lz4",
    make: () => lz4Raw(new Uint8Array(LZ4_BLOCK)),
    gives: new Uint8Array(LZ4_BLOCK),
  },
  "lz4 with a larger raw block": {
    format: "lz4",
    make: () => lz4Raw(new Uint8Array(LZ4_BLOCK + 1)),
    code: CORRUPT,
    at: () => 7,
  },
  "lz4 with a match before the start": {
    format: "lz4-legacy",
    make: lz4([0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    at: () => 10,
  },
  "lz4 with a match of distance 0": {
    format: "lz4-legacy",
    make: lz4([0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    at: () => 10,
  },
  "lz4 with literals past the block": {
    format: "lz4-legacy",
    make: lz4([0x50, 1, 2], [0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    at: () => 9,
  },
  "lz4 with a match at the end": {
    format: "lz4-legacy",
    make: lz4([0x10, 1, 1, 0]),
    code: CORRUPT,
    at: () => 12,
  },
  "lz4 with a match past what is allowed": {
    format: "lz4-legacy",
    make: lz4([0x1f, 1, 1, 0, ...Array(20_000).fill(255), 0, 0x50, 1, 2, 3, 4, 5]),
    code: "COMPRESSED_SIZE",
    at: () => 0,
  },
  "lz4 with an empty block": { format: "lz4-legacy", make: lz4([]), code: CORRUPT, at: () => 4 },
  "lz4 with a match past its block's maximum": {
    format: "lz4",
    make: () => lz4Packed([0x1f, 1, 1, 0, ...Array(300).fill(255), 0, 0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    at: () => 7 + 4 + 4 + 301,
  },
  "lz4 with a block behind the last": {
    format: "lz4-legacy",
    make: lz4([0x10, 1], [0x10, 1]),
    code: TRAILING,
    at: () => 10,
  },
  "zstd": { format: "zstd", make: zstd() },
  "zstd without a size": { format: "zstd", make: zstd({ descriptor: 0, fields: () => [0x50] }) },
  "zstd with a window of 512 MiB": {
    format: "zstd",
    make: zstd({ descriptor: 0, fields: () => [19 << 3] }),
    code: UNSUPPORTED,
    at: () => 5,
  },
  "zstd with a dictionary": {
    format: "zstd",
    make: zstd({ descriptor: 0xa1, fields: (size) => [7, ...le(size, 4)] }),
    code: UNSUPPORTED,
    at: () => 5,
  },
  "zstd with a reserved bit": {
    format: "zstd",
    make: zstd({ descriptor: 0xa8 }),
    code: CORRUPT,
    at: () => 4,
  },
  "zstd with another size": {
    format: "zstd",
    make: zstd({ fields: (size) => le(size + 1, 4) }),
    code: CORRUPT,
    at: () => 5,
  },
  "zstd with a reserved block": {
    format: "zstd",
    make: zstd({ type: 3 }),
    code: CORRUPT,
    at: () => 9,
  },
  "zstd that is cut off": {
    format: "zstd",
    make: zstd({ descriptor: 0, fields: () => [0x50], sizePlus: 1 }),
    code: "TRUNCATED",
    at: (size) => 9 + size,
  },
  "zstd with bytes behind": {
    format: "zstd",
    make: zstd({ after: [1, 2] }),
    code: TRAILING,
    at: (size) => 12 + size,
  },
  "zstd with a skippable frame": {
    format: "zstd",
    make: zstd({ after: [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9] }),
  },
  "bzip2": { format: "bzip2", make: bzip2() },
  "bzip2 with six tables": { format: "bzip2", make: bzip2({ tables: 6, place: 5 }) },
  "bzip2 with more selectors": { format: "bzip2", make: bzip2({ selectorsPlus: 18_100 }) },
  "bzip2 with longer codes": { format: "bzip2", make: bzip2({ lengthPlus: 3 }) },
  "bzip2 with the longest codes": bzip2Of([7], { lengthPlus: 18 }),
  "bzip2 with codes of 21 bits": bzip2Of([7], { lengthPlus: 19 }, CORRUPT),
  "bzip2 with codes of 0 bits": bzip2Of([7], { length: 0 }, CORRUPT),
  "bzip2 with too many codes": {
    ...bzip2Of([1, 2], { lengthPlus: -1 }, CORRUPT),
    field: "bzip2 code lengths",
  },
  "bzip2 with one table": bzip2Of([1], { tables: 1 }, CORRUPT),
  "bzip2 with seven tables": bzip2Of([1], { tables: 7 }, CORRUPT),
  "bzip2 with a selector of another table": bzip2Of([1], { tables: 3, place: 3 }, CORRUPT),
  "bzip2 without selectors": bzip2Of([1], { selectorsPlus: -1 }, CORRUPT),
  "bzip2 with a selector less": bzip2Of([...Array(60).keys()], { selectorsPlus: -1 }, CORRUPT),
  "bzip2 with an origin past the block": bzip2Of([7], { originPlus: 1 }, CORRUPT),
  "bzip2 with another origin": bzip2Of([1, 2, 3], { originPlus: 1 }, CHECKSUM, 10),
  "bzip2 that is randomised": bzip2Of([1], { isRandomised: true }, UNSUPPORTED),
  "bzip2 with blocks of 0": bzip2Of([1], { level: "0" }, CORRUPT, 3),
  "bzip2 with blocks of a million": bzip2Of([1], { level: ":" }, CORRUPT, 3),
  "bzip2 with another CRC of its block": bzip2Of([1], { crcPlus: 1 }, CHECKSUM, 10),
  "bzip2 with another CRC": bzip2Of([1], { streamCrcPlus: 1 }, CHECKSUM, 32),
  "bzip2 with bytes behind": bzip2Of([1], { after: [1] }, TRAILING, 36),
  "bzip2 with another behind": bzip2Of([1, 2], { after: [...bzip2()(Uint8Array.of(3))] }, [
    1,
    2,
    3,
  ]),
  "bzip2 of nothing": { format: "bzip2", make: bzip2OfNothing, gives: new Uint8Array(0) },
  "bzip2 of no bytes": {
    format: "bzip2",
    make: bzip2OfNoBytes,
    code: CORRUPT,
    at: () => BZIP2_DATA,
  },
  "bzip2 of a whole block": {
    format: "bzip2",
    make: bzip2Run(BZIP2_BLOCK),
    gives: runGives(BZIP2_BLOCK),
  },
  "bzip2 with a byte past its block": {
    format: "bzip2",
    make: bzip2Run(BZIP2_BLOCK, true),
    code: CORRUPT,
    at: () => BZIP2_DATA,
  },
  "bzip2 with a run past its block": {
    format: "bzip2",
    make: bzip2Run(BZIP2_BLOCK + 1),
    code: CORRUPT,
    at: () => BZIP2_DATA,
  },
  "bzip2 with a run of 2^31": {
    format: "bzip2",
    make: bzip2Run(2 ** 31),
    code: CORRUPT,
    at: () => BZIP2_DATA,
  },
  "bzip2 with four equal bytes and no count": {
    format: "bzip2",
    make: bzip2Run(4),
    code: CORRUPT,
    at: () => BZIP2_DATA,
  },
};
