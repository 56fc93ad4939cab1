import {
  addressAdd,
  type AddressRange,
  byStart,
  disjointPieces,
  formatRange,
  indexAtOrBelow,
  mergeRanges,
  overlaps,
  rangeEnd,
  subtractRanges,
} from "../address.ts";
import { LoaderError, type NamedRange } from "../errors.ts";
import { MAX_MEMORY_MAP_ENTRIES } from "../limits.ts";

/** What a range of the guest's address space is: the kinds that e820 knows. */
export type MemoryType = "usable" | "reserved" | "acpi" | "nvs" | "unusable" | "persistent";

/** ACPI 6.5, table 15.4; bootparam.h, E820_TYPE_*; start_info.h, XEN_HVM_MEMMAP_TYPE_*. */
export const E820_TYPE: { readonly [K in MemoryType]: number } = {
  usable: 1,
  reserved: 2,
  acpi: 3,
  nvs: 4,
  unusable: 5,
  persistent: 7,
};

/** A part of the memory map that the guest is given. */
export interface MemoryMapEntry extends AddressRange {
  /** What it is. */
  readonly type: MemoryType;
}

/** A guest range that is taken: nothing is placed there, and the memory map says so. */
export interface Reservation extends NamedRange {
  /** What the memory map says of it; `"reserved"` if not given. */
  readonly type?: Exclude<MemoryType, "usable">;
}

/** What a memory map is made from. */
export interface MemoryMapInput {
  /** RAM: ascending ranges with a gap between any two. */
  readonly ram: readonly AddressRange[];
  /** What is taken, inside RAM or outside; may overlap each other. */
  readonly reservations: readonly Reservation[];
  /** Entries that a caller adds outside RAM. */
  readonly extra?: readonly MemoryMapEntry[];
  /** RAM that no entry names: the legacy hole of a PC. */
  readonly hole?: AddressRange;
}

/**
 * Derives the guest's memory map.
 *
 * @param input RAM and what is taken of it.
 * @returns Sorted, disjoint entries: usable ones lie inside RAM, and every byte of RAM is in exactly
 * one entry or in the hole.
 * @throws {LoaderError} `INVALID_OPTION`, `OVERLAP`, `ADDRESS_OVERFLOW` or `LIMIT_EXCEEDED` if the
 * caller's entries cannot be.
 */
export function deriveMemoryMap(input: MemoryMapInput): MemoryMapEntry[] {
  const { ram, reservations, extra = [], hole } = input;
  checkReservations(reservations);
  checkExtra(extra, ram);
  const reserved = disjointPieces(reservations).map(({ start, size, type = "reserved" }) => ({
    start,
    size,
    type,
  }));
  const taken = mergeRanges(hole ? [...reserved, hole] : reserved);
  const usable = subtractRanges(ram, taken).map((range) => ({ ...range, type: "usable" as const }));
  const map: MemoryMapEntry[] = [
    ...usable,
    ...reserved,
    ...extra.map(({ start, size, type }) => ({ start, size, type })),
  ].sort(byStart);
  for (let i = 1; i < map.length; i++) {
    if (map[i].start < rangeEnd(map[i - 1])) {
      const [a, b] = [map[i - 1], map[i]].map((entry) => ({
        name: `memory map entry (${entry.type})`,
        start: entry.start,
        size: entry.size,
      }));
      throw new LoaderError(
        "OVERLAP",
        `Cannot build memory map: ${b.name} ${formatRange(b)} overlaps ${a.name} ${formatRange(a)}`,
        { ranges: [b, a] },
      );
    }
  }
  if (map.length > MAX_MEMORY_MAP_ENTRIES) {
    throw new LoaderError(
      "LIMIT_EXCEEDED",
      `Cannot build memory map: ${map.length} entries, at most ${MAX_MEMORY_MAP_ENTRIES} are made`,
      {
        field: "memoryMap",
        expected: `at most ${MAX_MEMORY_MAP_ENTRIES}`,
        actual: `${map.length}`,
      },
    );
  }
  return map;
}

function checkReservations(reservations: readonly Reservation[]): void {
  for (const range of reservations) {
    addressAdd(range.start, range.size, range.name);
    if (
      (range.type as MemoryType | undefined) === "usable" ||
      !Object.hasOwn(E820_TYPE, range.type ?? "reserved")
    ) {
      throw new LoaderError(
        "INVALID_OPTION",
        `Cannot reserve ${range.name} at ${formatRange(range)}: type ${range.type}, one of ${
          Object.keys(E820_TYPE).slice(1).join(", ")
        } is wanted`,
        { field: "reservations", ranges: [range] },
      );
    }
  }
}

function checkExtra(extra: readonly MemoryMapEntry[], ram: readonly AddressRange[]): void {
  for (const entry of extra) {
    const end = addressAdd(entry.start, entry.size, "memory map entry");
    // The last range that starts before the entry's end is the only one that may overlap it alone.
    const below = entry.size > 0n ? ram[indexAtOrBelow(ram, end - 1n)] : undefined;
    const inRam = below && overlaps(below, entry) ? below : undefined;
    if (
      !inRam && entry.size > 0n && entry.type !== "usable" && Object.hasOwn(E820_TYPE, entry.type)
    ) continue;
    const name = "memory map entry";
    throw new LoaderError(
      "INVALID_OPTION",
      `Cannot add memory map entry ${formatRange(entry)} (${entry.type}): ` +
        (inRam
          ? `it overlaps guest RAM ${formatRange(inRam)}, use reservations for what lies in RAM`
          : "an entry that is not empty and not usable is wanted"),
      {
        field: "memoryMap",
        ranges: [
          { name, start: entry.start, size: entry.size },
          ...(inRam ? [{ name: "guest RAM", start: inRam.start, size: inRam.size }] : []),
        ],
      },
    );
  }
}
