/** Compares an x86 guest's memory map with the plan, and with what was asked for. */
import type { AddressRange, MemoryMapEntry, MemoryType } from "../../mod.ts";
import type { Mismatch, Observation } from "../case.ts";
import type { Facts } from "./facts.ts";

/** ACPI 6.5, table 15.4. */
export const E820_TYPES: { readonly [K in MemoryType]: number } = {
  usable: 1,
  reserved: 2,
  acpi: 3,
  nvs: 4,
  unusable: 5,
  persistent: 7,
};

/** bootparam.h, E820_MAX_ENTRIES_ZEROPAGE; more entries go to a setup_data of type SETUP_E820_EXT. */
export const ZERO_PAGE_ENTRIES = 128;

const MIB = 0x100000n;
/** boot.rst, "Memory layout": the EBDA of a PC, and its ROM. */
const LEGACY_RESERVED: readonly AddressRange[] = [
  { start: 0x9fc00n, size: 0x400n },
  { start: 0xf0000n, size: 0x10000n },
];
/** Video memory and ROMs of a PC: not RAM, whatever the machine has there. */
export const LEGACY_HOLE: AddressRange = { start: 0x9fc00n, size: MIB - 0x9fc00n };

/** A line of a probe for an entry of e820 or of PVH's memory map. */
const ENTRY = /^PROBE (?:e820|memmap)\[\d+\]=(0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)\r?$/gm;

/**
 * Compares the entries that a guest says with those of a plan.
 *
 * @param facts What the guest said.
 * @param name `e820` or `memmap`.
 * @param map The entries.
 */
export function expectEntries(facts: Facts, name: string, map: readonly MemoryMapEntry[]): void {
  if (facts.count(name) !== map.length) {
    facts.note({
      what: `PROBE ${name}`,
      expected: `${map.length} entries`,
      actual: `${facts.count(name)}`,
    });
  }
  for (const [i, { start, size, type }] of map.entries()) {
    const hex = [start, size, E820_TYPES[type]].map((value) => `0x${value.toString(16)}`);
    facts.expect(`${name}[${i}]`, hex.join(" "));
  }
}

/**
 * Judges what a guest's memory map says of every byte, by what was asked for alone: what is reserved
 * or named beside RAM has that type, the legacy hole is never usable, and all other RAM is.
 *
 * @param seen What was seen, and what was asked for.
 * @returns The first address that is not as it should be, or nothing.
 */
export function judgeMemoryMap(seen: Observation): Mismatch[] {
  const map = guestMap(seen);
  const { ram, options } = seen;
  const named = [
    ...(options.reservations ?? []).map(({ type = "reserved", ...range }) => ({ ...range, type })),
    ...options.memoryMap ?? [],
  ];
  const wantedAt = (at: bigint): readonly number[] => {
    const types = named.filter((range) => isIn(range, at)).map(({ type }) => E820_TYPES[type]);
    if (types.length > 0) return types;
    if (LEGACY_RESERVED.some((range) => isIn(range, at))) return [E820_TYPES.reserved];
    if (isIn(LEGACY_HOLE, at)) return [];
    return ram.some((range) => isIn(range, at)) ? [E820_TYPES.usable] : [];
  };
  const bounds = [...map, ...named, ...ram, ...LEGACY_RESERVED, LEGACY_HOLE]
    .flatMap(({ start, size }) => [start, start + size])
    .sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  // Between two bounds nothing changes
  for (const at of new Set(bounds)) {
    const said = map.filter((range) => isIn(range, at)).map(({ type }) => type);
    const wanted = wantedAt(at);
    // Where two reservations lie on each other, the type of either will do
    const isRight = said.length === 0
      ? wanted.length === 0
      : said.length === 1 && wanted.includes(said[0]);
    if (isRight) continue;
    const expected = text(wanted.slice(0, 1));
    return [{
      what: `the guest's memory map at 0x${at.toString(16)}`,
      expected,
      actual: text(said),
    }];
  }
  return [];
}

/** The guest's entries. Of those in a setup_data it says a checksum only, which others compare. */
function guestMap({ serial, plan }: Observation): (AddressRange & { type: number })[] {
  const said = [...serial.matchAll(ENTRY)].map(([, start, size, type]) => ({
    start: BigInt(start),
    size: BigInt(size),
    type: Number(type),
  }));
  if (plan.protocol === "pvh") return said;
  const rest = plan.memoryMap.slice(ZERO_PAGE_ENTRIES);
  return [...said, ...rest.map((entry) => ({ ...entry, type: E820_TYPES[entry.type] }))];
}

const isIn = ({ start, size }: AddressRange, at: bigint): boolean =>
  at >= start && at < start + size;

const text = (types: readonly number[]): string =>
  types.length === 0 ? "no entry" : `type ${types.join(" and ")}`;
