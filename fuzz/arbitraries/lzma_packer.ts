/** An LZMA encoder that is told what to do: the LZMA specification, read from the encoder's side. */
import fc from "fast-check";
import { interpret, type Reach, type Step } from "./packers.ts";

/** What an LZMA match can be. */
export const LZMA_REACH: Reach = { minLength: 1, maxLength: 273, maxDistance: 1 << 20 };

/** lc, lp, pb. */
export type LzmaProperties = readonly [number, number, number];

/** What LZMA2 takes: lc + lp of at most 4. */
export const lzmaProperties: fc.Arbitrary<LzmaProperties> = fc.constantFrom(
  ...[[3, 0, 2], [0, 0, 0], [4, 0, 0], [0, 4, 1], [2, 2, 4], [1, 3, 3]] as LzmaProperties[],
);

const propertiesByte = ([lc, lp, pb]: LzmaProperties) => (pb * 5 + lp) * 9 + lc;

/** "Range Encoder". */
class RangeEncoder {
  readonly bytes: number[] = [];
  #low = 0;
  #range = 0xffff_ffff;
  #cache = 0;
  #pending = 1;

  bit(probabilities: number[], at: number, bit: number): void {
    const probability = probabilities[at] ?? 1024;
    const bound = (this.#range >>> 11) * probability;
    if (bit === 0) this.#range = bound;
    else [this.#low, this.#range] = [this.#low + bound, this.#range - bound];
    probabilities[at] = bit === 0
      ? probability + (2048 - probability >> 5)
      : probability - (probability >> 5);
    this.#normalize();
  }

  direct(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      this.#range >>>= 1;
      if (value >>> i & 1) this.#low += this.#range;
      this.#normalize();
    }
  }

  /** Bits from the highest on, each with the probability that those before it choose. */
  tree(probabilities: number[], value: number, count: number): void {
    for (let i = count - 1, node = 1; i >= 0; i--) {
      this.bit(probabilities, node, value >>> i & 1);
      node = node << 1 | value >>> i & 1;
    }
  }

  reverseTree(probabilities: number[], value: number, count: number): void {
    for (let i = 0, node = 1; i < count; i++) {
      this.bit(probabilities, node, value >>> i & 1);
      node = node << 1 | value >>> i & 1;
    }
  }

  finish(): number[] {
    for (let i = 0; i < 5; i++) this.#shift();
    return this.bytes;
  }

  #normalize(): void {
    while (this.#range < 2 ** 24) {
      this.#range *= 256;
      this.#shift();
    }
  }

  #shift(): void {
    if (this.#low < 0xff00_0000 || this.#low >= 2 ** 32) {
      const carry = this.#low >= 2 ** 32 ? 1 : 0;
      for (let byte = this.#cache; this.#pending > 0; this.#pending--, byte = 255) {
        this.bytes.push(byte + carry & 255);
      }
      this.#cache = Math.floor(this.#low / 2 ** 24) & 255;
    }
    this.#pending++;
    this.#low = this.#low % 2 ** 24 * 256;
  }
}

type Table = number[][];
const table = (size: number): Table => Array.from({ length: size }, () => []);
const lengths = () => ({
  choice: [] as number[],
  low: table(16),
  mid: table(16),
  high: [] as number[],
});

/** What the encoder has learnt. */
class Learnt {
  state = 0;
  readonly recent: number[] = [0, 0, 0, 0];
  readonly isMatch = table(12);
  readonly isRep = [];
  readonly isRepG = table(3);
  readonly isRep0Long = table(12);
  readonly literals = table(1 << 4);
  readonly slots = table(4);
  readonly special = table(64);
  readonly align = [];
  readonly matchLengths = lengths();
  readonly repLengths = lengths();
}

/** Writes steps as LZMA symbols, and their bytes: a copy may have to be longer than it should. */
class Encoder {
  readonly #properties: LzmaProperties;
  /** From the dictionary's start on. */
  readonly #out: number[];
  readonly #learnt: Learnt;
  readonly range = new RangeEncoder();

  constructor(properties: LzmaProperties, out: number[], learnt: Learnt) {
    this.#properties = properties;
    this.#out = out;
    this.#learnt = learnt;
  }

  write(list: readonly Step[]): void {
    for (const step of list) {
      for (const byte of step.literals) this.#literal(byte);
      if (step.length > 0) this.#copy(step);
    }
  }

  /** A match to where nothing can be. */
  endMark(): void {
    this.#learnt.recent[0] = -1;
    this.#match(2, 0xffff_ffff);
  }

  get #posState(): number {
    return this.#out.length & (1 << this.#properties[2]) - 1;
  }

  #kind(isMatch: number): void {
    this.range.bit(this.#learnt.isMatch[this.#learnt.state], this.#posState, isMatch);
  }

  #literal(byte: number): void {
    const [lc, lp] = this.#properties;
    const learnt = this.#learnt;
    const out = this.#out;
    this.#kind(0);
    const low = out.length & (1 << lp) - 1;
    const context = low << lc | (out.at(-1) ?? 0) >> 8 - lc;
    const probabilities = learnt.literals[context];
    let node = 1;
    let isSame = learnt.state >= 7;
    const matched = isSame ? out[out.length - learnt.recent[0] - 1] : 0;
    for (let i = 7; i >= 0; i--) {
      const bit = byte >> i & 1;
      const expected = matched >> i & 1;
      this.range.bit(probabilities, isSame ? (1 + expected << 8) + node : node, bit);
      node = node << 1 | bit;
      if (bit !== expected) isSame = false;
    }
    const { state } = learnt;
    learnt.state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    out.push(byte);
  }

  #copy({ distance, length: wanted, variant }: Step): void {
    const which = this.#learnt.recent.indexOf(distance - 1);
    // A byte alone can only be at the last distance again
    const length = which === 0 ? wanted : Math.max(wanted, 2);
    if (which >= 0 && (variant < 12 || length === 1)) this.#rep(which, length);
    else this.#match(length, distance - 1);
    interpret([{ literals: [], distance, length, variant }], this.#out);
  }

  #match(length: number, distance: number): void {
    const { range } = this;
    const learnt = this.#learnt;
    this.#kind(1);
    range.bit(learnt.isRep, learnt.state, 0);
    this.#length(learnt.matchLengths, length);
    const slot = slotOf(distance);
    range.tree(learnt.slots[Math.min(length - 2, 3)], slot, 6);
    const bits = (slot >> 1) - 1;
    const rest = distance % 2 ** Math.max(bits, 0);
    if (slot >= 14) {
      range.direct(Math.floor(rest / 16), bits - 4);
      range.reverseTree(learnt.align, rest & 15, 4);
    } else if (slot >= 4) range.reverseTree(learnt.special[slot], rest, bits);
    learnt.recent.unshift(distance);
    learnt.recent.pop();
    learnt.state = learnt.state < 7 ? 7 : 10;
  }

  #rep(which: number, length: number): void {
    const { range } = this;
    const learnt = this.#learnt;
    const { state, recent } = learnt;
    this.#kind(1);
    range.bit(learnt.isRep, state, 1);
    range.bit(learnt.isRepG[0], state, which === 0 ? 0 : 1);
    if (which === 0) {
      range.bit(learnt.isRep0Long[state], this.#posState, length === 1 ? 0 : 1);
    } else {
      range.bit(learnt.isRepG[1], state, which === 1 ? 0 : 1);
      if (which > 1) range.bit(learnt.isRepG[2], state, which - 2);
      recent.unshift(...recent.splice(which, 1));
    }
    if (length === 1) {
      learnt.state = state < 7 ? 9 : 11;
      return;
    }
    this.#length(learnt.repLengths, length);
    learnt.state = state < 7 ? 8 : 11;
  }

  #length({ choice, low, mid, high }: ReturnType<typeof lengths>, length: number): void {
    const { range } = this;
    const value = length - 2;
    range.bit(choice, 0, value < 8 ? 0 : 1);
    if (value < 8) return range.tree(low[this.#posState], value, 3);
    range.bit(choice, 1, value < 16 ? 0 : 1);
    if (value < 16) return range.tree(mid[this.#posState], value - 8, 3);
    range.tree(high, value - 16, 8);
  }
}

/** "dist_slot": the highest bit's place, and the bit below it. */
function slotOf(distance: number): number {
  if (distance < 4) return distance;
  const high = Math.floor(Math.log2(distance));
  return 2 * high + (Math.floor(distance / 2 ** (high - 1)) & 1);
}

const le = (value: number, width: number) =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) & 255);

/**
 * A .lzma file.
 *
 * @param list Steps in LZMA's reach.
 * @param properties lc, lp and pb.
 * @param hasMark Whether it says no size and has an end mark.
 * @returns The file, and what it comes to.
 */
export function lzmaFile(
  list: readonly Step[],
  properties: LzmaProperties,
  hasMark: boolean,
): { bytes: number[]; data: number[] } {
  const data: number[] = [];
  const encoder = new Encoder(properties, data, new Learnt());
  encoder.write(list);
  if (hasMark) encoder.endMark();
  const size = hasMark ? Array<number>(8).fill(255) : le(data.length, 8);
  const header = [propertiesByte(properties), ...le(1 << 20, 4), ...size];
  return { bytes: [...header, ...encoder.range.finish()], data };
}

/** An LZMA2 chunk: what it forgets before, and what is in it. */
export interface Chunk {
  readonly resets: "nothing" | "state" | "properties" | "all" | "raw";
  readonly properties: LzmaProperties;
  readonly steps: readonly Step[];
}

/**
 * LZMA2 chunks, the end included. The first forgets everything, and what follows a raw one its state.
 *
 * @param chunks Chunks; each holds a byte at least.
 * @returns Their bytes, and what they come to.
 */
export function lzma2Chunks(chunks: readonly Chunk[]): { bytes: number[]; data: number[] } {
  const [bytes, data]: [number[], number[]] = [[], []];
  let dictionary: number[] = [];
  let learnt = new Learnt();
  let properties: LzmaProperties | undefined;
  let isAfterRaw = false;
  chunks.forEach(({ resets, steps, ...own }, i) => {
    const needed = properties ? isAfterRaw ? 1 : 0 : 2;
    const wanted = { nothing: 0, state: 1, properties: 2, all: 3, raw: 0 }[resets];
    const kind = i === 0 ? 3 : Math.max(wanted, needed);
    if (kind === 3) dictionary = [];
    const start = dictionary.length;
    const list = steps.map((step) => {
      // Half of them reach into the chunks before
      return step.variant & 1 ? { ...step, distance: step.distance + start } : step;
    });
    isAfterRaw = resets === "raw";
    if (isAfterRaw) {
      interpret(list, dictionary);
      const raw = dictionary.slice(start);
      bytes.push(i === 0 ? 1 : 2, raw.length - 1 >> 8, raw.length - 1 & 255, ...raw);
    } else {
      if (kind >= 2) properties = own.properties;
      if (kind >= 1) learnt = new Learnt();
      const encoder = new Encoder(properties!, dictionary, learnt);
      encoder.write(list);
      const packed = encoder.range.finish();
      const size = dictionary.length - start - 1;
      bytes.push(0x80 | kind << 5 | size >> 16, size >> 8 & 255, size & 255);
      bytes.push(packed.length - 1 >> 8, packed.length - 1 & 255);
      if (kind >= 2) bytes.push(propertiesByte(properties!));
      bytes.push(...packed);
    }
    data.push(...dictionary.slice(start));
  });
  return { bytes: [...bytes, 0], data };
}
