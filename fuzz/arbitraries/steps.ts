/**
 * What an encoder is told to write: literals and copies of any length and distance, which a real one
 * would seldom choose. What must come of them is plain.
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
