/**
 * What the coverage-guided loop does to an input.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** No input grows past this, in bytes. */
export const MAX_INPUT = 1 << 12;

const NUMBERS = [
  ...[0, 1, 2, 3, 4, 7, 8, 11, 12, 16, 55, 56, 57, 63, 64, 127, 128, 255, 256, 511, 512],
  ...[0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0x100000, 0x200000, 0x7fffffff],
  ...[0x80000000, 0xfffff000, 0xffffffff],
];

/**
 * Writes a number.
 *
 * @param bytes Where to; what lies past the end is dropped.
 * @param at Where.
 * @param width Bytes.
 * @param value The number.
 * @param isBig Whether the most significant byte comes first.
 */
export function put(
  bytes: Uint8Array,
  at: number,
  width: number,
  value: bigint,
  isBig: boolean,
): void {
  for (let i = 0; i < width; i++) {
    const byte = Number(value >> BigInt(8 * (isBig ? width - 1 - i : i)) & 0xffn);
    if (at + i < bytes.length) bytes[at + i] = byte;
  }
}

/**
 * Changes an input in one to eight ways.
 *
 * @param input The input; it stays.
 * @param other Another one, to take parts from.
 * @param words Numbers that the target compares with.
 * @param random Where luck comes from.
 * @returns A new input.
 */
export function mutate(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly { value: bigint; width: number }[],
  random: Random,
): Uint8Array {
  let bytes: Uint8Array = input.slice();
  const count = 1 << random.below(4);
  for (let i = 0; i < count; i++) bytes = mutateOnce(bytes, other, words, random);
  return bytes.length > MAX_INPUT ? bytes.slice(0, MAX_INPUT) : bytes;
}

function mutateOnce(
  bytes: Uint8Array,
  other: Uint8Array,
  words: readonly { value: bigint; width: number }[],
  random: Random,
): Uint8Array {
  const { length } = bytes;
  if (length === 0) return Uint8Array.of(random.below(256));
  const at = random.below(length);
  const size = 1 + random.below(Math.min(length - at, 1 << random.below(10)));
  switch (random.below(11)) {
    case 0:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2: {
      const width = random.pick([1, 2, 4, 8]);
      put(bytes, at - at % width, width, BigInt(random.pick(NUMBERS)), random.below(4) === 0);
      return bytes;
    }
    case 3: {
      // A number a little larger or smaller, where it stands
      const width = random.pick([1, 2, 4]);
      const start = at - at % width;
      let value = 0n;
      for (let i = width - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[start + i] ?? 0);
      put(bytes, start, width, value + BigInt(random.below(33) - 16), false);
      return bytes;
    }
    case 4:
    case 5: {
      if (words.length === 0) return bytes;
      const { value, width } = random.pick(words);
      const isAligned = random.below(2) === 0;
      put(bytes, isAligned ? at - at % width : at, width, value, random.below(4) === 0);
      return bytes;
    }
    case 6:
      bytes.copyWithin(random.below(length), at, at + size);
      return bytes;
    case 7: {
      const without = new Uint8Array(length - size);
      without.set(bytes.subarray(0, at));
      without.set(bytes.subarray(at + size), at);
      return without;
    }
    case 8: {
      const longer = new Uint8Array(length + size);
      longer.set(bytes.subarray(0, at));
      longer.set(bytes.subarray(at, at + size), at);
      longer.set(bytes.subarray(at), at + size);
      return longer;
    }
    case 9: {
      if (other.length === 0) return bytes;
      const from = random.below(other.length);
      const part = other.subarray(from, from + size);
      bytes.set(part.subarray(0, length - at), at);
      return bytes;
    }
    default:
      return bytes.slice(0, random.below(4) === 0 ? at : length);
  }
}

/**
 * Inputs in which one side of a comparison has become the other: input-to-state.
 *
 * @param input The input that made the comparison.
 * @param left One side: a number, a bigint or a short text.
 * @param right The other side.
 * @returns A few new inputs.
 */
export function solve(input: Uint8Array, left: unknown, right: unknown): Uint8Array[] {
  const [a, b] = [asNumber(left), asNumber(right)];
  if (a === undefined || b === undefined || a === b) return [];
  return [
    ...replaced(input, a, b),
    ...replaced(input, b, a),
    ...resized(input, a, b),
    ...resized(input, b, a),
  ];
}

/** A comparison with the input's own size is solved by another size. */
function resized(input: Uint8Array, from: bigint, to: bigint): Uint8Array[] {
  if (from !== BigInt(input.length)) return [];
  return [to, to + 1n].filter((size) => size <= BigInt(MAX_INPUT)).map((size) => {
    const other = new Uint8Array(Number(size));
    other.set(input.subarray(0, other.length));
    return other;
  });
}

/** A number as it may stand in an input; undefined for anything else. */
function asNumber(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value >= 0n && value < 1n << 64n ? value : undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) return undefined;
  return BigInt(value);
}

/** At most so many places of one value are tried. */
const MAX_PLACES = 4;

function replaced(input: Uint8Array, from: bigint, to: bigint): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const width of [8, 4, 2, 1]) {
    if (from >> BigInt(8 * width) !== 0n || to >> BigInt(8 * width) !== 0n) continue;
    for (const isBig of width === 1 ? [false] : [false, true]) {
      const wanted = new Uint8Array(width);
      put(wanted, 0, width, from, isBig);
      let places = 0;
      for (let at = input.indexOf(wanted[0]); at >= 0; at = input.indexOf(wanted[0], at + 1)) {
        if (!wanted.every((byte, i) => input[at + i] === byte)) continue;
        // One beside, too: the comparison may have been of order
        for (const value of [to, to + 1n, to - 1n]) {
          const solved = input.slice();
          if (value >= 0n) put(solved, at, width, value, isBig);
          found.push(solved);
        }
        if (++places === MAX_PLACES) break;
      }
    }
  }
  return found;
}

/**
 * The widths that a number fits.
 *
 * @param value A side of a comparison.
 * @returns It as a word to write; undefined if it is none.
 */
export function wordOf(value: unknown): { value: bigint; width: number } | undefined {
  const number = asNumber(value);
  if (number === undefined || number < 2n) return undefined;
  const width = [1, 2, 4, 8].find((width) => number >> BigInt(8 * width) === 0n)!;
  return { value: number, width };
}
