/** What streams that are written by hand have in common: numbers, checksums, what is said of them. */

type Format = "gzip" | "bzip2" | "lzma" | "xz" | "lzo" | "lz4" | "lz4-legacy" | "zstd";

/** A stream, and what a decoder must make of it. */
export interface HandMade {
  readonly format: Format;
  /** Makes it of some bytes. */
  readonly make: (data: Uint8Array) => Uint8Array;
  /** What comes out; what went in if not given. */
  readonly gives?: Uint8Array | ((data: Uint8Array) => Uint8Array);
  /** The code that it is refused with; undefined if it is valid. */
  readonly code?: string;
  /** The field that is wrong, without the format. */
  readonly field?: string;
  /** Where it lies: bytes from the start, or from the end if it is below 0; by the data's size. */
  readonly at?: number | ((size: number) => number);
}

/** The codes. */
export const [CORRUPT, UNSUPPORTED] = ["COMPRESSED_CORRUPT", "COMPRESSED_UNSUPPORTED"];
/** More of them. */
export const [CHECKSUM, TRAILING] = ["COMPRESSED_CHECKSUM", "COMPRESSED_TRAILING"];
/** The rest. */
export const [SIZE, TRUNCATED] = ["COMPRESSED_SIZE", "TRUNCATED"];

/** A number's bytes, the least significant first. */
export const le = (value: number, width: number): number[] =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) & 255);
/** A number's bytes, the most significant first. */
export const be = (value: number, width: number): number[] => le(value, width).reverse();

/** ISO 3309, as gzip and xz have it. */
export function crc32(bytes: readonly number[]): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** RFC 1950. */
export function adler32(bytes: readonly number[]): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) [a, b] = [(a + byte) % 65521, (b + a + byte) % 65521];
  return b * 65536 + a;
}

/** Up to a multiple of 4. */
export const padded = (bytes: readonly number[], with_ = 0): number[] => {
  return [...bytes, ...Array(-bytes.length & 3).fill(with_)];
};

const PRIMES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];

/** xxHash's specification, XXH32, seed 0. */
export function xxh32(bytes: readonly number[]): number {
  const [p1, p2, p3, p4, p5] = PRIMES;
  const left = (value: number, by: number) => (value << by | value >>> 32 - by) >>> 0;
  const word = (at: number) =>
    bytes.slice(at, at + 4).reduceRight((sum, byte) => sum * 256 + byte, 0);
  let at = 0;
  let hash = p5;
  if (bytes.length >= 16) {
    const lanes = [p1 + p2, p2, 0, -p1];
    for (; at + 16 <= bytes.length; at += 16) {
      lanes.forEach((lane, i) => {
        lanes[i] = Math.imul(left(lane + Math.imul(word(at + 4 * i), p2), 13), p1);
      });
    }
    hash = [1, 7, 12, 18].reduce((sum, by, i) => sum + left(lanes[i], by), 0);
  }
  hash = hash + bytes.length >>> 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(left(hash + Math.imul(word(at), p3), 17), p4) >>> 0;
  }
  for (; at < bytes.length; at++) {
    hash = Math.imul(left(hash + Math.imul(bytes[at], p5), 11), p1) >>> 0;
  }
  hash = Math.imul(hash ^ hash >>> 15, p2);
  hash = Math.imul(hash ^ hash >>> 13, p3);
  return (hash ^ hash >>> 16) >>> 0;
}
