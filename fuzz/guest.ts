/**
 * Guest memory of a fuzz run: full of canaries, with more of them between the regions, and cheap
 * enough to be looked at whole after every run.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { GuestMemory } from "../mod.ts";
import { pattern } from "./arbitraries/images.ts";
import type { Region } from "./arbitraries/layouts.ts";
import type { Library } from "./property.ts";

/** A range of guest-physical addresses. */
export interface Range {
  readonly start: bigint;
  readonly size: bigint;
}

/** Canaries between regions, in bytes: a write that leaves its region lands there. */
const GUARD = 64;
/** As much RAM as a run can have. */
const ARENA_SIZE = 10 << 20;

let canaries: Uint8Array | undefined;
let arena: Uint8Array | undefined;

/** Guest RAM in which no byte is zero. A new one takes the memory of the one before. */
export class CanaryGuest {
  /** What guest memory is made from. */
  readonly regions: readonly { start: bigint; bytes: Uint8Array }[];
  /** The library's view of it. */
  readonly memory: GuestMemory;
  readonly #at: readonly number[];
  readonly #end: number;

  /**
   * @param library The library under test.
   * @param ram The regions.
   */
  constructor(library: Library, ram: readonly Region[]) {
    canaries ??= pattern(ARENA_SIZE, 3);
    arena ??= new Uint8Array(ARENA_SIZE);
    let at = GUARD;
    const starts: number[] = [];
    const regions: { start: bigint; bytes: Uint8Array }[] = [];
    for (const { start, size } of ram) {
      starts.push(at);
      regions.push({ start, bytes: arena.subarray(at, at + size) });
      at += size + GUARD;
    }
    if (at > ARENA_SIZE) throw new Error(`Cannot make a guest: ${at} bytes of RAM`);
    arena.set(canaries.subarray(0, at));
    this.regions = regions;
    this.#at = starts;
    this.#end = at;
    this.memory = library.GuestMemory.of(regions);
  }

  /**
   * Looks for changes.
   *
   * @param allowed Ranges that may have changed.
   * @returns Where something else did: the first byte of each part, as text.
   */
  changes(allowed: readonly Range[] = []): string[] {
    const [now, before] = [arena!, canaries!];
    const found: string[] = [];
    const sorted = [...allowed].sort((a, b) => a.start < b.start ? -1 : 1);
    const same = (from: number, to: number, name: (at: number) => string) => {
      if (Buffer.compare(now.subarray(from, to), before.subarray(from, to)) === 0) return;
      let at = from;
      while (now[at] === before[at]) at++;
      found.push(name(at));
    };
    let guard = 0;
    for (const [i, { start, bytes }] of this.regions.entries()) {
      const base = this.#at[i];
      same(guard, base, (at) => `the bytes before region ${i} (${base - at} before)`);
      let done = 0;
      for (const range of sorted) {
        const from = clamp(range.start - start, bytes.length);
        const to = clamp(range.start + range.size - start, bytes.length);
        if (to <= done) continue;
        if (from > done) {
          same(base + done, base + from, (at) => hex(start + BigInt(at - base)));
        }
        done = Math.max(done, to);
      }
      same(base + done, base + bytes.length, (at) => hex(start + BigInt(at - base)));
      guard = base + bytes.length;
    }
    same(guard, this.#end, (at) => `the bytes after the last region (${at - guard} after)`);
    return found;
  }

  /**
   * Reads memory past the library.
   *
   * @param start Guest-physical address.
   * @param size How many bytes.
   * @returns A copy; undefined if some of it is not RAM.
   */
  peek(start: bigint, size: number): Uint8Array | undefined {
    const bytes = new Uint8Array(size);
    let done = 0;
    for (let rounds = 0; done < size && rounds <= this.regions.length; rounds++) {
      const at = start + BigInt(done);
      const region = this.regions.find((region) =>
        at >= region.start && at < region.start + BigInt(region.bytes.length)
      );
      if (!region) return undefined;
      const from = Number(at - region.start);
      const part = region.bytes.subarray(from, from + size - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }
}

function clamp(value: bigint, max: number): number {
  return value < 0n ? 0 : value > BigInt(max) ? max : Number(value);
}

/**
 * An address as text.
 *
 * @param value The address.
 * @returns Hexadecimal.
 */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/**
 * Whether two byte arrays are the same.
 *
 * @param a One.
 * @param b The other.
 * @returns True if they are.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
