import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { EHDR, EHDR32, IMAGE, PHDR, PHDR32, poke, SETUP } from "../../fuzz/arbitraries/images.ts";
import {
  BOOT_E820_ENTRY,
  BOOT_PARAMS,
  BOOT_PARAMS_SIZE,
  E820_TABLE_OFFSET,
  SETUP_DATA,
  SETUP_HEADER,
  SETUP_HEADER_OFFSET,
  SETUP_HEADER_SINCE,
} from "./bootparam.ts";
import { ELF32_EHDR, ELF32_PHDR, ELF64_EHDR, ELF64_NHDR, ELF64_PHDR } from "./elf.ts";
import { ARM64_IMAGE_HEADER } from "./image_header.ts";
import { HVM_MEMMAP_TABLE_ENTRY, HVM_MODLIST_ENTRY, HVM_START_INFO } from "./start_info.ts";

type Places = { readonly [name: string]: readonly [number, 1 | 2 | 4 | 8] };

/** A struct's bytes in which every field of `places` has a value of its own, and those values. */
function distinct(places: Places, size: number, base = 0) {
  const bytes = new Uint8Array(size);
  const values: Record<string, number | bigint> = {};
  for (const [i, [name, [offset, width]]] of Object.entries(places).entries()) {
    const value = (BigInt(i) + 1n) * 0x0301_0301_0301_0301n & (1n << BigInt(8 * width)) - 1n;
    poke(bytes, offset - base, width, value);
    values[name] = width === 8 ? value : Number(value);
  }
  return { bytes, values };
}

const hex = (text: string) =>
  Uint8Array.from(text.trim().split(/\s+/), (byte) => parseInt(byte, 16));

describe("ELF64_EHDR", () => {
  it("has the 64 bytes of System V ABI figure 4-3", () => {
    const { class: _c, data: _d, ident_version: _v, ...places } = EHDR;
    const { bytes, values } = distinct(places, 64);
    const { e_ident, ...rest } = ELF64_EHDR.read(bytes);
    assertEquals(rest as Record<string, number | bigint>, values);
    assertEquals(e_ident.length, 16);
    assertEquals(ELF64_EHDR.size, 64);
  });
});

describe("ELF64_PHDR", () => {
  it("has the 56 bytes of System V ABI figure 5-1", () => {
    const { bytes, values } = distinct(PHDR, 56);
    assertEquals({ ...ELF64_PHDR.read(bytes) } as Record<string, number | bigint>, values);
    assertEquals(ELF64_PHDR.size, 56);
  });
});

/** The fields that are bigints in both classes. */
const WIDE = /^(e_(entry|phoff|shoff)|p_(offset|vaddr|paddr|filesz|memsz|align))$/;
const widened = (values: Record<string, number | bigint>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, WIDE.test(name) ? BigInt(value) : value]),
  );

describe("ELF32_EHDR", () => {
  it("has the 52 bytes of System V ABI figure 4-3, in the types of ELF64_EHDR", () => {
    const { class: _c, data: _d, ident_version: _v, ...places } = EHDR32;
    const { bytes, values } = distinct(places, 52);
    const { e_ident, ...rest } = ELF32_EHDR.read(bytes);
    assertEquals(rest as Record<string, number | bigint>, widened(values));
    assertEquals(e_ident.length, 16);
    assertEquals(ELF32_EHDR.size, 52);
    assertEquals(ELF32_EHDR.encode(ELF32_EHDR.read(bytes)), bytes);
  });
});

describe("ELF32_PHDR", () => {
  it("has the 32 bytes of System V ABI figure 5-1, in the types of ELF64_PHDR", () => {
    const { bytes, values } = distinct(PHDR32, 32);
    const read = ELF32_PHDR.read(bytes);
    assertEquals({ ...read } as Record<string, number | bigint>, widened(values));
    assertEquals(ELF32_PHDR.size, 32);
    assertEquals(ELF32_PHDR.encode(read), bytes);
    assertThrows(() => ELF32_PHDR.encode({ ...read, p_paddr: 1n << 32n }), RangeError);
  });
});

describe("ELF64_NHDR", () => {
  it("is namesz, descsz, type", () => {
    const bytes = hex("04 00 00 00  08 00 00 00  12 00 00 00");
    assertEquals(ELF64_NHDR.read(bytes), { n_namesz: 4, n_descsz: 8, n_type: 18 });
    assertEquals(ELF64_NHDR.size, 12);
  });
});

describe("SETUP_HEADER", () => {
  it("has every field of boot.rst up to kernel_info_offset where boot.rst has it", () => {
    const { bytes, values } = distinct(SETUP, 0x26c - 0x1f1, 0x1f1);
    assertEquals({ ...SETUP_HEADER.read(bytes) } as Record<string, number | bigint>, values);
    assertEquals(SETUP_HEADER.size, 0x26c - 0x1f1);
    assertEquals(SETUP_HEADER_OFFSET, 0x1f1);
  });

  it("knows the protocol version that brought each field", () => {
    // boot.rst, the column "Proto"
    const since: Record<string, number> = {};
    const rows: [number, string][] = [
      [0x201, "heap_end_ptr"],
      [0x202, "ext_loader_ver ext_loader_type cmd_line_ptr"],
      [0x203, "initrd_addr_max"],
      [0x205, "kernel_alignment relocatable_kernel"],
      [0x206, "cmdline_size"],
      [0x207, "hardware_subarch hardware_subarch_data"],
      [0x208, "payload_offset payload_length"],
      [0x209, "setup_data"],
      [0x20a, "min_alignment pref_address init_size"],
      [0x20b, "handover_offset"],
      [0x20c, "xloadflags"],
      [0x20f, "kernel_info_offset"],
    ];
    for (const [version, names] of rows) for (const n of names.split(" ")) since[n] = version;
    assertEquals({ ...SETUP_HEADER_SINCE } as Record<string, number>, since);
  });
});

describe("BOOT_PARAMS", () => {
  it("has its fields where zero-page.rst has them", () => {
    const { bytes, values } = distinct({
      acpi_rsdp_addr: [0x070, 8],
      ext_ramdisk_image: [0x0c0, 4],
      ext_ramdisk_size: [0x0c4, 4],
      ext_cmd_line_ptr: [0x0c8, 4],
      e820_entries: [0x1e8, 1],
      sentinel: [0x1ef, 1],
    }, 4096);
    const read: Record<string, unknown> = { ...BOOT_PARAMS.read(bytes) };
    for (const [name, value] of Object.entries(values)) assertEquals(read[name], value, name);
    assertEquals(BOOT_PARAMS_SIZE, 4096);
    assertEquals(E820_TABLE_OFFSET, 0x2d0);
  });
});

describe("BOOT_E820_ENTRY", () => {
  it("is packed: address, size, type in 20 bytes", () => {
    const bytes = hex(`
      00 00 10 00 01 00 00 00
      00 10 00 00 00 00 00 80
      07 00 00 00
    `);
    assertEquals(BOOT_E820_ENTRY.read(bytes), {
      addr: 0x1_0010_0000n,
      size: 0x8000_0000_0000_1000n,
      type: 7,
    });
    assertEquals(BOOT_E820_ENTRY.size, 20);
  });
});

describe("SETUP_DATA", () => {
  it("is next, type, len in 16 bytes", () => {
    const bytes = hex("10 00 04 00 00 00 00 00  09 00 00 00  20 00 00 00");
    assertEquals(SETUP_DATA.read(bytes), { next: 0x40010n, type: 9, len: 32 });
    assertEquals(SETUP_DATA.size, 16);
  });
});

describe("HVM_START_INFO", () => {
  it("is the 56 bytes of start_info.h", () => {
    const bytes = hex(`
      78 c5 6e 33
      01 00 00 00
      02 00 00 00
      03 00 00 00
      40 00 00 00 00 00 00 00
      50 00 00 00 01 00 00 00
      60 00 00 00 00 00 00 00
      70 00 00 00 00 00 00 00
      08 00 00 00
      00 00 00 00
    `);
    const value = {
      magic: 0x336ec578,
      version: 1,
      flags: 2,
      nr_modules: 3,
      modlist_paddr: 0x40n,
      cmdline_paddr: 0x1_0000_0050n,
      rsdp_paddr: 0x60n,
      memmap_paddr: 0x70n,
      memmap_entries: 8,
      reserved: 0,
    };
    assertEquals(HVM_START_INFO.read(bytes), value);
    assertEquals(HVM_START_INFO.encode(value), bytes);
    assertEquals(HVM_START_INFO.size, 56);
  });
});

describe("HVM_MODLIST_ENTRY", () => {
  it("is paddr, size, cmdline_paddr and a reserved word", () => {
    const bytes = hex(`
      00 00 00 08 00 00 00 00
      00 20 00 00 00 00 00 00
      00 00 02 00 00 00 00 00
      00 00 00 00 00 00 00 00
    `);
    const value = { paddr: 0x8000000n, size: 0x2000n, cmdline_paddr: 0x20000n, reserved: 0n };
    assertEquals(HVM_MODLIST_ENTRY.read(bytes), value);
    assertEquals(HVM_MODLIST_ENTRY.size, 32);
  });
});

describe("HVM_MEMMAP_TABLE_ENTRY", () => {
  it("is addr, size, type and a reserved word", () => {
    const bytes = hex(`
      00 00 10 00 00 00 00 00
      00 00 00 40 00 00 00 00
      01 00 00 00 00 00 00 00
    `);
    const value = { addr: 0x100000n, size: 0x40000000n, type: 1, reserved: 0 };
    assertEquals(HVM_MEMMAP_TABLE_ENTRY.read(bytes), value);
    assertEquals(HVM_MEMMAP_TABLE_ENTRY.size, 24);
  });
});

describe("ARM64_IMAGE_HEADER", () => {
  it("is the 64 bytes of booting.rst", () => {
    const { bytes, values } = distinct(IMAGE, 64);
    assertEquals({ ...ARM64_IMAGE_HEADER.read(bytes) } as Record<string, number | bigint>, values);
    assertEquals(ARM64_IMAGE_HEADER.size, 64);
  });
});
