/** Guest memory: exact fits, holes, tiny regions, regions that touch, the top of the address space. */
import fc from "fast-check";
import { sometimes } from "./numbers.ts";

/** A region of RAM. */
export interface Region {
  readonly start: bigint;
  readonly size: number;
}

/** How RAM lies around a kernel. */
export interface LayoutRecipe {
  /** RAM from address 0. */
  low: number;
  /** RAM before the kernel's first byte and after its last; negative ones cut into it. */
  readonly before: number;
  readonly after: number;
  /** Cuts in the kernel's region, in 1/256 of it; with a hole of so many bytes. */
  readonly cuts: readonly { readonly at: number; readonly hole: number }[];
  /** A region of its own, elsewhere. */
  readonly extra?: Region;
  readonly shuffled: boolean;
}

/** An initrd of more than two pages at its end crosses 4 GiB. */
export const ACROSS_4_GIB: Region = { start: 0xffff_8000n, size: 0xa000 };

const END = 1n << 64n;
/** More than this is not given to a guest of a test. */
const MAX_TOTAL = 9 << 20;

/**
 * Layouts.
 *
 * @param low Sizes of the RAM from address 0 on.
 * @param slack What RAM there is around the kernel.
 * @returns Recipes, to be resolved by {@linkcode layOut}.
 */
export function layouts(
  low: readonly number[],
  slack: readonly number[],
): fc.Arbitrary<LayoutRecipe> {
  return fc.record({
    low: fc.constantFrom(...low),
    before: fc.constantFrom(0, 0, 0x1000, 0x800, 1, -1),
    after: fc.oneof(
      { arbitrary: fc.constantFrom(...slack), weight: 6 },
      { arbitrary: fc.constantFrom(0, 1, -1, 0x123), weight: 2 },
    ),
    cuts: fc.oneof(
      { arbitrary: fc.constant([]), weight: 5 },
      {
        arbitrary: fc.array(
          fc.record({ at: fc.nat(255), hole: fc.constantFrom(0, 0, 0, 1, 0x1000) }),
          { minLength: 1, maxLength: 3 },
        ),
        weight: 2,
      },
    ),
    extra: sometimes(
      fc.oneof(
        { arbitrary: fc.constant(ACROSS_4_GIB), weight: 1 },
        {
          arbitrary: fc.record({
            start: fc.constantFrom(
              0x1_0000_0000n,
              0x1_2345_6000n,
              0x2000n,
              0xfee0_0000n,
              (1n << 47n) - 0x8000n,
              1n << 48n,
              END - 0x10000n,
            ),
            size: fc.constantFrom(0x10000, 0x8000, 1, 0x1000),
          }),
          weight: 5,
        },
      ),
      2,
    ),
    shuffled: fc.boolean(),
  });
}

/**
 * Lays RAM around a kernel.
 *
 * @param recipe How.
 * @param low The kernel's lowest address.
 * @param high One past its highest.
 * @returns Regions that are neither empty nor overlap; at least one.
 */
export function layOut(recipe: LayoutRecipe, low: bigint, high: bigint): Region[] {
  const from = low - BigInt(recipe.before) < 0n ? 0n : low - BigInt(recipe.before);
  const wanted = high + BigInt(recipe.after);
  const until = wanted > END ? END : wanted;
  const pieces: { start: bigint; end: bigint }[] = [{ start: 0n, end: BigInt(recipe.low) }];
  let at = from;
  for (const { at: cut, hole } of [...recipe.cuts].sort((a, b) => a.at - b.at)) {
    const end = from + (until - from) * BigInt(cut) / 256n;
    if (end > at) {
      pieces.push({ start: at, end });
      at = end + BigInt(hole);
    }
  }
  pieces.push({ start: at, end: until });
  if (recipe.extra) {
    pieces.push({ start: recipe.extra.start, end: recipe.extra.start + BigInt(recipe.extra.size) });
  }
  const regions: Region[] = [];
  let total = 0;
  let taken = 0n;
  for (const piece of pieces.sort((a, b) => a.start < b.start ? -1 : 1)) {
    const start = piece.start > taken ? piece.start : taken;
    const end = piece.end > END ? END : piece.end;
    if (end <= start) continue;
    const size = Math.min(Number(end - start), MAX_TOTAL - total);
    if (size <= 0) continue;
    regions.push({ start, size });
    total += size;
    taken = start + BigInt(size);
  }
  if (regions.length === 0) regions.push({ start: low % (END - 1n), size: 1 });
  return recipe.shuffled ? regions.reverse() : regions;
}
