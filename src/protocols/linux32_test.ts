import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { bzImage, elfImage, pattern, peek } from "../../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults } from "../../fuzz/arbitraries/plans.ts";
import { descriptor } from "../../fuzz/arbitraries/x86_walk.ts";
import { bootLinux, planBoot } from "../boot.ts";
import type { X86CpuState } from "../cpu/state.ts";
import { GuestMemory } from "../memory/guest_memory.ts";
import type { BootOptions, BootPlan } from "./plan.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const RAM = [{ start: 0n, size: 3n * GIB }, { start: 4n * GIB, size: 4n * GIB }];
const INITRD = pattern(0x1801, 6);
const I386_VMLINUX = elfImage({ bits: 32 });

function plan(options: Partial<BootOptions>, ram = RAM): BootPlan & { cpu: X86CpuState } {
  const planned = planBoot({ ram }, { kernel: bzImage(), protocol: "linux32", ...options });
  assertEquals(faults(planned, options.reservations), []);
  return planned as BootPlan & { cpu: X86CpuState };
}
const refused = (options: Partial<BootOptions>, ram = RAM) =>
  refusal(() => planBoot({ ram }, { kernel: bzImage(), protocol: "linux32", ...options }));
const named = ({ placements }: BootPlan, wanted: string) =>
  placements.find(({ name }) => name === wanted);
const startOf = (plan: BootPlan, wanted: string) => named(plan, wanted)!.start;
function zeroPageOf(plan: BootPlan): Uint8Array {
  const content = named(plan, "zero page")!.content;
  if (content.kind !== "bytes") throw new Error("the zero page is not bytes");
  return content.bytes;
}

describe("bootLinux by linux32: what the CPU starts with", () => {
  const dirty = dirtyRam({ start: 0n, size: 0x200_0000 });
  const memory = GuestMemory.of(dirty.regions);
  const { cpu, placements } = bootLinux(memory, {
    kernel: bzImage(),
    protocol: "linux32",
    initrd: INITRD,
    cmdline: "console=ttyS0",
  }) as BootPlan & { cpu: X86CpuState };
  const u64 = (address: bigint) => peek(memory.read(address, 8), 0, 8);

  it("is protected mode with paging off, at the load address", () => {
    assertEquals(cpu.mode, "protected");
    assertEquals([cpu.cr0 & 0x80000001n, cpu.cr3, cpu.cr4, cpu.efer], [1n, 0n, 0n, 0n]);
    assertEquals(cpu.rip, 0x1000000n);
    assertEquals(memory.read(cpu.rip, 16), pattern(4096).slice(0, 16));
    assertEquals(placements.some(({ name }) => name === "page tables"), false);
  });

  it("is esi at boot_params; ebp, edi and ebx zero; interrupts off", () => {
    assertEquals([cpu.rbp, cpu.rdi, cpu.rbx], [0n, 0n, 0n]);
    assertEquals(cpu.rflags >> 9n & 1n, 0n); // IF
    assertEquals(cpu.rsi, startOf({ placements } as BootPlan, "zero page"));
    assertEquals(peek(memory.read(cpu.rsi + 0x202n, 4), 0, 4), 0x53726448n);
    const line = peek(memory.read(cpu.rsi + 0x228n, 4), 0, 4);
    assertEquals(memory.read(line, 14), new TextEncoder().encode("console=ttyS0\0"));
  });

  it("is __BOOT_CS 0x10 and __BOOT_DS 0x18: flat 4 GiB, 32-bit, in the GDT that is there", () => {
    const { cs, ds, es, ss } = cpu.segments;
    assertEquals([cs, ds, es, ss].map(({ selector }) => selector), [0x10, 0x18, 0x18, 0x18]);
    for (const [segment, type] of [[cs, 0xb], [ds, 0x3], [es, 0x3], [ss, 0x3]] as const) {
      const { base, limit, db, l, present } = segment;
      assertEquals([base, limit, db, l, present], [0n, 0xffffffff, true, false, true]);
      assertEquals(segment.type, type); // execute/read, read/write; accessed
      const { selector, ...hidden } = segment;
      assertEquals(descriptor(u64(cpu.gdt.base + BigInt(selector))), hidden);
    }
  });
});

describe("planBoot by linux32: the kernel", () => {
  it("is a bzImage for x86_64, or one for i386 of whatever age has cmd_line_ptr", () => {
    assertEquals(plan({}).cpu.rip, 0x1000000n);
    assertEquals(plan({ kernel: bzImage({ xloadflags: 0 }) }).cpu.rip, 0x1000000n);
    const old = bzImage({ version: 0x0202, jump: 0x2aeb }); // ends behind cmd_line_ptr
    const planned = plan({ kernel: old, initrd: INITRD });
    assertEquals(planned.cpu.rip, MIB); // not relocatable: where every old bzImage goes
    assertEquals(startOf(planned, "initrd"), 0x3800_0000n - 0x2000n); // initrd_addr_max of old
    assertEquals(refused({ kernel: bzImage({ version: 0x0201 }) }), {
      code: "BZIMAGE_VERSION",
      field: "setup_header.version",
      offset: 0x206,
    });
  });

  it("may be no longer than where a 64-bit entry would be", () => {
    assertEquals(named(plan({ kernel: bzImage({ kernel: pattern(16) }) }), "kernel")!.size, 16n);
    assertEquals(refused({ kernel: bzImage({ syssize: 0 }) }), {
      code: "BZIMAGE_FIELD",
      field: "setup_header.syssize",
      offset: 0x1f4,
    });
  });

  it("lies below 4 GiB, whatever xloadflags say", () => {
    const reservations = [{ name: "low", start: MIB, size: 3n * GIB - MIB }];
    assertEquals(refused({ reservations }).code, "NO_SPACE");
    assertEquals(refused({ kernelAddress: 5n * GIB }).code, "NO_SPACE");
    assertEquals(plan({ kernelAddress: 2n * GIB }).cpu.rip, 2n * GIB);
  });

  it("is an i386 vmlinux, entered at e_entry", () => {
    const segments = [{ bytes: pattern(64), p_paddr: 0x1000000, p_vaddr: 0xc1000000 }];
    const at = (e_entry: number) => elfImage({ bits: 32, segments, header: { e_entry } });
    for (const e_entry of [0x1000020, 0xc1000020]) {
      const { cpu } = plan({ kernel: at(e_entry) });
      assertEquals([cpu.mode, cpu.rip], ["protected", 0x1000020n]);
    }
    assertEquals(refused({ kernel: at(0x1000040) }), {
      code: "ENTRY_OUTSIDE_KERNEL",
      field: "e_entry",
      offset: 0x18,
    });
    const page = zeroPageOf(plan({ kernel: at(0x1000020), initrd: INITRD }));
    assertEquals(peek(page, 0x202, 4), 0x53726448n);
    assertEquals(peek(page, 0x210, 2), 0x01ffn); // type_of_loader, LOADED_HIGH
    assertEquals(peek(page, 0x214, 4), 0x1000000n); // code32_start
  });

  it("is no x86_64 vmlinux, whose e_entry is 64-bit code", () => {
    assertEquals(refused({ kernel: elfImage() }), {
      code: "ELF_CLASS",
      field: "e_ident[EI_CLASS]",
      offset: 4,
    });
  });
});

describe("planBoot by linux32: what the kernel is told", () => {
  it("has the initrd below initrd_addr_max, never above 4 GiB", () => {
    const high = { initrd: INITRD, initrdPlacement: "high" } as const;
    for (const options of [{ initrd: INITRD }, high]) {
      assertEquals(startOf(plan(options), "initrd"), 0x8000_0000n - 0x2000n);
    }
    const top = bzImage({ initrd_addr_max: 0xffffffff });
    assertEquals(startOf(plan({ ...high, kernel: top }), "initrd"), 3n * GIB - 0x2000n);
    const all = [{ start: 0n, size: 8n * GIB }];
    assertEquals(startOf(plan({ ...high, kernel: top }, all), "initrd"), 4n * GIB - 0x2000n);
    assertEquals(refused({ initrd: INITRD, initrdAddress: 5n * GIB }), {
      code: "NO_SPACE",
      field: "initrdAddress",
      between: ["initrd", "initrd_addr_max of this kernel"],
    });
  });

  it("has the initrd of a vmlinux where the oldest kernel finds it: boot.rst, 0x37ffffff", () => {
    const planned = plan({ kernel: I386_VMLINUX, initrd: INITRD });
    assertEquals(startOf(planned, "initrd"), 0x3800_0000n - 0x2000n);
    assertEquals(peek(zeroPageOf(planned), 0x22c, 4), 0x37ffffffn);
  });

  it("has RSDP and setup_data as by linux64", () => {
    const setupData = [{ type: 9, data: pattern(4) }];
    const planned = plan({ setupData, rsdp: 0xe1234n });
    const page = zeroPageOf(planned);
    assertEquals(peek(page, 0x70, 8), 0xe1234n);
    assertEquals(peek(page, 0x250, 8), startOf(planned, "setup_data"));
  });

  it("has no setup_data for a kernel that has no such field: refused, not lost", () => {
    const kernel = bzImage({ version: 0x0208 });
    const setupData = [{ type: 9, data: pattern(4) }];
    assertEquals(refused({ kernel, setupData }), { code: "INVALID_OPTION", field: "setupData" });
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ start: BigInt(i) * 16n * MIB, size: 8n * MIB }));
    // The first region makes three entries: the EBDA and the ROM cut it.
    assertEquals(plan({ kernel }, many(125)).memoryMap.length, 128);
    assertEquals(refused({ kernel }, many(126)), { code: "LIMIT_EXCEEDED", field: "memoryMap" });
  });
});
