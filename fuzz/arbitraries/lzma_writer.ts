/**
 * Writes LZMA data as it is told, right or wrong: the LZMA specification, read from the other side.
 */

/** lc, lp, pb. */
export type LzmaProperties = readonly [number, number, number];

/** What encoders choose. */
export const USUAL: LzmaProperties = [3, 0, 2];

/**
 * The byte that says lc, lp and pb.
 *
 * @param properties These.
 * @returns The byte.
 */
export const propertiesByte = ([lc, lp, pb]: LzmaProperties): number => (pb * 5 + lp) * 9 + lc;

const MIN_MATCH = 2;

/** "Range Encoder". */
class RangeEncoder {
  readonly #bytes: number[] = [];
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

  /** All that was written; more may follow. */
  bytes(): number[] {
    const rest = new RangeEncoder();
    [rest.#low, rest.#cache, rest.#pending] = [this.#low, this.#cache, this.#pending];
    for (let i = 0; i < 5; i++) rest.#shift();
    return [...this.#bytes, ...rest.#bytes];
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
        this.#bytes.push(byte + carry & 255);
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
  reps: number[] = [0, 0, 0, 0];
  readonly isMatch = table(12);
  readonly isRep: number[] = [];
  readonly isRepG = table(3);
  readonly isRep0Long = table(12);
  readonly literals = table(1 << 4);
  readonly slots = table(4);
  readonly special = table(64);
  readonly align: number[] = [];
  readonly matchLengths = lengths();
  readonly repLengths = lengths();
}

/** A stream of symbols. */
export class LzmaWriter {
  /** What has come out, from the dictionary's start on. */
  readonly data: number[] = [];
  #properties: LzmaProperties;
  #learnt = new Learnt();
  #range = new RangeEncoder();

  /** @param properties lc, lp and pb. */
  constructor(properties: LzmaProperties = USUAL) {
    this.#properties = properties;
  }

  /** The last four distances. */
  get distances(): readonly number[] {
    return this.#learnt.reps.map((distance) => distance + 1);
  }

  /** A byte. */
  literal(byte: number): this {
    const [lc, lp] = this.#properties;
    const learnt = this.#learnt;
    const { data } = this;
    this.#kind(0);
    const context = (data.length & (1 << lp) - 1) << lc | (data.at(-1) ?? 0) >> 8 - lc;
    const chances = learnt.literals[context];
    let isSame = learnt.state >= 7;
    const wanted = isSame ? data.at(-learnt.reps[0] - 1) ?? 0 : 0;
    for (let i = 7, node = 1; i >= 0; i--) {
      const [bit, like] = [byte >> i & 1, wanted >> i & 1];
      this.#range.bit(chances, isSame ? (1 + like << 8) + node : node, bit);
      node = node << 1 | bit;
      if (bit !== like) isSame = false;
    }
    data.push(byte);
    learnt.state = learnt.state < 4 ? 0 : learnt.state < 10 ? learnt.state - 3 : learnt.state - 6;
    return this;
  }

  /** A copy from a distance of 1 on. */
  match(distance: number, length: number): this {
    const learnt = this.#learnt;
    this.#kind(1);
    this.#range.bit(learnt.isRep, learnt.state, 0);
    this.#length(learnt.matchLengths, length);
    this.#distance(distance - 1, length);
    learnt.reps = [distance - 1, ...learnt.reps.slice(0, 3)];
    learnt.state = learnt.state < 7 ? 7 : 10;
    return this.#copy(length);
  }

  /** A copy from one of the last distances; a single byte only from the last. */
  again(length: number, which = 0): this {
    const learnt = this.#learnt;
    const { state, reps } = learnt;
    this.#kind(1);
    this.#range.bit(learnt.isRep, state, 1);
    this.#range.bit(learnt.isRepG[0], state, which === 0 ? 0 : 1);
    if (which === 0) {
      this.#range.bit(learnt.isRep0Long[state], this.#positionState, length === 1 ? 0 : 1);
    } else {
      this.#range.bit(learnt.isRepG[1], state, which === 1 ? 0 : 1);
      if (which > 1) this.#range.bit(learnt.isRepG[2], state, which - 2);
      reps.unshift(...reps.splice(which, 1));
    }
    if (length > 1) this.#length(learnt.repLengths, length);
    learnt.state = length === 1 ? state < 7 ? 9 : 11 : state < 7 ? 8 : 11;
    return this.#copy(length);
  }

  /** The end marker. */
  end(): this {
    const learnt = this.#learnt;
    this.#kind(1);
    this.#range.bit(learnt.isRep, learnt.state, 0);
    this.#length(learnt.matchLengths, MIN_MATCH);
    this.#distance(0xffff_ffff, MIN_MATCH);
    return this;
  }

  /** Starts a new chunk, which may forget what was learnt; the data stays. */
  restart(isReset: boolean, properties: LzmaProperties = this.#properties): this {
    this.#range = new RangeEncoder();
    this.#properties = properties;
    if (isReset) this.#learnt = new Learnt();
    return this;
  }

  /** What has been written since the start, or since the last new chunk. */
  bytes(): number[] {
    return this.#range.bytes();
  }

  get #positionState(): number {
    return this.data.length & (1 << this.#properties[2]) - 1;
  }

  #kind(isMatch: number): void {
    this.#range.bit(this.#learnt.isMatch[this.#learnt.state], this.#positionState, isMatch);
  }

  #copy(length: number): this {
    const distance = this.#learnt.reps[0] + 1;
    for (let i = 0; i < length; i++) this.data.push(this.data.at(-distance) ?? 0);
    return this;
  }

  #length({ choice, low, mid, high }: ReturnType<typeof lengths>, length: number): void {
    const range = this.#range;
    const value = length - MIN_MATCH;
    range.bit(choice, 0, value < 8 ? 0 : 1);
    if (value < 8) return range.tree(low[this.#positionState], value, 3);
    range.bit(choice, 1, value < 16 ? 0 : 1);
    if (value < 16) return range.tree(mid[this.#positionState], value - 8, 3);
    range.tree(high, value - 16, 8);
  }

  #distance(distance: number, length: number): void {
    const range = this.#range;
    const slot = slotOf(distance);
    range.tree(this.#learnt.slots[Math.min(length - MIN_MATCH, 3)], slot, 6);
    const bits = (slot >> 1) - 1;
    const rest = distance % 2 ** Math.max(bits, 0);
    if (slot >= 14) {
      range.direct(Math.floor(rest / 16), bits - 4);
      range.reverseTree(this.#learnt.align, rest & 15, 4);
    } else if (slot >= 4) range.reverseTree(this.#learnt.special[slot], rest, bits);
  }
}

/** "dist_slot": the highest bit's place, and the bit below it. */
function slotOf(distance: number): number {
  if (distance < 4) return distance;
  const high = Math.floor(Math.log2(distance));
  return 2 * high + (Math.floor(distance / 2 ** (high - 1)) & 1);
}
