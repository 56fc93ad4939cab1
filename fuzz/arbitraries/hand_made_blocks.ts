/** lz4 and lzo files, written by hand. */
import {
  adler32,
  be,
  CHECKSUM,
  CORRUPT,
  crc32,
  type HandMade,
  le,
  SIZE,
  TRAILING,
  UNSUPPORTED,
  xxh32,
} from "./hand_made_bytes.ts";

/** lzop 1.04, conf.h and lzop.c: version 1.03, no checksums of blocks. */
const lzo = (
  blocks: (data: Uint8Array) => readonly number[],
  flags = 0,
  method = 1,
  { plus = 0, version = 0x1030, extra = [], after = [] }: LzoOdd = {},
) => {
  return (data: Uint8Array): Uint8Array => {
    const header = [
      ...[...be(version, 2), ...be(0x2080, 2), ...be(0x0940, 2), method, 5],
      ...[...be(flags, 4), ...be(0o644, 4), ...be(0, 8), 0],
    ];
    const sum = flags & 0x1000 ? crc32 : adler32;
    return Uint8Array.from([
      ...[0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a],
      ...[...header, ...be(sum(header) + plus, 4)],
      ...extra.length === 0 ? [] : [...extra, ...be(sum(extra), 4)],
      ...blocks(data),
      ...be(0, 4),
      ...after,
    ]);
  };
};

/** What may be odd about an lzop file: what is added to its header's checksum, its version, more. */
interface LzoOdd {
  readonly plus?: number;
  readonly version?: number;
  readonly extra?: readonly number[];
  readonly after?: readonly number[];
}
const lzoBlock = (size: number, packed: readonly number[]) => {
  return [...be(size, 4), ...be(packed.length, 4), ...packed];
};
/** A first run of four literals; M3 copies; the end mark. */
const [FOUR, END] = [[21, 1, 2, 3, 4], [0x11, 0, 0]];

/** Four bytes and the last of them again: six such blocks pass a megabyte, so output has to grow. */
const RUN_SIZE = 38 + 255 * 1000;
const RUN = lzoBlock(RUN_SIZE, [...FOUR, 0x20, ...Array(1000).fill(0), 1, 0, 0, ...END]);
const RUNS = new Uint8Array(6 * RUN_SIZE).fill(4);
for (let at = 0; at < RUNS.length; at += RUN_SIZE) RUNS.set([1, 2, 3, 4], at);

/** lz4 legacy frames: a block's size, a block. */
const lz4 = (...blocks: readonly (readonly number[])[]) => (): Uint8Array => {
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
const LZ4_BLOCK = 0x1_0000;

/** What may be odd about an lz4 frame. */
interface Lz4Frame {
  /** FLG beside version 1; independent blocks if not given. */
  readonly flags?: number;
  readonly bd?: number;
  /** Block size words and blocks; the checksums of blocks follow where the flags say so. */
  readonly blocks?: readonly (readonly number[])[];
  readonly isRaw?: boolean;
  readonly gives?: readonly number[];
  readonly version?: number;
  readonly sizePlus?: number;
  readonly headerPlus?: number;
  readonly blockPlus?: number;
  readonly contentPlus?: number;
}

/** LZ4 Frame Format, version 1.6. */
function lz4Frame(odd: Lz4Frame): number[] {
  const { flags = 0x20, bd = 0x40, blocks = [], isRaw = false, gives = [], version = 1 } = odd;
  const { sizePlus = 0, headerPlus = 0, blockPlus = 0, contentPlus = 0 } = odd;
  const header = [
    ...[version << 6 | flags, bd],
    ...flags & 8 ? le(gives.length + sizePlus, 8) : [],
    ...flags & 1 ? le(7, 4) : [],
  ];
  return [
    ...[0x04, 0x22, 0x4d, 0x18, ...header, (xxh32(header) >>> 8) + headerPlus & 255],
    ...blocks.flatMap((block) => [
      ...le(block.length + (isRaw ? 2 ** 31 : 0), 4),
      ...block,
      ...flags & 16 ? le((xxh32(block) + blockPlus) % 2 ** 32, 4) : [],
    ]),
    ...le(0, 4),
    ...flags & 4 ? le((xxh32(gives) + contentPlus) % 2 ** 32, 4) : [],
  ];
}

const lz4Of = (...frames: readonly (readonly number[])[]) => () => Uint8Array.from(frames.flat());
/** Five literals; the five bytes before, four of them, and one more; nothing but a match. */
const FIVE = [0x50, 1, 2, 3, 4, 5];
const FIVE_BACK = [0x00, 5, 0, 0x50, 6, 7, 8, 9, 10];
const FIVE_TWICE = [1, 2, 3, 4, 5, 1, 2, 3, 4, 6, 7, 8, 9, 10];
/** A literal and 66,000 bytes more: more than a block of 64 KiB holds. */
const LONG = [0x1f, 1, 1, 0, ...Array(259).fill(255), 0, ...FIVE];
const TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
const SKIP = [0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
const rawTen = (odd: Lz4Frame = {}) => lz4Frame({ blocks: [TEN], isRaw: true, gives: TEN, ...odd });
const GIVES_TEN = Uint8Array.from(TEN);

/** Four literals and a run of the last; lzop's sums of the data and of the packed bytes. */
const LZO_PACKED = [...FOUR, 0x3f, 0, 0, ...END];
const LZO_RUN = [1, 2, 3, 4, ...Array(33).fill(4)];
const lzoSummed = (dataPlus: number, packedPlus: number) => [
  ...[...be(LZO_RUN.length, 4), ...be(LZO_PACKED.length, 4)],
  ...[...be(adler32(LZO_RUN), 4), ...be(crc32(LZO_RUN) + dataPlus, 4)],
  ...[...be(adler32(LZO_PACKED), 4), ...be(crc32(LZO_PACKED) + packedPlus, 4)],
  ...LZO_PACKED,
];

/** A block, and what comes of it. */
interface Packed {
  readonly block: Uint8Array;
  readonly data: Uint8Array;
}

/** Files of blocks: legacy ones, independent ones of up to 4 MiB with checksums, lzop's with sums. */
export const framed: Readonly<
  Record<"lz4-legacy" | "lz4" | "lzo", (blocks: readonly Packed[]) => Uint8Array>
> = {
  "lz4-legacy": (blocks) => lz4(...blocks.map(({ block }) => [...block]))(),
  lz4: (blocks) => {
    const gives = blocks.flatMap(({ data }) => [...data]);
    const parts = blocks.map(({ block }) => [...block]);
    return lz4Of(lz4Frame({ flags: 0x3c, bd: 0x70, blocks: parts, gives }))();
  },
  lzo: (blocks) =>
    lzo(() =>
      blocks.flatMap(({ block, data }) => [
        ...[...be(data.length, 4), ...be(block.length, 4), ...be(adler32([...data]), 4)],
        ...block,
      ]), 1)(new Uint8Array(0)),
};

/** By name. */
export const BLOCKS: Readonly<Record<string, HandMade>> = {
  "lzo": {
    format: "lzo",
    make: lzo((data) => data.length === 0 ? [] : lzoBlock(data.length, [...data])),
  },
  "lzo of long runs": {
    format: "lzo",
    make: () => lzo(() => Array(6).fill(RUN).flat())(new Uint8Array(0)),
    gives: RUNS,
  },
  "lzo with a match before the start": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [...FOUR, 0x21, 0xfc, 0xff, ...END])),
    code: CORRUPT,
    field: "block",
    at: 54,
  },
  "lzo with a match past the end": {
    format: "lzo",
    make: lzo(() => lzoBlock(12, [...FOUR, 0x3f, 0, 0, ...END])),
    code: CORRUPT,
    field: "block",
    at: 54,
  },
  "lzo with an early end mark": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [...FOUR, ...END])),
    code: CORRUPT,
    field: "block",
    at: 52,
  },
  "lzo with literals past the end": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [0x20, ...FOUR])),
    code: CORRUPT,
    field: "block",
    at: 47,
  },
  "lzo with a filter": {
    format: "lzo",
    make: lzo(() => [], 0x800),
    code: UNSUPPORTED,
    field: "flags",
    at: 17,
  },
  "lzo of another method": {
    format: "lzo",
    make: lzo(() => [], 0, 4),
    code: UNSUPPORTED,
    field: "method",
    at: 15,
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
    field: "block size",
    at: 7,
  },
  "lz4 with a match before the start": {
    format: "lz4-legacy",
    make: lz4([0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    field: "match offset",
    at: 10,
  },
  "lz4 with a match of distance 0": {
    format: "lz4-legacy",
    make: lz4([0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    field: "match offset",
    at: 10,
  },
  "lz4 with literals past the block": {
    format: "lz4-legacy",
    make: lz4([0x50, 1, 2], [0x50, 1, 2, 3, 4, 5]),
    code: CORRUPT,
    field: "block",
    at: 9,
  },
  "lz4 with a match at the end": {
    format: "lz4-legacy",
    make: lz4([0x10, 1, 1, 0]),
    code: CORRUPT,
    field: "block",
    at: 12,
  },
  "lz4 with a match past what is allowed": {
    format: "lz4-legacy",
    make: lz4([0x1f, 1, 1, 0, ...Array(20_000).fill(255), 0, 0x50, 1, 2, 3, 4, 5]),
    code: "COMPRESSED_SIZE",
    field: "data",
    at: 0,
  },
  "lz4 with a block behind the last": {
    format: "lz4-legacy",
    make: lz4([0x10, 1], [0x10, 1]),
    code: TRAILING,
    field: "end",
    at: 10,
  },
  "lz4 with all checksums": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x3c })),
    gives: GIVES_TEN,
  },
  "lz4 with another header checksum": {
    format: "lz4",
    make: lz4Of(rawTen({ headerPlus: 1 })),
    ...{ code: CHECKSUM, field: "header checksum", at: 6 },
  },
  "lz4 with another block checksum": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x30, blockPlus: 1 })),
    ...{ code: CHECKSUM, field: "block checksum", at: -8 },
  },
  "lz4 with another content checksum": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x24, contentPlus: 1 })),
    ...{ code: CHECKSUM, field: "content checksum", at: -4 },
  },
  "lz4 with a larger content size": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x28, sizePlus: 1 })),
    ...{ code: CORRUPT, field: "content size", at: -4 },
  },
  "lz4 with a smaller content size": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x28, sizePlus: -1 })),
    ...{ code: CORRUPT, field: "content size", at: -4 },
  },
  "lz4 that says to have a TiB": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x28, sizePlus: 2 ** 40 })),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "lz4 that says to have 512 MiB": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x28, sizePlus: 2 ** 29 })),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "lz4 with a dictionary": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x21 })),
    ...{ code: UNSUPPORTED, field: "dictionary id", at: 6 },
  },
  "lz4 with a reserved flag": {
    format: "lz4",
    make: lz4Of(rawTen({ flags: 0x22 })),
    ...{ code: CORRUPT, field: "FLG", at: 4 },
  },
  ...Object.fromEntries([0, 2, 3].map((version): [string, HandMade] => [
    `lz4 of version ${version}`,
    { format: "lz4", make: lz4Of(rawTen({ version })), code: CORRUPT, field: "FLG", at: 4 },
  ])),
  ...Object.fromEntries([0x41, 0x48, 0xc0, 0x30].map((bd): [string, HandMade] => [
    `lz4 with a block descriptor of ${bd}`,
    { format: "lz4", make: lz4Of(rawTen({ bd })), code: CORRUPT, field: "BD", at: 5 },
  ])),
  "lz4 of two frames with others to skip": {
    format: "lz4",
    make: lz4Of(SKIP, rawTen(), SKIP, rawTen(), SKIP),
    gives: Uint8Array.from([...TEN, ...TEN]),
  },
  "lz4 with half a magic behind": {
    format: "lz4",
    make: lz4Of(rawTen(), [0x04, 0x22, 0x4d]),
    ...{ code: TRAILING, field: "end", at: -3 },
  },
  "lz4 with blocks that need each other": {
    format: "lz4",
    make: lz4Of(lz4Frame({ flags: 0, blocks: [FIVE, FIVE_BACK] })),
    gives: Uint8Array.from(FIVE_TWICE),
  },
  "lz4 with a match in the block before": {
    format: "lz4",
    make: lz4Of(lz4Frame({ flags: 0x20, blocks: [FIVE, FIVE_BACK] })),
    ...{ code: CORRUPT, field: "match offset", at: 22 },
  },
  "lz4 with a match in the frame before": {
    format: "lz4",
    make: lz4Of(
      lz4Frame({ flags: 0, blocks: [FIVE] }),
      lz4Frame({ flags: 0, blocks: [FIVE_BACK] }),
    ),
    ...{ code: CORRUPT, field: "match offset", at: -12 },
  },
  "lz4 with a match in the legacy frame before": {
    format: "lz4-legacy",
    make: () => Uint8Array.from([...lz4(FIVE)(), ...lz4(FIVE_BACK)()]),
    ...{ code: CORRUPT, field: "match offset", at: -8 },
  },
  "lz4 with a block that comes to more than it may": {
    format: "lz4",
    make: lz4Of(lz4Frame({ blocks: [LONG] })),
    ...{ code: CORRUPT, field: "block" },
  },
  "lzo with another header checksum": {
    format: "lzo",
    make: lzo(() => [], 0, 1, { plus: 1 }),
    ...{ code: CHECKSUM, field: "header checksum", at: 34 },
  },
  "lzo with a header CRC and an extra field": {
    format: "lzo",
    make: lzo((data) => lzoBlock(data.length, [...data]), 0x1040, 1, { extra: [0, 0, 0, 2, 8, 9] }),
  },
  "lzo of several parts": {
    format: "lzo",
    make: lzo(() => [], 0x400),
    ...{ code: UNSUPPORTED, field: "flags", at: 17 },
  },
  "lzo with an unknown flag": {
    format: "lzo",
    make: lzo(() => [], 0x4000),
    ...{ code: UNSUPPORTED, field: "flags", at: 17 },
  },
  "lzo before its version 0.94": {
    format: "lzo",
    make: lzo(() => [], 0, 1, { version: 0x093f }),
    ...{ code: UNSUPPORTED, field: "version", at: 9 },
  },
  "lzo with a block of more than 64 MiB": {
    format: "lzo",
    make: lzo(() => [...be((64 << 20) + 1, 4), 0, 0, 0, 1, 0]),
    ...{ code: CORRUPT, field: "block size", at: 38 },
  },
  "lzo with a block that is larger when it is packed": {
    format: "lzo",
    make: lzo(() => lzoBlock(3, [1, 2, 3, 4])),
    ...{ code: CORRUPT, field: "block size", at: 38 },
  },
  "lzo with checksums of a packed block": {
    format: "lzo",
    make: lzo(() => lzoSummed(0, 0), 0x303),
    gives: Uint8Array.from(LZO_RUN),
  },
  "lzo with another checksum of the packed bytes": {
    format: "lzo",
    make: lzo(() => lzoSummed(0, 1), 0x303),
    ...{ code: CHECKSUM, field: "compressed block CRC-32", at: 58 },
  },
  "lzo with another checksum of the data": {
    format: "lzo",
    make: lzo(() => lzoSummed(1, 0), 0x303),
    ...{ code: CHECKSUM, field: "block CRC-32", at: 50 },
  },
  "lzo with bytes behind": {
    format: "lzo",
    make: lzo((data) => lzoBlock(data.length, [...data]), 0, 1, { after: [0] }),
    ...{ code: TRAILING, field: "end", at: -1 },
  },
};
