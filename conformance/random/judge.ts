/** What random layouts are judged by beside the plan: the guest's memory map, by the layout alone. */
import type { Mismatch } from "../case.ts";
import { endOf, LEGACY_HOLE, type RandomLayout } from "./layouts.ts";

/** A line of a probe for an entry of e820 or of PVH's memory map. */
const ENTRY = /^PROBE (?:e820|memmap)\[\d+\]=(0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)\r?$/gm;
/** ACPI 6.5, table 15.4. */
const USABLE = 1;

/**
 * Judges an x86 guest's memory map: a byte is usable if and only if it is RAM that is neither taken
 * nor in the legacy hole.
 *
 * @param layout The layout.
 * @param serial What the probe printed.
 * @returns The first address that is not as it should be, or nothing.
 */
export function judgeMemoryMap(layout: RandomLayout, serial: string): Mismatch[] {
  const usable = [...serial.matchAll(ENTRY)]
    .filter(([, , , type]) => Number(type) === USABLE)
    .map(([, start, size]) => ({ start: BigInt(start), size: BigInt(size) }));
  const taken = [...layout.options.reservations ?? [], LEGACY_HOLE];
  const bounds = [...usable, ...taken, ...layout.ram].flatMap((
    range,
  ) => [range.start, endOf(range)]);
  const isIn = (ranges: readonly { start: bigint; size: bigint }[], at: bigint) =>
    ranges.some((range) => at >= range.start && at < endOf(range));
  // Between two bounds nothing changes
  const wrong = bounds.find((at) =>
    isIn(usable, at) !== (isIn(layout.ram, at) && !isIn(taken, at))
  );
  if (wrong === undefined) return [];
  const [expected, actual] = isIn(usable, wrong)
    ? ["not usable", "usable"]
    : ["usable", "not usable"];
  return [{ what: `the guest's memory map at 0x${wrong.toString(16)}`, expected, actual }];
}
