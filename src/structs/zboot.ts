/** The header of an EFI zboot image: drivers/firmware/efi/libstub/zboot-header.S. */
import { bytes, Struct, u32 } from "./struct.ts";

/** "MZ" and two zeros, read as a little-endian number. */
export const ZBOOT_MZ_MAGIC = 0x5a4d;
/** "zimg", read as a little-endian number. */
export const ZBOOT_MAGIC = 0x676d697a;
/** What the kernel's linux_arm64_header has at 0x38; zboot has it there to be told from an Image. */
export const ZBOOT_LINUX_PE_MAGIC = 0x818223cd;

/** The header of an EFI zboot image. */
export interface ZbootHeader {
  /** ZBOOT_MZ_MAGIC. */
  mz_magic: number;
  /** ZBOOT_MAGIC. */
  magic: number;
  /** Where the payload starts: bytes from the start of the file. */
  payload_offset: number;
  /** Size of the payload in bytes; without the size word after it, but for gzip. */
  payload_size: number;
  /** Zero. */
  reserved: Uint8Array;
  /** The compression's name, NUL-terminated. */
  compression_type: Uint8Array;
  /** ZBOOT_LINUX_PE_MAGIC. */
  linux_pe_magic: number;
  /** File offset of the PE header. */
  pe_header_offset: number;
}

/** zboot-header.S, "__efistub_efi_zboot_header". */
export const ZBOOT_HEADER: Struct<ZbootHeader> = new Struct<ZbootHeader>("zboot_header", 64, {
  mz_magic: u32(0x00),
  magic: u32(0x04),
  payload_offset: u32(0x08),
  payload_size: u32(0x0c),
  reserved: bytes(0x10, 8),
  compression_type: bytes(0x18, 32),
  linux_pe_magic: u32(0x38),
  pe_header_offset: u32(0x3c),
});
