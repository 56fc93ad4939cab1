import { LoaderError } from "../errors.ts";
import { type KernelSource, readHead } from "../source.ts";
import { BOOT_FLAG_MAGIC, HDRS_MAGIC } from "../structs/bootparam.ts";
import { ELF_MAGIC } from "../structs/elf.ts";
import { ARM64_IMAGE_MAGIC, RISCV_IMAGE_MAGIC2 } from "../structs/image_header.ts";

/** A kernel file that can be booted as it is. */
export type BootableFormat = "elf" | "bzimage" | "arm64-image" | "riscv64-image";

/** A kernel file that holds another one, which must be unwrapped first. */
export type WrappedFormat =
  | "efi-zboot"
  | "gzip"
  | "bzip2"
  | "lzma"
  | "xz"
  | "lzo"
  | "lz4-legacy"
  | "lz4"
  | "zstd";

/** What a kernel file is, by its magic numbers. */
export type KernelFormat = BootableFormat | WrappedFormat;

/** Compression magics, as scripts/extract-vmlinux and the formats' own documents give them. */
const COMPRESSED: readonly (readonly [WrappedFormat, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lzma", [0x5d, 0x00, 0x00]],
  ["lzo", [0x89, 0x4c, 0x5a]],
  ["lz4-legacy", [0x02, 0x21, 0x4c, 0x18]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];

/** Files that people hand over by mistake, so that the error can say what they are. */
const MISTAKEN: readonly (readonly [string, readonly number[]])[] = [
  ["a JPEG picture", [0xff, 0xd8, 0xff]],
  ["a PNG picture", [0x89, 0x50, 0x4e, 0x47]],
  ["a cpio archive, perhaps the initrd", [0x30, 0x37, 0x30, 0x37, 0x30]],
  ["an ar archive, perhaps a .deb package", [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e]],
  ["an RPM package", [0xed, 0xab, 0xee, 0xdb]],
  ["a qcow2 disk", [0x51, 0x46, 0x49, 0xfb]],
  ["a U-Boot uImage", [0x27, 0x05, 0x19, 0x56]],
  ["a device tree", [0xd0, 0x0d, 0xfe, 0xed]],
  ["a PDF document", [0x25, 0x50, 0x44, 0x46]],
  ["a zip archive", [0x50, 0x4b, 0x03, 0x04]],
  ["a script", [0x23, 0x21]],
];

/** The bytes that hold every magic: up to boot_flag and "HdrS" of a bzImage. */
const HEAD_SIZE = 0x206;

/**
 * Says what a kernel file is by its magic numbers, never by trying to parse it.
 *
 * @param source The file.
 * @returns Its format.
 * @throws {LoaderError} `UNKNOWN_FORMAT`, saying what the file looks like; `SOURCE_FAILED`.
 */
export function detectKernel(source: KernelSource): KernelFormat {
  const head = readHead(source, HEAD_SIZE, "kernel");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const u16 = (at: number) => at + 2 <= head.length ? view.getUint16(at, true) : undefined;
  const u32 = (at: number) => at + 4 <= head.length ? view.getUint32(at, true) : undefined;

  if (u32(0) === ELF_MAGIC) return "elf";
  // "MZ\0\0" and "zimg": drivers/firmware/efi/libstub/zboot-header.S
  if (u32(0) === 0x5a4d && u32(4) === 0x676d697a) return "efi-zboot";
  if (u32(0x202) === HDRS_MAGIC) return "bzimage";
  if (u32(0x38) === ARM64_IMAGE_MAGIC) return "arm64-image";
  if (u32(0x38) === RISCV_IMAGE_MAGIC2) return "riscv64-image";
  for (const [format, magic] of COMPRESSED) if (startsWith(head, magic)) return format;

  const start = head.length === 0
    ? "it is empty"
    : `it starts with ${hexBytes(head.subarray(0, 8))}`;
  const mistaken = MISTAKEN.find(([, magic]) => startsWith(head, magic))?.[0] ??
    (u16(0x1fe) === BOOT_FLAG_MAGIC ? "a boot sector or a kernel older than 1995" : undefined);
  throw new LoaderError(
    "UNKNOWN_FORMAT",
    `Cannot recognise kernel: ${start}${mistaken ? ` (${mistaken})` : ""}, expected an ELF ` +
      "vmlinux, a bzImage, or an Image of arm64 or riscv64",
    {
      field: "magic",
      offset: 0,
      expected: "an ELF, bzImage or Image magic",
      actual: hexBytes(head.subarray(0, 8)) || "an empty file",
    },
  );
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, at) => bytes[at] === byte);
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
