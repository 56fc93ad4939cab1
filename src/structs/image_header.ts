/** The header of a flat Image: Documentation/arch/arm64/booting.rst and arch/riscv/boot-image-header.rst. */
import { Struct, u32, u64 } from "./struct.ts";

/** booting.rst, "magic": "ARM\x64", read as a little-endian number. */
export const ARM64_IMAGE_MAGIC = 0x644d5241;
/** boot-image-header.rst, "magic2": "RSC\x05", read as a little-endian number. */
export const RISCV_IMAGE_MAGIC2 = 0x05435352;
/** boot-image-header.rst, "magic": "RISCV" and zeros, read as a little-endian number; deprecated. */
export const RISCV_IMAGE_MAGIC = 0x5643534952n;
/** boot-image-header.rst, "flags" bit 0: the kernel is big-endian. */
export const RISCV_FLAG_BIG_ENDIAN = 1n << 0n;
/** booting.rst: text_offset where image_size is zero (before 3.17). */
export const ARM64_DEFAULT_TEXT_OFFSET = 0x80000n;
/** booting.rst, "flags" bit 0: the kernel is big-endian. */
export const ARM64_FLAG_BIG_ENDIAN = 1n << 0n;
/** booting.rst, "flags" bits 1-2: page size, 0 unspecified, 1 4 KiB, 2 16 KiB, 3 64 KiB. */
export const ARM64_FLAG_PAGE_SIZE_SHIFT = 1n;
/** booting.rst, "flags" bit 3: the base may be anywhere in the 48-bit range. */
export const ARM64_FLAG_ANYWHERE = 1n << 3n;

/** The header of an arm64 Image. */
export interface Arm64ImageHeader {
  /** Executable code. */
  code0: number;
  /** Executable code. */
  code1: number;
  /** Where the Image starts, in bytes from a 2 MiB aligned base. */
  text_offset: bigint;
  /** Bytes that must be free from the start of the Image; 0 before 3.17. */
  image_size: bigint;
  /** ARM64_FLAG_*. */
  flags: bigint;
  /** Zero. */
  res2: bigint;
  /** Zero. */
  res3: bigint;
  /** Zero. */
  res4: bigint;
  /** ARM64_IMAGE_MAGIC. */
  magic: number;
  /** File offset of the PE header, for EFI. */
  res5: number;
}

/** booting.rst, "4. Call the kernel image". */
export const ARM64_IMAGE_HEADER: Struct<Arm64ImageHeader> = new Struct<Arm64ImageHeader>(
  "arm64_image_header",
  64,
  {
    code0: u32(0x00),
    code1: u32(0x04),
    text_offset: u64(0x08),
    image_size: u64(0x10),
    flags: u64(0x18),
    res2: u64(0x20),
    res3: u64(0x28),
    res4: u64(0x30),
    magic: u32(0x38),
    res5: u32(0x3c),
  },
);

/** The header of a riscv64 Image. */
export interface Riscv64ImageHeader {
  /** Executable code. */
  code0: number;
  /** Executable code. */
  code1: number;
  /** Where the Image starts, in bytes from a 2 MiB aligned base. */
  text_offset: bigint;
  /** Bytes that must be free from the start of the Image. */
  image_size: bigint;
  /** RISCV_FLAG_*. */
  flags: bigint;
  /** Version of this header: major × 65536 + minor. */
  version: number;
  /** Zero. */
  res1: number;
  /** Zero. */
  res2: bigint;
  /** RISCV_IMAGE_MAGIC; deprecated for magic2. */
  magic: bigint;
  /** RISCV_IMAGE_MAGIC2. */
  magic2: number;
  /** File offset of the PE header, for EFI. */
  res3: number;
}

/** boot-image-header.rst. */
export const RISCV64_IMAGE_HEADER: Struct<Riscv64ImageHeader> = new Struct<Riscv64ImageHeader>(
  "riscv64_image_header",
  64,
  {
    code0: u32(0x00),
    code1: u32(0x04),
    text_offset: u64(0x08),
    image_size: u64(0x10),
    flags: u64(0x18),
    version: u32(0x20),
    res1: u32(0x24),
    res2: u64(0x28),
    magic: u64(0x30),
    magic2: u32(0x38),
    res3: u32(0x3c),
  },
);
