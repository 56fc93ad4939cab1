/** The flattened device tree: Devicetree Specification v0.4, chapter 5 ("DTB Format"). */
import { Struct, u32be } from "./struct.ts";

/** Section 5.2, "Header": struct fdt_header, 40 bytes, big-endian. */
export interface FdtHeader {
  /** {@linkcode FDT_MAGIC}. */
  readonly magic: number;
  /** Size of the whole structure in bytes, gaps included. */
  readonly totalsize: number;
  /** Where the structure block starts: bytes from the start of the header. */
  readonly off_dt_struct: number;
  /** Where the strings block starts: bytes from the start of the header. */
  readonly off_dt_strings: number;
  /** Where the memory reservation block starts: bytes from the start of the header. */
  readonly off_mem_rsvmap: number;
  /** The version of the format. */
  readonly version: number;
  /** The lowest version that this one is backwards compatible with. */
  readonly last_comp_version: number;
  /** Physical id of the boot CPU: the `reg` of its node. */
  readonly boot_cpuid_phys: number;
  /** Size of the strings block in bytes. */
  readonly size_dt_strings: number;
  /** Size of the structure block in bytes (since version 17). */
  readonly size_dt_struct: number;
}

/** Section 5.2, "Header". */
export const FDT_HEADER: Struct<FdtHeader> = new Struct<FdtHeader>("fdt_header", 40, {
  magic: u32be(0x00),
  totalsize: u32be(0x04),
  off_dt_struct: u32be(0x08),
  off_dt_strings: u32be(0x0c),
  off_mem_rsvmap: u32be(0x10),
  version: u32be(0x14),
  last_comp_version: u32be(0x18),
  boot_cpuid_phys: u32be(0x1c),
  size_dt_strings: u32be(0x20),
  size_dt_struct: u32be(0x24),
});

/** Section 5.2: the first four bytes. */
export const FDT_MAGIC = 0xd00dfeed;
/** Section 5.1: the version that is described there, and written here. */
export const FDT_VERSION = 17;
/** Section 5.1: the oldest version that the current one is backwards compatible with. */
export const FDT_LAST_COMP_VERSION = 16;
/** Size of the header of version 1 in bytes: it ends with last_comp_version. */
export const FDT_HEADER_SIZE_V1 = 28;
/** Size of the header of version 2 in bytes: it ends with boot_cpuid_phys. */
export const FDT_HEADER_SIZE_V2 = 32;
/** Size of the header of versions 3 to 16 in bytes: it ends with size_dt_strings. */
export const FDT_HEADER_SIZE_V16 = 36;

/** Section 5.4.1: a node starts; its name follows, NUL-terminated, padded to four bytes. */
export const FDT_BEGIN_NODE = 1;
/** Section 5.4.1: a node ends. */
export const FDT_END_NODE = 2;
/** Section 5.4.1: a property: len, nameoff, then `len` bytes, padded to four bytes. */
export const FDT_PROP = 3;
/** Section 5.4.1: to be ignored. */
export const FDT_NOP = 4;
/** Section 5.4.1: the structure block ends. */
export const FDT_END = 9;

/** Size of a token in bytes; every token is aligned to as much (section 5.4.1). */
export const FDT_TOKEN_SIZE = 4;
/** Size of a property before its value in bytes: the token, len and nameoff. */
export const FDT_PROP_HEADER_SIZE = 12;
/** Size of an entry of the memory reservation block in bytes: a 64-bit address and size (5.3.2). */
export const FDT_RESERVE_ENTRY_SIZE = 16;
