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
} from "../structs/image_header.ts";

/** What an arm64 Image says. */
export interface FlatKernel {
  /** The tag of this description. */
  readonly format: "arm64-image";
  /** The header as it is in the file. */
  readonly header: Arm64ImageHeader;
  /** Where the Image starts, in bytes from a 2 MiB aligned base. */
  readonly textOffset: bigint;
  /** Bytes that the kernel needs from its start; undefined before Linux 3.17, which did not say. */
  readonly imageSize: bigint | undefined;
  /** Whether the kernel is big-endian. */
  readonly bigEndian: boolean;
  /** The kernel's page size in bytes; undefined if it does not say. */
  readonly pageSize: 4096 | 16384 | 65536 | undefined;
  /** Whether the base may be anywhere, or should be as low in RAM as can be. */
  readonly anywhere: boolean;
}

/** booting.rst, "flags" bits 1-2. */
const PAGE_SIZES = [undefined, 4096, 16384, 65536] as const;

/**
 * Reads the header of an arm64 Image.
 *
 * @param source The file.
 * @returns What it says, with booting.rst's defaults filled in.
 * @throws {LoaderError} `TRUNCATED`, `IMAGE_MAGIC`, `SOURCE_FAILED`.
 */
export function parseArm64Image(source: KernelSource): FlatKernel {
  const { name, size, fields } = ARM64_IMAGE_HEADER;
  const header = ARM64_IMAGE_HEADER.read(readBytes(source, 0, size, name));
  if (header.magic !== ARM64_IMAGE_MAGIC) {
    throw fieldError(
      "IMAGE_MAGIC",
      { field: "magic", offset: fields.magic.offset },
      `${formatAddress(ARM64_IMAGE_MAGIC)} ("ARM\\x64")`,
      formatAddress(header.magic),
    );
  }
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
