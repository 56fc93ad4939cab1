/**
 * What firmware leaves in the zero page: include/uapi/linux/apm_bios.h, arch/x86/include/uapi/asm/ist.h
 * and bootparam.h.
 */
import { bytes, Struct, u16, u32, u8 } from "./struct.ts";

/** APM BIOS. */
export interface ApmBiosInfo {
  /** Version, as BCD. */
  version: number;
  /** 32-bit code segment. */
  cseg: number;
  /** Entry. */
  offset: number;
  /** 16-bit code segment. */
  cseg_16: number;
  /** Data segment. */
  dseg: number;
  /** Flags. */
  flags: number;
  /** Bytes of the 32-bit code segment. */
  cseg_len: number;
  /** Bytes of the 16-bit code segment. */
  cseg_16_len: number;
  /** Bytes of the data segment. */
  dseg_len: number;
}

/** apm_bios.h, struct apm_bios_info. */
export const APM_BIOS_INFO: Struct<ApmBiosInfo> = new Struct<ApmBiosInfo>("apm_bios_info", 20, {
  version: u16(0x00),
  cseg: u16(0x02),
  offset: u32(0x04),
  cseg_16: u16(0x08),
  dseg: u16(0x0a),
  flags: u16(0x0c),
  cseg_len: u16(0x0e),
  cseg_16_len: u16(0x10),
  dseg_len: u16(0x12),
});

/** Intel SpeedStep BIOS. */
export interface IstInfo {
  /** Signature. */
  signature: number;
  /** Command port and value. */
  command: number;
  /** Event port and value. */
  event: number;
  /** Performance levels. */
  perf_level: number;
}

/** ist.h, struct ist_info. */
export const IST_INFO: Struct<IstInfo> = new Struct<IstInfo>("ist_info", 16, {
  signature: u32(0x00),
  command: u32(0x04),
  event: u32(0x08),
  perf_level: u32(0x0c),
});

/** The BIOS' system description, obsolete. */
export interface SysDescTable {
  /** Bytes of the table. */
  length: number;
  /** Its first bytes. */
  table: Uint8Array;
}

/** bootparam.h, struct sys_desc_table. */
export const SYS_DESC_TABLE: Struct<SysDescTable> = new Struct<SysDescTable>("sys_desc_table", 16, {
  length: u16(0x00),
  table: bytes(0x02, 14),
});

/** OLPC's Open Firmware. */
export interface OlpcOfwHeader {
  /** "OFW ". */
  ofw_magic: number;
  /** Version. */
  ofw_version: number;
  /** Its callback. */
  cif_handler: number;
  /** Its interrupt descriptor table. */
  irq_desc_table: number;
}

/** bootparam.h, struct olpc_ofw_header (packed). */
export const OLPC_OFW_HEADER: Struct<OlpcOfwHeader> = new Struct<OlpcOfwHeader>(
  "olpc_ofw_header",
  16,
  {
    ofw_magic: u32(0x00),
    ofw_version: u32(0x04),
    cif_handler: u32(0x08),
    irq_desc_table: u32(0x0c),
  },
);

/** EFI's tables. */
export interface EfiInfo {
  /** "EL32" or "EL64". */
  efi_loader_signature: number;
  /** System table: guest-physical address, low 32 bits. */
  efi_systab: number;
  /** Bytes of a memory descriptor. */
  efi_memdesc_size: number;
  /** Version of a memory descriptor. */
  efi_memdesc_version: number;
  /** Memory map: guest-physical address, low 32 bits. */
  efi_memmap: number;
  /** Memory map: size in bytes. */
  efi_memmap_size: number;
  /** System table: high 32 bits. */
  efi_systab_hi: number;
  /** Memory map: high 32 bits. */
  efi_memmap_hi: number;
}

/** bootparam.h, struct efi_info. */
export const EFI_INFO: Struct<EfiInfo> = new Struct<EfiInfo>("efi_info", 32, {
  efi_loader_signature: u32(0x00),
  efi_systab: u32(0x04),
  efi_memdesc_size: u32(0x08),
  efi_memdesc_version: u32(0x0c),
  efi_memmap: u32(0x10),
  efi_memmap_size: u32(0x14),
  efi_systab_hi: u32(0x18),
  efi_memmap_hi: u32(0x1c),
});

/** screen_info.h, orig_video_isVGA: VGA text mode. */
export const VIDEO_TYPE_VGAC = 0x22;
/** screen_info.h, orig_video_isVGA: a VESA frame buffer. */
export const VIDEO_TYPE_VLFB = 0x23;
/** screen_info.h, orig_video_isVGA: an EFI frame buffer. */
export const VIDEO_TYPE_EFI = 0x70;
/** screen_info.h, flags: the screen has no cursor. */
export const VIDEO_FLAGS_NOCURSOR = 1 << 0;
/** screen_info.h, capabilities: no quirks. */
export const VIDEO_CAPABILITY_SKIP_QUIRKS = 1 << 0;
/** screen_info.h, capabilities: ext_lfb_base is valid. */
export const VIDEO_CAPABILITY_64BIT_BASE = 1 << 1;

/** The screen that a kernel finds: a text mode or a frame buffer. */
export interface ScreenInfo {
  /** The cursor's column. */
  orig_x: number;
  /** The cursor's row. */
  orig_y: number;
  /** Memory above 1 MiB in KiB. */
  ext_mem_k: number;
  /** The page that is shown. */
  orig_video_page: number;
  /** The BIOS' number of the mode. */
  orig_video_mode: number;
  /** Columns. */
  orig_video_cols: number;
  /** VIDEO_FLAGS_*. */
  flags: number;
  /** Zero. */
  unused2: number;
  /** EGA's bx. */
  orig_video_ega_bx: number;
  /** Zero. */
  unused3: number;
  /** Rows. */
  orig_video_lines: number;
  /** VIDEO_TYPE_*. */
  orig_video_isVGA: number;
  /** Height of a character. */
  orig_video_points: number;
  /** Frame buffer: width in pixels. */
  lfb_width: number;
  /** Frame buffer: height in pixels. */
  lfb_height: number;
  /** Frame buffer: bits of a pixel. */
  lfb_depth: number;
  /** Frame buffer: guest-physical address, low 32 bits. */
  lfb_base: number;
  /** Frame buffer: size. */
  lfb_size: number;
  /** Where an old command line is: magic. */
  cl_magic: number;
  /** Where an old command line is. */
  cl_offset: number;
  /** Frame buffer: bytes of a line. */
  lfb_linelength: number;
  /** Bits of red. */
  red_size: number;
  /** Lowest bit of red. */
  red_pos: number;
  /** Bits of green. */
  green_size: number;
  /** Lowest bit of green. */
  green_pos: number;
  /** Bits of blue. */
  blue_size: number;
  /** Lowest bit of blue. */
  blue_pos: number;
  /** Bits that mean nothing. */
  rsvd_size: number;
  /** Lowest of them. */
  rsvd_pos: number;
  /** VESA's protected-mode interface: segment. */
  vesapm_seg: number;
  /** VESA's protected-mode interface: offset. */
  vesapm_off: number;
  /** Pages of a text mode. */
  pages: number;
  /** VESA's attributes. */
  vesa_attributes: number;
  /** VIDEO_CAPABILITY_*. */
  capabilities: number;
  /** Frame buffer: guest-physical address, high 32 bits. */
  ext_lfb_base: number;
  /** Zero. */
  _reserved: Uint8Array;
}

/** screen_info.h, struct screen_info (packed). */
export const SCREEN_INFO: Struct<ScreenInfo> = new Struct<ScreenInfo>("screen_info", 64, {
  orig_x: u8(0x00),
  orig_y: u8(0x01),
  ext_mem_k: u16(0x02),
  orig_video_page: u16(0x04),
  orig_video_mode: u8(0x06),
  orig_video_cols: u8(0x07),
  flags: u8(0x08),
  unused2: u8(0x09),
  orig_video_ega_bx: u16(0x0a),
  unused3: u16(0x0c),
  orig_video_lines: u8(0x0e),
  orig_video_isVGA: u8(0x0f),
  orig_video_points: u16(0x10),
  lfb_width: u16(0x12),
  lfb_height: u16(0x14),
  lfb_depth: u16(0x16),
  lfb_base: u32(0x18),
  lfb_size: u32(0x1c),
  cl_magic: u16(0x20),
  cl_offset: u16(0x22),
  lfb_linelength: u16(0x24),
  red_size: u8(0x26),
  red_pos: u8(0x27),
  green_size: u8(0x28),
  green_pos: u8(0x29),
  blue_size: u8(0x2a),
  blue_pos: u8(0x2b),
  rsvd_size: u8(0x2c),
  rsvd_pos: u8(0x2d),
  vesapm_seg: u16(0x2e),
  vesapm_off: u16(0x30),
  pages: u16(0x32),
  vesa_attributes: u16(0x34),
  capabilities: u32(0x36),
  ext_lfb_base: u32(0x3a),
  _reserved: bytes(0x3e, 2),
});
