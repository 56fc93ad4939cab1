/** The guest memory of a case, and how two memories are compared: by runs of 4 KiB pages. */
import { Buffer } from "node:buffer";
import { GuestMemory, type MemoryRegion } from "../../mod.ts";
import { type MemorySpec, type Run, sha256 } from "./cases.ts";

const PAGE = 4096;

/** Guest memory, and what it was filled with. */
export interface Guest {
  readonly memory: GuestMemory;
  readonly fill: number;
}

/**
 * Builds the guest memory of a case.
 *
 * @param spec What the case says.
 * @returns The memory, or undefined if the case has none.
 */
export function guestOf(spec: MemorySpec): Guest | undefined {
  const { mem_base, mem_size, fill = 0 } = spec;
  const ranges = spec.regions ??
    (mem_base !== undefined && mem_size !== undefined ? [[mem_base, mem_size] as const] : []);
  if (ranges.length === 0) return undefined;
  const regions = ranges.map(([start, size]) => {
    const bytes = new Uint8Array(Number(size));
    return { start: BigInt(start), bytes: fill === 0 ? bytes : bytes.fill(fill) };
  });
  return { memory: GuestMemory.of(regions), fill };
}

/**
 * What of a guest's memory is not as it was: maximal runs of pages that are not wholly `fill`, their
 * edges at multiples of 4096, clipped to the region, none of them crossing into another region.
 *
 * @param guest The guest.
 * @returns The runs, in the order of the regions.
 */
export function runsOf({ memory, fill }: Guest): Run[] {
  const clean = Buffer.alloc(PAGE, fill);
  return memory.regions.flatMap((region) => regionRuns(region, clean));
}

function regionRuns({ start, bytes }: MemoryRegion, clean: Buffer): Run[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const runs: Run[] = [];
  const close = (from: number, to: number) => {
    const hex = (at: number) => `0x${(start + BigInt(at)).toString(16)}`;
    runs.push([hex(from), hex(to), sha256(bytes.subarray(from, to))]);
  };
  let from: number | undefined;
  // The first page may begin before the region does.
  let at = 0;
  for (let end = PAGE - Number(start % BigInt(PAGE)); at < bytes.length; end = at + PAGE) {
    end = Math.min(end, bytes.length);
    const isClean = buffer.subarray(at, end).equals(clean.subarray(0, end - at));
    if (!isClean) from ??= at;
    else if (from !== undefined) {
      close(from, at);
      from = undefined;
    }
    at = end;
  }
  if (from !== undefined) close(from, at);
  return runs;
}

/**
 * Whether two lists of runs are the same.
 *
 * @param a Some runs.
 * @param b Others.
 * @returns True if they are.
 */
export function sameRuns(a: readonly Run[], b: readonly Run[]): boolean {
  return a.length === b.length &&
    a.every((run, i) => run.every((value, j) => value === b[i][j]));
}
