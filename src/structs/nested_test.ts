import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { pattern } from "../../fuzz/arbitraries/images.ts";
import { BOOT_PARAMS, SETUP_INDIRECT_DATA, type ZeroPage } from "./bootparam.ts";
import { EDD_DEVICE_PARAMS, EDD_INFO } from "./edd.ts";
import { RISCV64_IMAGE_HEADER, type Riscv64ImageHeader } from "./image_header.ts";
import { SCREEN_INFO } from "./x86_firmware.ts";
import { bytes as bytesField, list, nested, Struct, u16, u32s, u8 } from "./struct.ts";
import {
  APM_BIOS_INFO,
  EFI_INFO,
  IST_INFO,
  OLPC_OFW_HEADER,
  SYS_DESC_TABLE,
} from "./x86_firmware.ts";

interface Inner {
  a: number;
  b: number;
}
const INNER: Struct<Inner> = new Struct<Inner>("inner", 4, { a: u8(0), b: u16(2) });
interface Outer {
  one: Inner;
  many: readonly Inner[];
  numbers: readonly number[];
}
const OUTER: Struct<Outer> = new Struct<Outer>("outer", 24, {
  one: nested(1, INNER),
  many: list(6, INNER, 2),
  numbers: u32s(16, 2),
});

describe("nested, list, u32s", () => {
  const bytes = Uint8Array.of(
    ...[0, 1, 0, 2, 0, 0], // 0x01 one
    ...[3, 0, 4, 0, 5, 0, 6, 0, 0, 0], // 0x06 many
    ...[7, 0, 0, 0, 8, 0, 0, 0], // 0x10 numbers
  );
  const value = {
    one: { a: 1, b: 2 },
    many: [{ a: 3, b: 4 }, { a: 5, b: 6 }],
    numbers: [7, 8],
  };

  it("read and write what lies inside", () => {
    assertEquals(OUTER.read(bytes), value);
    assertEquals(OUTER.encode(value), bytes);
    const shifted = Uint8Array.of(9, 9, 9, ...bytes);
    assertEquals(OUTER.read(shifted, 3), value);
    assertEquals(OUTER.read(shifted.subarray(3)), value);
  });

  it("read and write bytes, wherever the struct lies", () => {
    const inner = new Struct<{ raw: Uint8Array }>("inner", 3, { raw: bytesField(1, 2) });
    const outer = new Struct<{ inner: { raw: Uint8Array } }>("outer", 8, {
      inner: nested(5, inner),
    });
    const value = { inner: { raw: Uint8Array.of(1, 2) } };
    const encoded = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2);
    assertEquals(outer.encode(value), encoded);
    assertEquals(outer.read(Uint8Array.of(9, 9, ...encoded), 2), value);
  });

  it("write fewer elements and leave the others", () => {
    const target = bytes.slice();
    OUTER.write(target, { many: [{ a: 9, b: 9 }], numbers: [] });
    assertEquals(OUTER.read(target), { ...value, many: [{ a: 9, b: 9 }, { a: 5, b: 6 }] });
  });

  it("refuse more elements than there are, and values that do not fit", () => {
    assertThrows(() => OUTER.encode({ ...value, numbers: [1, 2, 3] }), RangeError);
    assertThrows(() => OUTER.encode({ ...value, one: { a: 256, b: 0 } }), RangeError);
  });
});

describe("Struct.make", () => {
  it("fills up with zeros", () => {
    assertEquals(INNER.make({ b: 5 }), { a: 0, b: 5 });
    assertEquals(OUTER.encode(OUTER.make()), new Uint8Array(24));
  });
});

type Row = [offset: number, size: number];

/** What every field's own header file says: where it is, how wide it is. */
function assertRows<T extends object>(struct: Struct<T>, size: number, rows: [keyof T, ...Row][]) {
  assertEquals(struct.size, size);
  const fields = Object.entries(struct.fields) as [keyof T, { offset: number; size: number }][];
  assertEquals(
    fields.map(([name, { offset, size }]) => [name, offset, size]),
    rows,
  );
  // Both ways, with a byte of its own everywhere
  const bytes = pattern(size);
  const covered = new Uint8Array(size);
  for (const [, offset, width] of rows) {
    covered.set(bytes.subarray(offset, offset + width), offset);
  }
  assertEquals(struct.encode(struct.read(bytes)), covered);
}

/** Rows without gaps, from their widths. */
function packed<T extends object>(widths: Record<keyof T & string, number>): [keyof T, ...Row][] {
  let offset = 0;
  return Object.entries<number>(widths).map(([name, size]) => {
    const row: [keyof T, ...Row] = [name as keyof T, offset, size];
    offset += size;
    return row;
  });
}

describe("the parts of boot_params", () => {
  it("SCREEN_INFO is the 64 bytes of screen_info.h", () => {
    const rows = packed<ReturnType<typeof SCREEN_INFO.make>>({
      ...{ orig_x: 1, orig_y: 1, ext_mem_k: 2, orig_video_page: 2, orig_video_mode: 1 },
      ...{ orig_video_cols: 1, flags: 1, unused2: 1, orig_video_ega_bx: 2, unused3: 2 },
      ...{ orig_video_lines: 1, orig_video_isVGA: 1, orig_video_points: 2, lfb_width: 2 },
      ...{ lfb_height: 2, lfb_depth: 2, lfb_base: 4, lfb_size: 4, cl_magic: 2, cl_offset: 2 },
      ...{ lfb_linelength: 2, red_size: 1, red_pos: 1, green_size: 1, green_pos: 1 },
      ...{ blue_size: 1, blue_pos: 1, rsvd_size: 1, rsvd_pos: 1, vesapm_seg: 2, vesapm_off: 2 },
      ...{ pages: 2, vesa_attributes: 2, capabilities: 4, ext_lfb_base: 4, _reserved: 2 },
    });
    assertRows(SCREEN_INFO, 64, rows);
  });

  it("what firmware leaves is as apm_bios.h, ist.h and bootparam.h have it", () => {
    assertRows(
      APM_BIOS_INFO,
      20,
      packed<ReturnType<typeof APM_BIOS_INFO.make>>({
        ...{ version: 2, cseg: 2, offset: 4, cseg_16: 2, dseg: 2, flags: 2, cseg_len: 2 },
        ...{ cseg_16_len: 2, dseg_len: 2 },
      }),
    );
    const four = (names: string) =>
      names.split(" ").map((name, i): [string, number, number] => [name, i * 4, 4]);
    assertRows(IST_INFO, 16, four("signature command event perf_level") as never);
    const ofw = "ofw_magic ofw_version cif_handler irq_desc_table";
    assertRows(OLPC_OFW_HEADER, 16, four(ofw) as never);
    assertRows(SYS_DESC_TABLE, 16, [["length", 0, 2], ["table", 2, 14]]);
    const efi = "efi_loader_signature efi_systab efi_memdesc_size efi_memdesc_version efi_memmap " +
      "efi_memmap_size efi_systab_hi efi_memmap_hi";
    assertRows(EFI_INFO, 32, four(efi) as never);
  });

  it("EDD_INFO is the 82 bytes of edd.h", () => {
    assertRows(
      EDD_DEVICE_PARAMS,
      74,
      packed<ReturnType<typeof EDD_DEVICE_PARAMS.make>>({
        ...{ length: 2, info_flags: 2, num_default_cylinders: 4, num_default_heads: 4 },
        ...{ sectors_per_track: 4, number_of_sectors: 8, bytes_per_sector: 2, dpte_ptr: 4 },
        ...{ key: 2, device_path_info_length: 1, reserved2: 1, reserved3: 2, host_bus_type: 4 },
        ...{ interface_type: 8, interface_path: 8, device_path: 16, reserved4: 1, checksum: 1 },
      }),
    );
    assertRows(
      EDD_INFO,
      82,
      packed<ReturnType<typeof EDD_INFO.make>>({
        ...{ device: 1, version: 1, interface_support: 2, legacy_max_cylinder: 2 },
        ...{ legacy_max_head: 1, legacy_sectors_per_track: 1, params: 74 },
      }),
    );
  });
});

describe("BOOT_PARAMS", () => {
  it("is the page of zero-page.rst and bootparam.h", () => {
    const rows: [keyof ZeroPage, ...Row][] = [
      ["screen_info", 0x000, 64],
      ["apm_bios_info", 0x040, 20],
      ["tboot_addr", 0x058, 8],
      ["ist_info", 0x060, 16],
      ["acpi_rsdp_addr", 0x070, 8],
      ["hd0_info", 0x080, 16],
      ["hd1_info", 0x090, 16],
      ["sys_desc_table", 0x0a0, 16],
      ["olpc_ofw_header", 0x0b0, 16],
      ["ext_ramdisk_image", 0x0c0, 4],
      ["ext_ramdisk_size", 0x0c4, 4],
      ["ext_cmd_line_ptr", 0x0c8, 4],
      ["cc_blob_address", 0x13c, 4],
      ["edid_info", 0x140, 128],
      ["efi_info", 0x1c0, 32],
      ["alt_mem_k", 0x1e0, 4],
      ["scratch", 0x1e4, 4],
      ["e820_entries", 0x1e8, 1],
      ["eddbuf_entries", 0x1e9, 1],
      ["edd_mbr_sig_buf_entries", 0x1ea, 1],
      ["kbd_status", 0x1eb, 1],
      ["secure_boot", 0x1ec, 1],
      ["sentinel", 0x1ef, 1],
      ["hdr", 0x1f1, 123],
      ["edd_mbr_sig_buffer", 0x290, 64],
      ["e820_table", 0x2d0, 2560],
      ["eddbuf", 0xd00, 492],
    ];
    assertRows(BOOT_PARAMS, 4096, rows);
    const page = BOOT_PARAMS.make();
    const lists = [page.edd_mbr_sig_buffer, page.e820_table, page.eddbuf];
    assertEquals(lists.map(({ length }) => length), [16, 128, 6]);
  });
});

describe("SETUP_INDIRECT_DATA", () => {
  it("is type, reserved, len, addr", () => {
    assertRows(SETUP_INDIRECT_DATA, 24, [
      ["type", 0, 4],
      ["reserved", 4, 4],
      ["len", 8, 8],
      ["addr", 16, 8],
    ]);
  });
});

describe("RISCV64_IMAGE_HEADER", () => {
  it("is the 64 bytes of boot-image-header.rst", () => {
    assertRows(
      RISCV64_IMAGE_HEADER,
      64,
      packed<Riscv64ImageHeader>({
        ...{ code0: 4, code1: 4, text_offset: 8, image_size: 8, flags: 8, version: 4, res1: 4 },
        ...{ res2: 8, magic: 8, magic2: 4, res3: 4 },
      }),
    );
  });
});
