/** Numbers at which loaders go wrong, and ways to bend a file. */
import fc from "fast-check";
import { peek, poke } from "./images.ts";

/** Widths of a field in bytes. */
export type Width = 1 | 2 | 4 | 8;

/** Where a field lies in a file. */
export type Place = readonly [offset: number, width: Width];

const powers = [7n, 8n, 12n, 15n, 16n, 21n, 31n, 32n, 47n, 48n, 53n, 63n, 64n];

/** 0, 1, …, and both sides of every power of two at which a width, a sign or a double ends. */
export const BOUNDARIES: readonly bigint[] = [
  ...[
    0n,
    1n,
    2n,
    3n,
    4n,
    5n,
    8n,
    11n,
    12n,
    36n,
    40n,
    55n,
    56n,
    57n,
    63n,
    64n,
    0x69n,
    0x200n,
    0x1001n,
    0xffff_fffdn, // past 32 bits when it is rounded up
  ],
  ...powers.flatMap((power) => [(1n << power) - 1n, 1n << power, (1n << power) + 1n]),
].filter((value) => value < 1n << 64n);

/** A number of up to 64 bits, mostly a boundary. */
export const boundary: fc.Arbitrary<bigint> = fc.oneof(
  { arbitrary: fc.constantFrom(...BOUNDARIES), weight: 6 },
  { arbitrary: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), weight: 1 },
);

/** A number of up to 32 bits, mostly a boundary. */
export const boundary32: fc.Arbitrary<number> = fc.oneof(
  {
    arbitrary: fc.constantFrom(...BOUNDARIES.filter((value) => value < 1n << 32n).map(Number)),
    weight: 6,
  },
  { arbitrary: fc.nat(0xffff_ffff), weight: 1 },
);

/** What is done to a file that was valid. */
export type Bend =
  /** A field gets a value: a number, something near what was there, or near the file's size. */
  | {
    readonly kind: "field";
    readonly place: Place;
    readonly from: "zero" | "here" | "size";
    readonly plus: bigint;
    /** Whether the most significant byte comes first; false if not given. */
    readonly isBig?: boolean;
  }
  | { readonly kind: "truncate"; readonly at: number }
  | { readonly kind: "flip"; readonly bit: number }
  | { readonly kind: "append"; readonly count: number }
  /** A part is copied over another one. */
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly size: number };

/**
 * Bends of a kind of file.
 *
 * @param places Its fields.
 * @param isBig Whether they are big-endian.
 * @returns None in a third of the cases, else up to three.
 */
export function bends(places: readonly Place[], isBig = false): fc.Arbitrary<Bend[]> {
  const edges = [...new Set(places.flatMap(([offset, width]) => [offset, offset + width - 1]))];
  const field = fieldBend(places, isBig);
  const at = fc.oneof(fc.constantFrom(...edges), fc.nat(8192));
  const bitOfField = fc.tuple(fc.constantFrom(...places), fc.nat(63))
    .map(([[offset, width], bit]) => 8 * offset + bit % (8 * width));
  const other: fc.Arbitrary<Bend> = fc.oneof(
    fc.record({ kind: fc.constant("truncate" as const), at }),
    fc.record({ kind: fc.constant("flip" as const), bit: fc.oneof(bitOfField, fc.nat(8 * 4096)) }),
    fc.record({ kind: fc.constant("append" as const), count: fc.nat(600) }),
    fc.record({ kind: fc.constant("copy" as const), from: at, to: at, size: fc.nat(600) }),
  );
  const bend = fc.oneof({ arbitrary: field, weight: 3 }, { arbitrary: other, weight: 1 });
  return fc.oneof(
    fc.constant<Bend[]>([]),
    fc.array(bend, { minLength: 1, maxLength: 3 }),
    fc.array(bend, { minLength: 1, maxLength: 1 }),
  );
}

/**
 * A field that gets another value.
 *
 * @param places The fields.
 * @param isBig Whether they are big-endian.
 * @returns One such bend.
 */
export function fieldBend(places: readonly Place[], isBig = false): fc.Arbitrary<Bend> {
  return fc.record({
    kind: fc.constant("field" as const),
    place: fc.constantFrom(...places),
    from: fc.constantFrom("zero" as const, "here" as const, "size" as const),
    plus: fc.oneof(boundary, fc.constantFrom(-1n, 1n, -2n, -4n, 4n, -8n, -16n, -512n, -4096n)),
    ...isBig && { isBig: fc.constant(true) },
  });
}

/**
 * Bends a file.
 *
 * @param file The file; it stays as it is.
 * @param how What is done, in order; what lies past the file's end does nothing.
 * @returns The bent file.
 */
export function bent(file: Uint8Array, how: readonly Bend[]): Uint8Array {
  let bytes = file.slice();
  for (const bend of how) {
    switch (bend.kind) {
      case "field": {
        const [offset, width] = bend.place;
        if (offset + width > bytes.length) break;
        const field = bytes.subarray(offset, offset + width);
        if (bend.isBig) field.reverse();
        const base = { zero: 0n, here: peek(field, 0, width), size: BigInt(bytes.length) };
        poke(field, 0, width, base[bend.from] + bend.plus);
        if (bend.isBig) field.reverse();
        break;
      }
      case "truncate":
        bytes = bytes.slice(0, bend.at);
        break;
      case "flip":
        if (bend.bit >> 3 < bytes.length) bytes[bend.bit >> 3] ^= 1 << (bend.bit & 7);
        break;
      case "append": {
        const longer = new Uint8Array(bytes.length + bend.count).fill(0xab);
        longer.set(bytes);
        bytes = longer;
        break;
      }
      case "copy": {
        const part = bytes.slice(bend.from, bend.from + bend.size);
        if (bend.to < bytes.length) bytes.set(part.subarray(0, bytes.length - bend.to), bend.to);
        break;
      }
      default:
        bend satisfies never;
    }
  }
  return bytes;
}

/**
 * A table of fields as places in a file.
 *
 * @param fields The table.
 * @param start Where the struct starts.
 * @returns The places.
 */
export function placesOf(
  fields: Readonly<Record<string, readonly [number, Width]>>,
  start = 0,
): Place[] {
  return Object.values(fields).map(([offset, width]) => [start + offset, width]);
}

/**
 * Something that is not always there.
 *
 * @param arbitrary Something.
 * @param absent How many times it is absent for each time that it is there.
 * @returns It, or undefined.
 */
export function sometimes<T>(arbitrary: fc.Arbitrary<T>, absent = 2): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { arbitrary: fc.constant(undefined), weight: absent },
    { arbitrary, weight: 1 },
  );
}
