import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  elfImage,
  noteBytes,
  pattern,
  peek,
  pvhImage,
  type Segment,
  word,
} from "../../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults } from "../../fuzz/arbitraries/plans.ts";
import { bootLinux, planBoot } from "../boot.ts";
import type { X86CpuState } from "../cpu/state.ts";
import { GuestMemory } from "../memory/guest_memory.ts";
import type { BootOptions, BootPlan } from "./plan.ts";

const GIB = 1n << 30n;
const RAM = [{ start: 0n, size: 0x800_0000n }, { start: 4n * GIB, size: 4n * GIB }];

function plan(options: Partial<BootOptions>, ram = RAM): BootPlan & { cpu: X86CpuState } {
  const planned = planBoot({ ram }, { kernel: pvhImage(), ...options });
  assertEquals(faults(planned, options.reservations), []);
  return planned as BootPlan & { cpu: X86CpuState };
}
const refused = (options: Partial<BootOptions>) =>
  refusal(() => planBoot({ ram: RAM }, { kernel: pvhImage(), ...options }));
const startOf = ({ placements }: BootPlan, wanted: string) =>
  placements.find(({ name }) => name === wanted)!.start;

const KERNEL: Segment = { bytes: pattern(0x100), p_memsz: 0x1000 };
/** A kernel with these descriptors, each in a PT_NOTE of its own. */
const withNotes = (...descriptors: Uint8Array[]) =>
  elfImage({
    segments: [
      KERNEL,
      ...descriptors.map((descriptor) => ({ p_type: 4, bytes: noteBytes([{ descriptor }]) })),
    ],
  });
/** Where the n_descsz of the first note of `withNotes(x)` lies. */
const NOTE = 64 + 2 * 56 + 0x100;

describe("planBoot by PVH: the guest's tables, as the guest reads them", () => {
  const dirty = dirtyRam({ start: 0n, size: 0x100_0000 }, { start: 4n * GIB, size: 0x10_0000 });
  const memory = GuestMemory.of(dirty.regions);
  const initrd = pattern(0x1801, 6);
  const disk = pattern(0x900, 7);
  const planned = bootLinux(memory, {
    kernel: pvhImage(),
    initrd,
    cmdline: "console=hvc0",
    rsdp: 0xe0000n,
    modules: [{ source: disk, cmdline: "disk" }, { source: Uint8Array.of(9) }],
  }) as BootPlan & { cpu: X86CpuState };
  const { cpu, memoryMap } = planned;
  const u32 = (at: bigint) => peek(memory.read(at, 4), 0, 4);
  const u64 = (at: bigint) => peek(memory.read(at, 8), 0, 8);
  const info = cpu.rbx;
  const text = (at: bigint) => {
    let read = "";
    for (; memory.read(at, 1)[0] !== 0; at++) read += String.fromCharCode(memory.read(at, 1)[0]);
    return read;
  };

  it("starts at the note's entry, ebx at start_info below 4 GiB", () => {
    assertEquals(planned.protocol, "pvh");
    assertEquals(cpu.mode, "protected");
    assertEquals(cpu.rip, 0x100000n);
    assertEquals([u32(info), u32(info + 4n), u32(info + 8n)], [0x336ec578n, 1n, 0n]);
    assertEquals(info < 4n * GIB, true);
    assertEquals(faults(planned), []);
  });

  it("has the command line and the RSDP", () => {
    assertEquals(text(u64(info + 0x18n)), "console=hvc0");
    assertEquals(u64(info + 0x20n), 0xe0000n);
  });

  it("has the initrd as module 0, then the others with their command lines", () => {
    assertEquals(u32(info + 0x0cn), 3n);
    const list = u64(info + 0x10n);
    const modules = [0n, 32n, 64n].map((at) => ({
      bytes: memory.read(u64(list + at), Number(u64(list + at + 8n))),
      start: u64(list + at),
      cmdline: u64(list + at + 16n),
    }));
    assertEquals(modules.map(({ bytes }) => bytes), [initrd, disk, Uint8Array.of(9)]);
    assertEquals(modules.map(({ start }) => start % 4096n), [0n, 0n, 0n]);
    assertEquals([modules[0].cmdline, modules[2].cmdline], [0n, 0n]);
    assertEquals(text(modules[1].cmdline), "disk");
  });

  it("has the plan's memory map", () => {
    const [table, count] = [u64(info + 0x28n), Number(u32(info + 0x30n))];
    const numbers = { usable: 1n, reserved: 2n } as const;
    const rows = Array.from({ length: count }, (_, i) => {
      const at = table + BigInt(24 * i);
      return [u64(at), u64(at + 8n), u32(at + 16n), u32(at + 20n)];
    });
    assertEquals(
      rows,
      memoryMap.map(({ start, size, type }) => [start, size, numbers[type as "usable"], 0n]),
    );
  });

  it("leaves every byte alone that no placement covers", () => {
    for (const { start, end } of dirty.changes()) {
      const inside = planned.placements.some((placement) =>
        start >= placement.start && end <= placement.start + placement.size
      );
      const touching = planned.placements.filter((placement) =>
        placement.start < end && start < placement.start + placement.size
      );
      const sum = touching.reduce((sum, { size }) => sum + size, 0n);
      assertEquals(inside || sum >= end - start, true, `changed [${start}..${end})`);
    }
  });
});

describe("planBoot by PVH: the entry", () => {
  it("is the same in a 32-bit file", () => {
    const segments = [{ bytes: pattern(0x40), p_paddr: 0x200000, p_vaddr: 0xc0200000 }];
    const { cpu, protocol } = plan({ kernel: pvhImage(segments, 0x200010, 32) });
    assertEquals([protocol, cpu.mode, cpu.rip], ["pvh", "protected", 0x200010n]);
    assertEquals(refused({ kernel: pvhImage(segments, 0x200040, 32) }), {
      code: "ENTRY_OUTSIDE_KERNEL",
      field: "XEN_ELFNOTE_PHYS32_ENTRY",
      offset: 52 + 2 * 32 + 0x40 + 16,
    });
  });

  it("is a descriptor of 4 or 8 bytes", () => {
    assertEquals(plan({ kernel: withNotes(word(0x100010)) }).cpu.rip, 0x100010n);
    assertEquals(plan({ kernel: withNotes(word(0x100020n, 8)) }).cpu.rip, 0x100020n);
  });

  it("has no other size", () => {
    for (const size of [0, 1, 2, 3, 5, 7, 9, 12, 16]) {
      assertEquals(refused({ kernel: withNotes(new Uint8Array(size)) }), {
        code: "NOTE_MALFORMED",
        field: "n_descsz",
        offset: NOTE + 4,
      });
    }
  });

  it("is below 4 GiB", () => {
    for (const entry of [1n << 32n, 0x1_0010_0000n, (1n << 64n) - 1n]) {
      assertEquals(refused({ kernel: withNotes(word(entry, 8)) }), {
        code: "NOTE_MALFORMED",
        field: "XEN_ELFNOTE_PHYS32_ENTRY",
        offset: NOTE + 16,
      });
    }
  });

  it("lies in bytes of the file, and is never a virtual address", () => {
    const outside = { code: "ENTRY_OUTSIDE_KERNEL", field: "XEN_ELFNOTE_PHYS32_ENTRY" };
    for (const entry of [0, 0xfffff, 0x100100, 0x100fff, 0xffffffff]) {
      assertEquals(refused({ kernel: withNotes(word(entry)) }), { ...outside, offset: NOTE + 16 });
    }
    const virtual = pvhImage([{ bytes: pattern(16), p_vaddr: 0x900000 }], 0x900000);
    assertEquals(refused({ kernel: virtual }).code, "ENTRY_OUTSIDE_KERNEL");
  });

  it("is the first of several", () => {
    const kernel = withNotes(word(0x100010), word(0x100020));
    assertEquals(plan({ kernel }).cpu.rip, 0x100010n);
    const firstIsBad = withNotes(new Uint8Array(2), word(0x100020));
    assertEquals(refused({ kernel: firstIsBad }).code, "NOTE_MALFORMED");
  });

  it("is not that of e_entry, which may be anything", () => {
    const note = { p_type: 4, bytes: noteBytes([{ descriptor: word(0x100004) }]) };
    const kernel = elfImage({ header: { e_entry: 0xdead_beef_0000n }, segments: [KERNEL, note] });
    assertEquals(plan({ kernel }).cpu.rip, 0x100004n);
  });

  it("is missing", () => {
    assertEquals(refused({ kernel: elfImage(), protocol: "pvh" }), {
      code: "PVH_NOT_PRESENT",
      field: "PT_NOTE",
    });
  });

  it("does not matter to a kernel that is booted by linux64", () => {
    const kernel = withNotes(new Uint8Array(2));
    assertEquals(plan({ kernel, protocol: "linux64" }).cpu.mode, "long");
  });
});

describe("planBoot by PVH: modules", () => {
  const initrd = pattern(0x1801);

  it("lie below 4 GiB, or high on request", () => {
    assertEquals(startOf(plan({ initrd }), "initrd"), 0x800_0000n - 0x2000n);
    const high = plan({ initrd, modules: [{ source: initrd }], initrdPlacement: "high" });
    assertEquals(startOf(high, "initrd"), 8n * GIB - 0x2000n);
    assertEquals(startOf(high, "module 1"), 8n * GIB - 0x4000n);
    assertEquals(startOf(plan({ initrd, initrdAddress: 5n * GIB }), "initrd"), 5n * GIB);
    assertEquals(startOf(plan({ initrd, initrdAddress: 0x400_0000n }), "initrd"), 0x400_0000n);
  });

  it("need an initrd, bytes, and a command line that fits", () => {
    const field = { code: "INVALID_OPTION", field: "modules" };
    assertEquals(refused({ modules: [{ source: initrd }] }), field);
    assertEquals(refused({ initrd, modules: [{ source: new Uint8Array(0) }] }), field);
    const cmdline = "x".repeat(2048);
    assertEquals(
      refused({ initrd, modules: [{ source: initrd, cmdline }] }).code,
      "CMDLINE_TOO_LONG",
    );
    plan({ initrd, modules: [{ source: initrd, cmdline: cmdline.slice(1) }] });
  });

  it("are never in page 0, as the initrd is not", () => {
    // A page each for the initrd, a module and the command line; of page 0, less is taken
    const ram = [{ start: 0n, size: 0x4000n }, { start: 0x100_0000n, size: 0x1000n }];
    const kernel = pvhImage([{ ...KERNEL, p_paddr: 0x100_0000 }], 0x100_0000);
    const boot = (count: number) => ({
      kernel,
      initrd: pattern(16),
      modules: Array.from({ length: count }, () => ({ source: pattern(16) })),
    });
    const one = plan(boot(1), ram);
    assertEquals(
      ["initrd", "module 1", "command line"].map((name) => startOf(one, name)),
      [0x3000n, 0x2000n, 0x1000n],
    );
    const { code, between } = refusal(() => planBoot({ ram }, boot(2)));
    assertEquals([code, between?.[0]], ["NO_SPACE", "module 2"]);
  });

  it("are refused in thousands", () => {
    const modules = Array.from({ length: 1025 }, () => ({ source: initrd }));
    assertEquals(refused({ initrd, modules }), { code: "LIMIT_EXCEEDED", field: "modules" });
    assertEquals(plan({ initrd, modules: modules.slice(1) }).placements.length > 1024, true);
  });

  it("do not fit: the error names the module", () => {
    const huge = { size: 2 ** 40, readAt: () => 0 };
    const { code, between } = refused({ initrd, modules: [{ source: huge }] });
    assertEquals([code, between?.[0]], ["NO_SPACE", "module 1"]);
  });
});

describe("planBoot by PVH: the command line", () => {
  it("may have 2,047 bytes", () => {
    plan({ cmdline: "x".repeat(2047) });
    assertEquals(refused({ cmdline: "x".repeat(2048) }), {
      code: "CMDLINE_TOO_LONG",
      field: "command line",
      offset: 2047,
    });
  });
});
