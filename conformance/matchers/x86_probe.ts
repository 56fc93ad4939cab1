/** Compares what an x86_64 probe saw with the plan, and with what the protocols fix. */
import {
  SETUP_INDIRECT,
  SETUP_INDIRECT_DATA,
  type X86CpuState,
  type X86Segment,
} from "../../mod.ts";
import type { Mismatch, Observation } from "../case.ts";
import { formatCrc32 } from "../crc32.ts";
import { bytesOf, placementOf } from "./content.ts";
import { Facts } from "./facts.ts";

/** ACPI 6.5, table 15.4. */
const TYPES = { usable: 1, reserved: 2, acpi: 3, nvs: 4, unusable: 5, persistent: 7 } as const;

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
  if (seen.plan.protocol === "pvh") expectStartInfo(facts, seen, cpu.rbx);
  else expectZeroPage(facts, seen, cpu.rsi);
  if (seen.plan.protocol === "linux32") expect32Bit(facts);
  return facts.mismatches;
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
  const initrd = BigInt(facts.get("initrd.address") ?? 0);
  const end = initrd + BigInt(facts.get("initrd.size") ?? 0);
  // boot.rst, "initrd_addr_max": inclusive, and where there is no such field
  const isElf = facts.get("begin") === "probe-elf32";
  const max = isElf ? 0x37ffffffn : BigInt(facts.get("hdr.initrd_addr_max") ?? 0);
  if (end - 1n > max) {
    facts.note({
      what: "the initrd's last byte",
      expected: `at or below 0x${max.toString(16)}`,
      actual: `0x${(end - 1n).toString(16)}`,
    });
  }
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
function expectGuest(facts: Facts, { plan, options }: Observation): void {
  const cmdline = String(options.cmdline ?? "");
  facts.expectAll({
    cmdline: cmdline.replaceAll("\\", "\\x5c"),
    "cmdline.length": `${cmdline.length}`,
  });
  const initrd = placementOf(plan, "initrd");
  facts.expectAll({
    "initrd.address": initrd?.start,
    "initrd.size": initrd?.size,
    "initrd.crc32": options.initrd && formatCrc32(bytesOf(options.initrd)),
  });
  if (options.initrd && !initrd) {
    facts.note({ what: "plan", expected: "an initrd", actual: "none" });
  }
  // An ELF says what is BSS; a bzImage clears its own.
  if (facts.get("begin")?.startsWith("probe-elf")) facts.expect("bss.dirty", "0");
}

function expectMemoryMap(facts: Facts, name: string, map: Observation["plan"]["memoryMap"]): void {
  if (facts.count(name) !== map.length) {
    facts.note({
      what: `PROBE ${name}`,
      expected: `${map.length} entries`,
      actual: `${facts.count(name)}`,
    });
  }
  for (const [i, { start, size, type }] of map.entries()) {
    const hex = [start, size, TYPES[type]].map((value) => `0x${value.toString(16)}`).join(" ");
    facts.expect(`${name}[${i}]`, hex);
  }
}

/** bootparam.h, E820_MAX_ENTRIES_ZEROPAGE; more entries go to a setup_data of type SETUP_E820_EXT. */
const ZERO_PAGE_ENTRIES = 128;

/** The setup_data that a guest must find: those handed over, and the memory map's rest. */
function wantedSetupData({ plan, options }: Observation): { type: number; data: Uint8Array }[] {
  const rest = plan.memoryMap.slice(ZERO_PAGE_ENTRIES);
  const view = new DataView(new ArrayBuffer(20 * rest.length));
  for (const [i, { start, size, type }] of rest.entries()) {
    view.setBigUint64(20 * i, start, true);
    view.setBigUint64(20 * i + 8, size, true);
    view.setUint32(20 * i + 16, TYPES[type], true);
  }
  const overflow = rest.length > 0 ? [{ type: 1, data: new Uint8Array(view.buffer) }] : [];
  return [...options.setupData ?? [], ...overflow];
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
  expectMemoryMap(facts, "memmap", plan.memoryMap);
  for (const [i, { source, cmdline }] of (options.modules ?? []).entries()) {
    const module = placementOf(plan, `module ${i + 1}`);
    const text = placementOf(plan, `module ${i + 1} command line`);
    const hex = [module?.start, module?.size, text?.start ?? 0n]
      .map((value) => `0x${value?.toString(16)}`).join(" ");
    facts.expect(`module[${i + 1}]`, `${hex} ${formatCrc32(bytesOf(source))}`);
    facts.expect(`module[${i + 1}].cmdline`, cmdline?.replaceAll("\\", "\\x5c"));
  }
}

function expectZeroPage(facts: Facts, seen: Observation, address: bigint): void {
  const { plan, options } = seen;
  const page = placementOf(plan, "zero page");
  const cmdline = placementOf(plan, "command line")?.start ?? 0n;
  const initrd = placementOf(plan, "initrd") ?? { start: 0n, size: 0n };
  const low = (value: bigint) => value & 0xffffffffn;
  const high = (value: bigint) => value >> 32n;
  facts.expectAll({
    zero_page: address,
    "zero_page.crc32": page?.content.kind === "bytes"
      ? formatCrc32(page.content.bytes)
      : "bytes of a zero page in the plan",
    sentinel: 0,
    "hdr.boot_flag": 0xaa55,
    "hdr.header": 0x53726448,
    "hdr.type_of_loader": 0xff,
    "hdr.cmd_line_ptr": low(cmdline),
    ext_cmd_line_ptr: high(cmdline),
    "hdr.ramdisk_image": low(initrd.start),
    ext_ramdisk_image: high(initrd.start),
    "hdr.ramdisk_size": low(initrd.size),
    ext_ramdisk_size: high(initrd.size),
    acpi_rsdp_addr: options.rsdp ?? 0n,
    e820_entries: Math.min(plan.memoryMap.length, ZERO_PAGE_ENTRIES),
  });
  expectMemoryMap(facts, "e820", plan.memoryMap.slice(0, ZERO_PAGE_ENTRIES));
  const setupData = wantedSetupData(seen);
  if (setupData.length !== facts.count("setup_data")) {
    facts.note({
      what: "PROBE setup_data",
      expected: `${setupData.length} in the chain`,
      actual: `${facts.count("setup_data")}`,
    });
  }
  for (const [i, { type, data }] of setupData.entries()) {
    const [, ...rest] = facts.get(`setup_data[${i}]`)?.split(" ") ?? [];
    const wanted = `0x${type.toString(16)} 0x${data.length.toString(16)} ${formatCrc32(data)}`;
    if (rest.join(" ") === wanted) continue;
    facts.note({ what: `PROBE setup_data[${i}]`, expected: wanted, actual: rest.join(" ") });
  }
  for (const [i, { type, data }] of setupData.entries()) {
    facts.expect(
      `setup_indirect[${i}]`,
      type === SETUP_INDIRECT ? indirectData(data, seen) : undefined,
    );
  }
  expectReach(facts, seen);
}

/** What lies where a setup_indirect says; cases let it point into the initrd. */
function indirectData(item: Uint8Array, { plan, options }: Observation): string {
  const { type, len, addr } = SETUP_INDIRECT_DATA.read(item);
  const at = Number(addr - (placementOf(plan, "initrd")?.start ?? 0n));
  const data = bytesOf(options.initrd ?? new Uint8Array()).subarray(at, at + Number(len));
  const numbers = [addr, type, len].map((value) => `0x${value.toString(16)}`);
  return `${numbers.join(" ")} ${formatCrc32(data)}`;
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
