import { formatAddress } from "../address.ts";
import { fieldError, LoaderError } from "../errors.ts";
import { type KernelSource, readBytes } from "../source.ts";
import {
  ARM64_DEFAULT_TEXT_OFFSET,
  ARM64_FLAG_ANYWHERE,
  ARM64_FLAG_BIG_ENDIAN,
  ARM64_FLAG_PAGE_SIZE_SHIFT,
  ARM64_IMAGE_HEADER,
  ARM64_IMAGE_MAGIC,
  type Arm64ImageHeader,
  RISCV64_IMAGE_HEADER,
  type Riscv64ImageHeader,
  RISCV_FLAG_BIG_ENDIAN,
  RISCV_IMAGE_MAGIC2,
} from "../structs/image_header.ts";

/** What the Images of both architectures say. */
export interface FlatImage {
  /** Where the Image starts, in bytes from a 2 MiB aligned base. */
  readonly textOffset: bigint;
  /** Bytes that the kernel needs from its start; undefined if it does not say (arm64 before Linux 3.17). */
  readonly imageSize: bigint | undefined;
  /** Whether the kernel is big-endian. */
  readonly bigEndian: boolean;
  /** The kernel's page size in bytes; undefined if it does not say. */
  readonly pageSize: 4096 | 16384 | 65536 | undefined;
  /** Whether the base may be anywhere, or should be as low in RAM as can be. */
  readonly anywhere: boolean;
}

/** What an arm64 Image says. */
export interface Arm64Kernel extends FlatImage {
  /** The tag of this description. */
  readonly format: "arm64-image";
  /** The header as it is in the file. */
  readonly header: Arm64ImageHeader;
}

/** What a riscv64 Image says. */
export interface Riscv64Kernel extends FlatImage {
  /** The tag of this description. */
  readonly format: "riscv64-image";
  /** The header as it is in the file. */
  readonly header: Riscv64ImageHeader;
}

/** What a flat Image says. */
export type FlatKernel = Arm64Kernel | Riscv64Kernel;

/** booting.rst, "flags" bits 1-2. */
const PAGE_SIZES = [undefined, 4096, 16384, 65536] as const;

/**
 * Reads the header of an arm64 Image.
 *
 * @param source The file.
 * @returns What it says, with booting.rst's defaults filled in.
 * @throws {LoaderError} `TRUNCATED`, `IMAGE_MAGIC`, `SOURCE_FAILED`.
 */
export function parseArm64Image(source: KernelSource): Arm64Kernel {
  const { name, size, fields } = ARM64_IMAGE_HEADER;
  const header = ARM64_IMAGE_HEADER.read(readBytes(source, 0, size, name));
  checkMagic("magic", fields.magic.offset, header.magic, ARM64_IMAGE_MAGIC, "ARM\\x64");
  const { image_size, text_offset, flags } = header;
  return {
    format: "arm64-image",
    header,
    textOffset: image_size === 0n ? ARM64_DEFAULT_TEXT_OFFSET : text_offset,
    imageSize: image_size === 0n ? undefined : image_size,
    bigEndian: (flags & ARM64_FLAG_BIG_ENDIAN) !== 0n,
    pageSize: PAGE_SIZES[Number((flags >> ARM64_FLAG_PAGE_SIZE_SHIFT) & 3n)],
    anywhere: (flags & ARM64_FLAG_ANYWHERE) !== 0n,
  };
}

/**
 * Reads the header of a riscv64 Image.
 *
 * @param source The file.
 * @returns What it says. A riscv64 kernel runs from any base, and does not tell its page size.
 * @throws {LoaderError} `TRUNCATED`, `IMAGE_MAGIC`, `SOURCE_FAILED`.
 */
export function parseRiscv64Image(source: KernelSource): Riscv64Kernel {
  const { name, size, fields } = RISCV64_IMAGE_HEADER;
  const header = RISCV64_IMAGE_HEADER.read(readBytes(source, 0, size, name));
  checkMagic("magic2", fields.magic2.offset, header.magic2, RISCV_IMAGE_MAGIC2, "RSC\\x05");
  const { image_size, text_offset, flags } = header;
  return {
    format: "riscv64-image",
    header,
    textOffset: text_offset,
    imageSize: image_size === 0n ? undefined : image_size,
    bigEndian: (flags & RISCV_FLAG_BIG_ENDIAN) !== 0n,
    pageSize: undefined,
    anywhere: true,
  };
}

function checkMagic(
  field: string,
  offset: number,
  actual: number,
  expected: number,
  text: string,
): void {
  if (actual === expected) return;
  throw fieldError(
    "IMAGE_MAGIC",
    { field, offset },
    `${formatAddress(expected)} ("${text}")`,
    formatAddress(actual),
  );
}

/** PE format, "MS-DOS Stub": "MZ", read as a little-endian number. */
const MZ = 0x5a4d;
/** PE format, "Signature": "PE\0\0", read as a little-endian number. */
const PE = 0x00004550;
/** PE format, "COFF File Header": the signature and the header. Bytes. */
const COFF_SIZE = 24;
/** PE format, "Section Table": one row. Bytes. */
const SECTION_SIZE = 40;
/** PE format: the Windows loader's own limit; Linux' Images have two. */
const MAX_SECTIONS = 96;

/** PE format, "MS-DOS Stub": where the PE header's offset lies. bzImage and both Images have it there. */
const E_LFANEW = 0x3c;

/**
 * Checks that a kernel that is an EFI application, too, is there as far as its sections reach: the
 * header of an Image does not say how long its file is, that of a bzImage only in units of 16 bytes.
 *
 * @param source The file.
 * @throws {LoaderError} `TRUNCATED` if the file ends before its last section; `SOURCE_FAILED`.
 */
export function requireSections(source: KernelSource): void {
  const u16 = (bytes: Uint8Array, at: number) => bytes[at] | bytes[at + 1] << 8;
  const u32 = (bytes: Uint8Array, at: number) => (u16(bytes, at) | u16(bytes, at + 2) << 16) >>> 0;
  const stub = readBytes(source, 0, E_LFANEW + 4, "MS-DOS stub");
  if (u16(stub, 0) !== MZ) return;
  const peOffset = u32(stub, E_LFANEW);
  const coff = readBytes(source, peOffset, COFF_SIZE, "PE header");
  if (u32(coff, 0) !== PE) return;
  const count = u16(coff, 6);
  if (count > MAX_SECTIONS) return;
  const table = peOffset + COFF_SIZE + u16(coff, 20);
  const sections = readBytes(source, table, count * SECTION_SIZE, "PE section table");
  for (let row = 0; row < sections.length; row += SECTION_SIZE) {
    const [size, start] = [u32(sections, row + 16), u32(sections, row + 20)];
    if (start + size <= source.size) continue;
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read PE section ${row / SECTION_SIZE} of the kernel: it ends at 0x${
        (start + size).toString(16)
      }, the file at 0x${source.size.toString(16)}: it is cut off, copy it again`,
      {
        field: "SizeOfRawData",
        offset: table + row + 16,
        expected: `a file of at least ${start + size} bytes`,
        actual: `${source.size} bytes`,
      },
    );
  }
}
