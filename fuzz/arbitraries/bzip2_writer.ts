/**
 * bzip2 files written by hand. There is no document but bzip2's source, compress.c and decompress.c.
 */
import { CHECKSUM, CORRUPT, type HandMade, TRAILING } from "./hand_made_bytes.ts";

/** A piece of the file: a value, and how many bits it takes. */
type Bits = readonly [value: number, width: number];

/** What may be odd about a file. Its CRCs are right where nothing else is said. */
interface Bzip2 {
  /** The digit behind "BZh". */
  readonly level?: string;
  /** What is added to the number of the rotation that is the data. */
  readonly originPlus?: number;
  readonly tables?: number;
  /** How many selectors more there are than groups of symbols. */
  readonly selectorsPlus?: number;
  /** The place of each selector in the list of tables: 0 stays with the first. */
  readonly place?: number;
  /** Added to the length of the codes: then some are never used; or taken off: then there are too many. */
  readonly lengthPlus?: number;
  readonly after?: readonly number[];
}

const RUN_START = 4;
const LARGEST_BLOCK = 900_000;
/** Symbols that are decoded with one table. */
const GROUP = 50;

function crcOf(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let i = 0; i < 8; i++) crc = crc < 0 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  }
  return ~crc;
}

/** Four equal bytes, and how many more of them follow. */
function withoutRuns(data: Uint8Array): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < data.length;) {
    let end = at + 1;
    while (end < data.length && data[end] === data[at] && end - at < RUN_START + 255) end++;
    bytes.push(...data.subarray(at, Math.min(end, at + RUN_START)));
    if (end - at >= RUN_START) bytes.push(end - at - RUN_START);
    at = end;
  }
  return bytes;
}

/** The last bytes of all rotations in their order, and which of these is the data itself. */
function transformed(bytes: readonly number[]): { last: number[]; origin: number } {
  const size = bytes.length;
  const order = bytes.map((_, i) => i);
  let ranks = [...bytes];
  // By their first 1, 2, 4, … bytes
  for (let width = 1;; width *= 2) {
    const second = (at: number) => ranks[(at + width) % size];
    order.sort((a, b) => ranks[a] - ranks[b] || second(a) - second(b) || a - b);
    const next = [...ranks];
    order.forEach((at, i) => {
      const before = order[i - 1];
      const isSame = i > 0 && ranks[at] === ranks[before] && second(at) === second(before);
      next[at] = isSame ? next[before] : i;
    });
    ranks = next;
    if (width >= size) break;
  }
  return { last: order.map((at) => bytes[(at + size - 1) % size]), origin: order.indexOf(0) };
}

/** A run's length in digits 1 and 2, the lowest first. */
function runOf(length: number): number[] {
  const symbols = [];
  for (let rest = length; rest > 0; rest = rest - 1 >> 1) symbols.push(rest & 1 ? 0 : 1);
  return symbols;
}

/** Places in a list in which what was last is moved to the front; runs of the front. */
function symbolsOf(last: readonly number[], used: readonly number[]): number[] {
  const front = [...used];
  const symbols: number[] = [];
  let run = 0;
  for (const byte of last) {
    const place = front.indexOf(byte);
    if (place === 0) {
      run++;
      continue;
    }
    symbols.push(...runOf(run), place + 1);
    run = 0;
    front.unshift(...front.splice(place, 1));
  }
  return [...symbols, ...runOf(run)];
}

function mapOf(used: readonly number[]): Bits[] {
  const rows = Array.from({ length: 16 }, (_, high) => {
    return used.filter((byte) => byte >> 4 === high)
      .reduce((row, byte) => row | 0x8000 >> (byte & 15), 0);
  });
  const any = rows.reduce((map, row, i) => row === 0 ? map : map | 0x8000 >> i, 0);
  return [[any, 16], ...rows.filter((row) => row !== 0).map((row): Bits => [row, 16])];
}

/** A block's symbols, their codes all of one length, and the end. */
function blockOf(
  symbols: readonly number[],
  used: readonly number[],
  origin: number,
  crc: number,
  odd: Bzip2,
): Bits[] {
  const { originPlus = 0, tables = 2, selectorsPlus = 0, place = 0 } = odd;
  const { lengthPlus = 0 } = odd;
  const all = [...symbols, used.length + 1];
  const right = Math.max(1, Math.ceil(Math.log2(used.length + 2)));
  const width = right + lengthPlus;
  const lengths: Bits[] = [[width, 5], ...used.map((): Bits => [0, 1])];
  const selectors = Math.max(0, Math.ceil(all.length / GROUP) + selectorsPlus);
  return [
    ...[[0x314159, 24], [0x265359, 24], ...word(crc)] as Bits[],
    ...[[0, 1], [origin + originPlus, 24], ...mapOf(used)] as Bits[],
    ...[[tables, 3], [selectors, 15]] as Bits[],
    ...Array<Bits>(selectors).fill([(1 << place) - 1 << 1, place + 1]),
    ...Array.from({ length: tables }, () => [...lengths, [0, 1], [0, 1]] as Bits[]).flat(),
    ...all.map((symbol): Bits => [symbol, width]),
  ];
}

const word = (value: number): Bits[] => [[value >>> 16, 16], [value & 0xffff, 16]];

function fileOf(blocks: readonly Bits[], crc: number, odd: Bzip2): Uint8Array {
  const { level = "1", after = [] } = odd;
  const pieces: Bits[] = [...blocks, [0x177245, 24], [0x385090, 24], ...word(crc)];
  const bytes: number[] = [...`BZh${level}`].map((char) => char.charCodeAt(0));
  let [buffer, count] = [0, 0];
  for (const [value, width] of pieces) {
    for (let bit = width - 1; bit >= 0; bit--) {
      buffer = buffer << 1 | value >>> bit & 1;
      if (++count < 8) continue;
      bytes.push(buffer);
      [buffer, count] = [0, 0];
    }
  }
  if (count > 0) bytes.push(buffer << 8 - count);
  return Uint8Array.from([...bytes, ...after]);
}

/**
 * A file of one block.
 *
 * @param odd What is odd about it.
 * @returns What makes it of some bytes.
 */
export const bzip2 = (odd: Bzip2 = {}) => (data: Uint8Array): Uint8Array => {
  const { last, origin } = transformed(withoutRuns(data));
  const used = [...new Set(last)].sort((a, b) => a - b);
  const crc = crcOf(data);
  return fileOf(blockOf(symbolsOf(last, used), used, origin, crc, odd), crc, odd);
};

/**
 * A file of a block of zeros.
 *
 * @param length How many zeros are in the block.
 * @param hasOne Whether a one follows.
 * @returns What makes it.
 */
const bzip2Run = (length: number, hasOne = false) => (): Uint8Array => {
  const crc = length > LARGEST_BLOCK ? 0 : crcOf(runGives(length));
  const symbols = [...runOf(length), ...hasOne ? [2] : []];
  return fileOf(blockOf(symbols, [0, 1], 0, crc, {}), crc, {});
};

/**
 * What comes of a block of zeros: each fifth is a count.
 *
 * @param length How many zeros are in the block.
 * @returns As many as come out.
 */
function runGives(length: number): Uint8Array {
  return new Uint8Array(length - Math.floor(length / (RUN_START + 1)));
}

/** A file of these bytes. */
const bzip2Of = (bytes: readonly number[], odd: Bzip2, more: Partial<HandMade> = {}): HandMade => {
  const data = Uint8Array.from(bytes);
  return { format: "bzip2", make: () => bzip2(odd)(data), gives: data, ...more };
};

/** A block of "BZh1". */
const BLOCK = 100_000;
/** Where the first block's data starts: an error in it points there. */
const broken = (field: string) => ({ code: CORRUPT, field, at: 14 });

/** By name. */
export const BZIP2_WRITTEN: Readonly<Record<string, HandMade>> = {
  "bzip2": { format: "bzip2", make: bzip2() },
  "bzip2 of six tables": { format: "bzip2", make: bzip2({ tables: 6, place: 5 }) },
  "bzip2 of many selectors": { format: "bzip2", make: bzip2({ selectorsPlus: 18_100 }) },
  "bzip2 of longer codes": { format: "bzip2", make: bzip2({ lengthPlus: 3 }) },
  "bzip2 of the longest codes": bzip2Of([7], { lengthPlus: 18 }),
  "bzip2 with codes of 21 bits": bzip2Of([7], { lengthPlus: 19 }, broken("code length")),
  "bzip2 with too many codes": bzip2Of([1, 2], { lengthPlus: -1 }, broken("code lengths")),
  "bzip2 with a selector less": bzip2Of(
    [...Array(60).keys()],
    { selectorsPlus: -1 },
    broken("selectors"),
  ),
  "bzip2 with an origin at the end": bzip2Of([7], { originPlus: 1 }, broken("origin")),
  "bzip2 with another origin": bzip2Of([1, 2, 3], { originPlus: 1 }, {
    ...{ code: CHECKSUM, field: "block CRC", at: 10 },
  }),
  "bzip2 with blocks of a million": bzip2Of([1], { level: ":" }, {
    ...{ code: CORRUPT, field: "block size", at: 3 },
  }),
  "bzip2 with bytes behind": bzip2Of([1], { after: [1] }, { code: TRAILING, at: 36 }),
  "bzip2 with another behind": bzip2Of(
    [1, 2],
    { after: [...bzip2()(Uint8Array.of(3))] },
    { gives: Uint8Array.of(1, 2, 3) },
  ),
  "bzip2 of a whole block": { format: "bzip2", make: bzip2Run(BLOCK), gives: runGives(BLOCK) },
  "bzip2 with a byte past its block": {
    ...{ format: "bzip2", make: bzip2Run(BLOCK, true), ...broken("block") },
  },
  "bzip2 with a run past its block": {
    ...{ format: "bzip2", make: bzip2Run(BLOCK + 1), ...broken("block") },
  },
  "bzip2 with a run of 2^31": {
    ...{ format: "bzip2", make: bzip2Run(2 ** 31), ...broken("run") },
  },
  "bzip2 with four equal bytes and no count": {
    ...{ format: "bzip2", make: bzip2Run(4), ...broken("run") },
  },
};
