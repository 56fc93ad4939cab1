/** What must be true of every plan, written down without the library's own range arithmetic. */

interface Range {
  readonly start: bigint;
  readonly size: bigint;
}

/** As much of a plan as is looked at here. */
export interface PlanShape {
  readonly placements: readonly (Range & { readonly name: string })[];
  readonly memoryMap: readonly (Range & { readonly type: string })[];
  readonly ram: readonly Range[];
}

/** From the EBDA to 1 MiB: RAM that the memory map need not name. */
export const X86_HOLE: Range = { start: 0x9fc00n, size: 0x60400n };
/** arm64 has none. */
export const NO_HOLE: Range = { start: 0n, size: 0n };

const end = ({ start, size }: Range) => start + size;
const hex = (range: Range) => `[0x${range.start.toString(16)}..0x${end(range).toString(16)})`;

/**
 * Whether two ranges share an address.
 *
 * @param a One.
 * @param b Another.
 * @returns True if they do; an empty one shares none.
 */
export function shares(a: Range, b: Range): boolean {
  return a.size > 0n && b.size > 0n && a.start < end(b) && b.start < end(a);
}

/**
 * How many bytes of a range lie in some of others.
 *
 * @param range The range.
 * @param parts Others, which are disjoint.
 * @returns Bytes.
 */
export function covered(range: Range, parts: readonly Range[]): bigint {
  let sum = 0n;
  for (const part of parts) {
    const from = part.start > range.start ? part.start : range.start;
    const to = end(part) < end(range) ? end(part) : end(range);
    if (to > from) sum += to - from;
  }
  return sum;
}

/** What is left of a range between ascending parts. */
function without(range: Range, parts: readonly Range[]): Range[] {
  const left: Range[] = [];
  let at = range.start;
  for (const part of [...parts, { start: end(range), size: 0n }]) {
    if (part.start > at && at < end(range)) {
      const to = part.start < end(range) ? part.start : end(range);
      left.push({ start: at, size: to - at });
    }
    if (end(part) > at) at = end(part);
  }
  return left;
}

/**
 * Looks for what is wrong with a plan.
 *
 * @param plan The plan.
 * @param taken What the caller reserved.
 * @param hole RAM that the memory map need not name: [0x9fc00, 1 MiB) for x86.
 * @returns A sentence for each fault.
 */
export function faults(
  { placements, memoryMap, ram }: PlanShape,
  taken: readonly Range[] = [],
  hole: Range = X86_HOLE,
): string[] {
  const found: string[] = [];
  const names = new Set(placements.map(({ name }) => name));
  if (names.size !== placements.length) found.push("two placements have the same name");
  for (const [i, placement] of placements.entries()) {
    const what = `${placement.name} ${hex(placement)}`;
    if (placement.size <= 0n) found.push(`${what} is empty`);
    if (covered(placement, ram) !== placement.size) found.push(`${what} leaves RAM`);
    if (i > 0 && placement.start < end(placements[i - 1])) {
      found.push(`${what} overlaps or is not after ${placements[i - 1].name}`);
    }
    for (const range of taken) {
      if (shares(placement, range)) found.push(`${what} lies over reservation ${hex(range)}`);
    }
    const usable = memoryMap.filter(({ type }) => type === "usable");
    if (covered(placement, usable) !== placement.size) found.push(`${what} is not in usable RAM`);
  }
  for (const [i, entry] of memoryMap.entries()) {
    const what = `memory map entry ${entry.type} ${hex(entry)}`;
    if (entry.size <= 0n) found.push(`${what} is empty`);
    if (i > 0 && entry.start < end(memoryMap[i - 1])) found.push(`${what} is out of order`);
    if (entry.type !== "usable") continue;
    if (covered(entry, ram) !== entry.size) found.push(`${what} leaves RAM`);
    for (const range of [...taken, hole]) {
      if (shares(entry, range)) found.push(`${what} lies over ${hex(range)}`);
    }
  }
  for (const range of ram) {
    // Entries are disjoint, so what they and the rest of the hole cover adds up.
    const parts = [...memoryMap, ...without(hole, memoryMap)];
    const sum = covered(range, parts);
    if (sum !== range.size) found.push(`of RAM ${hex(range)} the memory map names ${sum} bytes`);
  }
  return found;
}
