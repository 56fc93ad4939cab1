/**
 * Literals and copies, and how lz4 and lzo write them: lz4_Block_format.md and the kernel's
 * Documentation/staging/lzo.rst, each encoding of a copy that there is.
 */
import fc from "fast-check";
import { be } from "./hand_made_bytes.ts";
import { lz4, lz4Frame, lz4Of } from "./hand_made_lz4.ts";
import { lzo } from "./hand_made_lzo.ts";
import { pattern } from "./wire.ts";

/** Some literals, and a copy of what lies before. */
interface Sequence {
  readonly literals: number;
  /** How far back; less if there is less. */
  readonly distance: number;
  readonly length: number;
  /** Which of the ways to write a copy, if there are more. */
  readonly way: number;
}

/** Sequences, and what they come to. */
export interface Sequences {
  readonly list: readonly Sequence[];
  /** Literals behind the last copy. */
  readonly last: number;
}

/** On both sides of where an encoding ends; far ones need a lot of data before them. */
const sequence: fc.Arbitrary<Sequence> = fc.record({
  literals: fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 4, 5, 14, 15, 16, 18, 19, 20, 270, 300),
    fc.nat(40),
  ),
  distance: fc.oneof(
    fc.constantFrom(1, 2, 3, 4, 7, 8, 9, 63, 64, 65, 1024, 1025, 2048, 2049, 3072, 3073),
    fc.constantFrom(0x4000, 0x4001, 0x7fff, 0x8000, 0x8001, 0xbfff),
    fc.integer({ min: 1, max: 100 }),
  ),
  length: fc.oneof(
    {
      arbitrary: fc.constantFrom(4, 5, 8, 9, 10, 18, 19, 20, 33, 34, 64, 65, 264, 288, 289),
      weight: 8,
    },
    { arbitrary: fc.constantFrom(2, 3, 2, 3), weight: 3 },
    { arbitrary: fc.constantFrom(3000, 20_000), weight: 1 },
  ),
  way: fc.nat(3),
});

/** What only one of lzo's forms can write: after how many literals, from where, how long. */
const forms: fc.Arbitrary<Sequence> = fc.record({
  literals: fc.constantFrom(4, 5, 20, 1, 2, 3),
  distance: fc.constantFrom(2049, 2500, 3072, 1, 900, 1024, 0x4001, 0x8000, 0x8001, 0xbfff),
  length: fc.constantFrom(2, 3, 3, 6, 9, 10, 300),
  way: fc.nat(3),
});

/** So much that a copy can come from as far back as there is a form for. */
const much: Sequence = { literals: 40, distance: 33, length: 50_000, way: 0 };

/** Sequences. */
export const sequences: fc.Arbitrary<Sequences> = fc.record({
  list: fc.oneof(
    fc.array(sequence, { maxLength: 12 }),
    fc.array(fc.oneof(forms, sequence), { minLength: 6, maxLength: 20 })
      .map((list) => [much, ...list]),
  ),
  last: fc.constantFrom(1, 2, 3, 4, 12, 40),
});

/** More than the longest sequences come to. */
const MOST = 1 << 19;

/** What sequences come to, one after the other. */
class Expansion {
  readonly #all = new Uint8Array(MOST);
  readonly #source = pattern(1 << 13, 11);
  length = 0;

  get data(): Uint8Array {
    return this.#all.slice(0, this.length);
  }

  /** Some literals. */
  literals(count: number): number[] {
    const at = this.length % 4096;
    const bytes = this.#source.subarray(at, at + count);
    this.#all.set(bytes, this.length);
    this.length += count;
    return [...bytes];
  }

  copy(distance: number, length: number): void {
    const all = this.#all;
    for (const end = this.length + length; this.length < end; this.length++) {
      all[this.length] = all[this.length - distance];
    }
  }
}

/**
 * Writes a block of lz4.
 *
 * @param sequences What.
 * @returns The block, and what comes of it.
 */
export function lz4Block({ list, last }: Sequences): { block: Uint8Array; data: Uint8Array } {
  const expansion = new Expansion();
  const block: number[] = [];
  const rest = (length: number) => {
    if (length < 15) return [];
    return [...Array(Math.floor((length - 15) / 255)).fill(255), (length - 15) % 255];
  };
  for (const { literals, distance, length } of list) {
    const count = Math.max(literals, expansion.length === 0 ? 1 : 0);
    const bytes = expansion.literals(count);
    const [far, size] = [Math.min(distance, expansion.length), Math.max(length, 4) - 4];
    block.push(Math.min(count, 15) << 4 | Math.min(size, 15), ...rest(count), ...bytes);
    block.push(far & 255, far >> 8, ...rest(size));
    expansion.copy(far, size + 4);
  }
  block.push(Math.min(last, 15) << 4, ...rest(last), ...expansion.literals(last));
  return { block: Uint8Array.from(block), data: expansion.data };
}

/** A length in the low bits of an instruction, or in zeros and a byte behind it. */
function lzoLength(base: number, mask: number, value: number): number[] {
  if (value <= mask) return [base | value];
  const more = value - mask - 1;
  return [base, ...Array(Math.floor(more / 255)).fill(0), more % 255 + 1];
}

/** The ways to write a copy; the place of the byte that tells how many literals follow. */
function lzoCopies(
  distance: number,
  length: number,
  state: number,
): { bytes: number[]; told: number }[] {
  const ways: { bytes: number[]; told: number }[] = [];
  const far = distance - 1;
  if (state > 0 && state < 4 && length === 2 && distance <= 1024) {
    ways.push({ bytes: [(far & 3) << 2, far >> 2], told: 0 });
  }
  if (state === 4 && length === 3 && distance > 2048 && distance <= 3072) {
    ways.push({ bytes: [(far - 2048 & 3) << 2, far - 2048 >> 2], told: 0 });
  }
  if (length >= 3 && length <= 8 && distance <= 2048) {
    ways.push({ bytes: [length - 1 << 5 | (far & 7) << 2, far >> 3], told: 0 });
  }
  if (length >= 3 && distance <= 0x4000) {
    const head = lzoLength(0x20, 31, length - 2);
    ways.push({ bytes: [...head, far << 2 & 255, far >> 6], told: head.length });
  }
  if (length >= 3 && distance > 0x4000 && distance <= 0xbfff) {
    const low = distance - 0x4000 & 0x3fff;
    const head = lzoLength(0x10 | (distance - 0x4000 & 0x4000) >> 11, 7, length - 2);
    ways.push({ bytes: [...head, low << 2 & 255, low >> 6], told: head.length });
  }
  return ways;
}

/**
 * Writes a block of lzo, which is smaller than what comes of it.
 *
 * @param sequences What.
 * @returns The block, and what comes of it.
 */
export function lzoBlock({ list, last }: Sequences): { block: Uint8Array; data: Uint8Array } {
  const expansion = new Expansion();
  const block: number[] = [];
  /** Where the number of literals goes if there are three at most; the start has another form. */
  let told: number | undefined;
  let state = 0;
  const write = (count: number) => {
    if (count === 0) {
      state = 0;
      return;
    }
    if (told === undefined) {
      block.push(...count <= 238 ? [17 + count] : lzoLength(0, 15, count - 3));
    } else if (count < 4) block[told] |= count;
    else block.push(...lzoLength(0, 15, count - 3));
    block.push(...expansion.literals(count));
    state = Math.min(count, 4);
  };
  // A run in the end makes up for what does not get smaller
  const run = { literals: 4, distance: 1, length: 2000, way: 0 };
  for (const { literals, distance, length, way } of [...list, run]) {
    write(Math.max(literals, expansion.length === 0 ? 4 : 0));
    const most = Math.min(distance, expansion.length);
    const ways = lzoCopies(most, length, state);
    // Two bytes cannot be copied everywhere, nor from everywhere
    const size = ways.length > 0 ? length : Math.max(length, 3);
    const [far, all] = ways.length > 0 ? [most, ways] : [most, lzoCopies(most, size, state)];
    const { bytes, told: place } = all[way % all.length];
    told = block.length + place;
    block.push(...bytes);
    expansion.copy(far, size);
  }
  write(last);
  block.push(0x11, 0, 0);
  return { block: Uint8Array.from(block), data: expansion.data };
}

/** A block, and what comes of it. */
interface Packed {
  readonly block: Uint8Array;
  readonly data: Uint8Array;
}

/** Files of blocks: legacy ones, independent ones of up to 4 MiB, lzop's; none has checksums. */
export const framed: Readonly<
  Record<"lz4-legacy" | "lz4" | "lzo", (blocks: readonly Packed[]) => Uint8Array>
> = {
  "lz4-legacy": (blocks) => lz4(...blocks.map(({ block }) => [...block]))(),
  lz4: (blocks) => lz4Of(lz4Frame({ bd: 0x70, blocks: blocks.map(({ block }) => [...block]) }))(),
  lzo: (blocks) =>
    lzo(() =>
      blocks.flatMap(({ block, data }) => [
        ...[...be(data.length, 4), ...be(block.length, 4)],
        ...block,
      ])
    )(new Uint8Array(0)),
};
