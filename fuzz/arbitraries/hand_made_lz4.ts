/** lz4 files, written by hand. */
import {
  CHECKSUM,
  CORRUPT,
  type HandMade,
  le,
  SIZE,
  TRAILING,
  UNSUPPORTED,
  xxh32,
} from "./hand_made_bytes.ts";

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
const LZ4_BLOCK = 0x1_0000;

/** What may be odd about an lz4 frame. */
export interface Lz4Frame {
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
export function lz4Frame(odd: Lz4Frame): number[] {
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

/** Frames in a row. */
export const lz4Of = (...frames: readonly (readonly number[])[]) => (): Uint8Array =>
  Uint8Array.from(frames.flat());
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

/** By name. */
export const LZ4_FILES: Readonly<Record<string, HandMade>> = {
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
  "lz4 with another magic": {
    format: "lz4",
    make: () => Uint8Array.of(0x05, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0),
    ...{ code: CORRUPT, field: "magic", at: 0 },
  },
  "lz4 with an empty block": {
    ...{ format: "lz4-legacy", make: lz4([]), code: CORRUPT, field: "block size", at: 4 },
  },
  "lz4 with a match past its block's maximum": {
    format: "lz4",
    make: lz4Of(lz4Frame({ blocks: [LONG], flags: 0x60, gives: [] })),
    ...{ code: CORRUPT, field: "block", at: 7 + 4 + 4 + 260 },
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
  "lz4 with a match's length past its block": {
    format: "lz4",
    make: lz4Of(lz4Frame({ blocks: [[0x1f, 1, 1, 0, 255], FIVE] })),
    ...{ code: CORRUPT, field: "block", at: 16 },
  },
  "lz4 with a length of literals past its block": {
    format: "lz4",
    make: lz4Of(lz4Frame({ blocks: [[0xf0, 255], FIVE] })),
    ...{ code: CORRUPT, field: "block", at: 13 },
  },
  "lz4 with a match's offset past its block": {
    format: "lz4",
    make: lz4Of(lz4Frame({ blocks: [[0x10, 1, 1], FIVE] })),
    ...{ code: CORRUPT, field: "block", at: 13 },
  },
  "lz4 with a legacy block that is too large": {
    format: "lz4-legacy",
    make: () =>
      Uint8Array.from([
        ...[
          0x02,
          0x21,
          0x4c,
          0x18,
          ...le((8 << 20) + Math.floor((8 << 20) / 255) + 17, 4),
          0x10,
          1,
        ],
      ]),
    ...{ code: CORRUPT, field: "block size", at: 4 },
  },
  "lz4 with a block that comes to more than it may": {
    format: "lz4",
    make: lz4Of(lz4Frame({ blocks: [LONG] })),
    ...{ code: CORRUPT, field: "block" },
  },
};
