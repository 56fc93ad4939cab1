import fc from "fast-check";
import { PACKED_FAMILIES } from "../arbitraries/packed_families.ts";
import * as compressed from "../../src/compressed/mod.ts";
import * as real from "../../mod.ts";
import { judged } from "../judge.ts";
import { type Library, property, Violation } from "../property.ts";
import { countedLibrary, growthOf, watchAllocations } from "../work.ts";

/** Linear work has an exponent of 1; what is constant keeps it from being that exactly. */
const MAX_EXPONENT = 1.25;
/** Members of a family: each twice as large as the one before. */
const DOUBLINGS = 4;
/** A stream may come to so much. */
const MAX_SIZE = 1 << 20;
/** The output is four times the input from the start, and grows by doubling. */
const MOST_PER_BYTE = 32;
/** The first output, tables of each kind, 20 bits of codes. */
const CONSTANT = 8 << 20;
/** limits.ts: a runtime's library costs tens of microseconds, however little it has to do. */
const MOST_CALLS = 4096;

type Decompress = typeof compressed.decompress;

/** A library that counts, for the one that is under test. */
function counted(library: Library): { decompress: Decompress; work: () => number } {
  // A test's broken copy counts for itself
  const own = library as unknown as { decompress?: Decompress; work?: () => number };
  if (library !== real) {
    return { decompress: own.decompress ?? compressed.decompress, work: own.work ?? (() => 0) };
  }
  const { library: built, work } = countedLibrary("src/compressed/mod.ts");
  return { decompress: (built as unknown as { decompress: Decompress }).decompress, work };
}

/** Counts the digests that the runtime makes. */
function watchDigests(): { calls: () => number; stop: () => void } {
  const { subtle } = crypto;
  const digest = subtle.digest;
  let calls = 0;
  subtle.digest = function (...args) {
    calls++;
    return digest.apply(subtle, args);
  };
  return { calls: () => calls, stop: () => void (subtle.digest = digest) };
}

export default property({
  name: "unpack-work",
  says: "decompressing streams of many small parts is linear, and calls no library without bound",
  inputs: fc.record({
    family: fc.nat(PACKED_FAMILIES.length - 1),
    scale: fc.integer({ min: 4, max: 8 }),
  }),
  isAsync: true,
  share: 0.2,
  async check({ family, scale }, library) {
    const { name, format, first, make } = PACKED_FAMILIES[family];
    const what = `${format} of ${name}`;
    const { decompress, work } = counted(library);
    const points: { size: number; work: number }[] = [];
    for (let i = 0; i < DOUBLINGS; i++) {
      const stream = make(Math.floor(first * scale / 4) * 2 ** i);
      const before = work();
      const allocations = watchAllocations();
      const digests = watchDigests();
      let size = stream.length;
      try {
        size += (await decompress(format, stream, { maxSize: MAX_SIZE })).length;
      } catch (error) {
        judged(error, stream.length);
        // Up to the bound it went on
        if ((error as { code?: string }).code === "COMPRESSED_SIZE") size += MAX_SIZE;
      } finally {
        allocations.stop();
        digests.stop();
      }
      const bytes = allocations.bytes();
      if (bytes > MOST_PER_BYTE * size + CONSTANT) {
        throw new Violation(`${what} allocates too much`, `${bytes} bytes for ${size}`);
      }
      if (digests.calls() > MOST_CALLS) {
        throw new Violation(`${what} makes too many digests`, `${digests.calls()} for ${size}`);
      }
      points.push({ size, work: work() - before + bytes });
    }
    const exponent = growthOf(points);
    if (exponent <= MAX_EXPONENT) return;
    const seen = points.map(({ size, work }) => `${size}: ${work}`).join(", ");
    throw new Violation(`${what} grows by ${exponent.toFixed(2)}`, seen);
  },
});
