/** Kernels in compressed data, in bzImages, in zboot images, in each other. */
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { formatOf } from "../model/wrapped.ts";
import { arm64Image, bzImage, elfImage, pattern, poke } from "./images.ts";
import { type Bend, bends, bent, sometimes, type Width } from "./numbers.ts";

/** What a layer is made of: stored, but for runs in lz4, so that no tool is needed. */
export type Stored = "gzip" | "lz4-legacy" | "lz4" | "zstd";

/** zboot-header.S: the fields. */
const ZBOOT = [
  [0x00, 4],
  [0x04, 4],
  [0x08, 4],
  [0x0c, 4],
  [0x18, 4],
  [0x1c, 4],
] as const satisfies readonly (readonly [number, Width])[];

/** lz4_Block_format.md: literals, and matches of the last byte. */
function lz4Block(bytes: Uint8Array): number[] {
  const block: number[] = [];
  const rest = (length: number): number[] => {
    if (length < 15) return [];
    const more = length - 15;
    return [...Array(Math.floor(more / 255)).fill(255), more % 255];
  };
  let from = 0;
  for (let at = 1; at < bytes.length; at++) {
    let end = at;
    while (end < bytes.length - 12 && bytes[end] === bytes[at - 1]) end++;
    if (end - at < 32) continue;
    const [literals, match] = [bytes.subarray(from, at), end - at - 4];
    block.push(Math.min(literals.length, 15) << 4 | Math.min(match, 15));
    block.push(...rest(literals.length), ...literals, 1, 0, ...rest(match));
    from = at = end;
  }
  const literals = bytes.subarray(from);
  return [...block, Math.min(literals.length, 15) << 4, ...rest(literals.length), ...literals];
}

/**
 * Packs bytes without making them less.
 *
 * @param format The format.
 * @param bytes The bytes.
 * @returns A valid stream.
 */
export function stored(format: Stored, bytes: Uint8Array): Uint8Array {
  const size = (value: number, width: Width) => {
    const word = new Uint8Array(width);
    poke(word, 0, width, value);
    return [...word];
  };
  switch (format) {
    case "gzip":
      return new Uint8Array(gzipSync(bytes, { level: 0 }));
    case "lz4-legacy": { // one block; long runs are matches
      const block = lz4Block(bytes);
      return Uint8Array.from([0x02, 0x21, 0x4c, 0x18, ...size(block.length, 4), ...block]);
    }
    case "lz4": { // version 1, independent blocks of up to 4 MiB, no checksums but the header's
      const head = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];
      return Uint8Array.from([...head, ...size(bytes.length + 2 ** 31, 4), ...bytes, 0, 0, 0, 0]);
    }
    default: { // RFC 8878: a single segment with a size of 4 bytes, one raw block
      const block = size(bytes.length << 3 | 1, 4).slice(0, 3);
      return Uint8Array.from([
        ...[0x28, 0xb5, 0x2f, 0xfd, 0xa0],
        ...size(bytes.length, 4),
        ...block,
        ...bytes,
      ]);
    }
  }
}

/**
 * An EFI zboot image.
 *
 * @param format What its payload is.
 * @param bytes What is in the payload.
 * @param plus What is added to the size word that is not gzip's own.
 * @returns The file.
 */
export function zbootImage(format: Stored, bytes: Uint8Array, plus = 0): Uint8Array {
  const packed = stored(format, bytes);
  const isOwn = format === "gzip";
  const file = new Uint8Array(64 + packed.length + (isOwn ? 0 : 4));
  poke(file, 0x00, 4, 0x5a4d); // "MZ"
  poke(file, 0x04, 4, 0x676d697a); // "zimg"
  poke(file, 0x08, 4, 64);
  poke(file, 0x0c, 4, packed.length);
  const type = { gzip: "gzip", "lz4-legacy": "lz4", zstd: "zstd22", lz4: "lz4f" }[format];
  file.set(new TextEncoder().encode(type), 0x18);
  file.set(packed, 64);
  if (!isOwn) poke(file, file.length - 4, 4, bytes.length + plus);
  return file;
}

/** A bzImage with packed data, and the size word behind it: gzip's is its own. */
function packedBzImage(format: Stored, bytes: Uint8Array, plus: number): Uint8Array {
  const packed = stored(format, bytes);
  if (format === "gzip") return bzImageOf(packed);
  const payload = new Uint8Array(packed.length + 4);
  payload.set(packed);
  poke(payload, packed.length, 4, bytes.length + plus);
  return bzImageOf(payload);
}

/** A bzImage with a payload. */
function bzImageOf(payload: Uint8Array): Uint8Array {
  const kernel = new Uint8Array(0x240 + payload.length);
  kernel.set(payload, 0x240);
  return bzImage({ kernel, payload_offset: 0x240, payload_length: payload.length });
}

/** Bytes that take less room in lz4: what is unpacked over its own input overtakes it. */
function sparse(size: number): Uint8Array {
  const bytes = pattern(size, 7);
  bytes.fill(0x5a, 40, size - 700);
  return bytes;
}

const streams = fc.constantFrom<Stored>("gzip", "lz4-legacy", "lz4", "zstd");

/** A layer around a kernel. */
export interface Layer {
  /** `bare`: a bzImage with an ELF that is not compressed; only around an ELF. */
  readonly kind: "stream" | "bzImage" | "zboot" | "bare";
  readonly format: Stored;
}

const layer: fc.Arbitrary<Layer> = fc.record({
  kind: fc.constantFrom("stream", "stream", "bzImage", "zboot"),
  format: streams,
}).map(({ kind, format }) => {
  // zboot knows no lz4 frames
  return { kind, format: kind === "zboot" && format === "lz4" ? "zstd" : format } as Layer;
});

/** A kernel in layers. */
export interface WrappedFile {
  readonly bytes: Uint8Array;
  readonly kernel: Uint8Array;
  /** From the innermost to the outermost. */
  readonly layers: readonly Layer[];
  /** What each layer holds, in bytes. */
  readonly sizes: readonly number[];
  /** What the size words of the outermost layer say too much. */
  readonly plus: number;
  readonly bends: number;
}

/** Wrapped kernels, some of them bent in their outermost layer. */
export const wrappedFiles: fc.Arbitrary<WrappedFile> = fc.record({
  kernel: fc.constantFrom(
    elfImage({ segments: [{ bytes: pattern(300) }] }),
    elfImage({ segments: [{ bytes: pattern(100) }, { bytes: sparse(2500) }] }),
    arm64Image({}, 256),
    arm64Image({ magic: 0x05435352 }, 200),
  ),
  layers: fc.oneof(
    { arbitrary: fc.array(layer, { maxLength: 3 }), weight: 3 },
    { arbitrary: fc.array(layer, { minLength: 3, maxLength: 6 }), weight: 1 },
  ),
  bends: fc.oneof(
    { arbitrary: fc.constant<Bend[]>([]), weight: 3 },
    { arbitrary: bends([...ZBOOT, [0x1f1, 1], [0x248, 4], [0x24c, 4]]), weight: 1 },
  ),
  isBare: fc.boolean(),
  lie: fc.constantFrom(0, 0, 0, 1, -1),
}).map(({ kernel, layers: around, bends, lie, isBare }) => {
  const bare: Layer[] = isBare && kernel[0] === 0x7f ? [{ kind: "bare", format: "gzip" }] : [];
  const layers = [...bare, ...around];
  let bytes = kernel;
  const sizes: number[] = [];
  let plus = 0;
  // Where "HdrS" of what is inside comes to lie at 0x202, it is a bzImage, too
  let isWhatItIs = true;
  for (const [i, { kind, format }] of layers.entries()) {
    sizes.push(bytes.length);
    if (kind === "bzImage") isWhatItIs &&= formatOf(stored(format, bytes)) === format;
    plus = i === layers.length - 1 && (kind === "zboot" || kind === "bzImage") && format !== "gzip"
      ? lie
      : 0;
    if (kind === "stream") bytes = stored(format, bytes);
    else if (kind === "zboot") bytes = zbootImage(format, bytes, plus);
    else if (kind === "bare") bytes = bzImageOf(bytes);
    else bytes = packedBzImage(format, bytes, plus);
    const wanted =
      { stream: format, zboot: "efi-zboot", bzImage: "bzimage", bare: "bzimage" }[kind];
    isWhatItIs &&= formatOf(bytes) === wanted;
  }
  return {
    bytes: bent(bytes, bends),
    kernel,
    layers,
    sizes,
    plus,
    isWhatItIs,
    bends: bends.length,
  };
}).filter(({ isWhatItIs }) => isWhatItIs);

/** zboot images, valid and then bent. */
export const zbootFiles: fc.Arbitrary<Uint8Array> = fc.record({
  format: streams,
  type: fc.constantFrom(
    "",
    "",
    "",
    "gzip",
    "lz4",
    "lzma",
    "lzo",
    "xzkern",
    "zstd",
    "gzipped",
    "xz",
    // What every object has, and what has no NUL
    "constructor",
    "__proto__",
    "zstd".repeat(8),
  ),
  payloadSize: sometimes(fc.constantFrom(3, 4, 5), 6),
  junk: fc.boolean(),
  bends: bends(ZBOOT),
}).map(({ format, type, payloadSize, junk, bends }) => {
  const file = zbootImage(format, pattern(100));
  if (payloadSize !== undefined) poke(file, 0x0c, 4, payloadSize);
  if (type !== "") {
    file.fill(0, 0x18, 0x38);
    file.set(new TextEncoder().encode(type), 0x18);
  }
  if (junk) file.set(pattern(8), 0x28);
  return bent(file, bends);
});
