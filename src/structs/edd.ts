/** The BIOS' disks in the zero page: include/uapi/linux/edd.h. */
import { bytes, nested, Struct, u16, u32, u64, u8 } from "./struct.ts";

/** edd.h: entries of eddbuf. */
export const EDDMAXNR = 6;
/** edd.h: entries of edd_mbr_sig_buffer. */
export const EDD_MBR_SIG_MAX = 16;

/** What the BIOS says of a disk. */
export interface EddDeviceParams {
  /** Bytes of this struct. */
  length: number;
  /** EDD_INFO_*. */
  info_flags: number;
  /** Cylinders. */
  num_default_cylinders: number;
  /** Heads. */
  num_default_heads: number;
  /** Sectors of a track. */
  sectors_per_track: number;
  /** Sectors. */
  number_of_sectors: bigint;
  /** Bytes of a sector. */
  bytes_per_sector: number;
  /** Where its device parameter table extension is: segment and offset. */
  dpte_ptr: number;
  /** 0xbedd. */
  key: number;
  /** 44. */
  device_path_info_length: number;
  /** Zero. */
  reserved2: number;
  /** Zero. */
  reserved3: number;
  /** "ISA" or "PCI", padded with spaces. */
  host_bus_type: Uint8Array;
  /** "ATA", "SCSI", …, padded with spaces. */
  interface_type: Uint8Array;
  /** The union of a place for each host_bus_type. */
  interface_path: Uint8Array;
  /** The union of a place for each interface_type. */
  device_path: Uint8Array;
  /** Zero. */
  reserved4: number;
  /** The bytes from key on add up to 0. */
  checksum: number;
}

/** edd.h, struct edd_device_params (packed). */
export const EDD_DEVICE_PARAMS: Struct<EddDeviceParams> = new Struct<EddDeviceParams>(
  "edd_device_params",
  74,
  {
    length: u16(0x00),
    info_flags: u16(0x02),
    num_default_cylinders: u32(0x04),
    num_default_heads: u32(0x08),
    sectors_per_track: u32(0x0c),
    number_of_sectors: u64(0x10),
    bytes_per_sector: u16(0x18),
    dpte_ptr: u32(0x1a),
    key: u16(0x1e),
    device_path_info_length: u8(0x20),
    reserved2: u8(0x21),
    reserved3: u16(0x22),
    host_bus_type: bytes(0x24, 4),
    interface_type: bytes(0x28, 8),
    interface_path: bytes(0x30, 8),
    device_path: bytes(0x38, 16),
    reserved4: u8(0x48),
    checksum: u8(0x49),
  },
);

/** A disk of the BIOS. */
export interface EddInfo {
  /** Its number, 0x80 for the first. */
  device: number;
  /** Version of EDD. */
  version: number;
  /** EDD_EXT_*. */
  interface_support: number;
  /** The old interface's highest cylinder. */
  legacy_max_cylinder: number;
  /** The old interface's highest head. */
  legacy_max_head: number;
  /** The old interface's sectors of a track. */
  legacy_sectors_per_track: number;
  /** What the BIOS says of it. */
  params: EddDeviceParams;
}

/** edd.h, struct edd_info (packed). */
export const EDD_INFO: Struct<EddInfo> = new Struct<EddInfo>("edd_info", 82, {
  device: u8(0x00),
  version: u8(0x01),
  interface_support: u16(0x02),
  legacy_max_cylinder: u16(0x04),
  legacy_max_head: u8(0x06),
  legacy_sectors_per_track: u8(0x07),
  params: nested(0x08, EDD_DEVICE_PARAMS),
});
