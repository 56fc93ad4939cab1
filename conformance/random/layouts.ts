/** What random layouts of every architecture share: what a layout is, and when it must boot. */
import fc from "fast-check";
import type { AddressRange, MemoryType, Reservation } from "../../mod.ts";
import { noise } from "../cases/data.ts";
import type { Layout } from "../case.ts";

export const PAGE = 0x1000n;
export const MIB: bigint = 1n << 20n;
export const GIB: bigint = 1n << 30n;

/** A layout, and the machine's RAM that it lies in. */
export interface RandomLayout extends Layout {
  /** The RAM that the library is told of. */
  readonly ram: readonly AddressRange[];
  /** The machine's RAM in bytes. */
  readonly ramSize: bigint;
}

/** A kind of random layouts: recipes of plain numbers and texts, which shrink and print well. */
export interface RandomFamily<R> {
  /** Recipes whose layouts must boot. */
  readonly recipes: fc.Arbitrary<R>;
  /** Makes the layout of a recipe, the same every time. */
  readonly layoutOf: (recipe: R) => RandomLayout;
}

/** Something whose bytes are made up: how many, and which. */
export interface Blob {
  readonly size: number;
  readonly seed: number;
}

/** Sizes around the page, and up to some. */
export const blobs = (max: number): fc.Arbitrary<Blob> =>
  fc.record({
    size: fc.oneof(
      fc.constantFrom(1, 4095, 4096, 4097),
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max }),
    ),
    seed: fc.nat({ max: 1000 }),
  });

export const bytesOfBlob = ({ size, seed }: Blob): Uint8Array => noise(size, seed);

/** Printable ASCII of up to 2,047 bytes; the probes' reports do not tell spaces at the end. */
export const cmdlines: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: textOf(40) },
  { weight: 1, arbitrary: textOf(2047) },
);

function textOf(maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0x20, max: 0x7e }), { maxLength, size: "max" })
    .map((codes) => String.fromCharCode(...codes).trimEnd());
}

/** A range of RAM that is taken: where among all pages, and how far from that page's start. */
export interface Taken {
  readonly at: number;
  readonly skew: number;
  readonly size: number;
  readonly type: Exclude<MemoryType, "usable">;
}

export const takens: fc.Arbitrary<Taken[]> = fc.array(
  fc.record({
    at: fc.nat({ max: 0xf_ffff }),
    skew: fc.oneof(fc.constant(0), fc.nat({ max: 4095 })),
    size: fc.oneof(fc.constant(4096), fc.integer({ min: 1, max: 600_000 })),
    type: fc.constantFrom("reserved", "acpi", "nvs", "unusable", "persistent"),
  }),
  { maxLength: 8 },
);

/** A byte that memory is filled with beforehand, now and then. */
export const dirts: fc.Arbitrary<number | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(0xa5, 0xff) },
);

/** What of RAM is filled costs time twice: to fill it, and to write it to QEMU's file. */
const MAX_DIRTY = 48n * MIB;

/**
 * The dirt of a layout: none in much RAM.
 *
 * @param ram The RAM.
 * @param dirt What was drawn.
 * @returns The dirt, or undefined.
 */
export function dirtOf(ram: readonly AddressRange[], dirt: number | undefined): number | undefined {
  return ram.reduce((sum, { size }) => sum + size, 0n) > MAX_DIRTY ? undefined : dirt;
}

export const endOf = ({ start, size }: AddressRange): bigint => start + size;

export const overlaps = (a: AddressRange, b: AddressRange): boolean =>
  a.start < endOf(b) && b.start < endOf(a);

/**
 * Puts reservations into RAM, but not onto what has its place.
 *
 * @param ram The RAM.
 * @param drawn What was drawn.
 * @param kept What they must leave alone.
 * @param mayOverlap Whether they may lie on each other.
 * @returns Those that are left, ascending.
 */
export function placeTaken(
  ram: readonly AddressRange[],
  drawn: readonly Taken[],
  kept: readonly AddressRange[],
  mayOverlap: boolean,
): Reservation[] {
  const pages = ram.flatMap((range) => range.size / PAGE).reduce((a, b) => a + b, 0n);
  const placed: Reservation[] = [];
  for (const { at, skew, size, type } of drawn) {
    let page = BigInt(at) % pages;
    const inside = ram.find((range) => {
      if (page < range.size / PAGE) return true;
      page -= range.size / PAGE;
      return false;
    })!;
    const start = inside.start + page * PAGE + BigInt(skew);
    const room = endOf(inside) - start;
    const range = { start, size: BigInt(size) < room ? BigInt(size) : room };
    const others = mayOverlap ? kept : [...kept, ...placed];
    if (others.some((other) => overlaps(range, other))) continue;
    placed.push({ name: `taken-${placed.length}`, ...range, type });
  }
  return placed.sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : 0);
}

/**
 * What is left of ranges, by the plainest means.
 *
 * @param ranges The ranges.
 * @param holes What is taken of them.
 * @returns What is left.
 */
export function without(
  ranges: readonly AddressRange[],
  holes: readonly AddressRange[],
): AddressRange[] {
  return holes.reduce<AddressRange[]>(
    (left, hole) =>
      left.flatMap((range) => {
        const [from, to] = [range.start, endOf(range)];
        const before = { start: from, size: (hole.start < to ? hole.start : to) - from };
        const after = endOf(hole) > from ? endOf(hole) : from;
        return [before, { start: after, size: to - after }].filter(({ size }) => size > 0n);
      }),
    [...ranges],
  );
}

/**
 * Whether there is room without any doubt: one gap that holds everything twice. What is smaller may
 * fit or not, by the order in which things are placed; such layouts are not drawn, so that a refusal
 * is always a fault.
 *
 * @param free What is free.
 * @param needed The sizes of all that is to be placed.
 * @param min The gap lies above this.
 * @param max The gap ends at or below this.
 * @returns True if there is.
 */
export function hasRoom(
  free: readonly AddressRange[],
  needed: readonly number[],
  min: bigint,
  max: bigint,
): boolean {
  const sum = needed.reduce((total, size) => total + BigInt(size) + PAGE, 0n);
  return free.some(({ start, size }) => {
    const from = start > min ? start : min;
    const to = start + size < max ? start + size : max;
    return to - from >= 2n * sum;
  });
}
