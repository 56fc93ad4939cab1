/**
 * What parsers must say of bzImages, of Images and of zboot images: boot.rst, "Details of header
 * fields"; booting.rst; boot-image-header.rst; zboot-header.S.
 *
 * @module
 */
import { crc32 } from "../arbitraries/hand_made_bytes.ts";
import { IMAGE, SETUP } from "../arbitraries/images.ts";
import type { Place } from "../arbitraries/wire.ts";
import { must } from "./said.ts";
import { look } from "./verdict.ts";

/** boot.rst: the version that introduced a field; 2.00 where none is said. */
const SINCE: Readonly<Record<string, number>> = {
  ...{ heap_end_ptr: 0x201, ext_loader_ver: 0x202, ext_loader_type: 0x202, cmd_line_ptr: 0x202 },
  ...{ initrd_addr_max: 0x203, kernel_alignment: 0x205, relocatable_kernel: 0x205 },
  ...{ min_alignment: 0x20a, xloadflags: 0x20c, cmdline_size: 0x206, hardware_subarch: 0x207 },
  ...{ hardware_subarch_data: 0x207, payload_offset: 0x208, payload_length: 0x208 },
  ...{ setup_data: 0x209, pref_address: 0x20a, init_size: 0x20a, handover_offset: 0x20b },
  ...{ kernel_info_offset: 0x20f },
};

/**
 * Reads a bzImage.
 *
 * @param file The file.
 * @returns Its description.
 */
export function bzImageOf(file: Uint8Array): Record<string, unknown> {
  const u32 = (at: number, width = 4) => Number(look(file, at, width));
  must(file.length >= 0x212, "TRUNCATED", "setup_header", 0);
  must(u32(0x202) === 0x53726448, "BZIMAGE_MAGIC", "setup_header.header", 0x202);
  const version = u32(0x206, 2);
  must(version >= 0x200, "BZIMAGE_VERSION", "setup_header.version", 0x206);
  must((file[0x211] & 1) === 1, "BZIMAGE_LOADFLAGS", "setup_header.loadflags", 0x211);
  const setupSize = ((file[0x1f1] || 4) + 1) * 512;
  must(file.length >= setupSize, "TRUNCATED", "real-mode setup (setup_sects)", 0);
  const end = 0x202 + file[0x201];
  const header: Record<string, unknown> = {};
  for (const [name, [at, width]] of Object.entries(SETUP) as [string, Place][]) {
    const isThere = version >= (SINCE[name] ?? 0x200) && at + width <= end;
    if (at + width > 0x212 && !isThere) continue;
    const value = look(file, at, width)!;
    header[name] = width === 8 ? value : Number(value);
  }
  return {
    format: "bzimage",
    header,
    headerBytes: file.slice(0x1f1, end),
    setupSize,
    kernelSize: u32(0x1f4) * 16,
    fileKernelSize: file.length - setupSize,
  };
}

/**
 * Checks a bzImage's own CRC-32: boot.rst, "The image checksum".
 *
 * @param file The file.
 * @returns What came of it.
 */
export function checksumOf(file: Uint8Array): Record<string, unknown> {
  const { setupSize, kernelSize } = bzImageOf(file) as Record<string, number>;
  const end = setupSize + kernelSize - 4;
  if (end + 4 > file.length || kernelSize === 0) {
    return { state: "truncated", stored: undefined, computed: undefined };
  }
  const computed = ~crc32([...file.subarray(0, end)]) >>> 0;
  const stored = Number(look(file, end, 4));
  return { state: stored === computed ? "valid" : "mismatch", stored, computed };
}

/** boot-image-header.rst. */
const RISCV_IMAGE = {
  ...{ code0: [0x00, 4], code1: [0x04, 4], text_offset: [0x08, 8], image_size: [0x10, 8] },
  ...{ flags: [0x18, 8], version: [0x20, 4], res1: [0x24, 4], res2: [0x28, 8], magic: [0x30, 8] },
  ...{ magic2: [0x38, 4], res3: [0x3c, 4] },
} as Readonly<Record<string, Place>>;

/**
 * Reads an Image.
 *
 * @param file The file.
 * @param arch Whose.
 * @returns Its description.
 */
export function imageOf(file: Uint8Array, arch: "arm64" | "riscv64"): Record<string, unknown> {
  const isArm = arch === "arm64";
  must(file.length >= 64, "TRUNCATED", `${arch}_image_header`, 0);
  const magic = isArm ? 0x644d5241n : 0x05435352n; // "ARM\x64", "RSC\x05"
  must(look(file, 0x38, 4) === magic, "IMAGE_MAGIC", isArm ? "magic" : "magic2", 0x38);
  const places = Object.entries(isArm ? IMAGE : RISCV_IMAGE) as [string, Place][];
  const header = Object.fromEntries(places.map(([name, [at, width]]) => {
    const value = look(file, at, width)!;
    return [name, width === 8 ? value : Number(value)];
  }));
  const [textOffset, size, flags] = [0x08, 0x10, 0x18].map((at) => look(file, at, 8)!);
  return {
    format: `${arch}-image`,
    header,
    textOffset: isArm && size === 0n ? 0x80000n : textOffset,
    imageSize: size === 0n ? undefined : size,
    bigEndian: flags % 2n === 1n,
    pageSize: isArm ? [undefined, 4096, 16384, 65536][Number(flags / 2n % 4n)] : undefined,
    anywhere: !isArm || flags / 8n % 2n === 1n,
  };
}

/**
 * Looks at an EFI application's sections: PE format, "Section Table".
 *
 * @param file The file.
 */
export function sectionsOf(file: Uint8Array): void {
  const there = (at: number, size: number, what: string) =>
    must(at + size <= file.length, "TRUNCATED", what, Math.min(at, file.length));
  there(0, 0x40, "MS-DOS stub");
  if (look(file, 0, 2) !== 0x5a4dn) return;
  const header = Number(look(file, 0x3c, 4));
  there(header, 24, "PE header");
  if (look(file, header, 4) !== 0x4550n) return;
  const [count, optional] = [6, 20].map((at) => Number(look(file, header + at, 2)));
  if (count > 96) return;
  const table = header + 24 + optional;
  there(table, 40 * count, "PE section table");
  for (let row = table; row < table + 40 * count; row += 40) {
    const [size, start] = [16, 20].map((at) => look(file, row + at, 4)!);
    must(start + size <= BigInt(file.length), "TRUNCATED", "SizeOfRawData", row + 16);
  }
}
