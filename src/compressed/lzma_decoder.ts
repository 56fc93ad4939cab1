import type { PackedInput } from "./input.ts";
import {
  ADAPTATION,
  AT,
  CODE,
  decodeBit,
  decodeDistance,
  decodeLength,
  IS_MATCH,
  IS_REP,
  IS_REP0,
  IS_REP0_LONG,
  IS_REP1,
  IS_REP2,
  LITERALS,
  MATCH_LENGTH,
  PROBABILITY_BITS,
  PROBABILITY_ONE,
  RANGE,
  REP_LENGTH,
  TOP,
} from "./lzma_range.ts";

/** States of the automaton: below 7 the last symbol was a literal. */
const LITERAL_STATES = 7;
/** The distance that is the end marker. */
const END_MARKER = 0xffffffff;

/** Probabilities of one literal coder. */
const LITERAL_SIZE = 0x300;
/** The largest lc + lp: LZMA2's own rule, and liblzma's for .lzma files. */
const MAX_LC_LP = 4;
/** lc, lp and pb in one byte. */
const MAX_PROPERTIES = 9 * 5 * 5;

/**
 * The LZMA decoder under .lzma and .xz, straight into the output: what has come out is the
 * dictionary, so that a dictionary size in a header costs nothing.
 */
export class LzmaDecoder {
  /** Range, code, and the place in the input. */
  readonly #coder = new Uint32Array(3);
  readonly #input: PackedInput;
  /** Grows only: every chunk may have properties of its own. */
  #probabilities = new Uint16Array(0);
  /** How many of them lc and lp make use of. */
  #used = 0;
  #lc = 0;
  #literalMask = 0;
  #positionMask = 0;
  #state = 0;
  /** The last four distances, less one. */
  readonly #reps = new Uint32Array(4);
  /** What is left of a match that did not fit. */
  #pending = 0;
  /** Whether the end marker was met. */
  ended = false;

  /**
   * A decoder; set its properties first.
   *
   * @param input What it reads.
   */
  constructor(input: PackedInput) {
    this.#input = input;
  }

  /**
   * Sets lc, lp and pb, and starts anew.
   *
   * @param byte All three in one byte.
   * @param at Where it lies in the input.
   * @throws {LoaderError} `COMPRESSED_CORRUPT` if it is none.
   */
  setProperties(byte: number, at: number): void {
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    if (byte >= MAX_PROPERTIES || lc + lp > MAX_LC_LP) {
      throw this.#input.corrupt(
        "properties",
        at,
        `lc + lp of at most ${MAX_LC_LP}, pb 0 to 4`,
        byte,
      );
    }
    this.#lc = lc;
    this.#literalMask = (1 << lp) - 1;
    this.#positionMask = (1 << pb) - 1;
    const size = LITERALS + (LITERAL_SIZE << lc + lp);
    this.#used = size;
    if (this.#probabilities.length < size) this.#probabilities = new Uint16Array(size);
    this.resetState();
  }

  /** Forgets everything but lc, lp and pb. */
  resetState(): void {
    this.#probabilities.fill(PROBABILITY_ONE >> 1, 0, this.#used);
    this.#reps.fill(0);
    this.#state = 0;
    this.#pending = 0;
  }

  /**
   * Starts the range coder at the input's place.
   *
   * @throws {LoaderError} `TRUNCATED`, or `COMPRESSED_CORRUPT` if its first byte is not 0.
   */
  startRange(): void {
    const at = this.#input.skip(5, "range coder");
    const bytes = this.#input.bytes;
    if (bytes[at] !== 0) throw this.#input.corrupt("range coder", at, "0x0", bytes[at]);
    this.#coder[RANGE] = 0xffffffff;
    this.#coder[CODE] = bytes[at + 1] << 24 | bytes[at + 2] << 16 | bytes[at + 3] << 8 |
      bytes[at + 4];
  }

  /** Whether the range coder came out even, as it does at the end of a stream. */
  get isFinished(): boolean {
    return this.#coder[CODE] === 0 && this.#pending === 0;
  }

  /**
   * Decodes until the output is full or the end marker is met.
   *
   * @param out Where it goes.
   * @param start Where in it.
   * @param end Where to stop.
   * @param first The first byte of it that matches may reach; also where positions count from.
   * @param dictionarySize How far back matches may reach.
   * @param inputEnd Where the compressed bytes end.
   * @returns Where it stopped: before `end` only at an end marker.
   * @throws {LoaderError} `TRUNCATED` or `COMPRESSED_CORRUPT`.
   */
  decode(
    out: Uint8Array,
    start: number,
    end: number,
    first: number,
    dictionarySize: number,
    inputEnd: number,
  ): number {
    const probabilities = this.#probabilities;
    const coder = this.#coder;
    const reps = this.#reps;
    const bytes = this.#input.bytes;
    const lc = this.#lc;
    const literalMask = this.#literalMask;
    const positionMask = this.#positionMask;
    let state = this.#state;
    let position = start;
    let length = this.#pending;
    coder[AT] = this.#input.at;

    while (true) {
      if (length > 0) {
        const distance = reps[0] + 1;
        if (distance > position - first || distance > dictionarySize) {
          if (coder[AT] > inputEnd) throw this.#truncated(inputEnd);
          const reach = Math.min(position - first, dictionarySize);
          throw this.#input.corrupt("match distance", coder[AT], `1 to ${reach}`, distance);
        }
        const stop = Math.min(position + length, end);
        length -= stop - position;
        for (; position < stop; position++) out[position] = out[position - distance];
      }
      if (position === end) break;

      const positionState = position - first & positionMask;
      // The range coder is in variables while the symbol is a literal: most symbols are
      let range = coder[RANGE];
      let code = coder[CODE];
      let at = coder[AT];
      if (at > inputEnd) throw this.#truncated(inputEnd);
      const isMatch = IS_MATCH + (state << 4) + positionState;
      const chance = probabilities[isMatch];
      const bound = Math.imul(range >>> PROBABILITY_BITS, chance) >>> 0;
      if (code < bound) {
        probabilities[isMatch] = chance + (PROBABILITY_ONE - chance >> ADAPTATION);
        range = bound;
        if (range < TOP) {
          range = range << 8 >>> 0;
          code = (code << 8 | bytes[at++]) >>> 0;
        }
        const before = position > first ? out[position - 1] : 0;
        const coderIndex = ((position - first & literalMask) << lc) + (before >> 8 - lc);
        const base = LITERALS + Math.imul(LITERAL_SIZE, coderIndex);
        let symbol = 1;
        // After a match, the byte at its distance foretells the literal, until a bit differs
        let matched = 0;
        let offset = 0;
        if (state >= LITERAL_STATES) {
          const distance = reps[0] + 1;
          if (distance > position - first) {
            if (at > inputEnd) throw this.#truncated(inputEnd);
            throw this.#input.corrupt("match distance", at, `1 to ${position - first}`, distance);
          }
          matched = out[position - distance];
          offset = 0x100;
        }
        do {
          matched <<= 1;
          const foretold = matched & offset;
          const index = base + offset + foretold + symbol;
          const chance = probabilities[index];
          const bound = Math.imul(range >>> PROBABILITY_BITS, chance) >>> 0;
          if (code < bound) {
            probabilities[index] = chance + (PROBABILITY_ONE - chance >> ADAPTATION);
            range = bound;
            symbol <<= 1;
            offset ^= foretold;
          } else {
            probabilities[index] = chance - (chance >> ADAPTATION);
            range = range - bound >>> 0;
            code = code - bound >>> 0;
            symbol = symbol << 1 | 1;
            offset = foretold;
          }
          if (range < TOP) {
            range = range << 8 >>> 0;
            code = (code << 8 | bytes[at++]) >>> 0;
          }
        } while (symbol < 0x100);
        out[position++] = symbol;
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        coder[RANGE] = range;
        coder[CODE] = code;
        coder[AT] = at;
        continue;
      }

      probabilities[isMatch] = chance - (chance >> ADAPTATION);
      range = range - bound >>> 0;
      code = code - bound >>> 0;
      if (range < TOP) {
        range = range << 8 >>> 0;
        code = (code << 8 | bytes[at++]) >>> 0;
      }
      coder[RANGE] = range;
      coder[CODE] = code;
      coder[AT] = at;
      if (decodeBit(probabilities, IS_REP + state, coder, bytes) === 0) {
        length = decodeLength(probabilities, MATCH_LENGTH, positionState, coder, bytes);
        reps[3] = reps[2];
        reps[2] = reps[1];
        reps[1] = reps[0];
        reps[0] = decodeDistance(probabilities, length, coder, bytes);
        state = state < LITERAL_STATES ? 7 : 10;
        if (reps[0] === END_MARKER) {
          this.ended = true;
          length = 0;
          break;
        }
      } else {
        if (decodeBit(probabilities, IS_REP0 + state, coder, bytes) === 0) {
          const isLong = IS_REP0_LONG + (state << 4) + positionState;
          if (decodeBit(probabilities, isLong, coder, bytes) === 0) {
            state = state < LITERAL_STATES ? 9 : 11;
            length = 1;
            continue;
          }
        } else {
          let distance = reps[1];
          if (decodeBit(probabilities, IS_REP1 + state, coder, bytes) !== 0) {
            const which = 2 + decodeBit(probabilities, IS_REP2 + state, coder, bytes);
            distance = reps[which];
            if (which === 3) reps[3] = reps[2];
            reps[2] = reps[1];
          }
          reps[1] = reps[0];
          reps[0] = distance;
        }
        length = decodeLength(probabilities, REP_LENGTH, positionState, coder, bytes);
        state = state < LITERAL_STATES ? 8 : 11;
      }
    }
    if (coder[AT] > inputEnd) throw this.#truncated(inputEnd);
    this.#state = state;
    this.#pending = length;
    this.#input.at = coder[AT];
    return position;
  }

  #truncated(inputEnd: number): Error {
    if (inputEnd === this.#input.bytes.length) return this.#input.truncated("data");
    return this.#input.corrupt("data", inputEnd, "an end inside its chunk", "more");
  }
}
