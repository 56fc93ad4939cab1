/**
 * Which format a file has, and where the payload of an EFI zboot image lies, read a second time from
 * the documents.
 *
 * @module
 */
import { must } from "./said.ts";
import { look } from "./verdict.ts";

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
const TYPES = new Map([
  ["gzip", "gzip"],
  ["lz4", "lz4-legacy"],
  ["lzma", "lzma"],
  ["lzo", "lzo"],
  ["xzkern", "xz"],
  ["zstd22", "zstd"],
  ["zstd", "zstd"],
]);

/** What the header of a zboot image says. */
export interface Zboot {
  readonly format: "efi-zboot";
  readonly header: Readonly<Record<string, unknown>>;
  readonly compression: string;
  readonly payloadOffset: number;
  readonly payloadSize: number;
  readonly uncompressedSize: number;
}

/**
 * Reads a zboot image.
 *
 * @param bytes The file.
 * @returns What it says.
 */
export function readZboot(bytes: Uint8Array): Zboot {
  const refuse = (isRight: boolean, name: string, at: number) =>
    must(isRight, "ZBOOT_FIELD", `zboot_header.${name}`, at);
  must(bytes.length >= 64, "TRUNCATED", "zboot_header", 0);
  refuse(text(bytes, 0, 4) === "MZ\0\0", "mz_magic", 0);
  refuse(text(bytes, 4, 8) === "zimg", "magic", 4);
  const compression = TYPES.get(text(bytes, 0x18, 0x38).split("\0")[0]);
  refuse(compression !== undefined, "compression_type", 0x18);
  const [payloadOffset, payloadSize] = [0x08, 0x0c].map((at) => Number(look(bytes, at, 4)));
  refuse(payloadOffset >= 64, "payload_offset", 0x08);
  refuse(payloadSize > 4, "payload_size", 0x0c);
  const inside = (at: number) => Math.min(at, bytes.length);
  const payloadEnd = payloadOffset + payloadSize;
  must(payloadEnd <= bytes.length, "TRUNCATED", "zboot payload", inside(payloadOffset));
  // The size word is gzip's own; else it follows what payload_size counts
  const end = payloadEnd + (compression === "gzip" ? 0 : 4);
  must(end <= bytes.length, "TRUNCATED", "zboot size word", inside(end - 4));
  return {
    format: "efi-zboot",
    header: {
      ...Object.fromEntries(
        Object.entries(ZBOOT).map(([name, at]) => [name, Number(look(bytes, at, 4))]),
      ),
      reserved: bytes.slice(0x10, 0x18),
      compression_type: bytes.slice(0x18, 0x38),
    },
    compression: compression!,
    payloadOffset,
    payloadSize,
    uncompressedSize: Number(look(bytes, end - 4, 4)),
  };
}

/** zboot-header.S: the words. */
const ZBOOT = {
  ...{ mz_magic: 0x00, magic: 0x04, payload_offset: 0x08, payload_size: 0x0c },
  ...{ linux_pe_magic: 0x38, pe_header_offset: 0x3c },
};
