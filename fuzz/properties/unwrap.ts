import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { type WrappedFile, wrappedFiles } from "../arbitraries/wrapped_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { sameBytes } from "../guest.ts";
import { judged, type Refused } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** README.md, and the limit's own reason: an Image in a zboot image packed once more, and some. */
const MOST_LAYERS = 4;

/** The code that is due for a file that nobody has bent. */
function dueCode({ sizes, plus, missing }: WrappedFile, room: number): string | undefined {
  if (missing > 0) return "TRUNCATED";
  if (plus !== 0) return "COMPRESSED_SIZE";
  for (const [depth, size] of sizes.toReversed().entries()) {
    if (depth === MOST_LAYERS) return "COMPRESSED_NESTING";
    if (size > room) return "COMPRESSED_SIZE";
  }
  return undefined;
}

export default property({
  name: "unwrap",
  says: "a kernel in layers comes out as it went in, or too large, or too deep, with that code",
  inputs: fc.record({
    file: wrappedFiles,
    room: fc.constantFrom(0, -1, 1, 1 << 20),
    into: fc.boolean(),
    source: fc.boolean(),
  }),
  isAsync: true,
  share: 0.5,
  async check({ file, room, into, source }, library) {
    // A test's broken copy brings its own
    const { unwrapKernel } = { ...compressed, ...library };
    const { bytes, kernel, layers, bends } = file;
    const before = bytes.slice();
    const most = Math.max(...file.sizes, kernel.length);
    const maxSize = most + room;
    const output = into ? new Uint8Array(maxSize).fill(0xcc) : undefined;
    let found: Uint8Array | undefined;
    let refused: Refused | undefined;
    try {
      const input = source ? sourceWith(bytes, { kind: "short", most: 61 }) : bytes;
      const limits = into ? { output } : { maxSize };
      const unwrapped = await unwrapKernel(input, limits);
      found = new Uint8Array(unwrapped.size);
      for (let at = 0; at < found.length;) at += unwrapped.readAt(at, found.subarray(at));
    } catch (error) {
      const largest = Math.max(bytes.length, most, bends > 0 ? 1 << 24 : 0);
      refused = judged(error, largest);
    }
    if (!sameBytes(bytes, before)) throw new Violation("the input is changed");
    if (found && found.length > maxSize && (into || layers.length > 0)) {
      throw new Violation("more than was allowed");
    }
    if (bends > 0) return;
    if (into && layers.length === 0 && kernel.length > maxSize) {
      if (refused?.code !== "COMPRESSED_SIZE") throw new Violation("too large for the output");
      return;
    }
    const due = dueCode(file, maxSize);
    if (refused?.code !== due) {
      const chain = layers.map(({ kind, format }) => `${kind} ${format}`).join(" in ");
      throw new Violation(
        `${refused?.code ?? "a kernel"} where ${due ?? "a kernel"} is due`,
        `${chain || "no layers"}, at most ${maxSize}: ${refused?.message}`,
      );
    }
    if (due === "TRUNCATED" && !/ payload\b/.test(refused!.field!)) {
      throw new Violation("it is not the payload that is too long", refused!.message);
    }
    if (found && !sameBytes(found, kernel)) throw new Violation("another kernel");
  },
});
