/**
 * Which format a file has, and where the payload of an EFI zboot image lies, read a second time from
 * the documents.
 *
 * @module
 */

const text = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(from, to));

/** Where a magic lies, and what it is; the first one that is there counts. */
const MAGICS: readonly (readonly [format: string, at: number, magic: string])[] = [
  ["elf", 0, "\x7fELF"],
  ["efi-zboot", 0, "MZ\0\0zimg"],
  ["bzimage", 0x202, "HdrS"],
  ["arm64-image", 0x38, "ARM\x64"],
  ["riscv64-image", 0x38, "RSC\x05"],
  ["gzip", 0, "\x1f\x8b\x08"],
  ["bzip2", 0, "BZh"],
  ["xz", 0, "\xfd7zXZ\0"],
  ["lzma", 0, "]\0\0"],
  ["lzo", 0, "\x89LZ"],
  ["lz4-legacy", 0, "\x02\x21\x4c\x18"],
  ["lz4", 0, "\x04\x22\x4d\x18"],
  ["zstd", 0, "\x28\xb5\x2f\xfd"],
];

/**
 * What a file is.
 *
 * @param bytes The file.
 * @returns The format, if its magic is known.
 */
export function formatOf(bytes: Uint8Array): string | undefined {
  return MAGICS.find(([, at, magic]) => text(bytes, at, at + magic.length) === magic)?.[0];
}

/** Names of drivers/firmware/efi/libstub/Makefile.zboot, and what they mean. */
const TYPES: Readonly<Record<string, string>> = {
  gzip: "gzip",
  lz4: "lz4-legacy",
  lzma: "lzma",
  lzo: "lzo",
  xzkern: "xz",
  zstd22: "zstd",
  zstd: "zstd",
};

/** What the header of a zboot image says. */
export interface Zboot {
  readonly compression: string;
  readonly payloadOffset: number;
  readonly payloadSize: number;
  readonly uncompressedSize: number;
}

/**
 * Reads a zboot image.
 *
 * @param bytes The file.
 * @returns What it says; undefined if it is none, or not all there.
 */
export function readZboot(bytes: Uint8Array): Zboot | undefined {
  if (bytes.length < 64 || formatOf(bytes) !== "efi-zboot") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const compression = TYPES[text(bytes, 0x18, 0x38).split("\0")[0]];
  const payloadOffset = view.getUint32(0x08, true);
  const payloadSize = view.getUint32(0x0c, true);
  // The size word is gzip's own; else it follows what payload_size counts
  const isOwn = compression === "gzip";
  const end = payloadOffset + payloadSize + (isOwn ? 0 : 4);
  if (compression === undefined || payloadOffset < 64 || payloadSize <= 4) return undefined;
  if (end > bytes.length) return undefined;
  return {
    compression,
    payloadOffset,
    payloadSize,
    uncompressedSize: view.getUint32(end - 4, true),
  };
}
