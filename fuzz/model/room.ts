/**
 * Free memory as a list of free pieces.
 *
 * @module
 */
import { Refusal, up } from "./verdict.ts";

interface Piece {
  readonly start: bigint;
  readonly end: bigint;
}

/** A range of addresses. */
export interface Span {
  readonly start: bigint;
  readonly size: bigint;
}

/** What of RAM is free. */
export class Room {
  #ram: Piece[] = [];
  #free: Piece[] = [];

  /** @param ram RAM in any order; what touches is one piece. */
  constructor(ram: readonly Span[]) {
    for (const { start, size } of [...ram].sort((a, b) => a.start < b.start ? -1 : 1)) {
      const last = this.#ram.at(-1);
      if (last?.end === start) this.#ram[this.#ram.length - 1] = { ...last, end: start + size };
      else this.#ram.push({ start, end: start + size });
    }
    this.#free = [...this.#ram];
  }

  /** The lowest address of RAM. */
  get lowest(): bigint {
    return this.#ram[0].start;
  }

  /**
   * Takes something out of use, whoever has it.
   *
   * @param span What.
   */
  remove({ start, size }: Span): void {
    const end = start + size;
    this.#free = this.#free.flatMap((piece) => {
      if (size === 0n || piece.end <= start || piece.start >= end) return [piece];
      return [
        { start: piece.start, end: start },
        { start: end, end: piece.end },
      ].filter((rest) => rest.start < rest.end);
    });
  }

  /**
   * Whether all of something is RAM.
   *
   * @param span What.
   * @returns True if it is.
   */
  isRam({ start, size }: Span): boolean {
    return this.#ram.some((piece) => piece.start <= start && start + size <= piece.end);
  }

  /**
   * Whether all of something is free RAM.
   *
   * @param span What.
   * @returns True if it is.
   */
  isFree({ start, size }: Span): boolean {
    return this.#free.some((piece) => piece.start <= start && start + size <= piece.end);
  }

  /**
   * Takes places that are fixed.
   *
   * @param spans What.
   * @param overlapCode The code if two of them overlap.
   */
  claim(spans: readonly Span[], overlapCode = "OVERLAP"): void {
    const wanted = spans.filter(({ size }) => size > 0n);
    if (wanted.some((span) => !this.isRam(span))) throw new Refusal("OUTSIDE_RAM");
    const clashes = wanted.some((a, i) =>
      wanted.some((b, j) => i < j && a.start < b.start + b.size && b.start < a.start + a.size)
    );
    const codes = [
      ...wanted.some((span) => !this.isFree(span)) ? ["OVERLAP"] : [],
      ...clashes ? [overlapCode] : [],
    ];
    if (codes.length > 0) throw new Refusal(...codes);
    for (const span of wanted) this.remove(span);
  }

  /**
   * The lowest free place.
   *
   * @param size Bytes.
   * @param align Alignment.
   * @param min The lowest address.
   * @param max One past the last address.
   * @returns Its address.
   */
  lowestFor(size: bigint, align: bigint, min: bigint, max: bigint): bigint | undefined {
    for (const piece of this.#free) {
      const start = up(piece.start > min ? piece.start : min, align);
      if (start + size <= piece.end && start + size <= max) return start;
    }
    return undefined;
  }

  /**
   * The highest free place.
   *
   * @param size Bytes.
   * @param align Alignment.
   * @param min The lowest address.
   * @param max One past the last address.
   * @returns Its address.
   */
  highestFor(size: bigint, align: bigint, min: bigint, max: bigint): bigint | undefined {
    for (const piece of [...this.#free].reverse()) {
      const end = piece.end < max ? piece.end : max;
      if (end < size) continue;
      const start = (end - size) / align * align;
      if (start >= piece.start && start >= min) return start;
    }
    return undefined;
  }

  /**
   * Takes the preferred place, else the lowest one.
   *
   * @param span What is preferred.
   * @param align Alignment.
   * @param min The lowest address otherwise.
   * @param max One past the last address otherwise.
   * @returns Its address.
   */
  place({ start, size }: Span, align: bigint, min: bigint, max: bigint): bigint {
    const isGood = start % align === 0n && this.isFree({ start, size });
    const at = isGood ? start : this.lowestFor(size, align, min, max);
    if (at === undefined) throw new Refusal("NO_SPACE");
    this.remove({ start: at, size });
    return at;
  }
}
