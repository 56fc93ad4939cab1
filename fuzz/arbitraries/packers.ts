/**
 * Encoders that are told what to do: literals and matches of any length and distance, which a real
 * encoder would seldom choose. What must come of them is plain.
 */
import fc from "fast-check";

/** Literals, then a copy of what came before. */
export interface Step {
  readonly literals: readonly number[];
  /** Back from where the copy goes; 1 to what is there. */
  readonly distance: number;
  /** 0: no copy. */
  readonly length: number;
  /** Chooses between ways to write the same. */
  readonly variant: number;
}

/** What a format can write. */
export interface Reach {
  readonly minLength: number;
  readonly maxLength: number;
  readonly maxDistance: number;
}

/** Lengths at which the formats change how they write them. */
const LENGTHS = [1, 2, 3, 4, 5, 8, 9, 10, 17, 18, 19, 20, 33, 34, 35, 238, 239, 255, 270, 273, 274];
/** Distances of the same kind. */
const DISTANCES = [1, 2, 4, 5, 96, 128, 1024, 2048, 2049, 3072, 16383, 16384, 16385, 49151, 65535];

const length = fc.oneof(
  { arbitrary: fc.constantFrom(...LENGTHS), weight: 3 },
  { arbitrary: fc.nat(400), weight: 1 },
  { arbitrary: fc.integer({ min: 15_000, max: 17_000 }), weight: 1 },
);

/** A step before it is known what there is to copy. */
const wishes = fc.record({
  literals: fc.oneof(
    { arbitrary: fc.nat(5), weight: 4 },
    { arbitrary: fc.constantFrom(14, 15, 16, 17, 18, 19, 237, 238, 239, 269, 270, 271), weight: 1 },
  ),
  seed: fc.nat(255),
  distance: fc.oneof(fc.constantFrom(...DISTANCES), fc.nat(70_000)),
  /** Which of the last four distances is taken instead, if it is one of them. */
  again: fc.nat(5),
  length: fc.oneof({ arbitrary: length, weight: 6 }, { arbitrary: fc.constant(0), weight: 1 }),
  variant: fc.nat(15),
});

/**
 * Steps that a format can write.
 *
 * @param reach What it can.
 * @returns Lists of them; a byte comes out at least.
 */
export function steps({ minLength, maxLength, maxDistance }: Reach): fc.Arbitrary<Step[]> {
  return fc.array(wishes, { minLength: 1, maxLength: 24 }).map((list) => {
    let size = 0;
    let recent: number[] = [];
    return list.map(({ literals: count, seed, distance, again, length, variant }) => {
      const isFirst = size === 0;
      const literals = Array.from({ length: isFirst ? count + 1 : count }, (_, i) => {
        return seed * (i + 1) & (seed & 1 ? 255 : 3);
      });
      size += literals.length;
      const wanted = length === 0 ? 0 : Math.min(Math.max(length, minLength), maxLength);
      size += wanted;
      const most = Math.min(size - wanted, maxDistance);
      const back = recent[again] ?? ((distance - 1) % most + 1 || most);
      if (wanted > 0) recent = [back, ...recent.filter((other) => other !== back)].slice(0, 4);
      return { literals, distance: back, length: wanted, variant };
    });
  });
}

/**
 * What steps come to.
 *
 * @param list The steps.
 * @param out What came before them; they are added.
 * @returns All of it.
 */
export function interpret(list: readonly Step[], out: number[] = []): number[] {
  for (const { literals, distance, length } of list) {
    out.push(...literals);
    for (let i = 0; i < length; i++) out.push(out[out.length - distance]);
  }
  return out;
}

/** LZ4 Block Format. */
export const LZ4_REACH: Reach = { minLength: 4, maxLength: 1 << 20, maxDistance: 65535 };

/**
 * An LZ4 block.
 *
 * @param list Steps in the format's reach.
 * @returns Its bytes.
 */
export function lz4Block(list: readonly Step[]): number[] {
  const bytes: number[] = [];
  let literals: number[] = [];
  const more = (length: number) => {
    if (length < 15) return [];
    const rest = length - 15;
    return [...Array<number>(Math.floor(rest / 255)).fill(255), rest % 255];
  };
  const sequence = (length: number | undefined, distance = 0) => {
    const copied = length === undefined ? 0 : length - 4;
    bytes.push(Math.min(literals.length, 15) << 4 | Math.min(copied, 15));
    bytes.push(...more(literals.length), ...literals);
    if (length !== undefined) bytes.push(distance & 255, distance >> 8, ...more(copied));
    literals = [];
  };
  for (const step of list) {
    literals.push(...step.literals);
    if (step.length > 0) sequence(step.length, step.distance);
  }
  sequence(undefined);
  return bytes;
}

/** Documentation/staging/lzo.rst. */
export const LZO_REACH: Reach = { minLength: 2, maxLength: 1 << 20, maxDistance: 0xbfff };

/**
 * Steps as LZO can write them: a copy of two bytes only near, and after one to three literals.
 *
 * @param list Steps in the format's reach.
 * @returns Steps, some of them longer by a byte.
 */
export function forLzo(list: readonly Step[]): Step[] {
  let literals = 0;
  return list.map((step) => {
    literals += step.literals.length;
    const isShort = literals > 0 && literals < 4 && step.distance <= 1024;
    if (step.length > 0) literals = 0;
    return step.length === 2 && !isShort ? { ...step, length: 3 } : step;
  });
}

/**
 * An LZO1X block.
 *
 * @param list Steps of {@linkcode forLzo}.
 * @returns Its bytes, the end mark included.
 */
export function lzoBlock(list: readonly Step[]): number[] {
  const bytes: number[] = [];
  /** Where the low two bits say how many literals follow. */
  let count: number | undefined;
  /** What the decoder knows of the literals before: 0 to 3, or 4 for more. */
  let state = 0;
  const rest = (
    length: number,
  ) => [...Array<number>(Math.floor((length - 1) / 255)).fill(0), (length - 1) % 255 + 1];
  const run = (literals: readonly number[]) => {
    const { length } = literals;
    if (length === 0) return;
    if (count === undefined && length < 239) bytes.push(17 + length);
    else if (length < 4) bytes[count!] |= length;
    else if (length <= 18) bytes.push(length - 3);
    else bytes.push(0, ...rest(length - 18));
    bytes.push(...literals);
    state = Math.min(length, 4);
  };
  const near = (first: number, high: number) => {
    count = bytes.length;
    bytes.push(first, high);
  };
  const copy = (distance: number, length: number, variant: number) => {
    const d = distance - 1;
    const isShort = distance <= 2048 && length <= 8 && variant < 12;
    const isAfterRun = state === 4 && length === 3 && distance > 2048 && distance <= 3072;
    if (length === 2) near((d & 3) << 2, d >> 2);
    else if (isAfterRun && variant < 8) near((d - 2048 & 3) << 2, d - 2048 >> 2);
    else if (isShort) near(length - 1 << 5 | (d & 7) << 2, d >> 3);
    else {
      // 16384 would be the end mark there
      const [first, mask, low] = distance > 16384
        ? [16 | (distance - 16384 >> 14) << 3, 7, distance - 16384 & 0x3fff]
        : [32, 31, d];
      if (length - 2 <= mask) bytes.push(first | length - 2);
      else bytes.push(first, ...rest(length - 2 - mask));
      count = bytes.length;
      bytes.push(low << 2 & 255, low >> 6);
    }
    state = 0;
  };
  let literals: number[] = [];
  for (const step of list) {
    literals.push(...step.literals);
    if (step.length === 0) continue;
    run(literals);
    literals = [];
    copy(step.distance, step.length, step.variant);
  }
  run(literals);
  return [...bytes, 0x11, 0, 0];
}
