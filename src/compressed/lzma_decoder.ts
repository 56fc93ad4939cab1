import type { PackedInput } from "./input.ts";

/** Probabilities have 11 bits and adapt by a 32nd (LZMA specification, "The decoding of bits"). */
const PROBABILITY_BITS = 11;
const PROBABILITY_ONE = 1 << PROBABILITY_BITS;
const ADAPTATION = 5;
/** Below this, the range takes in another byte. */
const TOP = 1 << 24;

/** States of the automaton: below 7 the last symbol was a literal. */
const LITERAL_STATES = 7;
const MIN_MATCH = 2;
/** Distances from 4 on have a slot, direct bits, and align bits from slot 14 on. */
const FIRST_SLOT_WITH_BITS = 4;
const FIRST_SLOT_WITH_ALIGN = 14;
const ALIGN_BITS = 4;
/** The distance that is the end marker. */
const END_MARKER = 0xffffffff;

/** Where the probabilities of each kind start in the one table. */
const LENGTH_CODER = 2 + 2 * 16 * 8 + 256;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + 12 * 16;
const IS_REP0 = IS_REP + 12;
const IS_REP1 = IS_REP0 + 12;
const IS_REP2 = IS_REP1 + 12;
const IS_REP0_LONG = IS_REP2 + 12;
const SLOTS = IS_REP0_LONG + 12 * 16;
const SPECIAL = SLOTS + 4 * 64;
const ALIGN = SPECIAL + 128;
const MATCH_LENGTH = ALIGN + 16;
const REP_LENGTH = MATCH_LENGTH + LENGTH_CODER;
const LITERALS = REP_LENGTH + LENGTH_CODER;
/** Probabilities of one literal coder. */
const LITERAL_SIZE = 0x300;
/** The largest lc + lp: LZMA2's own rule, and liblzma's for .lzma files. */
const MAX_LC_LP = 4;
/** lc, lp and pb in one byte. */
const MAX_PROPERTIES = 9 * 5 * 5;

/** The fields of {@linkcode LzmaDecoder}'s range coder: typed numbers are twice as fast (measured). */
const RANGE = 0;
const CODE = 1;
const AT = 2;

/**
 * The LZMA decoder under .lzma and .xz, straight into the output: what has come out is the
 * dictionary, so that a dictionary size in a header costs nothing.
 */
export class LzmaDecoder {
  /** Range, code, and the place in the input. */
  readonly #coder = new Uint32Array(3);
  readonly #input: PackedInput;
  #probabilities = new Uint16Array(0);
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
    if (this.#probabilities.length !== size) this.#probabilities = new Uint16Array(size);
    this.resetState();
  }

  /** Forgets everything but lc, lp and pb. */
  resetState(): void {
    this.#probabilities.fill(PROBABILITY_ONE >> 1);
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

function decodeBit(
  probabilities: Uint16Array,
  index: number,
  coder: Uint32Array,
  bytes: Uint8Array,
): number {
  let range = coder[RANGE];
  let code = coder[CODE];
  const chance = probabilities[index];
  const bound = Math.imul(range >>> PROBABILITY_BITS, chance) >>> 0;
  const bit = code < bound ? 0 : 1;
  if (bit === 0) {
    probabilities[index] = chance + (PROBABILITY_ONE - chance >> ADAPTATION);
    range = bound;
  } else {
    probabilities[index] = chance - (chance >> ADAPTATION);
    range = range - bound >>> 0;
    code = code - bound >>> 0;
  }
  if (range < TOP) {
    range = range << 8 >>> 0;
    code = (code << 8 | bytes[coder[AT]++]) >>> 0;
  }
  coder[RANGE] = range;
  coder[CODE] = code;
  return bit;
}

/** Bits from the most significant on. */
function decodeTree(
  probabilities: Uint16Array,
  base: number,
  bits: number,
  coder: Uint32Array,
  bytes: Uint8Array,
): number {
  let symbol = 1;
  for (let i = 0; i < bits; i++) {
    symbol = symbol << 1 | decodeBit(probabilities, base + symbol, coder, bytes);
  }
  return symbol - (1 << bits);
}

/** Bits from the least significant on. */
function decodeReverseTree(
  probabilities: Uint16Array,
  base: number,
  bits: number,
  coder: Uint32Array,
  bytes: Uint8Array,
): number {
  let symbol = 1;
  let value = 0;
  for (let i = 0; i < bits; i++) {
    const bit = decodeBit(probabilities, base + symbol, coder, bytes);
    symbol = symbol << 1 | bit;
    value |= bit << i;
  }
  return value;
}

function decodeLength(
  probabilities: Uint16Array,
  base: number,
  positionState: number,
  coder: Uint32Array,
  bytes: Uint8Array,
): number {
  if (decodeBit(probabilities, base, coder, bytes) === 0) {
    const low = base + 2 + (positionState << 3);
    return MIN_MATCH + decodeTree(probabilities, low, 3, coder, bytes);
  }
  if (decodeBit(probabilities, base + 1, coder, bytes) === 0) {
    const mid = base + 2 + 128 + (positionState << 3);
    return MIN_MATCH + 8 + decodeTree(probabilities, mid, 3, coder, bytes);
  }
  return MIN_MATCH + 16 + decodeTree(probabilities, base + 2 + 256, 8, coder, bytes);
}

/** A distance, less one. */
function decodeDistance(
  probabilities: Uint16Array,
  length: number,
  coder: Uint32Array,
  bytes: Uint8Array,
): number {
  const slots = SLOTS + (Math.min(length - MIN_MATCH, 3) << 6);
  const slot = decodeTree(probabilities, slots, 6, coder, bytes);
  if (slot < FIRST_SLOT_WITH_BITS) return slot;
  const bits = (slot >>> 1) - 1;
  const high = (2 | slot & 1) << bits >>> 0;
  if (slot < FIRST_SLOT_WITH_ALIGN) {
    // The trees of the slots follow each other without gaps; index 0 of a tree is not used
    const tree = SPECIAL + high - slot;
    return high + decodeReverseTree(probabilities, tree, bits, coder, bytes);
  }
  let direct = 0;
  let range = coder[RANGE];
  let code = coder[CODE];
  for (let i = ALIGN_BITS; i < bits; i++) {
    range >>>= 1;
    const bit = code < range ? 0 : 1;
    if (bit !== 0) code = code - range >>> 0;
    direct = direct << 1 | bit;
    if (range < TOP) {
      range = range << 8 >>> 0;
      code = (code << 8 | bytes[coder[AT]++]) >>> 0;
    }
  }
  coder[RANGE] = range;
  coder[CODE] = code;
  const align = decodeReverseTree(probabilities, ALIGN, ALIGN_BITS, coder, bytes);
  return (high + (direct << ALIGN_BITS >>> 0) + align) >>> 0;
}
