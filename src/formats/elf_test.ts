import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { elfImage, pattern, poke, type Segment } from "../../fuzz/arbitraries/images.ts";
import { failingSource, refusal, shrunkSource } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { parseElf, readNotes } from "./elf.ts";

const parse = (bytes: Uint8Array) => parseElf(sourceOf(bytes));
const refusedHeader = (header: Parameters<typeof elfImage>[0] & object) =>
  refusal(() => parse(elfImage(header)));

describe("parseElf", () => {
  it("describes the segments that matter, in the order of the file", () => {
    const elf = parse(elfImage({
      header: { e_entry: 0xffffffff81000000n },
      segments: [
        { bytes: pattern(10), p_paddr: 0x200000, p_vaddr: 0xffffffff80200000n, p_memsz: 0x1000 },
        { p_type: 6, bytes: pattern(3) }, // PT_PHDR
        { p_type: 4, bytes: pattern(20), p_align: 4 },
        { bytes: pattern(30), p_paddr: 0x100000, p_align: 0x200000 },
      ],
    }));
    const at = 64 + 4 * 56;
    const [first, second] = elf.segments;
    assertEquals([elf.format, elf.elfClass], ["elf", 64]);
    assertEquals(elf.entry, 0xffffffff81000000n);
    assertEquals(first, {
      index: 0,
      headerOffset: 64,
      offset: at,
      fileSize: 10,
      vaddr: 0xffffffff80200000n,
      paddr: 0x200000n,
      memSize: 0x1000n,
      align: 1n,
    });
    assertEquals([second.index, second.offset, second.fileSize, second.align], [
      3,
      at + 33,
      30,
      0x200000n,
    ]);
    assertEquals(elf.segments.length, 2);
    assertEquals(elf.notes.map(({ index, offset, fileSize }) => [index, offset, fileSize]), [
      [2, at + 13, 20],
    ]);
  });

  it("keeps a segment of BSS alone, wherever its p_offset points, and drops one of nothing", () => {
    const { segments } = parse(elfImage({
      segments: [
        { p_memsz: 0x1000, p_offset: (1n << 64n) - 1n },
        { p_memsz: 0, p_filesz: 0 },
        { bytes: pattern(4) },
      ],
    }));
    assertEquals(
      segments.map(({ index, offset, fileSize, memSize }) => ({
        index,
        offset,
        fileSize,
        memSize,
      })),
      [
        { index: 0, offset: 0, fileSize: 0, memSize: 0x1000n },
        { index: 2, offset: 64 + 3 * 56, fileSize: 4, memSize: 4n },
      ],
    );
  });

  it("finds program headers that do not follow the file header", () => {
    const file = elfImage();
    const moved = new Uint8Array(file.length + 200);
    moved.set(file);
    moved.copyWithin(file.length + 7, 64, 64 + 56);
    poke(moved, 0x20, 8, file.length + 7); // e_phoff, unaligned
    assertEquals(parse(moved).segments[0].headerOffset, file.length + 7);
    assertEquals(parse(moved).segments[0].fileSize, 64);
  });

  it("refuses what is no little-endian ELF file, each with its own code", () => {
    const bytes = elfImage();
    bytes[1] = 0x33;
    assertEquals(refusal(() => parse(bytes)), {
      code: "ELF_MAGIC",
      field: "e_ident[EI_MAG0]",
      offset: 0,
    });
    for (const value of [0, 3, 255]) {
      assertEquals(refusedHeader({ header: { class: value } }), {
        code: "ELF_CLASS",
        field: "e_ident[EI_CLASS]",
        offset: 4,
      });
    }
    for (const value of [0, 2, 3]) {
      assertEquals(refusedHeader({ header: { data: value } }), {
        code: "ELF_BYTE_ORDER",
        field: "e_ident[EI_DATA]",
        offset: 5,
      });
    }
  });

  it("refuses program headers of any other size", () => {
    for (const e_phentsize of [0, 32, 55, 57, 65535]) {
      assertEquals(refusedHeader({ header: { e_phentsize } }), {
        code: "ELF_PHENTSIZE",
        field: "e_phentsize",
        offset: 0x36,
      });
    }
  });

  it("refuses program headers over the file header", () => {
    for (const e_phoff of [0, 63]) {
      assertEquals(refusedHeader({ header: { e_phoff } }), {
        code: "ELF_PHOFF",
        field: "e_phoff",
        offset: 0x20,
      });
    }
  });

  it("refuses program headers that leave the file, without rounding or wrapping", () => {
    const { length } = elfImage();
    for (
      const e_phoff of [length - 55, length, 2n ** 53n + 1n, 1n << 63n, (1n << 64n) - 1n, -56n]
    ) {
      assertEquals(refusedHeader({ header: { e_phoff } }), {
        code: "TRUNCATED",
        field: "e_phoff",
        offset: 0x20,
      });
    }
    assertEquals(refusedHeader({ header: { e_phnum: 65534 } }).code, "TRUNCATED");
  });

  it("refuses segments whose bytes leave the file, and says which header says so", () => {
    const file = elfImage({ segments: [{ bytes: pattern(8) }, { bytes: pattern(8) }] });
    const wrong: Segment[] = [
      { p_filesz: 9 },
      { p_filesz: 1n << 63n },
      { p_filesz: (1n << 64n) - 1n },
      { p_filesz: 2n ** 53n + 1n },
      { p_offset: file.length - 7, p_filesz: 8 },
      { p_offset: (1n << 64n) - 4n, p_filesz: 8 }, // the sum wraps to 4
      { p_offset: 1n << 63n, p_filesz: 1 },
    ];
    for (const fields of wrong) {
      for (const p_type of [1, 4]) {
        const segments = [{ bytes: pattern(8) }, { bytes: pattern(8), p_type, ...fields }];
        assertEquals(refusedHeader({ segments }), {
          code: "TRUNCATED",
          field: "p_offset[1]",
          offset: 64 + 56 + 8,
        });
      }
    }
  });

  it("does not look at segments that are neither loaded nor notes", () => {
    const segments = [{ bytes: pattern(8) }, { p_type: 2, p_offset: 1n << 63n, p_filesz: 8 }];
    assertEquals(parse(elfImage({ segments })).segments.length, 1);
  });

  it("is TRUNCATED at every length inside the headers, and never anything else", () => {
    const file = elfImage({ segments: [{ bytes: pattern(16) }] });
    for (let size = 0; size < file.length; size++) {
      assertEquals(refusal(() => parse(file.slice(0, size))).code, "TRUNCATED", `${size} bytes`);
    }
    parse(file);
  });

  it("lets what cannot be judged here pass", () => {
    // Which machine, type and version boot is the protocols' to say.
    const header = { e_machine: 183, e_type: 1, e_version: 9, ident_version: 0, e_ehsize: 0 };
    assertEquals(parse(elfImage({ header })).header.e_machine, 183);
    assertEquals(parse(elfImage({ segments: [] })).segments, []);
    const odd = [{ bytes: pattern(8), p_memsz: 1, p_paddr: (1n << 64n) - 1n, p_align: 3 }];
    assertEquals(parse(elfImage({ segments: odd })).segments[0].memSize, 1n);
  });

  it("passes on that its source failed", () => {
    const file = elfImage();
    assertEquals(refusal(() => parseElf(failingSource(file, 10))).code, "SOURCE_FAILED");
    assertEquals(refusal(() => parseElf(shrunkSource(file, 64))), {
      code: "SOURCE_FAILED",
      field: "program headers",
      offset: 64,
    });
  });
});

describe("parseElf with PN_XNUM", () => {
  /** An ELF file whose count is in sh_info of section header 0. */
  function withSection(count: number, segments: Segment[]): Uint8Array {
    const file = elfImage({ header: { e_phnum: 0xffff }, segments });
    const larger = new Uint8Array(file.length + 64);
    larger.set(file);
    poke(larger, 0x28, 8, file.length); // e_shoff
    poke(larger, file.length + 0x2c, 4, count); // sh_info
    return larger;
  }

  it("takes the count from section header 0", () => {
    const segments = [{ bytes: pattern(8) }, { bytes: pattern(8), p_paddr: 0x200000 }];
    assertEquals(parse(withSection(2, segments)).segments.length, 2);
    assertEquals(parse(withSection(1, segments)).segments.length, 1);
  });

  it("reads more than 65,535 headers", () => {
    const file = withSection(70_000, [{ bytes: pattern(8) }]);
    const larger = new Uint8Array(64 + 70_000 * 56 + 64);
    larger.set(file.subarray(0, 64));
    larger.set(file.subarray(file.length - 64), larger.length - 64);
    poke(larger, 0x28, 8, larger.length - 64);
    const last = 64 + 69_999 * 56;
    larger.set(file.subarray(64, 120), last); // the last one is a PT_LOAD
    assertEquals(parse(larger).segments.map(({ index }) => index), [69_999]);
  });

  it("refuses it without a section header", () => {
    assertEquals(refusedHeader({ header: { e_phnum: 0xffff, e_shoff: 0 } }), {
      code: "ELF_PHNUM",
      field: "e_phnum",
      offset: 0x38,
    });
  });

  it("refuses a section header outside the file", () => {
    const { length } = elfImage();
    for (const e_shoff of [length - 63, 1n << 63n, (1n << 64n) - 1n]) {
      assertEquals(refusedHeader({ header: { e_phnum: 0xffff, e_shoff } }), {
        code: "TRUNCATED",
        field: "e_shoff",
        offset: 0x28,
      });
    }
  });

  it("refuses a count beyond the cap before it reads the table", () => {
    const file = withSection(0xffffffff, [{ bytes: pattern(8) }]);
    assertEquals(refusal(() => parse(file)), {
      code: "LIMIT_EXCEEDED",
      field: "sh_info",
      offset: file.length - 64 + 0x2c,
    });
  });
});

describe("readNotes", () => {
  it("refuses more than 1 MiB of notes, all segments together", () => {
    const half = { p_type: 4, bytes: new Uint8Array(1 << 19) };
    const two = sourceOf(elfImage({ segments: [half, half] }));
    assertEquals(readNotes(two, parseElf(two)).map(({ length }) => length), [
      1 << 19,
      1 << 19,
    ]);
    const more = [half, half, { p_type: 4, bytes: new Uint8Array(1) }];
    const three = sourceOf(elfImage({ segments: more }));
    assertEquals(refusal(() => readNotes(three, parseElf(three))), {
      code: "LIMIT_EXCEEDED",
      field: "p_filesz[2]",
      offset: 64 + 2 * 56 + 0x20,
    });
  });
});
