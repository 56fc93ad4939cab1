/**
 * Work that is counted, never timed: every edge that an instrumented build of the library takes,
 * every byte that is read or copied, and what is allocated.
 *
 * @module
 */
import { type Build, build } from "./guided/instrument.ts";
import type { Library } from "./property.ts";

const instrumented = new Map<string, Build>();

/** The library in an instrumented build, and its counter. */
export interface CountedLibrary {
  readonly library: Library;
  /** Edges, read bytes and copied bytes since the start. */
  work(): number;
}

/**
 * The instrumented library; it is built once.
 *
 * @param entry The module, from the root on.
 * @returns It.
 */
export function countedLibrary(entry = "mod.ts"): CountedLibrary {
  const { hooks, exports } = instrumented.get(entry) ?? build(entry);
  instrumented.set(entry, { hooks, exports, blocks: 0 });
  return { library: exports as unknown as Library, work: () => hooks.work };
}

/**
 * Counts bytes that are allocated.
 *
 * @param run What is watched; synchronous.
 * @returns What it returned or threw, and the bytes.
 */
export function allocationOf<T>(run: () => T): { value?: T; error?: unknown; bytes: number } {
  const { bytes, stop } = watchAllocations();
  try {
    return { value: run(), bytes: bytes() };
  } catch (error) {
    return { error, bytes: bytes() };
  } finally {
    stop();
  }
}

/**
 * The same of what gives a promise; nothing else may run meanwhile.
 *
 * @param run What is watched.
 * @returns The bytes, whatever came of it.
 */
export async function allocationOfLater(run: () => Promise<unknown>): Promise<number> {
  const { bytes, stop } = watchAllocations();
  try {
    await run();
  } catch { // what was refused may have allocated, too
  } finally {
    stop();
  }
  return bytes();
}

/**
 * Counts bytes that are allocated from now on, by standing in for the constructors and methods that
 * do.
 *
 * @returns How many there were, and what ends it.
 */
export function watchAllocations(): { bytes: () => number; stop: () => void } {
  let bytes = 0;
  const scope = globalThis as unknown as Record<string, unknown>;
  const saved: [string, unknown][] = [];
  for (const name of NAMES) {
    const original = scope[name] as new (...args: unknown[]) => ArrayBufferView | ArrayBuffer;
    saved.push([name, original]);
    scope[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        // A view of a buffer allocates nothing
        const made = Reflect.construct(target, args, newTarget) as { byteLength: number };
        if (!isBuffer(args[0])) bytes += made.byteLength;
        return made as object;
      },
    });
  }
  const proto = Object.getPrototypeOf(Uint8Array.prototype);
  const slice = proto.slice;
  proto.slice = function (this: Uint8Array, ...args: [number?, number?]) {
    const part = slice.apply(this, args);
    bytes += part.byteLength;
    return part;
  };
  return {
    bytes: () => bytes,
    stop() {
      proto.slice = slice;
      for (const [name, original] of saved) scope[name] = original;
    },
  };
}

const NAMES = [
  ...["ArrayBuffer", "Uint8Array", "Uint16Array", "Uint32Array", "Int32Array", "BigUint64Array"],
] as const;

function isBuffer(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]" ||
    Object.prototype.toString.call(value) === "[object SharedArrayBuffer]";
}

/**
 * How many things a value consists of: objects, array places and properties.
 *
 * @param value The value. What it shares with itself counts once.
 * @returns Their number.
 */
export function thingsIn(value: unknown): number {
  const seen = new Set<object>();
  const open: unknown[] = [value];
  let count = 0;
  while (open.length > 0) {
    const next = open.pop();
    count++;
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (ArrayBuffer.isView(next)) continue;
    for (const item of Object.values(next)) open.push(item);
  }
  return count;
}

/**
 * The exponent of growth: the slope of a line through the logarithms.
 *
 * @param points Sizes and the work that they took.
 * @returns 0 for constant work, 1 for linear, 2 for quadratic.
 */
export function growthOf(points: readonly { size: number; work: number }[]): number {
  const logs = points.map(({ size, work }) => [Math.log(size), Math.log(Math.max(work, 1))]);
  const mean = (i: 0 | 1) => logs.reduce((sum, pair) => sum + pair[i], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const above = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return above / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}
