/**
 * Boots of x86 guests: boot.rst, "32-bit BOOT PROTOCOL" and "64-bit BOOT PROTOCOL"; Xen's pvh.pandoc.
 *
 * @module
 */
import type { BootCase } from "../arbitraries/boots.ts";
import { checkedCmdline, cmdlineOf, type Expected } from "./expected.ts";
import { loadBzImage } from "./bzimage.ts";
import { type ElfFile, loadElf, pvhDescriptor, pvhEntry, resolve } from "./elf.ts";
import { type Entry, memoryMap } from "./memory_map.ts";
import { Room, type Span } from "./room.ts";
import { need, Refusal, TOP } from "./verdict.ts";
import { e820, setupData, startInfo, zeroPage } from "./x86_tables.ts";

type Write = Expected["writes"][number];

const FOUR_GIB = 1n << 32n;
/** 4-level page tables map half of 48 bits one to one. */
const MAP_END = 1n << 47n;

/** A guest that is being filled. */
class Guest {
  readonly boot: BootCase;
  readonly room: Room;
  readonly map: Entry[];
  readonly writes: Write[] = [];
  readonly meaningful: (Span & { name: string })[] = [];

  constructor(boot: BootCase) {
    this.boot = boot;
    const ram = boot.ram.map(({ start, size }) => ({ start, size: BigInt(size) }));
    this.map = memoryMap(ram, boot.options, true);
    this.room = new Room(ram);
    for (const range of boot.options.reservations ?? []) this.room.remove(range);
    this.room.remove({ start: 0x9fc00n, size: 0x60400n });
  }

  /** Places a structure: at its place if that is free, else at the lowest free one below 4 GiB. */
  place(name: string, size: number, start: bigint, align: bigint): bigint {
    const span = { start, size: BigInt(size) };
    const at = this.room.place(span, align, 0x1000n, FOUR_GIB);
    this.meaningful.push({ name, start: at, size: span.size });
    return at;
  }

  /** Places bytes that are known. */
  write(name: string, bytes: Uint8Array, start: bigint, align: bigint): bigint {
    const at = this.place(name, bytes.length, start, align);
    this.meaningful.pop();
    this.writes.push({ name, start: at, bytes });
    return at;
  }

  /** Places the initrd where the caller wants it: before what can lie elsewhere. */
  fixedInitrd(end: bigint): Span | undefined {
    return this.boot.options.initrdAddress === undefined ? undefined : this.initrd(end);
  }

  /** Places the initrd: as high as may be, on a page, or where the caller wants it. */
  initrd(end: bigint): Span | undefined {
    const { initrd, initrdAddress } = this.boot.options;
    need(initrd !== undefined || initrdAddress === undefined, "INVALID_OPTION");
    if (!initrd) return undefined;
    const size = BigInt(initrd.length);
    let start = initrdAddress;
    if (start === undefined) {
      start = this.room.highestFor(size, 4096n, 0x1000n, end);
      need(start !== undefined, "NO_SPACE");
      this.room.remove({ start, size });
    } else {
      need(start + size <= TOP, "ADDRESS_OVERFLOW");
      need(start !== 0n, "INVALID_OPTION");
      need(start % 4096n === 0n, "MISALIGNED");
      need(start + size <= end, "NO_SPACE");
      this.room.claim([{ start, size }]);
    }
    this.writes.push({ name: "initrd", start, bytes: initrd });
    return { start, size };
  }
}

/** What the zero page needs to know. */
interface Kernel {
  readonly load: bigint;
  readonly entry: bigint;
  readonly header: Uint8Array;
  readonly alignment?: bigint;
  readonly cmdlineSize: bigint;
  readonly initrdMax: bigint;
  readonly mayBeHigh: boolean;
  readonly takesSetupData: boolean;
  /** All that it takes. */
  readonly spans: readonly Span[];
}

/**
 * A boot by a Linux protocol.
 *
 * @param boot The case.
 * @param elf The vmlinux; undefined for a bzImage.
 * @param protocol Which.
 * @returns What must come of it.
 */
export function expectLinux(
  boot: BootCase,
  elf: ElfFile | undefined,
  protocol: "linux32" | "linux64",
): Expected {
  const { options } = boot;
  const bits = protocol === "linux32" ? 32 : 64;
  const guest = new Guest(boot);
  let zeros: readonly Span[] = [];
  let kernel: Kernel;
  if (elf) {
    need(options.kernelAddress === undefined, "INVALID_OPTION");
    need(elf.bits === bits, "ELF_CLASS");
    const loaded = loadElf(boot.kernel, elf);
    zeros = loaded.zeros;
    claimElf(guest, loaded);
    const starts = elf.segments.map(({ paddr }) => paddr);
    kernel = {
      load: starts.reduce((a, b) => a < b ? a : b),
      entry: resolve(elf, elf.entry, true),
      header: new Uint8Array(0),
      cmdlineSize: 2047n,
      initrdMax: bits === 64 ? 0x7fffffffn : 0x37ffffffn,
      mayBeHigh: bits === 64,
      takesSetupData: true,
      spans: elf.segments.map(({ paddr, memSize }) => ({ start: paddr, size: memSize })),
    };
  } else {
    const loaded = loadBzImage(boot.kernel, bits, options.kernelAddress, guest.room);
    guest.writes.push({ name: "kernel", start: loaded.load, bytes: loaded.bytes });
    const spans = [{ start: loaded.load, size: BigInt(loaded.bytes.length) }, ...loaded.work];
    kernel = { ...loaded, entry: loaded.load + (bits === 64 ? 0x200n : 0n), spans };
  }
  const line = cmdlineOf(boot, kernel.cmdlineSize);
  const isHigh = kernel.mayBeHigh && (options.initrdPlacement === "high" ||
    (options.initrdAddress ?? 0n) > kernel.initrdMax);
  const end = isHigh ? MAP_END : kernel.initrdMax + 1n;
  const fixed = guest.fixedInitrd(end);
  const cmdline = guest.write("command line", line, 0x20000n, 1n);
  guest.place("gdt", 0x30, 0x500n, 8n);
  const items = [...options.setupData ?? []];
  if (guest.map.length > 128) items.push({ type: 1, data: e820(guest.map.slice(128)) });
  let data: bigint | undefined;
  if (items.length > 0) {
    const isOwn = (options.setupData ?? []).length > 0;
    need(kernel.takesSetupData, isOwn ? "INVALID_OPTION" : "LIMIT_EXCEEDED");
    data = guest.place("setup_data", setupData(items, 0n).length, 0x40000n, 8n);
    guest.meaningful.pop();
    guest.writes.push({ name: "setup_data", start: data, bytes: setupData(items, data) });
  }
  const initrd = fixed ?? guest.initrd(end);
  const { rsdp } = options;
  const page = zeroPage({
    ...kernel,
    isVmlinux: elf !== undefined,
    ...{ cmdline, initrd, rsdp, setupData: data, map: guest.map },
  });
  const zero = guest.write("zero page", page, 0x7000n, 4096n);
  if (bits === 32) {
    return finish(guest, protocol, zeros, { rip: kernel.entry, rsi: zero, rbx: 0n, cr3: 0n });
  }
  const spans = [...kernel.spans, ...initrd ? [initrd] : []];
  need(spans.every(({ start, size }) => start + size <= MAP_END), "NO_SPACE");
  const tables = guest.place("page tables", tablesFor(spans), 0x9000n, 4096n);
  return finish(guest, protocol, zeros, { rip: kernel.entry, rsi: zero, rbx: 0n, cr3: tables });
}

/** A top table, a table of pointers for each 512 GiB, a directory for each GiB: below 4 GiB, all four. */
function tablesFor(spans: readonly Span[]): number {
  const gib = 1n << 30n;
  const wanted = new Set([0n, 1n, 2n, 3n]);
  for (const { start, size } of spans) {
    if (size === 0n) continue;
    for (let at = start / gib; at <= (start + size - 1n) / gib; at++) {
      if (start + size > FOUR_GIB) wanted.add(at);
    }
  }
  const tops = new Set([...wanted].map((at) => at / 512n));
  return 4096 * (1 + tops.size + wanted.size);
}

function claimElf(guest: Guest, { writes, zeros }: ReturnType<typeof loadElf>): void {
  guest.room.claim(
    [...writes.map(({ start, bytes }) => ({ start, size: BigInt(bytes.length) })), ...zeros],
    "ELF_SEGMENT_OVERLAP",
  );
  for (const { start, bytes } of writes) {
    guest.writes.push({ name: "kernel segment", start, bytes });
  }
}

/**
 * A boot by PVH.
 *
 * @param boot The case.
 * @param elf The vmlinux.
 * @returns What must come of it.
 */
export function expectPvh(boot: BootCase, elf: ElfFile): Expected {
  const { options } = boot;
  need(options.kernelAddress === undefined, "INVALID_OPTION");
  const guest = new Guest(boot);
  const loaded = loadElf(boot.kernel, elf);
  claimElf(guest, loaded);
  const descriptor = pvhDescriptor(elf);
  need(descriptor !== undefined, "PVH_NOT_PRESENT");
  const rip = pvhEntry(elf, descriptor);
  const { modules = [], initrdPlacement, initrdAddress = 0n, rsdp } = options;
  const line = cmdlineOf(boot, 2047n);
  const isHigh = initrdPlacement === "high" || initrdAddress >= FOUR_GIB;
  const end = isHigh ? MAP_END : FOUR_GIB;
  const fixed = guest.fixedInitrd(end);
  const cmdline = guest.write("command line", line, 0x20000n, 1n);
  guest.place("gdt", 0x30, 0x500n, 8n);
  const initrd = fixed ?? guest.initrd(end);
  need(modules.length === 0 || initrd !== undefined, "INVALID_OPTION");
  const list: (Span & { cmdline?: bigint })[] = initrd ? [initrd] : [];
  for (const module of modules) {
    const bytes = module.source as Uint8Array;
    need(bytes.length > 0, "INVALID_OPTION");
    const size = BigInt(bytes.length);
    const start = guest.room.highestFor(size, 4096n, 0x1000n, end);
    if (start === undefined) throw new Refusal("NO_SPACE");
    guest.room.remove({ start, size });
    guest.writes.push({ name: "module", start, bytes });
    const line = module.cmdline === undefined
      ? undefined
      : guest.write("module command line", checkedCmdline(module.cmdline, 2047n), 0x20000n, 1n);
    list.push({ start, size, ...line !== undefined && { cmdline: line } });
  }
  const says = { cmdline, modules: list, rsdp, map: guest.map };
  const info = guest.place("start info", startInfo(says, 0n).length, 0x6000n, 8n);
  guest.meaningful.pop();
  guest.writes.push({ name: "start info", start: info, bytes: startInfo(says, info) });
  return finish(guest, "pvh", loaded.zeros, { rip, rbx: info, rsi: 0n, cr3: 0n });
}

function finish(
  { writes, meaningful, map }: Guest,
  protocol: string,
  zeros: readonly Span[],
  registers: Expected["registers"],
): Expected {
  return { protocol, writes, zeros, meaningful, map, registers };
}
