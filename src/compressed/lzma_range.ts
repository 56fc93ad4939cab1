/** The range coder of LZMA, and the layout of its probabilities (LZMA specification). */

/** Probabilities have 11 bits and adapt by a 32nd (LZMA specification, "The decoding of bits"). */
export const PROBABILITY_BITS = 11;
export const PROBABILITY_ONE = 1 << PROBABILITY_BITS;
export const ADAPTATION = 5;
/** Below this, the range takes in another byte. */
export const TOP = 1 << 24;

/** The fields of the range coder, which is a typed array: variables of a closure are twice as slow (measured). */
export const RANGE = 0;
export const CODE = 1;
export const AT = 2;

const MIN_MATCH = 2;
/** Distances from 4 on have a slot, direct bits, and align bits from slot 14 on. */
const FIRST_SLOT_WITH_BITS = 4;
const FIRST_SLOT_WITH_ALIGN = 14;
const ALIGN_BITS = 4;

/** Where the probabilities of each kind start in the one table. */
const LENGTH_CODER = 2 + 2 * 16 * 8 + 256;
export const IS_MATCH = 0;
export const IS_REP = IS_MATCH + 12 * 16;
export const IS_REP0 = IS_REP + 12;
export const IS_REP1 = IS_REP0 + 12;
export const IS_REP2 = IS_REP1 + 12;
export const IS_REP0_LONG = IS_REP2 + 12;
const SLOTS = IS_REP0_LONG + 12 * 16;
const SPECIAL = SLOTS + 4 * 64;
const ALIGN = SPECIAL + 128;
export const MATCH_LENGTH = ALIGN + 16;
export const REP_LENGTH = MATCH_LENGTH + LENGTH_CODER;
export const LITERALS = REP_LENGTH + LENGTH_CODER;

export function decodeBit(
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

export function decodeLength(
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
export function decodeDistance(
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
