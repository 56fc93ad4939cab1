import { formatAddress } from "../address.ts";
import { fieldError } from "../errors.ts";
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
