/** The zero page: Documentation/arch/x86/zero-page.rst, arch/x86/include/uapi/asm/bootparam.h. */
import { EDD_INFO, EDD_MBR_SIG_MAX, type EddInfo, EDDMAXNR } from "./edd.ts";
import { SCREEN_INFO, type ScreenInfo } from "./x86_firmware.ts";
import { SETUP_HEADER, SETUP_HEADER_OFFSET, type SetupHeader } from "./setup_header.ts";
import { bytes, list, nested, Struct, u32, u32s, u64, u8 } from "./struct.ts";
import {
  APM_BIOS_INFO,
  type ApmBiosInfo,
  EFI_INFO,
  type EfiInfo,
  IST_INFO,
  type IstInfo,
  OLPC_OFW_HEADER,
  type OlpcOfwHeader,
  SYS_DESC_TABLE,
  type SysDescTable,
} from "./x86_firmware.ts";

export * from "./setup_header.ts";

/** bootparam.h: struct boot_params, the zero page. Bytes. */
export const BOOT_PARAMS_SIZE = 4096;
/** bootparam.h: entries of e820_table; more go to setup_data of type SETUP_E820_EXT. */
export const E820_MAX_ENTRIES_ZEROPAGE = 128;
/** bootparam.h: where e820_table lies in the zero page. Bytes. */
export const E820_TABLE_OFFSET = 0x2d0;

/** setup_data.h, setup_data type: nothing. */
export const SETUP_NONE = 0;
/** setup_data.h, setup_data type: e820 entries that the zero page has no room for. */
export const SETUP_E820_EXT = 1;
/** setup_data.h, setup_data type: a device tree. */
export const SETUP_DTB = 2;
/** setup_data.h, setup_data type: a PCI option ROM. */
export const SETUP_PCI = 3;
/** setup_data.h, setup_data type: EFI tables, after kexec. */
export const SETUP_EFI = 4;
/** setup_data.h, setup_data type: Apple's device properties. */
export const SETUP_APPLE_PROPERTIES = 5;
/** setup_data.h, setup_data type: Jailhouse's. */
export const SETUP_JAILHOUSE = 6;
/** setup_data.h, setup_data type: where confidential computing's secrets are. */
export const SETUP_CC_BLOB = 7;
/** setup_data.h, setup_data type: IMA's measurements, after kexec. */
export const SETUP_IMA = 8;
/** setup_data.h, setup_data type: a seed for the random number generator. */
export const SETUP_RNG_SEED = 9;
/** setup_data.h, setup_data type: the data is a setup_indirect. Added to its own type. */
export const SETUP_INDIRECT = 0x8000_0000;

/** An entry of the e820 memory map. */
export interface BootE820Entry {
  /** Guest-physical address. */
  addr: bigint;
  /** Size in bytes. */
  size: bigint;
  /** E820_TYPE_*: 1 usable, 2 reserved, 3 ACPI, 4 NVS, 5 unusable, 7 persistent. */
  type: number;
}

/** bootparam.h, struct boot_e820_entry (packed). */
export const BOOT_E820_ENTRY: Struct<BootE820Entry> = new Struct<BootE820Entry>(
  "boot_e820_entry",
  20,
  { addr: u64(0x00), size: u64(0x08), type: u32(0x10) },
);

/** struct boot_params: all that an x86 kernel is told. What is not of use to a guest is zero. */
export interface ZeroPage {
  /** The screen that the kernel finds. */
  screen_info: ScreenInfo;
  /** APM BIOS. */
  apm_bios_info: ApmBiosInfo;
  /** Guest-physical address of tboot's shared page. */
  tboot_addr: bigint;
  /** Intel SpeedStep. */
  ist_info: IstInfo;
  /** Guest-physical address of the ACPI RSDP. */
  acpi_rsdp_addr: bigint;
  /** Obsolete: the first disk's parameters. */
  hd0_info: Uint8Array;
  /** Obsolete: the second disk's parameters. */
  hd1_info: Uint8Array;
  /** Obsolete: the BIOS' system description. */
  sys_desc_table: SysDescTable;
  /** OLPC's Open Firmware. */
  olpc_ofw_header: OlpcOfwHeader;
  /** High 32 bits of ramdisk_image. */
  ext_ramdisk_image: number;
  /** High 32 bits of ramdisk_size. */
  ext_ramdisk_size: number;
  /** High 32 bits of cmd_line_ptr. */
  ext_cmd_line_ptr: number;
  /** Guest-physical address of confidential computing's secrets. */
  cc_blob_address: number;
  /** The display's EDID. */
  edid_info: Uint8Array;
  /** EFI's tables. */
  efi_info: EfiInfo;
  /** Memory above 1 MiB in KiB, as the BIOS says. */
  alt_mem_k: number;
  /** Used by the real-mode code. */
  scratch: number;
  /** Entries of e820_table that are valid. */
  e820_entries: number;
  /** Entries of eddbuf that are valid. */
  eddbuf_entries: number;
  /** Entries of edd_mbr_sig_buffer that are valid. */
  edd_mbr_sig_buf_entries: number;
  /** The keyboard's LEDs. */
  kbd_status: number;
  /** EFI Secure Boot: 0 unset, 1 unknown, 2 off, 3 on. */
  secure_boot: number;
  /** Stays 0: a loader that copied the sector whole would leave 0xff. */
  sentinel: number;
  /** What the kernel file says and the loader fills in. */
  hdr: SetupHeader;
  /** Signatures of the disks' boot sectors. */
  edd_mbr_sig_buffer: readonly number[];
  /** The memory map; at most 128 entries. */
  e820_table: readonly BootE820Entry[];
  /** The BIOS' disks; at most 6. */
  eddbuf: readonly EddInfo[];
}

/** zero-page.rst, bootparam.h struct boot_params. */
export const BOOT_PARAMS: Struct<ZeroPage> = new Struct<ZeroPage>("boot_params", BOOT_PARAMS_SIZE, {
  screen_info: nested(0x000, SCREEN_INFO),
  apm_bios_info: nested(0x040, APM_BIOS_INFO),
  tboot_addr: u64(0x058),
  ist_info: nested(0x060, IST_INFO),
  acpi_rsdp_addr: u64(0x070),
  hd0_info: bytes(0x080, 16),
  hd1_info: bytes(0x090, 16),
  sys_desc_table: nested(0x0a0, SYS_DESC_TABLE),
  olpc_ofw_header: nested(0x0b0, OLPC_OFW_HEADER),
  ext_ramdisk_image: u32(0x0c0),
  ext_ramdisk_size: u32(0x0c4),
  ext_cmd_line_ptr: u32(0x0c8),
  cc_blob_address: u32(0x13c),
  edid_info: bytes(0x140, 128),
  efi_info: nested(0x1c0, EFI_INFO),
  alt_mem_k: u32(0x1e0),
  scratch: u32(0x1e4),
  e820_entries: u8(0x1e8),
  eddbuf_entries: u8(0x1e9),
  edd_mbr_sig_buf_entries: u8(0x1ea),
  kbd_status: u8(0x1eb),
  secure_boot: u8(0x1ec),
  sentinel: u8(0x1ef),
  hdr: nested(SETUP_HEADER_OFFSET, SETUP_HEADER),
  edd_mbr_sig_buffer: u32s(0x290, EDD_MBR_SIG_MAX),
  e820_table: list(E820_TABLE_OFFSET, BOOT_E820_ENTRY, E820_MAX_ENTRIES_ZEROPAGE),
  eddbuf: list(0xd00, EDD_INFO, EDDMAXNR),
});

/** The header of a setup_data; `len` bytes of data follow. */
export interface SetupDataHeader {
  /** Guest-physical address of the next one, 0 at the end. */
  next: bigint;
  /** SETUP_*. */
  type: number;
  /** Bytes of data. */
  len: number;
}

/** bootparam.h, struct setup_data. */
export const SETUP_DATA: Struct<SetupDataHeader> = new Struct<SetupDataHeader>("setup_data", 16, {
  next: u64(0x00),
  type: u32(0x08),
  len: u32(0x0c),
});

/** Where the data of a setup_data of type SETUP_INDIRECT is. */
export interface SetupIndirect {
  /** SETUP_INDIRECT + SETUP_*. */
  type: number;
  /** Zero. */
  reserved: number;
  /** Bytes of data. */
  len: bigint;
  /** Guest-physical address of the data. */
  addr: bigint;
}

/** setup_data.h, struct setup_indirect. */
export const SETUP_INDIRECT_DATA: Struct<SetupIndirect> = new Struct<SetupIndirect>(
  "setup_indirect",
  24,
  { type: u32(0x00), reserved: u32(0x04), len: u64(0x08), addr: u64(0x10) },
);
