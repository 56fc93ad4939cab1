/** Guests and sources for tests: dirty memory, sources that misbehave, and what a refusal says. */
import { pattern } from "./images.ts";

/** A range of RAM. */
export interface Ram {
  readonly start: bigint;
  readonly size: number;
}

/** RAM that was used before: no byte of it is zero. */
export interface DirtyRam {
  /** What guest memory is made from. */
  readonly regions: { start: bigint; bytes: Uint8Array }[];
  /** Where it differs from what it was: ascending, half-open. */
  changes(): { start: bigint; end: bigint }[];
}

/**
 * RAM full of canaries.
 *
 * @param ram Where.
 * @returns The regions, and what has been changed in them since.
 */
export function dirtyRam(...ram: readonly Ram[]): DirtyRam {
  const regions = ram.map(({ start, size }, i) => ({ start, bytes: canaries(size, i + 3) }));
  const before = regions.map(({ bytes }) => bytes.slice());
  const changes = () =>
    regions.flatMap(({ start, bytes }, i) =>
      differences(bytes, before[i]).map(([from, to]) => ({
        start: start + BigInt(from),
        end: start + BigInt(to),
      }))
    );
  return { regions, changes };
}

/** One pattern of an odd size over and over, which is faster than one long pattern. */
function canaries(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const tile = pattern(Math.min(size, 65_521), seed);
  for (let at = 0; at < size; at += tile.length) bytes.set(tile.subarray(0, size - at), at);
  return bytes;
}

/** Where two byte arrays of the same size differ. */
function differences(a: Uint8Array, b: Uint8Array): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < a.length; at++) {
    if (a[at] === b[at]) continue;
    const from = at;
    while (at < a.length && a[at] !== b[at]) at++;
    found.push([from, at]);
  }
  return found;
}

/** A source in the library's shape. */
export interface TestSource {
  readonly size: number;
  readAt(offset: number, target: Uint8Array): number;
}

/**
 * A source that gives at most some bytes a read.
 *
 * @param bytes The bytes.
 * @param most Bytes in one read.
 * @returns The source.
 */
export function shortSource(bytes: Uint8Array, most: number): TestSource {
  return {
    size: bytes.length,
    readAt(offset, target) {
      const part = bytes.subarray(offset, offset + Math.min(most, target.length));
      target.set(part);
      return part.length;
    },
  };
}

/**
 * A source that promises all of its bytes and ends before: a file that shrank after it was opened.
 *
 * @param bytes The bytes that it promises.
 * @param end Where it really ends.
 * @returns The source.
 */
export function shrunkSource(bytes: Uint8Array, end: number): TestSource {
  return { ...shortSource(bytes.subarray(0, end), Infinity), size: bytes.length };
}

/**
 * A source that throws once a read reaches an offset.
 *
 * @param bytes The bytes.
 * @param from The offset.
 * @returns The source; it writes what lies before the offset first, as a disk that fails does.
 */
export function failingSource(bytes: Uint8Array, from: number): TestSource {
  return {
    size: bytes.length,
    readAt(offset, target) {
      target.set(bytes.subarray(offset, Math.min(offset + target.length, Math.max(from, offset))));
      if (offset + target.length > from) throw new Error("disk on fire");
      return target.length;
    },
  };
}

/** What an error says that a program can act on. */
export interface Refusal {
  code: string;
  field?: string;
  offset?: number;
  /** The names of the ranges that clash. */
  between?: string[];
}

/**
 * Runs something that must be refused.
 *
 * @param run What.
 * @returns What the LoaderError says; anything else that is thrown is thrown on.
 */
export function refusal(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    const { name, code, field, offset, ranges } = error as Error & Refusal & {
      ranges?: { name: string }[];
    };
    if (name !== "LoaderError") throw error;
    const said: Refusal = { code };
    if (field !== undefined) said.field = field;
    if (offset !== undefined) said.offset = offset;
    if (ranges !== undefined) said.between = ranges.map((range) => range.name);
    return said;
  }
  throw new Error("Expected a LoaderError, nothing was thrown");
}

/**
 * Takes a view's buffer away, as growing a WebAssembly memory does.
 *
 * @param bytes The view; its length is 0 afterwards.
 */
export function detach(bytes: Uint8Array): void {
  structuredClone(null, { transfer: [bytes.buffer as ArrayBuffer] });
}
