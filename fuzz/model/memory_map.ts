/**
 * The memory map as a question: what is at an address?
 *
 * @module
 */
import type { CaseOptions } from "../arbitraries/boots.ts";
import type { Span } from "./room.ts";
import { need, TOP } from "./verdict.ts";

/** A part of the address space of one type. */
export interface Entry extends Span {
  readonly type: string;
}

const has = ({ start, size }: Span, at: bigint) => at >= start && at < start + size;

/**
 * The memory map of a machine.
 *
 * @param ram RAM.
 * @param options What the case asks for.
 * @param isPc Whether there is a legacy hole: EBDA and BIOS ROM, reserved unless the case says else.
 * @param treeReserved What a device tree reserves.
 * @returns Entries, one for each part of something that it does not share with what comes first.
 */
export function memoryMap(
  ram: readonly Span[],
  { reservations = [], memoryMap: extra = [] }: CaseOptions,
  isPc: boolean,
  treeReserved: readonly Span[] = [],
): Entry[] {
  const reserved: Entry[] = [
    ...reservations.map(({ start, size, type = "reserved" }) => ({ start, size, type })),
    ...treeReserved.map(({ start, size }) => ({ start, size, type: "reserved" })),
  ];
  for (const { start, size } of reserved) need(start + size <= TOP, "ADDRESS_OVERFLOW");
  for (const { start, size } of extra) {
    need(start + size <= TOP, "ADDRESS_OVERFLOW", "INVALID_OPTION");
  }
  for (const entry of extra) {
    const inRam = ram.some((r) =>
      entry.size > 0n && entry.start < r.start + r.size && r.start < entry.start + entry.size
    );
    need(entry.size > 0n && !inRam, "INVALID_OPTION", "ADDRESS_OVERFLOW");
  }
  // Where reservations lie over each other, the one that starts first counts.
  const ordered = reserved.filter(({ size }) => size > 0n)
    .sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : 0);
  const legacy = isPc ? [...LEGACY] : [];
  const ownerAt = (at: bigint): Entry | undefined => {
    const said = extra.filter((entry) => has(entry, at));
    const taken = ordered.find((entry) => has(entry, at));
    need(said.length + (taken ? 1 : 0) <= 1, "OVERLAP");
    if (said.length > 0 || taken) return said[0] ?? taken;
    const isHole = isPc && at >= 0x9fc00n && at < 0x100000n;
    return legacy.find((entry) => has(entry, at)) ??
      (isHole ? undefined : usable.find((entry) => has(entry, at)));
  };
  const usable = touching(ram).map((range) => ({ ...range, type: "usable" }));
  const edges = [...ram, ...reserved, ...extra, ...legacy]
    .flatMap(({ start, size }) => [start, start + size]);
  const points = [...new Set([...edges, 0n, TOP])].sort((a, b) => a < b ? -1 : 1);
  const map: Entry[] = [];
  let before: Entry | undefined;
  for (const [i, start] of points.slice(0, -1).entries()) {
    const owner = ownerAt(start);
    const size = points[i + 1] - start;
    const last = map.at(-1);
    if (owner && last && owner === before) {
      map[map.length - 1] = { ...last, size: last.size + size };
    } else if (owner) map.push({ start, size, type: owner.type });
    before = owner;
  }
  return map;
}

/** The EBDA and the BIOS ROM. */
const LEGACY: readonly Entry[] = [
  { start: 0x9fc00n, size: 0x400n, type: "reserved" },
  { start: 0xf0000n, size: 0x10000n, type: "reserved" },
];

/** Ranges that touch as one. */
function touching(ranges: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const { start, size } of [...ranges].sort((a, b) => a.start < b.start ? -1 : 1)) {
    const last = out.at(-1);
    if (last && last.start + last.size === start) {
      out[out.length - 1] = { start: last.start, size: last.size + size };
    } else {
      out.push({ start, size });
    }
  }
  return out;
}
