/** PVH: xen/include/public/arch-x86/hvm/start_info.h. */
import { Struct, u32, u64 } from "./struct.ts";

/** start_info.h, XEN_HVM_START_MAGIC_VALUE: "xEn3" with bit 7 of the "E" set. */
export const XEN_HVM_START_MAGIC_VALUE = 0x336ec578;
/** start_info.h, version 1: the first that has a memory map. */
export const HVM_START_INFO_VERSION = 1;

/** start_info.h, type of a memory map entry: usable RAM. */
export const XEN_HVM_MEMMAP_TYPE_RAM = 1;
/** start_info.h, type of a memory map entry: reserved. */
export const XEN_HVM_MEMMAP_TYPE_RESERVED = 2;
/** start_info.h, type of a memory map entry: ACPI tables, reclaimable. */
export const XEN_HVM_MEMMAP_TYPE_ACPI = 3;
/** start_info.h, type of a memory map entry: ACPI non-volatile storage. */
export const XEN_HVM_MEMMAP_TYPE_NVS = 4;
/** start_info.h, type of a memory map entry: broken. */
export const XEN_HVM_MEMMAP_TYPE_UNUSABLE = 5;
/** start_info.h, type of a memory map entry: not there. */
export const XEN_HVM_MEMMAP_TYPE_DISABLED = 6;
/** start_info.h, type of a memory map entry: persistent memory. */
export const XEN_HVM_MEMMAP_TYPE_PMEM = 7;

/** What a PVH guest is handed, at the address in ebx. */
export interface HvmStartInfo {
  /** XEN_HVM_START_MAGIC_VALUE. */
  magic: number;
  /** Version of this structure. */
  version: number;
  /** SIF_xxx flags. */
  flags: number;
  /** Modules passed to the kernel; the first is the initrd. */
  nr_modules: number;
  /** Guest-physical address of the array of hvm_modlist_entry. */
  modlist_paddr: bigint;
  /** Guest-physical address of the command line. */
  cmdline_paddr: bigint;
  /** Guest-physical address of the ACPI RSDP. */
  rsdp_paddr: bigint;
  /** Guest-physical address of the array of hvm_memmap_table_entry. */
  memmap_paddr: bigint;
  /** Entries of the memory map. */
  memmap_entries: number;
  /** Zero. */
  reserved: number;
}

/** start_info.h, struct hvm_start_info. */
export const HVM_START_INFO: Struct<HvmStartInfo> = new Struct<HvmStartInfo>("hvm_start_info", 56, {
  magic: u32(0x00),
  version: u32(0x04),
  flags: u32(0x08),
  nr_modules: u32(0x0c),
  modlist_paddr: u64(0x10),
  cmdline_paddr: u64(0x18),
  rsdp_paddr: u64(0x20),
  memmap_paddr: u64(0x28),
  memmap_entries: u32(0x30),
  reserved: u32(0x34),
});

/** A module passed to a PVH guest. */
export interface HvmModlistEntry {
  /** Guest-physical address. */
  paddr: bigint;
  /** Size in bytes. */
  size: bigint;
  /** Guest-physical address of its command line, 0 if it has none. */
  cmdline_paddr: bigint;
  /** Zero. */
  reserved: bigint;
}

/** start_info.h, struct hvm_modlist_entry. */
export const HVM_MODLIST_ENTRY: Struct<HvmModlistEntry> = new Struct<HvmModlistEntry>(
  "hvm_modlist_entry",
  32,
  {
    paddr: u64(0x00),
    size: u64(0x08),
    cmdline_paddr: u64(0x10),
    reserved: u64(0x18),
  },
);

/** An entry of the memory map of a PVH guest. */
export interface HvmMemmapTableEntry {
  /** Guest-physical address. */
  addr: bigint;
  /** Size in bytes. */
  size: bigint;
  /** XEN_HVM_MEMMAP_TYPE_*, the numbers of e820. */
  type: number;
  /** Zero. */
  reserved: number;
}

/** start_info.h, struct hvm_memmap_table_entry. */
export const HVM_MEMMAP_TABLE_ENTRY: Struct<HvmMemmapTableEntry> = new Struct<
  HvmMemmapTableEntry
>("hvm_memmap_table_entry", 24, {
  addr: u64(0x00),
  size: u64(0x08),
  type: u32(0x10),
  reserved: u32(0x14),
});
