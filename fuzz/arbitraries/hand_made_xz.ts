/** .xz and .lzma files, written by hand. */
import { createHash } from "node:crypto";
import { LzmaWriter } from "./lzma_writer.ts";
import {
  be,
  CHECKSUM,
  CORRUPT,
  crc32,
  type HandMade,
  le,
  padded,
  SIZE,
  TRAILING,
  TRUNCATED,
  UNSUPPORTED,
} from "./hand_made_bytes.ts";

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
  /** The chunks, instead of an uncompressed one. */
  readonly chunk?: readonly number[];
  /** The block's header up to its padding, without its size. */
  readonly header?: readonly number[];
  readonly headerPadding?: number;
  /** The check's id, and the check. */
  readonly checkId?: number;
  readonly check?: (data: Uint8Array) => readonly number[];
  /** What is added to the CRC32 of the stream flags, of the block's header, of the index, of the footer. */
  readonly plus?: readonly [number, number, number, number];
  readonly magic?: readonly number[];
  /** What the block comes to, where its chunks or filters make something else of the data. */
  readonly gives?: readonly number[];
}

/** The .xz file format, 1.1.0, 1.2. */
function number(value: number): number[] {
  const parts = [];
  for (let rest = value; parts.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    parts.push(rest % 128 | (rest >= 128 ? 128 : 0));
  }
  return parts;
}

/** With a CRC32 behind, or something near it. */
const sealed = (part: readonly number[], plus = 0) => [
  ...part,
  ...le((crc32(part) + plus) % 2 ** 32, 4),
];

/** The .xz file format, 1.1.0: one block of one uncompressed LZMA2 chunk, CRC32. */
export const xz = (odd: Xz = {}) => (data: Uint8Array): Uint8Array => {
  const bytes = data.length === 0 ? Uint8Array.of(0) : data;
  const { control = 1, indexPlus = 0, unpaddedPlus = 0, countPlus = 0, padding = 0 } = odd;
  const { backwardPlus = 0, checkPlus = 0, filter = 0x21, checkId = 1, after = [] } = odd;
  const { footerCheck = checkId, headerSizePlus, isHeaderShort = false } = odd;
  const { plus = [0, 0, 0, 0], magic = [0x59, 0x5a], headerPadding = 0 } = odd;
  const given = odd.header ??
    (headerSizePlus === undefined
      ? [0, filter, 1, 0]
      : [0x80, ...number(bytes.length + headerSizePlus), 0x21, 1, 0]);
  const sized = padded([0, ...given], headerPadding);
  let header = sealed([sized.length / 4, ...sized.slice(1)], plus[1]);
  // Two x86 filters first; the CRC32's first byte is to be a dictionary's size
  for (let start = 0; isHeaderShort && (start === 0 || header[12] > 40); start++) {
    header = sealed([3, 2, 4, 4, ...le(start, 4), 4, 0, 0x21, 1]);
  }
  const chunk = [...odd.chunk ?? [control, ...be(bytes.length - 1, 2), ...bytes], 0];
  const gives = odd.gives ?? [...bytes];
  const check = odd.check?.(bytes) ?? le((crc32(gives) + checkPlus) % 2 ** 32, 4);
  const unpadded = header.length + chunk.length + check.length;
  const index = sealed(
    padded([
      ...[0, ...number(1 + countPlus)],
      ...number(unpadded + unpaddedPlus),
      ...number(gives.length + indexPlus),
    ], padding),
    plus[2],
  );
  const footer = [...le(index.length / 4 - 1 + backwardPlus, 4), 0, footerCheck];
  return Uint8Array.from([
    ...[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    ...sealed([0, checkId], plus[0]),
    ...header,
    ...padded(chunk, padding),
    ...check,
    ...index,
    ...le((crc32(footer) + plus[3]) % 2 ** 32, 4),
    ...footer,
    ...magic,
    ...after,
  ]);
};

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

/** Properties lc 3, lp 0, pb 2; chunks of LZMA with what their control byte resets. */
const PROPERTIES = 0x5d;
const chunkOf = (control: number, size: number, packed: readonly number[]) => [
  ...[control | size - 1 >> 16, ...be((size - 1) % 65_536, 2), ...be(packed.length - 1, 2)],
  ...[...control >= 0xc0 ? [PROPERTIES] : [], ...packed],
];
const wrote = (write: (writer: LzmaWriter) => LzmaWriter) => write(new LzmaWriter());

/** An .xz file of one LZMA chunk, or of more. */
const xzOf = (writer: LzmaWriter, odd: Xz = {}, minus = 0) => {
  const { data } = writer;
  const chunk = chunkOf(0xe0, data.length - minus, writer.bytes());
  return { data, make: () => xz({ chunk, gives: data, ...odd })(new Uint8Array(1)) };
};

/** A .lzma file. */
const lzmaOf =
  (writer: LzmaWriter, size?: number, { dictionary = 4096, plus = 0, first = 0 } = {}) => () => {
    const packed = writer.bytes();
    packed[0] = first;
    packed[packed.length - 1] += plus;
    const told = size === undefined ? Array(8).fill(255) : le(size, 8);
    return Uint8Array.from([PROPERTIES, ...le(dictionary, 4), ...told, ...packed]);
  };

const ABC = wrote((writer) => writer.literal(97).literal(98).literal(99).match(3, 7).literal(100));
const ABC_ENDED = wrote((writer) => writer.literal(97).literal(98).literal(99).end());
/** More than a dictionary of 4 KiB, and then from as far back as it is, or a byte further. */
const far = (distance: number) =>
  wrote((writer) => {
    for (let i = 0; i < 20; i++) writer.literal(65 + i);
    for (let i = 0; i < 20; i++) writer.match(20, 273);
    return writer.match(distance, 5).literal(1);
  });
const [FAR, TOO_FAR] = [far(4096), far(4097)];
const LARGE = wrote((writer) => {
  writer.literal(1).literal(2).match(2, 273);
  for (let i = 0; i < 300; i++) writer.again(273);
  return writer;
});

/** A chunk, and another whose state is reset: the distance that it takes again is 1. */
const [RESET, RESET_DATA] = (() => {
  const writer = wrote((writer) => writer.literal(97).literal(98).match(2, 4));
  const [first, size] = [writer.bytes(), writer.data.length];
  writer.restart(true).again(3).literal(99);
  const second = chunkOf(0xa0, writer.data.length - size, writer.bytes());
  return [[...chunkOf(0xe0, size, first), ...second], writer.data];
})();
/** Two chunks, the second of which starts a dictionary and copies from before it. */
const [BEFORE, BEFORE_DATA] = (() => {
  const writer = wrote((writer) => writer.literal(97).literal(98));
  const first = chunkOf(0xe0, 2, writer.bytes());
  writer.restart(true).match(1, 4);
  return [[...first, ...chunkOf(0xe0, 4, writer.bytes())], writer.data];
})();
/** An LZMA chunk, bytes that start a dictionary, and an LZMA chunk without properties. */
const UNSET = [
  ...chunkOf(0xe0, ABC.data.length, ABC.bytes()),
  ...[1, 0, 0, 7],
  ...chunkOf(0x80, ABC.data.length, ABC.bytes()),
];

/** arm64: BL of words from 0 on, which the filter makes relative to themselves, in each block anew. */
const BRANCHES = Array.from({ length: 4 }, (_, i) => le(0x94000100 + i, 4)).flat();
const [ARM64, X86] = [[0x0a, 0], [0x04, 0]];
const UNDONE = Array.from({ length: 4 }, () => le(0x94000100, 4)).flat();
const TWICE_UNDONE = [...UNDONE, ...UNDONE];
/** arm64 first, from 4 on: then 0xe8 is no call any more. */
const CALL = [0xe8, 0, 0, 0x94, 0, 0, 0, 0];
const rawChunk = (bytes: readonly number[]) => [1, ...be(bytes.length - 1, 2), ...bytes];

/** Two blocks of the same, with a filter, and the index of both. */
function twoBlocks(): Uint8Array {
  const header = sealed([2, 1, ...ARM64, 0x21, 1, 0, 0]);
  const body = padded([...rawChunk(BRANCHES), 0]);
  const block = [...header, ...body, ...le(crc32(UNDONE), 4)];
  const unpadded = header.length + BRANCHES.length + 4 + 4;
  const row = [...number(unpadded), ...number(BRANCHES.length)];
  const index = sealed(padded([0, 2, ...row, ...row]));
  const footer = [...le(index.length / 4 - 1, 4), 0, 1];
  return Uint8Array.from([
    ...[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, ...sealed([0, 1])],
    ...[...block, ...block, ...index, ...le(crc32(footer), 4), ...footer, 0x59, 0x5a],
  ]);
}

const sha256 = (plus: number) => (data: Uint8Array) => {
  const sum = [...createHash("sha256").update(data).digest()];
  return [...sum.slice(0, 31), sum[31] ^ plus];
};
/** ECMA-182, bits reversed. */
const crc64 = (mask: bigint) => (data: Uint8Array) => {
  let crc = (1n << 64n) - 1n;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let i = 0; i < 8; i++) crc = crc >> 1n ^ (crc & 1n) * 0xc96c5795d7870f42n;
  }
  crc = crc ^ (1n << 64n) - 1n ^ mask;
  return Array.from({ length: 8 }, (_, i) => Number(crc >> BigInt(8 * i) & 255n));
};

/** By name. */
export const XZ_FILES: Readonly<Record<string, HandMade>> = {
  "lzma of nothing": { format: "lzma", make: lzma(0x5d), gives: new Uint8Array(0) },
  "lzma with a match before the start": {
    format: "lzma",
    make: lzmaMatch(0),
    code: CORRUPT,
    field: "match distance",
    at: 19,
  },
  "lzma with a match far before the start": {
    format: "lzma",
    make: lzmaMatch(3),
    code: CORRUPT,
    field: "match distance",
    at: 19,
  },
  "lzma with lc + lp of 12": {
    format: "lzma",
    make: lzma(8 + 9 * 4),
    code: CORRUPT,
    field: "properties",
    at: 0,
  },
  "lzma with pb of 5": {
    format: "lzma",
    make: lzma(45 * 5),
    code: CORRUPT,
    field: "properties",
    at: 0,
  },
  "xz": { format: "xz", make: xz() },
  "xz of one letter": { format: "xz", make: xzOfA(0), gives: Uint8Array.of(0x61) },
  "xz of one letter with a rest in the range coder": {
    format: "xz",
    make: xzOfA(1),
    code: CORRUPT,
    field: "LZMA2 chunk",
    at: 24,
  },
  "xz with stream padding": { format: "xz", make: xz({ after: [0, 0, 0, 0] }) },
  "xz with half a stream padding": {
    format: "xz",
    make: xz({ after: [0, 0] }),
    code: TRAILING,
    field: "stream padding",
    at: -2,
  },
  "xz with bytes behind": {
    format: "xz",
    make: xz({ after: [1, 0, 0, 0] }),
    code: TRAILING,
    field: "end",
    at: -4,
  },
  "xz without a dictionary": {
    format: "xz",
    make: xz({ control: 2 }),
    code: CORRUPT,
    field: "LZMA2 control",
    at: 24,
  },
  "xz with an unknown chunk": {
    format: "xz",
    make: xz({ control: 3 }),
    code: CORRUPT,
    field: "LZMA2 control",
    at: 24,
  },
  "xz with another size in the index": {
    format: "xz",
    make: xz({ indexPlus: 1 }),
    code: CORRUPT,
    field: "index uncompressed size",
  },
  "xz with another block in the index": {
    format: "xz",
    make: xz({ unpaddedPlus: 4 }),
    code: CORRUPT,
    field: "index unpadded size",
  },
  "xz with a block less in the index": {
    format: "xz",
    make: xz({ countPlus: -1 }),
    code: CORRUPT,
    field: "index record count",
  },
  "xz with another index size": {
    format: "xz",
    make: xz({ backwardPlus: 1 }),
    code: CORRUPT,
    field: "backward size",
    at: -8,
  },
  "xz with another check": {
    format: "xz",
    make: xz({ checkPlus: 1 }),
    code: CHECKSUM,
    field: "block check",
  },
  "xz with a filter of PowerPC": {
    format: "xz",
    make: xz({ filter: 0x05 }),
    code: UNSUPPORTED,
    field: "filter id",
    at: 14,
  },
  "xz with the size in the header": { format: "xz", make: xz({ headerSizePlus: 0 }) },
  "xz with a larger size in the header": {
    format: "xz",
    make: xz({ headerSizePlus: 1 }),
    code: CORRUPT,
    field: "uncompressed size",
    at: 12,
  },
  "xz with a smaller size in the header": {
    format: "xz",
    make: xz({ headerSizePlus: -1 }),
    code: CORRUPT,
    field: "uncompressed size",
    at: 12,
  },
  "xz with a filter behind the header": {
    format: "xz",
    make: xz({ isHeaderShort: true }),
    code: CORRUPT,
    field: "block header",
    at: 12,
  },
  "xz with padding of ones": {
    format: "xz",
    make: () => xz({ padding: 1 })(Uint8Array.of(1)),
    code: CORRUPT,
    field: "block padding",
    at: 29,
  },
  "xz whose footer has another check": {
    format: "xz",
    make: xz({ footerCheck: 4 }),
    code: CORRUPT,
    field: "footer flags",
    at: -4,
  },
  "xz with another CRC of the stream flags": {
    format: "xz",
    make: xz({ plus: [1, 0, 0, 0] }),
    ...{ code: CHECKSUM, field: "stream flags CRC32", at: 8 },
  },
  "xz with another CRC of the block header": {
    format: "xz",
    make: xz({ plus: [0, 1, 0, 0] }),
    ...{ code: CHECKSUM, field: "block header CRC32", at: 20 },
  },
  "xz with another CRC of the index": {
    format: "xz",
    make: xz({ plus: [0, 0, 1, 0] }),
    ...{ code: CHECKSUM, field: "index CRC32", at: -16 },
  },
  "xz with another CRC of the footer": {
    format: "xz",
    make: xz({ plus: [0, 0, 0, 1] }),
    ...{ code: CHECKSUM, field: "footer CRC32", at: -12 },
  },
  "xz with another magic at its end": {
    format: "xz",
    make: xz({ magic: [0x59, 0x5b] }),
    ...{ code: CORRUPT, field: "footer magic", at: -2 },
  },
  "xz with an unknown check": {
    format: "xz",
    make: xz({ checkId: 2 }),
    ...{ code: UNSUPPORTED, field: "stream flags", at: 6 },
  },
  "xz with SHA-256": { format: "xz", make: xz({ checkId: 10, check: sha256(0) }) },
  "xz with another SHA-256": {
    format: "xz",
    make: xz({ checkId: 10, check: sha256(1) }),
    ...{ code: CHECKSUM, field: "block check" },
  },
  "xz with CRC64": { format: "xz", make: xz({ checkId: 4, check: crc64(0n) }) },
  "xz with a CRC64 that is high": {
    format: "xz",
    make: xz({ checkId: 4, check: crc64(1n << 63n) }),
    ...{ code: CHECKSUM, field: "block check" },
  },
  "xz without a check": { format: "xz", make: xz({ checkId: 0, check: () => [] }) },
  ...Object.fromEntries([0x04, 0x20].map((flag): [string, HandMade] => [
    `xz with the reserved flag ${flag} of a block`,
    {
      format: "xz",
      make: xz({ header: [flag, 0x21, 1, 0] }),
      ...{ code: CORRUPT, field: "block flags", at: 13 },
    },
  ])),
  "xz with another compressed size": {
    format: "xz",
    make: xz({ header: [0x40, 3, 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "compressed size", at: 12 },
  },
  "xz that says to have 8 GiB": {
    format: "xz",
    make: xz({ header: [0x80, ...number(2 ** 33), 0x21, 1, 0] }),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "xz that says to have 512 MiB": {
    format: "xz",
    make: xz({ header: [0x80, ...number(2 ** 29), 0x21, 1, 0] }),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "xz with a number that is not in its shortest form": {
    format: "xz",
    make: xz({ header: [0, 0xa1, 0, 1, 0] }),
    ...{ code: CORRUPT, field: "filter id", at: 14 },
  },
  "xz with a number past 2^53": {
    format: "xz",
    make: xz({ header: [0x80, ...Array(8).fill(0xff), 0x7f, 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "uncompressed size", at: 14 },
  },
  "xz with a dictionary of 4 GiB": { format: "xz", make: xz({ header: [0, 0x21, 1, 40] }) },
  "xz with a dictionary of more": {
    format: "xz",
    make: xz({ header: [0, 0x21, 1, 41] }),
    ...{ code: CORRUPT, field: "dictionary size", at: 16 },
  },
  "xz with two dictionary sizes": {
    format: "xz",
    make: xz({ header: [0, 0x21, 2, 0] }),
    ...{ code: CORRUPT, field: "filter properties size", at: 15 },
  },
  "xz with a filter whose start has 3 bytes": {
    format: "xz",
    make: xz({ header: [1, 0x04, 3, 0, 0, 0, 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "filter properties size", at: 15 },
  },
  "xz with a filter that starts between words": {
    format: "xz",
    make: xz({ header: [1, 0x0a, 4, ...le(2, 4), 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "filter start offset", at: 16 },
  },
  "xz with padding of ones in a block's header": {
    format: "xz",
    make: xz({ header: [0, 0x21, 1, 0, 0, 0, 1] }),
    ...{ code: CORRUPT, field: "block header padding", at: 19 },
  },
  "xz with a filter": {
    format: "xz",
    make: () => xz({ header: [1, ...ARM64, 0x21, 1, 0], gives: UNDONE })(Uint8Array.from(BRANCHES)),
    gives: Uint8Array.from(UNDONE),
  },
  "xz of two blocks with a filter": {
    format: "xz",
    make: twoBlocks,
    gives: Uint8Array.from(TWICE_UNDONE),
  },
  "xz with two filters": {
    format: "xz",
    make: () => {
      const header = [2, ...X86, 0x0a, 4, ...le(4, 4), 0x21, 1, 0];
      return xz({ header, gives: [0xe7, ...CALL.slice(1)] })(Uint8Array.from(CALL));
    },
    gives: Uint8Array.from([0xe7, ...CALL.slice(1)]),
  },
  "xz with a call at its end": {
    format: "xz",
    make: () =>
      xz({ header: [1, ...X86, 0x21, 1, 0], gives: [0xe8, 0, 0, 0, 0] })(
        Uint8Array.of(0xe8, 5, 0, 0, 0),
      ),
    gives: Uint8Array.of(0xe8, 0, 0, 0, 0),
  },
  "xz with matches": { format: "xz", make: xzOf(ABC).make, gives: Uint8Array.from(ABC.data) },
  "xz with a match from all of its dictionary": {
    format: "xz",
    make: xzOf(FAR).make,
    gives: Uint8Array.from(FAR.data),
  },
  "xz with a match past its dictionary": {
    format: "xz",
    make: xzOf(TOO_FAR).make,
    ...{ code: CORRUPT, field: "match distance" },
  },
  "xz with a chunk of more than 64 KiB": {
    format: "xz",
    make: xzOf(LARGE).make,
    gives: Uint8Array.from(LARGE.data),
  },
  "xz with a chunk that ends in a match": {
    format: "xz",
    make: xzOf(wrote((writer) => writer.literal(97).match(1, 9)), {}, 4).make,
    ...{ code: CORRUPT, field: "LZMA2 chunk", at: 24 },
  },
  "xz with a chunk that resets the state": {
    format: "xz",
    make: () => xz({ chunk: RESET, gives: RESET_DATA })(new Uint8Array(1)),
    gives: Uint8Array.from(RESET_DATA),
  },
  "xz with a match before its dictionary": {
    format: "xz",
    make: () => xz({ chunk: BEFORE, gives: BEFORE_DATA })(new Uint8Array(1)),
    ...{ code: CORRUPT, field: "match distance" },
  },
  "xz with a chunk without properties": {
    format: "xz",
    make: () => xz({ chunk: UNSET })(new Uint8Array(1)),
    ...{ code: CORRUPT, field: "LZMA2 control" },
  },
  "xz with an end marker": {
    format: "xz",
    make: () => {
      const { data } = ABC_ENDED;
      return xz({ chunk: chunkOf(0xe0, data.length + 1, ABC_ENDED.bytes()) })(new Uint8Array(1));
    },
    ...{ code: CORRUPT, field: "LZMA2 chunk", at: 24 },
  },
  "lzma with a size": { format: "lzma", make: lzmaOf(ABC, 11), gives: Uint8Array.from(ABC.data) },
  "lzma with a size and an end marker": {
    format: "lzma",
    make: lzmaOf(ABC_ENDED, 3),
    gives: Uint8Array.from(ABC_ENDED.data),
  },
  "lzma with an end marker": {
    format: "lzma",
    make: lzmaOf(ABC_ENDED),
    gives: Uint8Array.from(ABC_ENDED.data),
  },
  "lzma with an end marker before its size": {
    format: "lzma",
    make: lzmaOf(ABC_ENDED, 4),
    ...{ code: CORRUPT, field: "end marker" },
  },
  "lzma without an end": {
    format: "lzma",
    make: lzmaOf(ABC),
    ...{ code: TRUNCATED, field: "data" },
  },
  "lzma that says to have a TiB": {
    format: "lzma",
    make: lzmaOf(ABC, 2 ** 40),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "lzma that says to have 512 MiB": {
    format: "lzma",
    make: lzmaOf(ABC, 2 ** 29),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "lzma with a rest in the range coder": {
    format: "lzma",
    make: lzmaOf(ABC_ENDED, 3, { plus: 1 }),
    ...{ code: CORRUPT, field: "end", at: -0 },
  },
  "lzma that does not start with 0": {
    format: "lzma",
    make: lzmaOf(ABC, 11, { first: 1 }),
    ...{ code: CORRUPT, field: "range coder", at: 13 },
  },
  "lzma with a small dictionary": {
    format: "lzma",
    make: lzmaOf(FAR, FAR.data.length, { dictionary: 0 }),
    gives: Uint8Array.from(FAR.data),
  },
  "lzma with a large dictionary": {
    format: "lzma",
    make: lzmaOf(FAR, FAR.data.length, { dictionary: 0xffff_ffff }),
    gives: Uint8Array.from(FAR.data),
  },
  "lzma with a match past its dictionary": {
    format: "lzma",
    make: lzmaOf(TOO_FAR, TOO_FAR.data.length),
    ...{ code: CORRUPT, field: "match distance" },
  },
};
