/**
 * Faults that nothing finds, each with the reason.
 *
 * @module
 */

/** Reasons by a fault's name. */
const REASONS: Readonly<Record<string, string>> = {
  "space-preferred-unaligned":
    "equivalent: all that is preferred is a constant of layout_x86.ts, and aligned; Space's own tests find it",
  "fdt-property-padding":
    "equivalent: past the end there is no token, so the next one is refused with the same code",
  "zstd-frame-size": "libzstd itself refuses such frames; the check is there for another engine",
  "lzma-truncated":
    "equivalent: zeros are read past the end, which is noticed before what came of them is used",
  "map-reservation-wraps":
    "equivalent: disjointPieces, which is called next, checks the same with the same code",
};

/**
 * Why a fault survives.
 *
 * @param id Its name.
 * @returns The reason, if it is known.
 */
export function reasonFor(id: string): string | undefined {
  return Object.hasOwn(REASONS, id) ? REASONS[id] : undefined;
}

/**
 * The faults that have a reason.
 *
 * @returns Their names.
 */
export function explained(): readonly string[] {
  return Object.keys(REASONS);
}
