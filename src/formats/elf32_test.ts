import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { elfImage, pattern, poke, type Segment } from "../../fuzz/arbitraries/images.ts";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { parseElf, parseElfHeader, readNotes } from "./elf.ts";

const elf32 = (image: Parameters<typeof elfImage>[0] & object = {}) =>
  elfImage({ bits: 32, ...image });
const parse = (bytes: Uint8Array) => parseElf(sourceOf(bytes));
const refused = (image: Parameters<typeof elfImage>[0] & object) =>
  refusal(() => parse(elf32(image)));

describe("parseElf of a 32-bit file", () => {
  it("describes it as a 64-bit one, with its class", () => {
    const elf = parse(elf32({
      header: { e_entry: 0x100010, e_flags: 0xf1a95 },
      segments: [
        { bytes: pattern(10), p_paddr: 0x200000, p_vaddr: 0xc0200000, p_memsz: 0x1000 },
        { p_type: 6, bytes: pattern(3) }, // PT_PHDR
        { p_type: 4, bytes: pattern(20), p_align: 4 },
        { p_paddr: 0xfffff000, p_memsz: 0x10, p_offset: 0xffffffff },
      ],
    }));
    const at = 52 + 4 * 32;
    assertEquals([elf.format, elf.elfClass, elf.entry], ["elf", 32, 0x100010n]);
    const { e_machine, e_phoff, e_phentsize, e_phnum, e_flags } = elf.header;
    assertEquals([e_machine, e_phoff, e_phentsize, e_phnum, e_flags], [3, 52n, 32, 4, 0xf1a95]);
    assertEquals(elf.segments, [
      {
        index: 0,
        headerOffset: 52,
        offset: at,
        fileSize: 10,
        vaddr: 0xc0200000n,
        paddr: 0x200000n,
        memSize: 0x1000n,
        align: 1n,
      },
      {
        index: 3,
        headerOffset: 52 + 3 * 32,
        offset: 0,
        fileSize: 0,
        vaddr: 0xfffff000n,
        paddr: 0xfffff000n,
        memSize: 0x10n,
        align: 1n,
      },
    ]);
    assertEquals(elf.notes.map(({ index, offset, align }) => [index, offset, align]), [
      [2, at + 13, 4n],
    ]);
  });

  it("refuses fields at their 32-bit places", () => {
    const { length } = elf32();
    const at = (field: string, offset: number) => ({ field, offset });
    assertEquals(refused({ header: { e_phentsize: 56 } }), {
      code: "ELF_PHENTSIZE",
      ...at("e_phentsize", 0x2a),
    });
    assertEquals(refused({ header: { e_phoff: 51 } }), {
      code: "ELF_PHOFF",
      ...at("e_phoff", 0x1c),
    });
    for (const e_phoff of [length - 31, 0xffffffff]) {
      assertEquals(refused({ header: { e_phoff } }), {
        code: "TRUNCATED",
        ...at("e_phoff", 0x1c),
      });
    }
  });

  it("refuses segments whose bytes leave the file, sums past 32 bits too", () => {
    const wrong: Segment[] = [
      { p_filesz: 9 },
      { p_filesz: 0xffffffff },
      { p_offset: 0xfffffffc, p_filesz: 8 }, // the sum wraps to 4
    ];
    for (const fields of wrong) {
      for (const p_type of [1, 4]) {
        const segments = [{ bytes: pattern(8) }, { bytes: pattern(8), p_type, ...fields }];
        assertEquals(refused({ segments }), {
          code: "TRUNCATED",
          field: "p_offset[1]",
          offset: 52 + 32 + 4,
        });
      }
    }
  });

  it("is TRUNCATED at every length inside the headers, and never anything else", () => {
    const file = elf32({ segments: [{ bytes: pattern(4) }] });
    for (let size = 0; size < file.length; size++) {
      assertEquals(refusal(() => parse(file.slice(0, size))).code, "TRUNCATED", `${size} bytes`);
    }
    parse(file);
  });

  it("is none for what reads 64-bit headers", () => {
    assertEquals(refusal(() => parseElfHeader(sourceOf(elf32()))), {
      code: "ELF_CLASS",
      field: "e_ident[EI_CLASS]",
      offset: 4,
    });
  });

  it("takes PN_XNUM's count from a section header of 40 bytes", () => {
    const file = elf32({
      header: { e_phnum: 0xffff },
      segments: [{ bytes: pattern(8) }, { bytes: pattern(8), p_paddr: 0x200000 }],
    });
    const larger = new Uint8Array(file.length + 40);
    larger.set(file);
    poke(larger, 0x20, 4, file.length); // e_shoff
    poke(larger, file.length + 0x1c, 4, 2); // sh_info
    assertEquals(parse(larger).segments.length, 2);
    assertEquals(refusal(() => parse(larger.slice(0, -1))), {
      code: "TRUNCATED",
      field: "e_shoff",
      offset: 0x20,
    });
    poke(larger, file.length + 0x1c, 4, 131_073);
    assertEquals(refusal(() => parse(larger)), {
      code: "LIMIT_EXCEEDED",
      field: "sh_info",
      offset: file.length + 0x1c,
    });
    assertEquals(refused({ header: { e_phnum: 0xffff } }), {
      code: "ELF_PHNUM",
      field: "e_phnum",
      offset: 0x2c,
    });
  });

  it("has notes of 1 MiB at most", () => {
    const segments = [1 << 20, 1].map((size) => ({ p_type: 4, bytes: new Uint8Array(size) }));
    const source = sourceOf(elf32({ segments }));
    assertEquals(refusal(() => readNotes(source, parseElf(source))), {
      code: "LIMIT_EXCEEDED",
      field: "p_filesz[1]",
      offset: 52 + 32 + 0x10,
    });
  });
});
