import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { type WrappedFile, wrappedFiles } from "../arbitraries/wrapped_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { sameBytes } from "../guest.ts";
import { formatOf } from "../model/wrapped.ts";
import { judged, type Refused } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** README.md, and the limit's own reason: an Image in a zboot image packed once more, and some. */
const MOST_LAYERS = 4;

/** How much of a bzImage lies before its payload: a sector, setup_sects more, and what is not packed. */
const PAYLOAD = 0x400 + 0x240;

/** What a file that nobody has bent consists of, from the outside to the kernel. */
function partsOf({ bytes, kernel, layers, sizes }: WrappedFile): compressed.KernelLayer[] {
  const parts: compressed.KernelLayer[] = [];
  let start = 0;
  for (let i = layers.length - 1; i >= 0; i--) {
    const { kind, format } = layers[i];
    const size = i === layers.length - 1 ? bytes.length : sizes[i + 1];
    const word = format === "gzip" ? 0 : 4;
    if (kind === "stream") parts.push({ format, offset: start, size });
    if (kind === "zboot") {
      parts.push({ format: "efi-zboot", offset: start, size });
      parts.push({ format, offset: 64, size: size - 64 - word });
    }
    if (kind === "bzImage" || kind === "bare") {
      parts.push({ format: "bzimage", offset: start, size });
    }
    if (kind === "bzImage") parts.push({ format, offset: PAYLOAD, size: size - PAYLOAD - word });
    start = kind === "bare" ? PAYLOAD : 0;
  }
  const format = formatOf(kernel) as compressed.KernelLayer["format"];
  return [...parts, { format, offset: start, size: kernel.length }];
}

/** The part of a file that is unpacked where a bzImage is to be kept. */
function kept(file: WrappedFile): WrappedFile {
  const { bytes, layers, sizes } = file;
  const last = layers.findLastIndex(({ kind }) => kind === "bzImage" || kind === "bare");
  if (last < 0) return file;
  const isOuter = last === layers.length - 1;
  // Only its size is known, and its magic
  const kernel = new Uint8Array(isOuter ? bytes.length : sizes[last + 1]);
  kernel.set([0x48, 0x64, 0x72, 0x53], 0x202);
  const plus = isOuter ? 0 : file.plus;
  return { ...file, kernel, layers: layers.slice(last + 1), sizes: sizes.slice(last + 1), plus };
}

/** The code that is due for a file that nobody has bent. */
function dueCode({ sizes, plus }: WrappedFile, room: number): string | undefined {
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
    bzImage: fc.constantFrom(undefined, undefined, "extract" as const, "keep" as const),
  }),
  isAsync: true,
  share: 0.5,
  async check({ file: whole, room, into, source, bzImage: wanted }, library) {
    const bzImage = whole.bends > 0 ? undefined : wanted;
    const file = bzImage === "keep" ? kept(whole) : whole;
    // A test's broken copy brings its own
    const { unwrapKernel } = { ...compressed, ...library };
    const { bytes, kernel, layers, bends } = file;
    const before = bytes.slice();
    const most = Math.max(...file.sizes, kernel.length);
    const maxSize = most + room;
    const output = into ? new Uint8Array(maxSize).fill(0xcc) : undefined;
    let found: Uint8Array | undefined;
    let parts: readonly compressed.KernelLayer[] = [];
    let refused: Refused | undefined;
    try {
      const input = source ? sourceWith(bytes, { kind: "short", most: 61 }) : bytes;
      const limits = { ...into ? { output } : { maxSize }, ...bzImage && { bzImage } };
      const unwrapped = await unwrapKernel(input, limits);
      parts = unwrapped.layers;
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
    if (!found) return;
    const isKept = file.kernel !== whole.kernel;
    const isSame = isKept ? found.length === kernel.length : sameBytes(found, kernel);
    if (!isSame) throw new Violation("another kernel");
    const [is, was] = [parts, partsOf(file)].map((list) =>
      list.map(({ format, offset, size }) => `${format} ${size} at ${offset}`).join(", ")
    );
    if (is !== was) throw new Violation("other layers", `${is}, not ${was}`);
  },
});
