import {
  ADDRESS_END,
  addressAdd,
  type AddressRange,
  byStart,
  containsRange,
  disjointPieces,
  formatAddress,
  formatRange,
  formatSize,
  formatTotal,
  indexAtOrBelow,
  overlaps,
  rangeEnd,
  subtractRanges,
} from "../address.ts";
import { LoaderError, type LoaderErrorCode, type NamedRange } from "../errors.ts";
import { FreeList } from "./free_list.ts";
import { outsideRam, type RamLayout } from "./guest_memory.ts";

/** What to look for when something may lie in more than one place. */
export interface SpaceRequest {
  /** What it is, for errors. */
  readonly name: string;
  /** Bytes, at least 1. */
  readonly size: bigint;
  /** A power of two, in bytes. 1 if not given. */
  readonly align?: bigint;
  /** The lowest address it may have. 0 if not given. */
  readonly min?: bigint;
  /** One past the highest address it may cover. 2^64 if not given. */
  readonly max?: bigint;
  /** The address to take if it is free, wherever it lies. */
  readonly preferred?: bigint;
  /** Which end of the free memory to take. `"low"` if not given. */
  readonly from?: "low" | "high";
}

/**
 * Which guest memory is taken and by whom: the only place that decides whether two things overlap.
 * A call's work grows with what it is given and hardly with what is taken already.
 */
export class Space {
  readonly #layout: RamLayout;
  /** Ascending and disjoint. */
  #taken: NamedRange[] = [];
  /** RAM that is not taken; made when room is looked for, forgotten when it no longer fits. */
  #free: FreeList | undefined;

  /** @param layout The RAM that there is. */
  constructor(layout: RamLayout) {
    this.#layout = layout;
  }

  /**
   * Takes ranges out of use that may lie outside RAM and may overlap each other, but nothing placed.
   *
   * @param ranges What is reserved, and by whom.
   * @throws {LoaderError} `OVERLAP` if something was placed there.
   */
  reserve(ranges: readonly NamedRange[]): void {
    this.#add(disjointPieces(ranges), "OVERLAP");
  }

  /**
   * Takes ranges for things that must lie exactly there.
   *
   * @param ranges What is placed where; empty ranges take nothing.
   * @param overlapCode The code of the error if two of them overlap.
   * @throws {LoaderError} `OUTSIDE_RAM`; `OVERLAP` or `overlapCode` with both parties.
   */
  claim(ranges: readonly NamedRange[], overlapCode: LoaderErrorCode = "OVERLAP"): void {
    const wanted = ranges.filter((range) => range.size > 0n).sort(byStart);
    for (const range of wanted) {
      if (!containsRange(this.#layout.ram, range)) {
        throw outsideRam(range.name, range, this.#layout);
      }
    }
    this.#add(wanted, overlapCode);
  }

  /**
   * Finds room for something and takes it.
   *
   * @param request What is wanted.
   * @returns The guest-physical address it got.
   * @throws {LoaderError} `NO_SPACE`, naming what is in the way.
   */
  allocate(request: SpaceRequest): bigint {
    const { name, size, align = 1n, preferred } = request;
    const start = preferred !== undefined && preferred % align === 0n &&
        this.isFree({ start: preferred, size })
      ? preferred
      : this.find(request);
    if (start === undefined) throw this.#noSpace(request);
    this.#add([{ name, start, size }], "OVERLAP");
    return start;
  }

  /**
   * Whether something could be claimed at a place.
   *
   * @param range Where.
   * @returns True if it is RAM that nobody has taken.
   */
  isFree(range: AddressRange): boolean {
    const last = this.#taken[indexAtOrBelow(this.#taken, rangeEnd(range) - 1n)];
    return containsRange(this.#layout.ram, range) && !(last && overlaps(last, range));
  }

  /**
   * Where there is room for something, without taking it.
   *
   * @param request What is wanted; a preferred address is not looked at.
   * @returns A guest-physical address, or undefined if there is no room.
   */
  find(request: SpaceRequest): bigint | undefined {
    const { size, align = 1n, min = 0n, max = ADDRESS_END, from = "low" } = request;
    this.#free ??= new FreeList(subtractRanges(this.#layout.ram, this.#taken));
    return this.#free.find({ size, align, min, max, from });
  }

  /** Merges ascending ranges into those taken; nothing is taken if any two overlap. */
  #add(added: readonly NamedRange[], code: LoaderErrorCode): void {
    if (added.length === 0) return;
    for (const range of added) addressAdd(range.start, range.size, range.name);
    // Those from the last one before to the first one behind; the others cannot overlap.
    const from = Math.max(indexAtOrBelow(this.#taken, added[0].start), 0);
    const to = indexAtOrBelow(this.#taken, added[added.length - 1].start) + 2;
    const isNew = new Set(added);
    const merged = [...this.#taken.slice(from, to), ...added].sort(byStart);
    for (let i = 1; i < merged.length; i++) {
      const [a, b] = [merged[i - 1], merged[i]];
      if (b.start >= rangeEnd(a)) continue;
      if (isNew.has(a) && isNew.has(b)) throw overlapError(b, a, code);
      throw isNew.has(b) ? overlapError(b, a) : overlapError(a, b);
    }
    if (added.length === 1) {
      this.#taken.splice(from + merged.indexOf(added[0]), 0, added[0]);
      if (!this.#free?.take(added[0])) this.#free = undefined;
    } else {
      this.#taken = this.#taken.slice(0, from).concat(merged, this.#taken.slice(to));
      this.#free = undefined;
    }
  }

  #noSpace(request: SpaceRequest): LoaderError {
    const { name, size, align = 1n, min = 0n, max = ADDRESS_END } = request;
    const window = { start: min, size: max > min ? max - min : 0n };
    const gaps = subtractRanges(this.#layout.ram, this.#taken).map((gap) => {
      const start = gap.start > min ? gap.start : min;
      const end = rangeEnd(gap) < max ? rangeEnd(gap) : max;
      return { start, size: end > start ? end - start : 0n };
    });
    const largest = gaps.reduce((a, b) => b.size > a.size ? b : a, { start: min, size: 0n });
    const inTheWay = this.#taken.filter((taken) => overlaps(taken, window))
      .reduce<NamedRange | undefined>((a, b) => !a || b.size > a.size ? b : a, undefined);
    const free = largest.size > 0n
      ? `the largest free part of guest RAM there is ${formatRange(largest)} (${
        formatSize(largest.size)
      })`
      : inTheWay
      ? "no guest RAM is free there"
      : "there is no guest RAM";
    const { ram } = this.#layout;
    const span = { start: ram[0].start, size: rangeEnd(ram.at(-1)!) - ram[0].start };
    const other: NamedRange = inTheWay ?? { name: "guest RAM", ...span };
    return new LoaderError(
      "NO_SPACE",
      `Cannot place ${name} (${formatAddress(size)} bytes, ${formatSize(size)}, aligned to ${
        formatAddress(align)
      }) in ${formatRange(window)}: ${free}, ${
        inTheWay
          ? `${inTheWay.name} takes ${formatRange(inTheWay)}`
          : `guest RAM is in ${formatRange(span)}, ${formatTotal(ram)}`
      }; give the guest more RAM there`,
      { ranges: [{ name, start: min, size }, other] },
    );
  }
}

/**
 * The error of two parties that want the same guest memory.
 *
 * @param wanted The one that could not be placed.
 * @param taken The one that is there.
 * @param code `"OVERLAP"` unless a format has a code of its own.
 * @returns An error that names both.
 */
export function overlapError(
  wanted: NamedRange,
  taken: NamedRange,
  code: LoaderErrorCode = "OVERLAP",
): LoaderError {
  const plain = ({ name, start, size }: NamedRange) => ({ name, start, size });
  return new LoaderError(
    code,
    `Cannot place ${wanted.name} at ${formatRange(wanted)}: overlaps ${taken.name} at ${
      formatRange(taken)
    }`,
    { ranges: [plain(wanted), plain(taken)] },
  );
}
