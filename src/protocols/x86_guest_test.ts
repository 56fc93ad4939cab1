import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { bzImage, elfImage, pattern, peek, pvhImage } from "../../fuzz/arbitraries/images.ts";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults } from "../../fuzz/arbitraries/plans.ts";
import { planBoot } from "../boot.ts";
import type { X86CpuState } from "../cpu/state.ts";
import type { MemoryMapEntry, Reservation } from "../params/memory_map.ts";
import type { BootOptions } from "./plan.ts";

const RAM = [{ start: 0n, size: 0x800_0000n }];

function plan(options: Partial<BootOptions>, ram = RAM) {
  const planned = planBoot({ ram }, { kernel: bzImage(), ...options });
  assertEquals(faults(planned, options.reservations), []);
  return planned;
}
const refused = (options: Partial<BootOptions>, ram = RAM) =>
  refusal(() => planBoot({ ram }, { kernel: bzImage(), ...options }));
const startOf = (planned: ReturnType<typeof plan>, wanted: string) =>
  planned.placements.find(({ name }) => name === wanted)!.start;
const taken = (start: bigint, end: bigint, name = "firmware"): Reservation => ({
  name,
  start,
  size: end - start,
});

/** What the x86 protocols place at fixed addresses, if nobody is there. */
const LINUX64: [string, bigint][] = [
  ["gdt", 0x500n],
  ["zero page", 0x7000n],
  ["page tables", 0x9000n],
  ["command line", 0x20000n],
  ["setup_data", 0x40000n],
];

describe("planBoot on x86: fixed addresses", () => {
  const setupData = [{ type: 9, data: pattern(8) }];

  it("are taken when they are free", () => {
    const planned = plan({ setupData });
    for (const [name, start] of LINUX64) assertEquals(startOf(planned, name), start, name);
    const pvh = plan({ kernel: pvhImage() });
    assertEquals(startOf(pvh, "start info"), 0x6000n);
    assertEquals(startOf(pvh, "command line"), 0x20000n);
    assertEquals(startOf(pvh, "gdt"), 0x500n);
  });

  it("give way to a reservation, and registers and pointers follow", () => {
    const planned = plan({ setupData, cmdline: "quiet", reservations: [taken(0n, 0x50000n)] });
    const cpu = planned.cpu as X86CpuState;
    for (const [name] of LINUX64) assertEquals(startOf(planned, name) >= 0x50000n, true, name);
    assertEquals(cpu.rsi, startOf(planned, "zero page"));
    assertEquals(cpu.cr3, startOf(planned, "page tables"));
    assertEquals(cpu.gdt.base, startOf(planned, "gdt"));
    const page = planned.placements.find(({ name }) => name === "zero page")!.content;
    if (page.kind !== "bytes") throw new Error("the zero page is not bytes");
    assertEquals(peek(page.bytes, 0x228, 4), startOf(planned, "command line"));
    assertEquals(peek(page.bytes, 0x250, 8), startOf(planned, "setup_data"));
    const tables = planned.placements.find(({ name }) => name === "page tables")!.content;
    if (tables.kind !== "bytes") throw new Error("page tables are not bytes");
    assertEquals(peek(tables.bytes, 0, 8) & ~0xfffn, cpu.cr3 + 0x1000n);
  });

  it("give way by themselves: a single byte moves one thing", () => {
    for (const [name, start] of LINUX64) {
      const planned = plan({ setupData, reservations: [taken(start, start + 1n)] });
      for (const [other, preferred] of LINUX64) {
        assertEquals(
          startOf(planned, other) !== preferred,
          other === name,
          `${other}, ${name} taken`,
        );
      }
    }
  });

  it("give way to a kernel segment", () => {
    const kernel = elfImage({
      segments: [{ bytes: pattern(16) }, { bytes: pattern(16), p_paddr: 0x7010, p_memsz: 0x20000 }],
    });
    const planned = plan({ kernel });
    // The lowest free room from 0x1000 on: the command line was there first, and page tables need
    // six pages.
    assertEquals(startOf(planned, "command line"), 0x1000n);
    assertEquals(startOf(planned, "zero page"), 0x2000n);
    assertEquals(startOf(planned, "page tables"), 0x28000n);
    const pvh = plan({
      kernel: pvhImage([{ bytes: pattern(16) }, { bytes: pattern(16), p_paddr: 0x5ff8 }]),
    });
    assertEquals(startOf(pvh, "start info") !== 0x6000n, true);
    assertEquals((pvh.cpu as X86CpuState).rbx, startOf(pvh, "start info"));
  });

  it("are all above 1 MiB in a guest without low memory, and never in page 0", () => {
    const planned = plan({ setupData }, [{ start: 0x10_0000n, size: 0x800_0000n }]);
    assertEquals(planned.placements[0].start >= 0x10_0000n, true);
    const noRoom = plan({ setupData, reservations: [taken(0x500n, 0x9_fc00n)] });
    assertEquals(noRoom.placements[0].start >= 0x10_0000n, true);
  });

  it("cannot be above 4 GiB", () => {
    const ram = [{ start: 1n << 32n, size: 0x800_0000n }];
    assertEquals(refused({}, ram), {
      code: "NO_SPACE",
      between: ["command line", "legacy hole (video memory, ROM)"],
    });
  });
});

describe("planBoot on x86: reservations", () => {
  it("are in the memory map with their type, and nothing is placed there", () => {
    const reservations = [
      { ...taken(0x10_0000n, 0x20_0000n), type: "acpi" as const },
      taken(0x7f0_0000n, 0x900_0000n), // over the end of RAM
      taken(0x1_0000_0000n, 0x1_0000_1000n), // outside RAM
      taken(0x9_0000n, 0xa_1000n), // over the EBDA
    ];
    const { memoryMap, placements } = plan({ reservations, initrd: pattern(0x1000) });
    assertEquals(
      memoryMap.map(({ start, size, type }) => [start, start + size, type]),
      [
        [0n, 0x9_0000n, "usable"],
        [0x9_0000n, 0xa_1000n, "reserved"],
        [0xf_0000n, 0x10_0000n, "reserved"],
        [0x10_0000n, 0x20_0000n, "acpi"],
        [0x20_0000n, 0x7f0_0000n, "usable"],
        [0x7f0_0000n, 0x900_0000n, "reserved"],
        [0x1_0000_0000n, 0x1_0000_1000n, "reserved"],
      ],
    );
    assertEquals(placements.find(({ name }) => name === "initrd")!.start, 0x7ef_f000n);
  });

  it("may share bytes with each other, and be empty", () => {
    plan({
      reservations: [taken(0x10_0000n, 0x18_0000n), taken(0x14_0000n, 0x20_0000n), taken(5n, 5n)],
    });
  });

  it("keep their own name when they are in the way", () => {
    const reservations = [taken(0xf_0000n, 0x10_0000n, "my rom")];
    const kernel = elfImage({ segments: [{ bytes: pattern(16), p_paddr: 0xf0100 }] });
    assertEquals(refused({ kernel, reservations }), {
      code: "OVERLAP",
      between: ["kernel segment 0", "my rom"],
    });
  });

  it("of everything leave no room, and the error says who took it", () => {
    assertEquals(refused({ reservations: [taken(0n, 1n << 64n, "all")] }), {
      code: "NO_SPACE",
      between: ["kernel", "all"],
    });
  });

  it("are refused past 2^64, of no kind, and in thousands", () => {
    assertEquals(refused({ reservations: [taken(1n, (1n << 64n) + 1n)] }).code, "ADDRESS_OVERFLOW");
    assertEquals(refused({ reservations: [taken(-5n, 5n)] }).code, "ADDRESS_OVERFLOW");
    const usable = { ...taken(0n, 5n), type: "usable" } as unknown as Reservation;
    assertEquals(refused({ reservations: [usable] }).code, "INVALID_OPTION");
    const many = Array.from({ length: 1025 }, (_, i) => taken(BigInt(i), BigInt(i) + 1n));
    assertEquals(refused({ reservations: many }).code, "LIMIT_EXCEEDED");
  });
});

describe("planBoot on x86: the memory map", () => {
  const LOW_HOLE = [{ start: 0n, size: 0x9_fc00n }, { start: 0x10_0000n, size: 0x700_0000n }];
  const extra = (start: bigint, end: bigint, type: MemoryMapEntry["type"] = "reserved") => ({
    start,
    size: end - start,
    type,
  });
  const kinds = (options: Partial<BootOptions>, ram = LOW_HOLE) =>
    plan(options, ram).memoryMap.map(({ start, size, type }) => [start, start + size, type]);
  const ends = [[0n, 0x9_fc00n, "usable"], [0x10_0000n, 0x710_0000n, "usable"]];

  it("reserves the EBDA and the system ROM, RAM behind them or not", () => {
    const reserved = [
      [0x9_fc00n, 0xa_0000n, "reserved"],
      [0xf_0000n, 0x10_0000n, "reserved"],
    ];
    assertEquals(kinds({}), [ends[0], ...reserved, ends[1]]);
    assertEquals(kinds({}, [{ start: 0n, size: 0x710_0000n }]), [ends[0], ...reserved, ends[1]]);
  });

  it("says what the caller says of the legacy hole instead", () => {
    const memoryMap = [extra(0x9_fc00n, 0xa_0000n, "nvs"), extra(0xe_0000n, 0xf_8000n, "acpi")];
    assertEquals(kinds({ memoryMap }), [
      ends[0],
      [0x9_fc00n, 0xa_0000n, "nvs"],
      [0xe_0000n, 0xf_8000n, "acpi"],
      [0xf_8000n, 0x10_0000n, "reserved"],
      ends[1],
    ]);
  });

  it("has the caller's entries outside RAM, and refuses those inside", () => {
    const memoryMap = [extra(0xfec0_0000n, 0xfed0_0000n)];
    assertEquals(kinds({ memoryMap }).at(-1), [0xfec0_0000n, 0xfed0_0000n, "reserved"]);
    assertEquals(refused({ memoryMap: [extra(0x70f_ffffn, 0x800_0000n)] }, LOW_HOLE), {
      code: "INVALID_OPTION",
      field: "memoryMap",
      between: ["memory map entry", "guest RAM"],
    });
  });
});
