import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { type ElfImage, elfImage, pattern, type Segment } from "../../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults } from "../../fuzz/arbitraries/plans.ts";
import { bootLinux, planBoot } from "../boot.ts";
import { GuestMemory } from "../memory/guest_memory.ts";

const RAM = [{ start: 0n, size: 0x400_0000n }, { start: 1n << 32n, size: 0x400_0000n }];
const TOP = 1n << 64n;

function plan(image: ElfImage, reservations: { name: string; start: bigint; size: bigint }[] = []) {
  const planned = planBoot({ ram: RAM }, { kernel: elfImage(image), reservations });
  assertEquals(faults(planned, reservations), []);
  return planned;
}
const refused = (image: ElfImage, options = {}) =>
  refusal(() => planBoot({ ram: RAM }, { kernel: elfImage(image), ...options }));
const entryOf = (image: ElfImage) => {
  const { cpu } = plan(image);
  return cpu.arch === "x86_64" ? cpu.rip : undefined;
};

describe("planBoot of an ELF kernel: segments", () => {
  it("lie where p_paddr says, BSS behind them, in whatever order the file has", () => {
    const { placements } = plan({
      segments: [
        { bytes: pattern(0x100), p_paddr: 0x200000, p_memsz: 0x1000 },
        { bytes: pattern(0x80), p_paddr: 0x100000 },
        { p_paddr: 0x300000, p_memsz: 0x10 },
        { bytes: pattern(0x20), p_paddr: 1n << 32n },
      ],
    });
    const kernel = placements.filter(({ name }) => name.startsWith("kernel"));
    assertEquals(
      kernel.map(({ name, start, size, content }) => [name, start, size, content.kind]),
      [
        ["kernel segment 1", 0x100000n, 0x80n, "source"],
        ["kernel segment 0", 0x200000n, 0x100n, "source"],
        ["kernel bss 0", 0x200100n, 0xf00n, "zeros"],
        ["kernel bss 2", 0x300000n, 0x10n, "zeros"],
        ["kernel segment 3", 1n << 32n, 0x20n, "source"],
      ],
    );
  });

  it("are written with their bytes, BSS as zeros in memory that was used, alone when it is fresh", () => {
    const kernel = elfImage({
      segments: [{ bytes: pattern(0x100, 8), p_paddr: 0x110000, p_memsz: 0x300 }],
    });
    for (const fresh of [false, true]) {
      const dirty = dirtyRam({ start: 0n, size: 0x110200 }, { start: 0x110200n, size: 0x100000 });
      const memory = GuestMemory.of(dirty.regions);
      const before = memory.read(0x110100n, 0x200); // in both regions
      bootLinux(memory, { kernel, fresh });
      assertEquals(memory.read(0x110000n, 0x100), pattern(0x100, 8));
      assertEquals(memory.read(0x110100n, 0x200), fresh ? before : new Uint8Array(0x200));
      const changedAbove = dirty.changes().filter(({ end }) => end > 0x110300n);
      assertEquals(changedAbove, []);
    }
  });

  it("may touch, and may not share a byte", () => {
    const first: Segment = { bytes: pattern(16), p_paddr: 0x100000, p_memsz: 0x1000 };
    plan({ segments: [first, { bytes: pattern(16), p_paddr: 0x101000 }] });
    assertEquals(refused({ segments: [first, { bytes: pattern(16), p_paddr: 0x100fff }] }), {
      code: "ELF_SEGMENT_OVERLAP",
      between: ["kernel segment 1", "kernel bss 0"],
    });
    assertEquals(refused({ segments: [first, first] }).code, "ELF_SEGMENT_OVERLAP");
  });

  it("lie in RAM, not over its holes and not over reservations", () => {
    for (
      const [p_paddr, p_memsz] of [
        [0x400_0000n, 16n],
        [0x3ff_ffffn, 16n],
        [0n, 1n << 33n],
        [(1n << 32n) - 8n, 16n],
        [TOP - 16n, 16n],
        [1n << 63n, 16n],
      ]
    ) {
      assertEquals(refused({ segments: [{ bytes: pattern(16), p_paddr, p_memsz }] }), {
        code: "OUTSIDE_RAM",
        between: [p_memsz > 16n ? "kernel bss 0" : "kernel segment 0", "guest RAM"],
      });
    }
    const reservations = [{ name: "firmware", start: 0x10000fn, size: 1n }];
    assertEquals(refused({ segments: [{ bytes: pattern(16) }] }, { reservations }), {
      code: "OVERLAP",
      between: ["kernel segment 0", "firmware"],
    });
    assertEquals(refused({ segments: [{ bytes: pattern(16), p_paddr: 0xa0000 }] }).between, [
      "kernel segment 0",
      "legacy hole (video memory, ROM)",
    ]);
  });

  it("have sizes that make sense, and errors that name their header", () => {
    const good: Segment = { bytes: pattern(16), p_paddr: 0x200000 };
    for (const p_memsz of [0, 15]) {
      assertEquals(refused({ segments: [good, { bytes: pattern(16), p_memsz }] }), {
        code: "ELF_SEGMENT_SIZE",
        field: "p_memsz[1]",
        offset: 64 + 56 + 0x28,
      });
    }
    for (
      const [p_paddr, p_memsz] of [
        [TOP - 16n, 17n],
        [TOP - 1n, 16n],
        [1n << 63n, (1n << 63n) + 1n],
        [0x100000n, TOP - 1n],
      ]
    ) {
      assertEquals(refused({ segments: [good, { bytes: pattern(16), p_paddr, p_memsz }] }), {
        code: "ADDRESS_OVERFLOW",
        field: "p_memsz[1]",
        offset: 64 + 56 + 0x28,
      });
    }
  });

  it("are there at all", () => {
    const none = { code: "ELF_NO_SEGMENTS", field: "e_phnum", offset: 0x38 };
    assertEquals(refused({ segments: [] }), none);
    assertEquals(refused({ segments: [{ p_type: 2, bytes: pattern(4) }] }), none);
    assertEquals(refused({ segments: [{ p_memsz: 0 }] }), none);
  });

  it("are 10,000 without the work growing with their square", () => {
    const segments = Array.from({ length: 10_000 }, (_, i): Segment => ({
      bytes: pattern(1),
      p_paddr: 0x100000 + 0x100 * (9_999 - i),
      p_memsz: 0x100,
    }));
    assertEquals(plan({ segments }).placements.length, 20_000 + 4);
  });
});

describe("planBoot of an ELF kernel: the file header", () => {
  it("is refused for another machine, type, version or header size, each with its own code", () => {
    const cases: [ElfImage["header"], string, string, number][] = [
      [{ e_machine: 3 }, "ELF_MACHINE", "e_machine", 0x12], // i386
      [{ e_machine: 183 }, "ELF_MACHINE", "e_machine", 0x12], // aarch64
      [{ e_type: 0 }, "ELF_TYPE", "e_type", 0x10],
      [{ e_type: 1 }, "ELF_TYPE", "e_type", 0x10], // relocatable
      [{ e_type: 4 }, "ELF_TYPE", "e_type", 0x10], // core
      [{ e_version: 0 }, "ELF_VERSION", "e_version", 0x14],
      [{ e_version: 2 }, "ELF_VERSION", "e_version", 0x14],
      [{ ident_version: 0 }, "ELF_VERSION", "e_ident[EI_VERSION]", 6],
      [{ e_ehsize: 63 }, "ELF_HEADER_SIZE", "e_ehsize", 0x34],
    ];
    for (const [header, code, field, offset] of cases) {
      assertEquals(refused({ header }), { code, field, offset });
    }
  });

  it("is that of i386 in a 32-bit file, with its fields where that has them", () => {
    const bits = 32;
    const cases: [ElfImage["header"], string, string, number][] = [
      [{ e_machine: 62 }, "ELF_MACHINE", "e_machine", 0x12], // x86_64: x32
      [{ e_type: 1 }, "ELF_TYPE", "e_type", 0x10],
      [{ e_version: 2 }, "ELF_VERSION", "e_version", 0x14],
      [{ e_ehsize: 51 }, "ELF_HEADER_SIZE", "e_ehsize", 0x28],
    ];
    for (const [header, code, field, offset] of cases) {
      assertEquals(refused({ bits, header }), { code, field, offset });
    }
    assertEquals(refused({ bits, segments: [] }), {
      code: "ELF_NO_SEGMENTS",
      field: "e_phnum",
      offset: 0x2c,
    });
    assertEquals(refused({ bits, segments: [{ bytes: pattern(8), p_memsz: 7 }] }), {
      code: "ELF_SEGMENT_SIZE",
      field: "p_memsz[0]",
      offset: 52 + 0x14,
    });
  });

  it("of 32 bits names nothing past 4 GiB, RAM there or not", () => {
    const at = (p_paddr: number) => ({
      bits: 32 as const,
      segments: [{ bytes: pattern(16) }, { bytes: pattern(16), p_paddr, p_memsz: 0x1000 }],
    });
    const all = [{ start: 0n, size: 8n << 30n }];
    const boot = (p_paddr: number) =>
      planBoot({ ram: all }, { kernel: elfImage(at(p_paddr)), protocol: "linux32" });
    assertEquals(boot(0xfffff000).placements.at(-1)?.start, 0xfffff010n);
    assertEquals(refusal(() => boot(0xfffff001)), {
      code: "ADDRESS_OVERFLOW",
      field: "p_memsz[1]",
      offset: 52 + 32 + 0x14,
    });
  });

  it("may be that of a position-independent executable", () => {
    assertEquals(plan({ header: { e_type: 3 } }).protocol, "linux64");
  });
});

describe("planBoot of an ELF kernel: the entry", () => {
  const segments: Segment[] = [
    { bytes: pattern(0x100), p_paddr: 0x200000, p_vaddr: 0xffffffff80200000n, p_memsz: 0x1000 },
    { bytes: pattern(0x100), p_paddr: 0x100000, p_vaddr: 0xffffffff80100000n },
  ];
  const at = (e_entry: bigint) => ({ header: { e_entry }, segments });

  it("is a physical address in bytes of the file", () => {
    assertEquals(entryOf(at(0x200000n)), 0x200000n);
    assertEquals(entryOf(at(0x2000ffn)), 0x2000ffn);
    assertEquals(entryOf(at(0x100010n)), 0x100010n);
  });

  it("is translated where it is a virtual one", () => {
    assertEquals(entryOf(at(0xffffffff80200010n)), 0x200010n);
    assertEquals(entryOf(at(0xffffffff801000ffn)), 0x1000ffn);
  });

  it("is physical where it could be either", () => {
    const swapped: Segment[] = [
      { bytes: pattern(16), p_paddr: 0x100000, p_vaddr: 0x200000 },
      { bytes: pattern(16), p_paddr: 0x200000, p_vaddr: 0x100000 },
    ];
    assertEquals(entryOf({ header: { e_entry: 0x100001 }, segments: swapped }), 0x100001n);
  });

  it("needs no executable segment", () => {
    assertEquals(entryOf({ segments: [{ bytes: pattern(16), p_flags: 4 }] }), 0x100000n);
  });

  it("does not lie outside, in BSS, or one past the end", () => {
    const outside = [0n, 0x200100n, 0x200fffn, 0x1fffffn, 0xffffffff80200100n, TOP - 1n];
    for (const entry of outside) {
      assertEquals(refused(at(entry)), {
        code: "ENTRY_OUTSIDE_KERNEL",
        field: "e_entry",
        offset: 0x18,
      });
    }
  });
});

describe("planBoot of an ELF kernel: kernelAddress", () => {
  it("is refused, by every protocol", () => {
    for (const protocol of ["linux64", "linux32", "pvh"]) {
      assertEquals(refused({}, { protocol, kernelAddress: 0x100000n }), {
        code: "INVALID_OPTION",
        field: "kernelAddress",
      });
    }
  });
});
