import {
  type AddressRange,
  alignDown,
  alignUp,
  containsRange,
  indexAtOrBelow,
  rangeEnd,
  subtractRanges,
} from "../address.ts";

/** Room that is looked for: what {@linkcode FreeList} needs to know of it. */
export interface Room {
  /** Bytes, at least 1. */
  readonly size: bigint;
  /** A power of two, in bytes. */
  readonly align: bigint;
  /** The lowest address. */
  readonly min: bigint;
  /** One past the highest address. */
  readonly max: bigint;
  /** Which end of the free memory to take. */
  readonly from: "low" | "high";
}

/** Gaps of one block: a search looks at every block, and at the gaps of those that may have room. */
const BLOCK = 256;

/** Some neighbouring gaps, never none. */
class Block {
  readonly gaps: AddressRange[];
  /** By alignment, the most bytes that any of the gaps has from an aligned address on. */
  readonly #most = new Map<bigint, bigint>();

  constructor(gaps: AddressRange[]) {
    this.gaps = gaps;
  }

  get start(): bigint {
    return this.gaps[0].start;
  }

  get end(): bigint {
    return rangeEnd(this.gaps[this.gaps.length - 1]);
  }

  /** Whether one of the gaps has room, wherever it lies. */
  mayHold({ size, align }: Room): boolean {
    let most = this.#most.get(align);
    if (most === undefined) {
      most = this.gaps.reduce((most, gap) => {
        const room = rangeEnd(gap) - alignUp(gap.start, align);
        return room > most ? room : most;
      }, 0n);
      this.#most.set(align, most);
    }
    return most >= size;
  }

  /** Puts what is left of a gap in its place. */
  replace(index: number, left: readonly AddressRange[]): void {
    this.gaps.splice(index, 1, ...left);
    this.#most.clear();
  }
}

/**
 * Free guest memory in address order. Neither finding room nor taking it looks at all gaps: an ELF
 * file can leave a hundred thousand of them, all too small.
 */
export class FreeList {
  readonly #blocks: Block[] = [];

  /** @param gaps What is free: ascending, disjoint, not empty. */
  constructor(gaps: readonly AddressRange[]) {
    for (let i = 0; i < gaps.length; i += BLOCK) {
      this.#blocks.push(new Block(gaps.slice(i, i + BLOCK)));
    }
  }

  /**
   * Takes a range that lies inside one gap.
   *
   * @param range The range.
   * @returns False if it does not; nothing is taken then.
   */
  take(range: AddressRange): boolean {
    const at = indexAtOrBelow(this.#blocks, range.start);
    const block = this.#blocks[at];
    if (!block || !containsRange(block.gaps, range)) return false;
    const index = indexAtOrBelow(block.gaps, range.start);
    block.replace(index, subtractRanges([block.gaps[index]], [range]));
    const { gaps } = block;
    if (gaps.length > 0 && gaps.length <= 2 * BLOCK) return true;
    const halves = [gaps.slice(0, BLOCK), gaps.slice(BLOCK)].filter((half) => half.length > 0);
    this.#blocks.splice(at, 1, ...halves.map((half) => new Block(half)));
    return true;
  }

  /**
   * Finds room.
   *
   * @param room What is wanted.
   * @returns The first address of the first gap that has it, seen from the end that is asked for;
   * undefined if none has.
   */
  find(room: Room): bigint | undefined {
    const { size, align, min, max, from } = room;
    for (let i = 0; i < this.#blocks.length; i++) {
      const block = nth(this.#blocks, i, from);
      if (block.end <= min || block.start >= max || !block.mayHold(room)) continue;
      for (let j = 0; j < block.gaps.length; j++) {
        const gap = nth(block.gaps, j, from);
        const low = alignUp(gap.start > min ? gap.start : min, align);
        const end = rangeEnd(gap) < max ? rangeEnd(gap) : max;
        if (low + size <= end) return from === "high" ? alignDown(end - size, align) : low;
      }
    }
    return undefined;
  }
}

function nth<T>(items: readonly T[], i: number, from: "low" | "high"): T {
  return items[from === "low" ? i : items.length - 1 - i];
}
