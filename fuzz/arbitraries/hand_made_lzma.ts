/** .lzma files, and .xz files of LZMA chunks, written by hand. */
import { be, CORRUPT, type HandMade, le, SIZE, TRUNCATED } from "./hand_made_bytes.ts";
import { type Xz, xz } from "./hand_made_xz_file.ts";
import { LzmaWriter } from "./lzma_writer.ts";

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

/** More than the output has room for at first: a match goes on in what it grows to. */
const LONG = wrote((writer) => {
  for (let i = 0; i < 50; i++) writer.literal(i);
  for (let i = 0; i < 4200; i++) writer.match(50, 273);
  return writer.end();
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

/** By name. */
export const LZMA_FILES: Readonly<Record<string, HandMade>> = {
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
  "xz of one letter": { format: "xz", make: xzOfA(0), gives: Uint8Array.of(0x61) },
  "xz of one letter with a rest in the range coder": {
    format: "xz",
    make: xzOfA(1),
    code: CORRUPT,
    field: "LZMA2 chunk",
    at: 24,
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
  "lzma of more than a MiB": {
    format: "lzma",
    make: lzmaOf(LONG),
    gives: Uint8Array.from(LONG.data),
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
