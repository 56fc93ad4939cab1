/**
 * The coverage-guided loop: an input that goes where none went before is kept, and changed in turn.
 *
 * @module
 */
import { type Hooks, MAP_SIZE } from "./instrument.ts";
import { mutate, solve, wordOf } from "./mutate.ts";
import { Random } from "./random.ts";

/** What is fuzzed: throws if it finds something. */
export type Target = (data: Uint8Array) => void;

/** A finding. */
export interface Crash {
  readonly input: Uint8Array;
  readonly error: unknown;
  /** The execution that found it, from 1 on. */
  readonly execution: number;
}

/** An input that is worth changing. */
interface Entry {
  readonly input: Uint8Array;
  /** How often it was chosen. */
  uses: number;
}

/** At most so many comparisons of an input are looked at, and words remembered. */
const [MAX_COMPARISONS, MAX_WORDS] = [256, 4096];
/** At most so many inputs wait; the newest are tried first. */
const MAX_WAITING = 1 << 14;
/** At most so many executions colour an input. */
const MAX_COLOURS = 48;
/** AFL's classes of how often an edge was taken: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, 128 and more. */
const CLASS = new Uint8Array(256).map((_, count) => {
  if (count <= 3) return [0, 1, 2, 4][count];
  return count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128;
});

/** The loop over one target. */
export class Engine {
  /** Executions so far. */
  executions = 0;
  /** Edges that were taken by some input. */
  edges = 0;
  readonly #target: Target;
  readonly #hooks: Hooks;
  readonly #random: Random;
  readonly #seen: Uint8Array = new Uint8Array(MAP_SIZE);
  readonly #entries: Entry[] = [];
  readonly #words: { value: bigint; width: number }[] = [];
  readonly #knownWords: Set<bigint> = new Set();
  /** Inputs to try before luck is. */
  #waiting: Uint8Array[] = [];
  #current: Entry | undefined;
  #left = 0;

  /**
   * @param target What is fuzzed, in its instrumented build.
   * @param hooks The build's hooks.
   * @param seed The seed.
   * @param seeds Inputs to start from.
   */
  constructor(target: Target, hooks: Hooks, seed: number, seeds: readonly Uint8Array[]) {
    this.#target = target;
    this.#hooks = hooks;
    this.#random = new Random(seed);
    this.#waiting = [...seeds, new Uint8Array(0), new Uint8Array(64)].reverse();
  }

  /** How many inputs are kept. */
  get kept(): number {
    return this.#entries.length;
  }

  /** The inputs that are kept. */
  get corpus(): Uint8Array[] {
    return this.#entries.map(({ input }) => input);
  }

  /**
   * Runs the target once.
   *
   * @returns A finding, if there is one.
   */
  step(): Crash | undefined {
    // One in four is luck's, however many wait
    const isLucky = this.executions % 4 === 3 && this.#entries.length > 0;
    const input = isLucky ? undefined : this.#waiting.pop();
    return this.#run(input ?? this.#changed());
  }

  /**
   * Makes a finding smaller: cuts it, then zeroes what does not matter.
   *
   * @param crash The finding.
   * @param isSame Whether another error is the same finding.
   * @returns The finding with a smaller input.
   */
  shrink(crash: Crash, isSame: (error: unknown) => boolean): Crash {
    let { input, error } = crash;
    const attempt = (smaller: Uint8Array): boolean => {
      const thrown = this.#thrown(smaller);
      if (thrown === undefined || !isSame(thrown.error)) return false;
      [input, error] = [smaller, thrown.error];
      return true;
    };
    for (let size = input.length >> 1; size > 0; size >>= 1) {
      while (input.length > size && attempt(input.slice(0, input.length - size)));
    }
    for (let size = Math.max(input.length >> 2, 1); size > 0; size >>= 1) {
      for (let at = 0; at < input.length; at += size) {
        if (input.subarray(at, at + size).every((byte) => byte === 0)) continue;
        attempt(input.slice().fill(0, at, at + size));
      }
    }
    return { ...crash, input, error };
  }

  /**
   * An input that goes the same way and has luck's bytes wherever they do not matter: what it is
   * compared with is then found in one place only, not in every zero.
   */
  #coloured(input: Uint8Array): Uint8Array {
    let best = input;
    const wanted = this.#way(input);
    const open = [{ from: 0, to: input.length }];
    for (let tries = 0; tries < MAX_COLOURS && open.length > 0; tries++) {
      const { from, to } = open.shift()!;
      if (to <= from) continue;
      const attempt = best.slice();
      for (let at = from; at < to; at++) attempt[at] = this.#random.next();
      if (this.#way(attempt) === wanted) {
        best = attempt;
      } else if (to - from > 1) {
        const middle = (from + to) >> 1;
        open.push({ from, to: middle }, { from: middle, to });
      }
    }
    return best;
  }

  /** The edges that an input takes, as a number. */
  #way(input: Uint8Array): number {
    const { counters } = this.#hooks;
    counters.fill(0);
    this.executions++;
    this.#thrown(input);
    let hash = 0;
    const words = new Uint32Array(counters.buffer);
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue;
      for (let i = 4 * word; i < 4 * word + 4; i++) {
        hash = Math.imul(hash ^ CLASS[counters[i]] ^ i << 8, 0x01000193);
      }
    }
    return hash;
  }

  #thrown(input: Uint8Array): { error: unknown } | undefined {
    try {
      this.#target(input.slice());
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  #changed(): Uint8Array {
    if (this.#left === 0 || this.#current === undefined) {
      // The rarely chosen first: new ones get their turn at once
      const [a, b] = [this.#random.pick(this.#entries), this.#random.pick(this.#entries)];
      this.#current = a.uses <= b.uses ? a : b;
      this.#current.uses++;
      this.#left = 32;
    }
    this.#left--;
    const other = this.#random.pick(this.#entries).input;
    return mutate(this.#current.input, other, this.#words, this.#random);
  }

  #run(input: Uint8Array): Crash | undefined {
    this.executions++;
    this.#hooks.counters.fill(0);
    const thrown = this.#thrown(input);
    const isNew = this.#merge();
    if (thrown) return { input, error: thrown.error, execution: this.executions };
    if (isNew || this.#entries.length === 0) this.#keep(input);
    return undefined;
  }

  /** Whether the last run went somewhere new, or somewhere old more often than any before. */
  #merge(): boolean {
    const { counters } = this.#hooks;
    const seen = this.#seen;
    let isNew = false;
    const words = new Uint32Array(counters.buffer);
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue;
      for (let i = 4 * word; i < 4 * word + 4; i++) {
        const bit = CLASS[counters[i]];
        if ((bit & ~seen[i]) === 0) continue;
        if (seen[i] === 0) this.edges++;
        seen[i] |= bit;
        isNew = true;
      }
    }
    return isNew;
  }

  /** Keeps an input, and looks at what it was compared with. */
  #keep(kept: Uint8Array): void {
    this.#entries.push({ input: kept, uses: 0 });
    const input = this.#coloured(kept);
    const pairs: [unknown, unknown][] = [];
    const known = new Set<string>();
    this.#hooks.onCompare = (left, right) => {
      const key = `${left} ${right}`;
      if (pairs.length >= MAX_COMPARISONS || known.has(key)) return;
      known.add(key);
      pairs.push([left, right]);
    };
    this.#hooks.isTracing = true;
    this.#thrown(input);
    this.#hooks.isTracing = false;
    for (const [left, right] of pairs) {
      this.#waiting.push(...solve(input, left, right));
      if (this.#waiting.length > MAX_WAITING) this.#waiting = this.#waiting.slice(-MAX_WAITING / 2);
      for (const side of [left, right]) {
        const word = wordOf(side);
        if (!word || this.#knownWords.has(word.value) || this.#words.length >= MAX_WORDS) continue;
        this.#knownWords.add(word.value);
        this.#words.push(word);
      }
    }
  }
}
