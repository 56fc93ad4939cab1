/** The x86 boot protocol: Documentation/arch/x86/boot.rst, arch/x86/include/uapi/asm/bootparam.h. */
import { Struct, u16, u32, u64, u8 } from "./struct.ts";

/** Where setup_header lies: in a bzImage, and in the zero page. Bytes. */
export const SETUP_HEADER_OFFSET = 0x1f1;
/** bootparam.h: struct boot_params, the zero page. Bytes. */
export const BOOT_PARAMS_SIZE = 4096;
/** boot.rst, "boot_flag". */
export const BOOT_FLAG_MAGIC = 0xaa55;
/** boot.rst, "header": "HdrS", read as a little-endian number. */
export const HDRS_MAGIC = 0x53726448;
/** boot.rst, "loadflags" bit 0: the protected-mode code is loaded at 0x100000 or above. */
export const LOADED_HIGH = 1 << 0;
/** boot.rst, "xloadflags" bit 0: there is a 64-bit entry at 0x200. */
export const XLF_KERNEL_64 = 1 << 0;
/** boot.rst, "xloadflags" bit 1: kernel, zero page, command line and initrd may lie above 4 GiB. */
export const XLF_CAN_BE_LOADED_ABOVE_4G = 1 << 1;
/** boot.rst, "type_of_loader": a boot loader without an assigned number. */
export const LOADER_TYPE_UNDEFINED = 0xff;
/** boot.rst, "vid_mode": normal. */
export const VID_MODE_NORMAL = 0xffff;
/** boot.rst, "64-bit BOOT PROTOCOL": the entry lies this far into the loaded kernel. Bytes. */
export const ENTRY_64_OFFSET = 0x200;
/** boot.rst, "initrd_addr_max": the value where the field is absent. */
export const DEFAULT_INITRD_ADDR_MAX = 0x37ffffff;
/** boot.rst, "cmdline_size": the value where the field is absent. */
export const DEFAULT_CMDLINE_SIZE = 255;
/** bootparam.h, SETUP_E820_EXT: e820 entries that the zero page has no room for. */
export const SETUP_E820_EXT = 1;

/** The header of a bzImage: how the kernel wants to be loaded, and what it is told. */
export interface SetupHeader {
  /** Size of the real-mode code in 512-byte sectors, without the first; 0 means 4. */
  setup_sects: number;
  /** Whether the root is mounted read-only. */
  root_flags: number;
  /** Size of the protected-mode code in 16-byte units. */
  syssize: number;
  /** Obsolete. */
  ram_size: number;
  /** Video mode. */
  vid_mode: number;
  /** Default root device. */
  root_dev: number;
  /** BOOT_FLAG_MAGIC. */
  boot_flag: number;
  /** A jump over this header; its second byte is the distance from 0x202 to the header's end. */
  jump: number;
  /** HDRS_MAGIC. */
  header: number;
  /** Protocol version: major × 256 + minor. */
  version: number;
  /** Real-mode hook. */
  realmode_swtch: number;
  /** Obsolete. */
  start_sys_seg: number;
  /** Offset of the version string, from 0x200. */
  kernel_version: number;
  /** Who loads. */
  type_of_loader: number;
  /** LOADED_HIGH and others. */
  loadflags: number;
  /** Real-mode. */
  setup_move_size: number;
  /** Where the kernel is loaded. */
  code32_start: number;
  /** Guest-physical address of the initrd, low 32 bits. */
  ramdisk_image: number;
  /** Size of the initrd in bytes, low 32 bits. */
  ramdisk_size: number;
  /** Obsolete. */
  bootsect_kludge: number;
  /** Real-mode. */
  heap_end_ptr: number;
  /** Extended loader version. */
  ext_loader_ver: number;
  /** Extended loader type. */
  ext_loader_type: number;
  /** Guest-physical address of the command line, low 32 bits. */
  cmd_line_ptr: number;
  /** The highest address that an initrd may occupy. */
  initrd_addr_max: number;
  /** Alignment that the kernel prefers, in bytes. */
  kernel_alignment: number;
  /** Non-zero if the kernel runs where it is loaded. */
  relocatable_kernel: number;
  /** The smallest alignment that works, as a power of two. */
  min_alignment: number;
  /** XLF_*. */
  xloadflags: number;
  /** The longest command line in bytes, without the NUL. */
  cmdline_size: number;
  /** Kind of paravirtualised machine. */
  hardware_subarch: number;
  /** Its data. */
  hardware_subarch_data: bigint;
  /** Where the compressed kernel lies, in bytes from the protected-mode code. */
  payload_offset: number;
  /** Its size in bytes. */
  payload_length: number;
  /** Guest-physical address of the first setup_data. */
  setup_data: bigint;
  /** Where the kernel would like to be loaded: guest-physical. */
  pref_address: bigint;
  /** Bytes that must be free from where the kernel runs. */
  init_size: number;
  /** EFI handover entry. */
  handover_offset: number;
  /** Offset of kernel_info, in bytes from the protected-mode code. */
  kernel_info_offset: number;
}

/** boot.rst, "Details of header fields"; offsets from 0x1f1. */
export const SETUP_HEADER: Struct<SetupHeader> = new Struct<SetupHeader>("setup_header", 0x7b, {
  setup_sects: u8(0x1f1 - 0x1f1),
  root_flags: u16(0x1f2 - 0x1f1),
  syssize: u32(0x1f4 - 0x1f1),
  ram_size: u16(0x1f8 - 0x1f1),
  vid_mode: u16(0x1fa - 0x1f1),
  root_dev: u16(0x1fc - 0x1f1),
  boot_flag: u16(0x1fe - 0x1f1),
  jump: u16(0x200 - 0x1f1),
  header: u32(0x202 - 0x1f1),
  version: u16(0x206 - 0x1f1),
  realmode_swtch: u32(0x208 - 0x1f1),
  start_sys_seg: u16(0x20c - 0x1f1),
  kernel_version: u16(0x20e - 0x1f1),
  type_of_loader: u8(0x210 - 0x1f1),
  loadflags: u8(0x211 - 0x1f1),
  setup_move_size: u16(0x212 - 0x1f1),
  code32_start: u32(0x214 - 0x1f1),
  ramdisk_image: u32(0x218 - 0x1f1),
  ramdisk_size: u32(0x21c - 0x1f1),
  bootsect_kludge: u32(0x220 - 0x1f1),
  heap_end_ptr: u16(0x224 - 0x1f1),
  ext_loader_ver: u8(0x226 - 0x1f1),
  ext_loader_type: u8(0x227 - 0x1f1),
  cmd_line_ptr: u32(0x228 - 0x1f1),
  initrd_addr_max: u32(0x22c - 0x1f1),
  kernel_alignment: u32(0x230 - 0x1f1),
  relocatable_kernel: u8(0x234 - 0x1f1),
  min_alignment: u8(0x235 - 0x1f1),
  xloadflags: u16(0x236 - 0x1f1),
  cmdline_size: u32(0x238 - 0x1f1),
  hardware_subarch: u32(0x23c - 0x1f1),
  hardware_subarch_data: u64(0x240 - 0x1f1),
  payload_offset: u32(0x248 - 0x1f1),
  payload_length: u32(0x24c - 0x1f1),
  setup_data: u64(0x250 - 0x1f1),
  pref_address: u64(0x258 - 0x1f1),
  init_size: u32(0x260 - 0x1f1),
  handover_offset: u32(0x264 - 0x1f1),
  kernel_info_offset: u32(0x268 - 0x1f1),
});

/** boot.rst: the protocol version that introduced each field. A field not named came with 2.00. */
export const SETUP_HEADER_SINCE: { readonly [K in keyof SetupHeader]?: number } = {
  heap_end_ptr: 0x0201,
  ext_loader_ver: 0x0202,
  ext_loader_type: 0x0202,
  cmd_line_ptr: 0x0202,
  initrd_addr_max: 0x0203,
  kernel_alignment: 0x0205,
  relocatable_kernel: 0x0205,
  min_alignment: 0x020a,
  xloadflags: 0x020c,
  cmdline_size: 0x0206,
  hardware_subarch: 0x0207,
  hardware_subarch_data: 0x0207,
  payload_offset: 0x0208,
  payload_length: 0x0208,
  setup_data: 0x0209,
  pref_address: 0x020a,
  init_size: 0x020a,
  handover_offset: 0x020b,
  kernel_info_offset: 0x020f,
};

/** The fields of the zero page that a loader fills, beside setup_header. */
export interface ZeroPage {
  /** Guest-physical address of the ACPI RSDP. */
  acpi_rsdp_addr: bigint;
  /** High 32 bits of ramdisk_image. */
  ext_ramdisk_image: number;
  /** High 32 bits of ramdisk_size. */
  ext_ramdisk_size: number;
  /** High 32 bits of cmd_line_ptr. */
  ext_cmd_line_ptr: number;
  /** Entries of e820_table. */
  e820_entries: number;
  /** Stays 0: a loader that copied the sector whole would leave 0xff. */
  sentinel: number;
}

/** zero-page.rst, bootparam.h struct boot_params. setup_header lies at 0x1f1, e820_table at 0x2d0. */
export const BOOT_PARAMS: Struct<ZeroPage> = new Struct<ZeroPage>(
  "boot_params",
  BOOT_PARAMS_SIZE,
  {
    acpi_rsdp_addr: u64(0x070),
    ext_ramdisk_image: u32(0x0c0),
    ext_ramdisk_size: u32(0x0c4),
    ext_cmd_line_ptr: u32(0x0c8),
    e820_entries: u8(0x1e8),
    sentinel: u8(0x1ef),
  },
);

/** bootparam.h: where e820_table lies in the zero page. Bytes. */
export const E820_TABLE_OFFSET = 0x2d0;

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
