/** lzop files, written by hand. */
import {
  adler32,
  be,
  CHECKSUM,
  CORRUPT,
  crc32,
  type HandMade,
  TRAILING,
  UNSUPPORTED,
} from "./hand_made_bytes.ts";

/** lzop 1.04, conf.h and lzop.c: version 1.03, no checksums of blocks. */
export const lzo = (
  blocks: (data: Uint8Array) => readonly number[],
  flags = 0,
  method = 1,
  { plus = 0, version = 0x1030, extra = [], after = [] }: LzoOdd = {},
): (data: Uint8Array) => Uint8Array => {
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

/** Four literals and a run of the last; lzop's sums of the data and of the packed bytes. */
const LZO_PACKED = [...FOUR, 0x3f, 0, 0, ...END];
const LZO_RUN = [1, 2, 3, 4, ...Array(33).fill(4)];
const lzoSummed = (dataPlus: number, packedPlus: number) => [
  ...[...be(LZO_RUN.length, 4), ...be(LZO_PACKED.length, 4)],
  ...[...be(adler32(LZO_RUN), 4), ...be(crc32(LZO_RUN) + dataPlus, 4)],
  ...[...be(adler32(LZO_PACKED), 4), ...be(crc32(LZO_PACKED) + packedPlus, 4)],
  ...LZO_PACKED,
];

/** By name. */
export const LZO_FILES: Readonly<Record<string, HandMade>> = {
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
  "lzo without an end mark": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, FOUR)),
    ...{ code: CORRUPT, field: "block", at: 51 },
  },
  "lzo with a length without end": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [...FOUR, 0x20, 0, 0, 0, 0])),
    ...{ code: CORRUPT, field: "block", at: 56 },
  },
  "lzo with half a distance": {
    format: "lzo",
    make: lzo(() => lzoBlock(40, [...FOUR, 0x20, 0, 1, 0])),
    ...{ code: CORRUPT, field: "block", at: 54 },
  },
  "lzo with bytes behind": {
    format: "lzo",
    make: lzo((data) => lzoBlock(data.length, [...data]), 0, 1, { after: [0] }),
    ...{ code: TRAILING, field: "end", at: -1 },
  },
};
