/** Kernels in compressed data, bzImages and zboot images, in each other in any order. */
import fc from "fast-check";
import { arm64Image, bzImage, pattern, poke, word } from "./images.ts";

/** What data is compressed in: formats that can hold it as it is, so that no packer is needed. */
export const STREAMS = ["gzip", "zstd", "lz4-legacy"] as const;
/** A compressed format. */
export type Stream = typeof STREAMS[number];

/** One wrapping: compressed only, or in an image that says how. */
export interface Wrapping {
  /** What is put around; a bzImage may also hold an ELF that is not compressed. */
  readonly kind: "plain" | "zboot" | "bzimage" | "bare";
  /** What it is compressed in. */
  readonly stream: Stream;
}

/** A kernel in its wrappings, and what comes out of each. */
export interface Wrapped {
  /** The file. */
  readonly file: Uint8Array;
  /** The kernel. */
  readonly kernel: Uint8Array;
  /** What comes out of each wrapping, the outermost first; the last one is the kernel. */
  readonly inside: readonly Uint8Array[];
}

/** Makefile.zboot's names. */
const ZBOOT_TYPES: Readonly<Record<Stream, string>> = {
  gzip: "gzip",
  zstd: "zstd22",
  "lz4-legacy": "lz4",
};

const joined = (...parts: (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** RFC 1952, 8, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/**
 * Compressed data that holds bytes as they are.
 *
 * @param stream The format.
 * @param bytes Under 64 KiB.
 * @returns The data.
 */
export function stored(stream: Stream, bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  switch (stream) {
    case "gzip": { // RFC 1951, 3.2.4: one block, its length and that inverted
      const sizes = [length & 255, length >> 8, ~length & 255, ~length >> 8 & 255];
      const trailer = [word(crc32(bytes)), word(length)];
      return joined([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1], sizes, bytes, ...trailer);
    }
    case "zstd": { // RFC 8878, 3.1.1: a single segment of 4 bytes' size, one last raw block
      const block = length << 3 | 1;
      const header = [0x28, 0xb5, 0x2f, 0xfd, 0xa0];
      return joined(header, word(length), [block & 255, block >> 8 & 255, block >> 16], bytes);
    }
    case "lz4-legacy": { // LZ4 Block Format: a token of literals only, 15 and then 255 each
      const more = length - 15;
      const count = more < 0
        ? []
        : [...Array<number>(Math.floor(more / 255)).fill(255), more % 255];
      const size = 1 + count.length + length;
      return joined([2, 0x21, 0x4c, 0x18], word(size), [Math.min(length, 15) << 4], count, bytes);
    }
    default:
      return stream satisfies never;
  }
}

function zbootImage(stream: Stream, bytes: Uint8Array): Uint8Array {
  const payload = stored(stream, bytes);
  const header = new Uint8Array(0x80); // drivers/firmware/efi/libstub/zboot-header.S
  poke(header, 0, 4, 0x5a4d);
  poke(header, 4, 4, 0x676d697a);
  poke(header, 8, 4, header.length);
  poke(header, 12, 4, payload.length);
  header.set(new TextEncoder().encode(ZBOOT_TYPES[stream]), 0x18);
  poke(header, 0x38, 4, 0x818223cd);
  return joined(header, payload, stream === "gzip" ? [] : word(bytes.length), new Uint8Array(9));
}

function bzImageOf(payload: Uint8Array): Uint8Array {
  const kernel = new Uint8Array(0x200 + Math.ceil(payload.length / 16) * 16);
  kernel.set(payload, 0x200);
  return bzImage({ kernel, payload_offset: 0x200, payload_length: payload.length });
}

function wrap({ kind, stream }: Wrapping, bytes: Uint8Array): Uint8Array {
  switch (kind) {
    case "plain":
      return stored(stream, bytes);
    case "zboot":
      return zbootImage(stream, bytes);
    case "bzimage":
      return bzImageOf(
        joined(stored(stream, bytes), stream === "gzip" ? [] : word(bytes.length)),
      );
    case "bare":
      return bzImageOf(bytes);
    default:
      return kind satisfies never;
  }
}

const wrapping: fc.Arbitrary<Wrapping> = fc.record({
  kind: fc.constantFrom("plain", "plain", "zboot", "bzimage"),
  stream: fc.constantFrom(...STREAMS),
});

/** Kernels in none to five wrappings; four is what is taken. */
export const wrappedFiles: fc.Arbitrary<Wrapped> = fc.record({
  isElf: fc.boolean(),
  size: fc.integer({ min: 64, max: 5000 }),
  isBare: fc.boolean(),
  wrappings: fc.array(wrapping, { maxLength: 5 }),
}).map(({ isElf, size, isBare, wrappings }) => {
  const kernel = isElf ? pattern(size) : arm64Image({}, size);
  if (isElf) poke(kernel, 0, 4, 0x464c457f);
  const bare: Wrapping[] = isElf && isBare ? [{ kind: "bare", stream: "gzip" }] : [];
  const inside: Uint8Array[] = [];
  let file = kernel;
  for (const one of [...bare, ...wrappings].slice(0, 5)) {
    inside.unshift(file);
    file = wrap(one, file);
  }
  return { file, kernel, inside };
});
