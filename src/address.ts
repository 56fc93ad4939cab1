import { LoaderError, wrongType } from "./errors.ts";

/** A half-open range of guest-physical addresses: [start, start + size). */
export interface AddressRange {
  /** The first guest-physical address. */
  readonly start: bigint;
  /** Size in bytes. */
  readonly size: bigint;
}

/** 1 KiB in bytes. */
export const KIB: bigint = 1n << 10n;
/** 1 MiB in bytes. */
export const MIB: bigint = 1n << 20n;
/** 1 GiB in bytes. */
export const GIB: bigint = 1n << 30n;
/** 4 KiB, the page of every architecture here. */
export const PAGE_SIZE: bigint = 4n * KIB;
/** One past the last 64-bit address. */
export const ADDRESS_END: bigint = 1n << 64n;

/**
 * `address + size`, which may be 2^64 (the end of a range at the very top) and no more.
 *
 * @param address A guest-physical address.
 * @param size Bytes.
 * @param what Named in the error.
 * @returns The sum.
 * @throws {LoaderError} `ADDRESS_OVERFLOW` past 2^64.
 */
export function addressAdd(address: bigint, size: bigint, what = "address range"): bigint {
  const end = address + size;
  if (address < 0n || size < 0n || end > ADDRESS_END) {
    throw new LoaderError(
      "ADDRESS_OVERFLOW",
      `Cannot address ${what}: ${formatAddress(address)} + ${
        formatAddress(size)
      } leaves the 64-bit address space`,
      { field: what, actual: `${formatAddress(address)} + ${formatAddress(size)}` },
    );
  }
  return end;
}

/**
 * The end of a range: one past its last address.
 *
 * @param range A range, not checked for overflow: build ranges with {@linkcode addressAdd}'s check.
 * @returns `start + size`.
 */
export function rangeEnd(range: AddressRange): bigint {
  return range.start + range.size;
}

/**
 * Rounds up to a multiple of `alignment`.
 *
 * @param address A guest-physical address.
 * @param alignment A power of two, in bytes.
 * @returns The smallest multiple that is not below `address`.
 */
export function alignUp(address: bigint, alignment: bigint): bigint {
  return (address + alignment - 1n) & -alignment;
}

/**
 * Rounds down to a multiple of `alignment`.
 *
 * @param address A guest-physical address.
 * @param alignment A power of two, in bytes.
 * @returns The largest multiple that is not above `address`.
 */
export function alignDown(address: bigint, alignment: bigint): bigint {
  return address & -alignment;
}

/**
 * Whether a number is a power of two.
 *
 * @param value Any number.
 * @returns True for 1, 2, 4, …
 */
export function isPowerOfTwo(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}

/**
 * Whether two ranges share an address. An empty range shares none.
 *
 * @param a One range.
 * @param b Another.
 * @returns True if they do.
 */
export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.start < rangeEnd(b) && b.start < rangeEnd(a) && a.size > 0n && b.size > 0n;
}

/**
 * The last of some ranges that starts at or below an address.
 *
 * @param ranges Ascending ranges.
 * @param address A guest-physical address.
 * @returns Its index, -1 if there is none.
 */
export function indexAtOrBelow(
  ranges: readonly { readonly start: bigint }[],
  address: bigint,
): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle].start <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Whether a range lies wholly inside one of others.
 *
 * @param ranges Ascending, disjoint ranges.
 * @param inner The range inside.
 * @returns True if it does.
 */
export function containsRange(ranges: readonly AddressRange[], inner: AddressRange): boolean {
  const at = indexAtOrBelow(ranges, inner.start);
  return at >= 0 && rangeEnd(inner) <= rangeEnd(ranges[at]);
}

/**
 * Sorts ranges and joins those that touch or overlap.
 *
 * @param ranges Ranges in any order.
 * @returns Ascending ranges with a gap between any two.
 */
export function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const sorted = ranges.filter((range) => range.size > 0n).sort(byStart);
  const merged: { start: bigint; size: bigint }[] = [];
  for (const { start, size } of sorted) {
    const last = merged.at(-1);
    if (last && start <= rangeEnd(last)) {
      const end = start + size;
      if (end > rangeEnd(last)) last.size = end - last.start;
    } else {
      merged.push({ start, size });
    }
  }
  return merged;
}

/**
 * What is left of some ranges when others are taken out.
 *
 * @param ranges Ascending, disjoint ranges.
 * @param holes Ascending, disjoint ranges.
 * @returns Ascending, disjoint ranges: the addresses of `ranges` that are in no hole.
 */
export function subtractRanges(
  ranges: readonly AddressRange[],
  holes: readonly AddressRange[],
): AddressRange[] {
  const left: AddressRange[] = [];
  let first = 0;
  for (const range of ranges) {
    const end = rangeEnd(range);
    while (first < holes.length && rangeEnd(holes[first]) <= range.start) first++;
    let start = range.start;
    for (let i = first; i < holes.length && holes[i].start < end; i++) {
      if (holes[i].start > start) left.push({ start, size: holes[i].start - start });
      if (rangeEnd(holes[i]) > start) start = rangeEnd(holes[i]);
    }
    if (start < end) left.push({ start, size: end - start });
  }
  return left;
}

/**
 * Cuts ranges that may overlap into pieces that do not: where several are, the one that starts first
 * stays.
 *
 * @typeParam T Ranges with anything beside.
 * @param ranges Ranges in any order.
 * @returns Ascending, disjoint pieces that cover the same addresses.
 * @throws {LoaderError} `ADDRESS_OVERFLOW` if one passes 2^64.
 */
export function disjointPieces<T extends AddressRange>(ranges: readonly T[]): T[] {
  const pieces: T[] = [];
  let covered = 0n;
  for (const range of [...ranges].sort(byStart)) {
    const end = addressAdd(range.start, range.size);
    const start = range.start > covered ? range.start : covered;
    if (start < end) pieces.push({ ...range, start, size: end - start });
    if (end > covered) covered = end;
  }
  return pieces;
}

/**
 * A comparator that sorts ranges by where they start.
 *
 * @param a One range.
 * @param b Another.
 * @returns Negative, zero or positive, as `Array.prototype.sort` wants it.
 */
export function byStart(a: AddressRange, b: AddressRange): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0;
}

/**
 * An address as people write it.
 *
 * @param address Any number.
 * @returns Lower-case hexadecimal with 0x.
 */
export function formatAddress(address: bigint | number): string {
  return address < 0 ? `-0x${(-address).toString(16)}` : `0x${address.toString(16)}`;
}

/**
 * A half-open range as people write it.
 *
 * @param range A range.
 * @returns E.g. `[0x1000..0x2000)`.
 */
export function formatRange(range: AddressRange): string {
  return `[${formatAddress(range.start)}..${formatAddress(rangeEnd(range))})`;
}

/**
 * A size as people compare it with what they gave a guest.
 *
 * @param size Bytes.
 * @returns E.g. `63.5 MiB`, rounded down to a tenth; KiB and bytes where that is less than one.
 */
export function formatSize(size: bigint): string {
  if (size < KIB) return `${size} bytes`;
  const [unit, name] = size < MIB ? [KIB, "KiB"] as const : [MIB, "MiB"] as const;
  return `${Number(size * 10n / unit) / 10} ${name}`;
}

/**
 * How much RAM there is, as people say it.
 *
 * @param ram Disjoint ranges.
 * @returns E.g. `8 MiB in all`.
 */
export function formatTotal(ram: readonly AddressRange[]): string {
  return `${formatSize(ram.reduce((sum, { size }) => sum + size, 0n))} in all`;
}

/**
 * Checks an address that a caller gives.
 *
 * @param address The caller's argument.
 * @param name Its name.
 * @returns The address.
 * @throws {TypeError} If it is not a bigint.
 * @throws {LoaderError} `INVALID_OPTION` if it does not fit 64 bits.
 */
export function requireAddress(address: bigint, name: string): bigint {
  if (typeof address !== "bigint") throw wrongType(name, "a bigint", address);
  if (address >= 0n && address < ADDRESS_END) return address;
  throw new LoaderError(
    "INVALID_OPTION",
    `Cannot use ${name}: ${formatAddress(address)}, expected an address that fits 64 bits`,
    { field: name, actual: formatAddress(address) },
  );
}
