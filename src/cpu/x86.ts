import { type AddressRange, alignDown, alignUp, GIB, rangeEnd } from "../address.ts";
import type { X86CpuState, X86Segment } from "./state.ts";

/** Intel SDM vol. 3, 2.5: protection enable. */
export const CR0_PE = 1n << 0n;
/** Intel SDM vol. 3, 2.5: extension type; hard-wired to 1. */
export const CR0_ET = 1n << 4n;
/** Intel SDM vol. 3, 2.5: paging. */
export const CR0_PG = 1n << 31n;
/** Intel SDM vol. 3, 2.5: physical address extension. */
export const CR4_PAE = 1n << 5n;
/** Intel SDM vol. 3, 2.2.1: IA-32e mode enable. */
export const EFER_LME = 1n << 8n;
/** Intel SDM vol. 3, 2.2.1: IA-32e mode active. */
export const EFER_LMA = 1n << 10n;
/** Intel SDM vol. 3, 2.3: bit 1 of rflags reads as 1. */
const RFLAGS_FIXED = 1n << 1n;

/** boot.rst: __BOOT_CS. */
export const BOOT_CS = 0x10;
/** boot.rst: __BOOT_DS. */
export const BOOT_DS = 0x18;
/** The task state segment follows; in long mode its descriptor takes two entries. */
export const BOOT_TR = 0x20;
const GDT_SIZE = 0x30;

/** Intel SDM vol. 3, 3.4.5.1: execute/read, accessed. */
const TYPE_CODE = 0xb;
/** Intel SDM vol. 3, 3.4.5.1: read/write, accessed. */
const TYPE_DATA = 0x3;
/** Intel SDM vol. 3, 3.5: 64-bit or 32-bit TSS, available: `ltr` faults on a busy one. */
const TYPE_TSS_AVAILABLE = 0x9;
/** What the TSS becomes once `ltr` has loaded it. */
const TYPE_TSS_BUSY = 0xb;
/** PVH: "a 32-bit TSS (active) with a base of '0' and a limit of '0x67'". */
const TSS_LIMIT = 0x67;
const FLAT_LIMIT = 0xffffffff;

const BASE_SEGMENT = { base: 0n, dpl: 0, present: true, avl: false, l: false } as const;
const DATA: X86Segment = {
  ...BASE_SEGMENT,
  selector: BOOT_DS,
  limit: FLAT_LIMIT,
  type: TYPE_DATA,
  s: true,
  db: true,
  g: true,
};
const TSS: X86Segment = {
  ...BASE_SEGMENT,
  selector: BOOT_TR,
  limit: TSS_LIMIT,
  type: TYPE_TSS_BUSY,
  s: false,
  db: false,
  g: false,
};
const UNUSABLE: X86Segment = { ...TSS, selector: 0, limit: 0, type: 0, present: false };
const CODE_32: X86Segment = { ...DATA, selector: BOOT_CS, type: TYPE_CODE };
const CODE_64: X86Segment = { ...CODE_32, l: true, db: false };

/** The mode in which a boot protocol enters the kernel. */
export type X86Mode = X86CpuState["mode"];

/** Where things lie that the CPU state points to; guest-physical addresses. */
export interface X86Start {
  /** The mode. */
  readonly mode: X86Mode;
  /** The entry. */
  readonly rip: bigint;
  /** The GDT. */
  readonly gdt: bigint;
  /** The top page table, in long mode. */
  readonly pageTables?: bigint;
  /** hvm_start_info, for PVH. */
  readonly rbx?: bigint;
  /** The zero page, for the Linux protocols. */
  readonly rsi?: bigint;
}

/**
 * The state of the first vCPU.
 *
 * Long mode: boot.rst, "64-bit BOOT PROTOCOL". Protected mode: boot.rst, "32-bit BOOT PROTOCOL", and
 * Xen docs/misc/pvh.pandoc, "x86/HVM direct boot ABI".
 *
 * @param start Where things lie.
 * @returns The state; registers not asked for are zero.
 */
export function x86CpuState(start: X86Start): X86CpuState {
  const long = start.mode === "long";
  return {
    arch: "x86_64",
    mode: start.mode,
    rip: start.rip,
    rflags: RFLAGS_FIXED,
    rax: 0n,
    rbx: start.rbx ?? 0n,
    rcx: 0n,
    rdx: 0n,
    rsi: start.rsi ?? 0n,
    rdi: 0n,
    rbp: 0n,
    rsp: 0n,
    r8to15: Array(8).fill(0n),
    cr0: CR0_PE | CR0_ET | (long ? CR0_PG : 0n),
    cr3: start.pageTables ?? 0n,
    cr4: long ? CR4_PAE : 0n,
    efer: long ? EFER_LME | EFER_LMA : 0n,
    segments: {
      cs: long ? CODE_64 : CODE_32,
      ds: DATA,
      es: DATA,
      fs: DATA,
      gs: DATA,
      ss: DATA,
      tr: TSS,
      ldt: UNUSABLE,
    },
    gdt: { base: start.gdt, limit: GDT_SIZE - 1 },
    idt: { base: 0n, limit: 0 },
  };
}

/**
 * The global descriptor table that the segments of {@linkcode x86CpuState} come from.
 *
 * @param mode The mode.
 * @returns Null, an unused entry, code at 0x10, data at 0x18, the TSS at 0x20 (available, so that
 * `ltr` can load it).
 */
export function buildGdt(mode: X86Mode): Uint8Array {
  const gdt = new DataView(new ArrayBuffer(GDT_SIZE));
  gdt.setBigUint64(BOOT_CS, descriptor(mode === "long" ? CODE_64 : CODE_32), true);
  gdt.setBigUint64(BOOT_DS, descriptor(DATA), true);
  gdt.setBigUint64(BOOT_TR, descriptor({ ...TSS, type: TYPE_TSS_AVAILABLE }), true);
  return new Uint8Array(gdt.buffer);
}

/** Intel SDM vol. 3, figure 3-8. */
function descriptor(segment: X86Segment): bigint {
  const flag = (on: boolean, bit: bigint) => on ? 1n << bit : 0n;
  const limit = BigInt(segment.g ? segment.limit >>> 12 : segment.limit);
  return (limit & 0xffffn) |
    (segment.base & 0xffffffn) << 16n |
    BigInt(segment.type) << 40n |
    flag(segment.s, 44n) |
    BigInt(segment.dpl) << 45n |
    flag(segment.present, 47n) |
    (limit >> 16n & 0xfn) << 48n |
    flag(segment.avl, 52n) |
    flag(segment.l, 53n) |
    flag(segment.db, 54n) |
    flag(segment.g, 55n) |
    (segment.base >> 24n & 0xffn) << 56n;
}

/** One past the last address that 4-level page tables can map one to one: half of 48 bits. */
export const IDENTITY_MAP_END: bigint = 1n << 47n;

/** Intel SDM vol. 3, table 4-15: present, writable. */
const PRESENT_WRITABLE = 0x3n;
/** Intel SDM vol. 3, table 4-17: the entry maps a 2 MiB page. */
const PAGE_2M = 1n << 7n;
const PAGE_2M_SIZE = 2 << 20;
const TABLE_SIZE = 4096;
const ENTRIES = 512;
/** What one top entry spans: 512 GiB. */
const PML4_SPAN: bigint = GIB * BigInt(ENTRIES);
/** The first 4 GiB are always mapped: RAM, and what firmware and devices have there. */
const ALWAYS_MAPPED: AddressRange = { start: 0n, size: 4n * GIB };

/**
 * Identity-mapping page tables of 2 MiB pages: the first 4 GiB, and every GiB that a range touches.
 *
 * @param ranges What must be mapped; everything lies below {@linkcode IDENTITY_MAP_END}.
 * @returns What to build, and how large it is in bytes.
 */
export function planPageTables(ranges: readonly AddressRange[]): PageTables {
  const gigabytes = new Set<bigint>();
  for (const range of [ALWAYS_MAPPED, ...ranges]) {
    const end = alignUp(rangeEnd(range), GIB);
    for (let at = alignDown(range.start, GIB); at < end; at += GIB) gigabytes.add(at);
  }
  const mapped = [...gigabytes].sort((a, b) => a < b ? -1 : 1);
  const slots = new Set(mapped.map((start) => start / PML4_SPAN));
  return { gigabytes: mapped, size: BigInt((1 + slots.size + mapped.length) * TABLE_SIZE) };
}

/** Page tables that are sized but not placed yet. */
export interface PageTables {
  /** The start of each GiB to map, ascending. */
  readonly gigabytes: readonly bigint[];
  /** Size in bytes. */
  readonly size: bigint;
}

/**
 * Builds page tables.
 *
 * @param tables What to map.
 * @param base Guest-physical address of the first, top table: the value of cr3; 4 KiB aligned.
 * @returns `tables.size` bytes.
 */
export function buildPageTables(tables: PageTables, base: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(Number(tables.size)));
  let next = TABLE_SIZE;
  const newTable = (parent: number, index: bigint): number => {
    const entry = base + BigInt(next) | PRESENT_WRITABLE;
    view.setBigUint64(parent + Number(index) * 8, entry, true);
    next += TABLE_SIZE;
    return next - TABLE_SIZE;
  };

  const pointerTables = new Map<bigint, number>();
  for (const start of tables.gigabytes) {
    const slot = start / PML4_SPAN;
    const pointers = pointerTables.get(slot) ?? newTable(0, slot);
    pointerTables.set(slot, pointers);
    fillDirectory(view, newTable(pointers, start % PML4_SPAN / GIB), start);
  }
  return new Uint8Array(view.buffer);
}

/** 512 pages of 2 MiB. In halves of 32 bits: with bigints it takes half of all planning (measured). */
function fillDirectory(view: DataView, directory: number, start: bigint): void {
  const high = Number(start >> 32n); // a GiB does not cross 4 GiB
  const low = Number(start & 0xffffffffn | PAGE_2M | PRESENT_WRITABLE);
  for (let i = 0; i < ENTRIES; i++) {
    view.setUint32(directory + 8 * i, low + i * PAGE_2M_SIZE, true);
    view.setUint32(directory + 8 * i + 4, high, true);
  }
}
