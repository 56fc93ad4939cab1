/**
 * What firmware leaves in the zero page: include/uapi/linux/apm_bios.h, arch/x86/include/uapi/asm/ist.h
 * and bootparam.h.
 */
import { bytes, Struct, u16, u32 } from "./struct.ts";

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
