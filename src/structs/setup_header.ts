/** The header of a bzImage: Documentation/arch/x86/boot.rst, arch/x86/include/uapi/asm/bootparam.h. */
import { Struct, u16, u32, u64, u8 } from "./struct.ts";

/** Where setup_header lies: in a bzImage, and in the zero page. Bytes. */
export const SETUP_HEADER_OFFSET = 0x1f1;
/** boot.rst, "boot_flag". */
export const BOOT_FLAG_MAGIC = 0xaa55;
/** boot.rst, "header": "HdrS", read as a little-endian number. */
export const HDRS_MAGIC = 0x53726448;
/** boot.rst, "ram_size", obsolete: where the ramdisk starts on its floppy. */
export const RAMDISK_IMAGE_START_MASK = 0x07ff;
/** boot.rst, "ram_size", obsolete: the kernel asks for the ramdisk's floppy. */
export const RAMDISK_PROMPT_FLAG = 0x8000;
/** boot.rst, "ram_size", obsolete: there is a ramdisk to load. */
export const RAMDISK_LOAD_FLAG = 0x4000;
/** boot.rst, "loadflags" bit 0: the protected-mode code is loaded at 0x100000 or above. */
export const LOADED_HIGH = 1 << 0;
/** boot.rst, "loadflags" bit 1: kernel internal, KASLR is on. */
export const KASLR_FLAG = 1 << 1;
/** boot.rst, "loadflags" bit 5: no early messages. */
export const QUIET_FLAG = 1 << 5;
/** boot.rst, "loadflags" bit 6, obsolete: the segment registers are kept at the 32-bit entry. */
export const KEEP_SEGMENTS = 1 << 6;
/** boot.rst, "loadflags" bit 7: heap_end_ptr is valid. */
export const CAN_USE_HEAP = 1 << 7;
/** boot.rst, "xloadflags" bit 0: there is a 64-bit entry at 0x200. */
export const XLF_KERNEL_64 = 1 << 0;
/** boot.rst, "xloadflags" bit 1: kernel, zero page, command line and initrd may lie above 4 GiB. */
export const XLF_CAN_BE_LOADED_ABOVE_4G = 1 << 1;
/** boot.rst, "xloadflags" bit 2: there is a 32-bit EFI handover entry. */
export const XLF_EFI_HANDOVER_32 = 1 << 2;
/** boot.rst, "xloadflags" bit 3: there is a 64-bit EFI handover entry. */
export const XLF_EFI_HANDOVER_64 = 1 << 3;
/** boot.rst, "xloadflags" bit 4: kexec with EFI runtime support. */
export const XLF_EFI_KEXEC = 1 << 4;
/** bootparam.h, "xloadflags" bit 5: the kernel knows 5-level page tables. */
export const XLF_5LEVEL = 1 << 5;
/** bootparam.h, "xloadflags" bit 6: the kernel uses 5-level page tables. */
export const XLF_5LEVEL_ENABLED = 1 << 6;
/** bootparam.h, "xloadflags" bit 7: the kernel knows memory encryption. */
export const XLF_MEM_ENCRYPTION = 1 << 7;
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
/** bootparam.h, "hardware_subarch": a PC, whatever firmware it has. */
export const X86_SUBARCH_PC = 0;
/** bootparam.h, "hardware_subarch": a Xen PV guest. */
export const X86_SUBARCH_XEN = 2;

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
