/** A guest's memory as a list of segments without gaps: what the picture of it shows. */
import type { PlanJson } from "../../mod.ts";

/** What a segment is, which decides its colour. */
export type SegmentKind =
  | "kernel"
  | "zeros"
  | "tables"
  | "params"
  | "cmdline"
  | "initrd"
  | "tree"
  | "other"
  | "free"
  | "taken"
  | "hole"
  | "many";

/** A part of the guest's address space. */
export interface Segment {
  /** Its first address. */
  readonly start: bigint;
  /** Its size in bytes. */
  readonly size: bigint;
  /** What it is called. */
  readonly name: string;
  /** What it is. */
  readonly kind: SegmentKind;
}

interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

const rangeOf = ({ start, size }: { start: string; size: string }): Range => ({
  start: BigInt(start),
  end: BigInt(start) + BigInt(size),
});

/** By the names that the library gives its placements. */
function kindOf(name: string, content: string): SegmentKind {
  if (content === "zeros" || content === "claim") return "zeros";
  if (/kernel/.test(name)) return "kernel";
  if (/initrd|^module \d+$/.test(name)) return "initrd";
  if (/command line/.test(name)) return "cmdline";
  if (/gdt|idt|tss|page table/i.test(name)) return "tables";
  if (/zero page|start info|setup|memory map/.test(name)) return "params";
  return /device tree/.test(name) ? "tree" : "other";
}

/** With more rows than this a picture is not seen at a glance. */
const MAX_SEGMENTS = 36;
/** A run of fewer segments between two placements is shown as it is. */
const MIN_RUN = 5;

/**
 * The segments of a plan: its placements, and between them what the memory map says.
 *
 * @param plan The plan.
 * @returns Segments that touch, from the lowest address of RAM, placements and memory map to the
 * highest.
 */
export function segmentsOf(plan: PlanJson): Segment[] {
  const ram = plan.ram.map(rangeOf);
  const placements = plan.placements.map((one) => ({ ...rangeOf(one), one }));
  const entries = plan.memoryMap.map((one) => ({ ...rangeOf(one), one }));
  const edges = [...ram, ...placements, ...entries].flatMap(({ start, end }) => [start, end]);
  const points = [...new Set(edges)].sort((a, b) => a < b ? -1 : 1);
  const segments: Segment[] = [];
  for (const [i, start] of points.slice(0, -1).entries()) {
    const size = points[i + 1] - start;
    const isIn = (range: Range) => range.start <= start && start < range.end;
    const placed = placements.find(isIn)?.one;
    const type = entries.find(isIn)?.one.type;
    const { name, kind } = placed
      ? { name: placed.name, kind: kindOf(placed.name, placed.content) }
      : vacant(type, ram.some(isIn));
    const last = segments.at(-1);
    if (last?.name === name && last.kind === kind) {
      segments[segments.length - 1] = { ...last, size: last.size + size };
    } else segments.push({ start, size, name, kind });
  }
  return segments;
}

function vacant(type: string | undefined, isRam: boolean): Pick<Segment, "name" | "kind"> {
  if (type === "usable") return { name: "free RAM", kind: "free" };
  if (type !== undefined) return { name: isRam ? type : `${type}, no RAM`, kind: "taken" };
  return isRam ? { name: "RAM, in no entry", kind: "taken" } : { name: "no RAM", kind: "hole" };
}

/**
 * Whether nothing was placed in a segment.
 *
 * @param segment The segment.
 * @returns True for what is free, taken, or no RAM.
 */
export function isVacant({ kind }: Segment): boolean {
  return ["free", "taken", "hole", "many"].includes(kind);
}

/**
 * Makes one segment of each run of memory map entries, if there are too many to be seen at a glance.
 *
 * @param segments The segments.
 * @returns The same, or fewer.
 */
export function drawTogether(segments: readonly Segment[]): readonly Segment[] {
  if (segments.length <= MAX_SEGMENTS) return segments;
  const drawn: Segment[] = [];
  for (let i = 0; i < segments.length;) {
    let end = i;
    while (end < segments.length && isVacant(segments[end])) end++;
    const run = segments.slice(i, end);
    if (run.length < MIN_RUN) {
      drawn.push(...segments.slice(i, Math.max(end, i + 1)));
    } else {
      const last = run[run.length - 1];
      const taken = run.filter(({ kind }) => kind === "taken").length;
      drawn.push({
        start: run[0].start,
        size: last.start + last.size - run[0].start,
        name: `${taken} taken, free between`,
        kind: "many",
      });
    }
    i = Math.max(end, i + 1);
  }
  return drawn;
}
