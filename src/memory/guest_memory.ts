import {
  addressAdd,
  type AddressRange,
  byStart,
  containsRange,
  formatAddress,
  formatRange,
  formatTotal,
  indexAtOrBelow,
  mergeRanges,
  rangeEnd,
} from "../address.ts";
import { LoaderError } from "../errors.ts";
import { MAX_MEMORY_REGIONS } from "../limits.ts";

/** A piece of guest RAM: the VMM's own mapping and where the guest sees it. */
export interface MemoryRegion {
  /** The guest-physical address of the first byte. */
  readonly start: bigint;
  /** The mapping itself; it is written in place and never copied. */
  readonly bytes: Uint8Array;
}

/** What planning needs to know of guest memory: which addresses are RAM. */
export interface RamLayout {
  /** Ascending ranges with a gap between any two. */
  readonly ram: readonly AddressRange[];
}

/**
 * Guest RAM over any number of regions. Regions that touch behave as one, since a runtime may not
 * be able to map more than 4 GiB in one view; between the others are holes.
 *
 * @example
 * ```ts
 * import { GuestMemory } from "@vmm/linux-loader";
 *
 * const memory = GuestMemory.of([
 *   { start: 0n, bytes: new Uint8Array(1 << 20) },
 *   { start: 0x1_0000_0000n, bytes: new Uint8Array(1 << 20) },
 * ]);
 * memory.write(0x7000n, new TextEncoder().encode("hello"));
 * ```
 */
export class GuestMemory implements RamLayout {
  /** The regions, ascending. */
  readonly regions: readonly MemoryRegion[];
  /** RAM as the guest sees it: regions that touch are one range. */
  readonly ram: readonly AddressRange[];

  private constructor(regions: readonly MemoryRegion[]) {
    this.regions = regions;
    this.ram = mergeRanges(regions.map(rangeOf));
  }

  /**
   * Guest memory over a VMM's mappings.
   *
   * @param regions In any order.
   * @returns The memory; nothing is read or written yet.
   * @throws {LoaderError} `INVALID_MEMORY` if there is none, one is empty (a detached buffer is),
   * or two overlap; `ADDRESS_OVERFLOW` if one passes 2^64.
   * @throws {TypeError} If a region is not `{ start: bigint, bytes: Uint8Array }`.
   */
  static of(regions: readonly MemoryRegion[]): GuestMemory {
    for (const region of regions) checkRegion(region);
    checkedLayout(regions.map(rangeOf));
    const sorted = regions.map((region) => ({ ...rangeOf(region), bytes: region.bytes })).sort(
      byStart,
    );
    return new GuestMemory(sorted.map(({ start, bytes }) => ({ start, bytes })));
  }

  /**
   * Whether every address of a range is RAM.
   *
   * @param range Any range.
   * @returns True for an empty range inside or at the edge of RAM too.
   */
  contains(range: AddressRange): boolean {
    return containsRange(this.ram, range);
  }

  /**
   * The views behind a range, in order: one for each region that it touches.
   *
   * @param range A range that lies in RAM.
   * @returns Views that together are exactly the range.
   * @throws {LoaderError} `OUTSIDE_RAM` if some of it is not RAM; `INVALID_MEMORY` if a region's
   * buffer has been detached or resized since.
   */
  views(range: AddressRange): Uint8Array[] {
    if (!this.contains(range)) throw outsideRam("guest memory access", range, this);
    const end = rangeEnd(range);
    const views: Uint8Array[] = [];
    let covered = 0;
    for (
      let i = Math.max(indexAtOrBelow(this.regions, range.start), 0);
      i < this.regions.length;
      i++
    ) {
      const { start, bytes } = this.regions[i];
      if (start >= end) break;
      const regionEnd = start + BigInt(bytes.length);
      const from = range.start > start ? range.start : start;
      const to = end < regionEnd ? end : regionEnd;
      if (from >= to) continue;
      const view = bytes.subarray(Number(from - start), Number(to - start));
      covered += view.length;
      views.push(view);
    }
    if (BigInt(covered) !== range.size) {
      throw invalid(`the buffer behind ${formatRange(range)} was detached or resized`);
    }
    return views;
  }

  /**
   * Writes bytes.
   *
   * @param address Guest-physical address of the first.
   * @param bytes What to write; they may span regions that touch.
   * @throws {LoaderError} `OUTSIDE_RAM`, `ADDRESS_OVERFLOW`, or `INVALID_MEMORY` if a region's buffer
   * has been detached or resized since; and then nothing was written.
   */
  write(address: bigint, bytes: Uint8Array): void {
    let done = 0;
    for (const view of this.views(sized(address, bytes.length))) {
      view.set(bytes.subarray(done, done + view.length));
      done += view.length;
    }
  }

  /**
   * Reads bytes.
   *
   * @param address Guest-physical address of the first.
   * @param size How many.
   * @returns A copy.
   * @throws {LoaderError} `OUTSIDE_RAM`, `ADDRESS_OVERFLOW`, or `INVALID_MEMORY` if a region's buffer
   * has been detached or resized since.
   */
  read(address: bigint, size: number): Uint8Array {
    const views = this.views(sized(address, size));
    const bytes = new Uint8Array(size);
    let done = 0;
    for (const view of views) {
      bytes.set(view, done);
      done += view.length;
    }
    return bytes;
  }
}

/**
 * Checks what a caller says of guest RAM, and brings it into the shape that planning wants.
 *
 * @param ranges RAM, in any order; ranges that touch behave as one.
 * @returns The layout.
 * @throws {LoaderError} `INVALID_MEMORY` if there is none, one is empty, or two overlap;
 * `ADDRESS_OVERFLOW` if one passes 2^64.
 * @throws {TypeError} If a range is not `{ start: bigint, size: bigint }`.
 */
export function checkedLayout(ranges: readonly AddressRange[]): RamLayout {
  if (!Array.isArray(ranges)) throw notRanges();
  if (ranges.length === 0 || ranges.length > MAX_MEMORY_REGIONS) {
    throw invalid(`${ranges.length} regions, between 1 and ${MAX_MEMORY_REGIONS} are wanted`);
  }
  for (const range of ranges) {
    const { start, size } = range ?? {};
    if (typeof start !== "bigint" || typeof size !== "bigint") throw notRanges();
    if (size === 0n) throw invalid(`region at ${formatAddress(start)} is empty`);
    addressAdd(start, size, "guest memory region");
  }
  const sorted = [...ranges].sort(byStart);
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1], sorted[i]];
    if (b.start >= rangeEnd(a)) continue;
    throw new LoaderError(
      "INVALID_MEMORY",
      `Cannot use guest memory: region ${formatRange(b)} overlaps region ${formatRange(a)}`,
      { ranges: [b, a].map(({ start, size }) => ({ name: "region", start, size })) },
    );
  }
  return { ram: mergeRanges(sorted) };
}

/**
 * The error of a range that is not all RAM.
 *
 * @param name What wanted to be there.
 * @param range Where.
 * @param layout The RAM there is.
 * @returns An error that names both.
 */
export function outsideRam(name: string, range: AddressRange, layout: RamLayout): LoaderError {
  const { ram } = layout;
  const shown = ram.slice(0, 4).map(formatRange).join(", ") + (ram.length > 4 ? ", …" : "");
  const overlapping = ram.filter((r) => range.start < rangeEnd(r) && r.start < rangeEnd(range));
  const nearest = overlapping[0] ?? ram[0];
  return new LoaderError(
    "OUTSIDE_RAM",
    `Cannot place ${name} at ${formatRange(range)}: guest RAM is ${
      shown ? `${shown}, ${formatTotal(ram)}` : "empty"
    }`,
    {
      ranges: [
        { name, start: range.start, size: range.size },
        ...(nearest ? [{ name: "guest RAM", start: nearest.start, size: nearest.size }] : []),
      ],
    },
  );
}

function rangeOf({ start, bytes }: MemoryRegion): AddressRange {
  return { start, size: BigInt(bytes.length) };
}

function sized(start: bigint, size: number): AddressRange {
  addressAdd(start, BigInt(size));
  return { start, size: BigInt(size) };
}

function checkRegion(region: MemoryRegion): void {
  if (typeof region?.start !== "bigint" || !(region.bytes instanceof Uint8Array)) {
    throw new TypeError(
      "Cannot use guest memory: expected regions { start: bigint, bytes: Uint8Array }",
    );
  }
  if (region.bytes.length === 0) {
    throw invalid(
      `region at ${formatAddress(region.start)} is empty or its buffer detached, ` +
        "at least 1 byte is wanted",
    );
  }
}

function notRanges(): TypeError {
  return new TypeError("Cannot use guest memory: expected ranges { start: bigint, size: bigint }");
}

function invalid(what: string): LoaderError {
  return new LoaderError("INVALID_MEMORY", `Cannot use guest memory: ${what}`);
}
