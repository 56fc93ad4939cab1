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
  "zboot-payload-past-end":
    "equivalent: the size word is the payload's end or lies behind it, and is read with the same check",
  "lz4-match-past-room":
    "equivalent: literals follow every match, and are refused with the same code where there is no room",
  "zstd-frame-size": "libzstd itself refuses such frames; the check is there for another engine",
  "lz4-block-size":
    "equivalent: a block without bytes lacks its last literals, and is refused with the same code",
  "lzma-truncated":
    "equivalent: zeros are read past the end, which is noticed before what came of them is used",
  "bzip2-origin":
    "refused all the same, by the block's CRC; a stream with a right one is not made here",
  "bzip2-run":
    "refused all the same, by the block's CRC; a stream with a right one is not made here",
  "fdt-structure-past-end":
    "equivalent: size_dt_struct is checked against what is left, which is then less than nothing",
  "fdt-property-length": "equivalent: the value's padding is checked next, with the same code",
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
