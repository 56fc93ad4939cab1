/** Compares what an x86_64 probe saw with what was asked for, what the protocols fix, and the plan. */
import type { X86CpuState, X86Segment } from "../../mod.ts";
import type { Mismatch, Observation } from "../case.ts";
import { formatCrc32 } from "../crc32.ts";
import { bytesOf, fileOf, judgeReservations, placementOf } from "./content.ts";
import { Facts } from "./facts.ts";
import { expectEntries, judgeMemoryMap } from "./memory_map.ts";
import { initrdAddrMax, isElf } from "./setup_header.ts";
import { expectZeroPage } from "./zero_page.ts";

/**
 * How TR got its value: `ltr` marks the descriptor in the GDT as busy; a monitor that sets the
 * register by KVM_SET_SREGS leaves the GDT as it is.
 */
export type TrLoad = "ltr" | "sregs";

/** Intel SDM vol. 3, 8.2.2: the bit of a TSS descriptor's type that says so. */
const TSS_BUSY = 0x2;

/**
 * Judges a probe.
 *
 * @param seen What was seen.
 * @param trLoad How TR got its value.
 * @returns What does not match.
 */
export function judgeX86Probe(seen: Observation, trLoad: TrLoad = "ltr"): Mismatch[] {
  const facts = new Facts(seen.serial, "PROBE");
  const cpu = seen.plan.cpu;
  if (cpu.arch !== "x86_64") {
    return [{ what: "plan", expected: "x86_64", actual: cpu.arch }];
  }
  facts.expectAll({ protocol: seen.plan.protocol, fault: undefined, end: "1" });
  expectCpu(facts, cpu, trLoad);
  expectGuest(facts, seen);
  if (seen.plan.protocol === "pvh") {
    expectStartInfo(facts, seen, cpu.rbx);
  } else {
    expectZeroPage(facts, seen, cpu.rsi);
    expectReach(facts, seen);
    expectInitrdBelowMax(facts, seen);
  }
  if (seen.plan.protocol === "linux32") expect32Bit(facts);
  return [...facts.mismatches, ...judgeReservations(seen), ...judgeMemoryMap(seen)];
}

function expectCpu(facts: Facts, cpu: X86CpuState, trLoad: TrLoad): void {
  const { rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, rip, rflags, cr0, cr3, cr4, efer } = cpu;
  facts.expectAll({ rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, rip, rflags, cr0, cr3, cr4, efer });
  if (cpu.mode === "long") {
    cpu.r8to15.forEach((value, i) => facts.expect(`r${8 + i}`, value));
    // boot.rst, "64-bit BOOT PROTOCOL": long mode, paging on, __BOOT_CS and __BOOT_DS, interrupts off
    facts.expectAll({ cr0: 0x80000011, cr4: 0x20, efer: 0x500 });
  } else {
    // pvh.pandoc: only CR0.PE (and ET, which is hard-wired), CR4 clear, EFER clear; boot.rst,
    // "32-bit BOOT PROTOCOL": protected mode, paging disabled
    facts.expectAll({ cr0: 0x11, cr4: 0, efer: 0 });
  }
  facts.expectAll({ cs: 0x10, ds: 0x18, es: 0x18, ss: 0x18, rflags: 0x2 });
  const { gdt, idt } = cpu;
  facts.expectAll({ "gdt.base": gdt.base, "gdt.limit": gdt.limit });
  facts.expectAll({
    "idt.base": idt.base,
    "idt.limit": idt.limit,
    ldtr: cpu.segments.ldt.selector,
  });
  const { tr } = cpu.segments;
  const segments = {
    ...cpu.segments,
    tr: trLoad === "ltr" ? tr : { ...tr, type: tr.type & ~TSS_BUSY },
  };
  for (const name of ["cs", "ds", "es", "fs", "gs", "ss", "tr"] as const) {
    expectSegment(facts, name, segments[name]);
  }
  // Flat 4 GiB code and data (both protocols), a TSS of 0x68 bytes (PVH)
  facts.expectAll({ "cs.limit": 0xffffffff, "ds.limit": 0xffffffff, "tr.limit": 0x67 });
}

/** boot.rst, "32-bit BOOT PROTOCOL": registers that are zero, and nothing above 4 GiB. */
function expect32Bit(facts: Facts): void {
  facts.expectAll({ rbp: 0, rdi: 0, rbx: 0 });
  facts.expectAll({ ext_ramdisk_image: 0, ext_ramdisk_size: 0, ext_cmd_line_ptr: 0 });
}

/**
 * boot.rst, "initrd_addr_max": inclusive; it binds unless a place above was asked for, of a protocol
 * and a kernel that reach there.
 */
function expectInitrdBelowMax(facts: Facts, { kernel, plan, options }: Observation): void {
  const { protocol } = plan;
  const max = initrdAddrMax(fileOf(kernel), protocol);
  const isAskedFor = options.initrdPlacement === "high" || (options.initrdAddress ?? 0n) > max;
  if (!options.initrd || protocol === "linux64" && isAskedFor) return;
  const initrd = BigInt(facts.get("initrd.address") ?? 0);
  const last = initrd + BigInt(bytesOf(options.initrd).length) - 1n;
  if (last <= max) return;
  facts.note({
    what: "the initrd's last byte",
    expected: `at or below 0x${max.toString(16)}`,
    actual: `0x${last.toString(16)}`,
  });
}

/** The access rights as LAR gives them, shifted down by 8: type, s, dpl, p, then avl, l, db, g. */
function expectSegment(facts: Facts, name: string, segment: X86Segment): void {
  const bit = (on: boolean, at: number) => on ? 1 << at : 0;
  const rights = segment.type | bit(segment.s, 4) | segment.dpl << 5 | bit(segment.present, 7) |
    bit(segment.avl, 12) | bit(segment.l, 13) | bit(segment.db, 14) | bit(segment.g, 15);
  facts.expectAll({
    [name]: segment.selector,
    [`${name}.base`]: segment.base,
    [`${name}.limit`]: segment.limit,
    [`${name}.rights`]: rights,
  });
}

/** What both protocols hand over: command line and initrd, and BSS that is zero. */
function expectGuest(facts: Facts, { kernel, plan, options }: Observation): void {
  const cmdline = String(options.cmdline ?? "");
  facts.expectAll({
    cmdline: cmdline.replaceAll("\\", "\\x5c"),
    "cmdline.length": `${cmdline.length}`,
  });
  const initrd = placementOf(plan, "initrd");
  facts.expectAll({
    "initrd.address": options.initrdAddress ?? initrd?.start,
    "initrd.size": options.initrd && bytesOf(options.initrd).length,
    "initrd.crc32": options.initrd && formatCrc32(bytesOf(options.initrd)),
  });
  if (options.initrd && !initrd) {
    facts.note({ what: "plan", expected: "an initrd", actual: "none" });
  }
  // An ELF says what is BSS; a bzImage clears its own.
  if (isElf(fileOf(kernel))) facts.expect("bss.dirty", "0");
}

function expectStartInfo(facts: Facts, seen: Observation, address: bigint): void {
  const { plan, options } = seen;
  const modules = plan.placements.filter(({ name }) => /^(initrd|module \d+)$/.test(name));
  facts.expectAll({
    start_info: address,
    magic: 0x336ec578,
    version: 1,
    flags: 0,
    nr_modules: modules.length,
    cmdline_paddr: placementOf(plan, "command line")?.start,
    rsdp_paddr: options.rsdp ?? 0n,
    memmap_entries: plan.memoryMap.length,
  });
  expectEntries(facts, "memmap", plan.memoryMap);
  for (const [i, { source, cmdline }] of (options.modules ?? []).entries()) {
    const module = placementOf(plan, `module ${i + 1}`);
    const text = placementOf(plan, `module ${i + 1} command line`);
    const hex = [module?.start, module?.size, text?.start ?? 0n]
      .map((value) => `0x${value?.toString(16)}`).join(" ");
    facts.expect(`module[${i + 1}]`, `${hex} ${formatCrc32(bytesOf(source))}`);
    facts.expect(`module[${i + 1}].cmdline`, cmdline?.replaceAll("\\", "\\x5c"));
  }
}

/** boot.rst: the kernel with all of init_size, zero page and command line are mapped; the initrd is in ours. */
function expectReach(facts: Facts, { plan }: Observation): void {
  const last = (named: (name: string) => boolean) =>
    plan.placements.filter(({ name }) => named(name))
      .map(({ start, size }) => start + size - 1n)
      .reduce((a: bigint | undefined, b) => a === undefined || b > a ? b : a, undefined);
  facts.expectAll({
    "reach.kernel": last((name) => name.startsWith("kernel")),
    "reach.zero_page": last((name) => name === "zero page"),
    "reach.cmdline": last((name) => name === "command line"),
    "reach.initrd": last((name) => name === "initrd"),
  });
}
