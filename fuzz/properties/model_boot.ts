import type { BootPlan } from "../../mod.ts";
import { type BootCase, boots } from "../arbitraries/boots.ts";
import { descriptor, translate } from "../arbitraries/x86_walk.ts";
import { peek } from "../arbitraries/images.ts";
import { covered } from "../arbitraries/plans.ts";
import type { Node, Tree } from "../arbitraries/dtb.ts";
import { largestInput, optionsOf, reservedBy } from "../boot_run.ts";
import { CanaryGuest, hex, type Range, sameBytes } from "../guest.ts";
import { judge, type Refused } from "../judge.ts";
import { verdictOn } from "../model/boot.ts";
import type { Expected } from "../model/expected.ts";
import {
  cellsOf,
  childOf,
  numberOf,
  rangesIn,
  readTree,
  reservedIn,
  valueOf,
} from "../model/fdt.ts";
import { type Library, property, requireNone, Violation } from "../property.ts";

/** Codes that the model does not predict: of machines and trees that cannot be completed. */
export const UNMODELLED = ["FDT_VALUE", "FDT_TOO_BIG", "INVALID_OPTION", "LIMIT_EXCEEDED"];

/** Registers that are 0 where no protocol says what they hold. */
const ZERO = [
  ...["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8to15", "x1", "x2", "x3", "satp"],
];

/**
 * Registers that are not as the model says.
 *
 * @param expected What the model says.
 * @param plan The plan.
 * @returns A few words each.
 */
export function* registerFaults({ registers }: Expected, { cpu }: BootPlan): Generator<string> {
  for (const [name, wanted] of Object.entries(registers)) {
    const value = (cpu as unknown as Record<string, bigint | number>)[name];
    if (BigInt(value) !== wanted) yield `${name} is ${hex(BigInt(value))}, not ${hex(wanted)}`;
  }
  if (cpu.arch === "aarch64" && cpu.pstate !== (cpu.el === 1 ? 0x3c5n : 0x3c9n)) yield "pstate";
  for (const [name, value] of Object.entries(cpu)) {
    if (!ZERO.includes(name) || name in registers) continue;
    if ([value].flat().some((one) => one !== 0n)) yield `${name} is not 0`;
  }
  if (cpu.arch !== "x86_64") return;
  if (cpu.r8to15.length !== 8) yield `${cpu.r8to15.length} registers from r8 on`;
  const isLong = registers.cr3 !== 0n;
  if (cpu.cr0 !== (isLong ? 0x80000011n : 0x11n)) yield `cr0 is ${hex(cpu.cr0)}`;
  if (cpu.cr4 !== (isLong ? 0x20n : 0n)) yield `cr4 is ${hex(cpu.cr4)}`;
  if (cpu.efer !== (isLong ? 0x500n : 0n)) yield `efer is ${hex(cpu.efer)}`;
  if (cpu.rflags !== 2n) yield `rflags is ${hex(cpu.rflags)}`;
}

/** boot.rst, "32-bit" and "64-bit BOOT PROTOCOL"; pvh.pandoc: selectors, flat segments, a busy TSS. */
function segmentsOf(isLong: boolean): Record<string, Record<string, unknown>> {
  const flat = { base: 0n, limit: 0xffffffff, s: true, dpl: 0, present: true, avl: false, g: true };
  const data = { ...flat, selector: 0x18, type: 0x3, l: false, db: true };
  const cs = { ...flat, selector: 0x10, type: 0xb, l: isLong, db: !isLong };
  const none = { base: 0n, dpl: 0, avl: false, s: false, l: false, db: false, g: false };
  const tr = { ...none, selector: 0x20, limit: 0x67, type: 0xb, present: true };
  const ldt = { ...none, selector: 0, limit: 0, type: 0, present: false };
  return { cs, ds: data, es: data, fs: data, gs: data, ss: data, tr, ldt };
}

/** Page tables map every byte that was placed; the GDT holds what the segment registers say. */
function* x86Faults(plan: BootPlan, guest: CanaryGuest): Generator<string> {
  const { cpu } = plan;
  if (cpu.arch !== "x86_64") return;
  const gdt = guest.peek(cpu.gdt.base, 0x30)!;
  if (cpu.gdt.limit !== 0x2f || cpu.idt.limit !== 0) yield "a descriptor table's limit";
  for (const [name, wanted] of Object.entries(segmentsOf(cpu.cr3 !== 0n))) {
    const segment = cpu.segments[name as "cs"] as unknown as Record<string, unknown>;
    for (const key of Object.keys({ ...segment, ...wanted })) {
      if (segment[key] !== wanted[key]) yield `${name}.${key} is ${segment[key]}`;
    }
  }
  for (const name of ["cs", "ds", "es", "ss", "tr"] as const) {
    const { selector, ...segment } = cpu.segments[name];
    const found = descriptor(peek(gdt, selector, 8));
    const wanted = name === "tr" ? { ...segment, type: 9 } : segment;
    for (const [key, value] of Object.entries(wanted)) {
      if ((found as unknown as Record<string, unknown>)[key] !== value) yield `gdt: ${name}.${key}`;
    }
  }
  if (cpu.cr3 === 0n) return;
  const read = (address: bigint) => {
    const bytes = guest.peek(address, 8);
    return bytes ? peek(bytes, 0, 8) : 0n;
  };
  for (const { name, start, size } of plan.placements) {
    for (const at of [start, start + size - 1n]) {
      if (translate(cpu.cr3, at, read) !== at) yield `${name} is not mapped at ${hex(at)}`;
    }
  }
}

/** The tree in memory says where RAM and the initrd are, and what the command line is. */
function* treeFaults(boot: BootCase, expected: Expected, guest: CanaryGuest): Generator<string> {
  const place = expected.meaningful.find(({ name }) => name === "device tree");
  if (!place) return;
  const bytes = guest.peek(place.start, Number(place.size))!;
  const tree = readTree(bytes);
  const cells = tree && cellsOf(tree.root);
  if (!tree || !cells) return yield "no device tree in memory";
  const chosen = childOf(tree.root, "chosen");
  const text = new TextDecoder().decode(chosen && valueOf(chosen, "bootargs"));
  if (text !== `${boot.options.cmdline ?? ""}\0`) yield `bootargs are ${JSON.stringify(text)}`;
  const initrd = expected.writes.find(({ name }) => name === "initrd");
  const said = ["start", "end"].map((name) => chosen && valueOf(chosen, `linux,initrd-${name}`));
  if ((initrd !== undefined) !== (said[0] !== undefined)) yield "an initrd too many";
  if (initrd && said[0] && said[1]) {
    if (numberOf(said[0]) !== initrd.start) yield "linux,initrd-start";
    if (numberOf(said[1]) !== initrd.start + BigInt(initrd.bytes.length)) yield "linux,initrd-end";
  }
  const memory = tree.root.children.filter(({ name }) => name.startsWith("memory@"))
    .flatMap((node) => rangesIn(valueOf(node, "reg")!, cells) ?? []);
  const wanted = boot.ram.reduce((sum, { size }) => sum + BigInt(size), 0n);
  if (memory.reduce((sum, { size }) => sum + size, 0n) !== wanted) yield "/memory is not RAM";
  if (
    !boot.ram.every(({ start, size }) =>
      memory.some((range) => {
        return range.start <= start && start + BigInt(size) <= range.start + range.size;
      })
    )
  ) yield "/memory is elsewhere";
  const isMemory = (node: Node) =>
    /^memory(@|$)/.test(node.name) ||
    new TextDecoder("latin1").decode(valueOf(node, "device_type")).split("\0")[0] === "memory";
  if (tree.root.children.filter(isMemory).length !== memory.length) yield "memory that is not RAM";
  const reserved = reservedIn(tree);
  for (const { start, size } of reservedBy(boot.options)) {
    if (covered({ start, size }, disjoint(reserved)) !== size) {
      yield `reservation ${hex(start)} is not in the tree`;
    }
  }
  const { deviceTree, hartid } = boot.options;
  const given = deviceTree instanceof Uint8Array ? readTree(deviceTree) : undefined;
  const nodesOf = (tree: Tree | undefined) =>
    tree && childOf(tree.root, "reserved-memory")?.children || [];
  const before = new Set(nodesOf(given).map(({ name }) => name));
  const own = nodesOf(tree).filter(({ name }) => !before.has(name)).flatMap((node) => {
    return rangesIn(valueOf(node, "reg") ?? new Uint8Array(0), cells) ?? [];
  });
  const sum = (ranges: readonly Range[]) => ranges.reduce((sum, { size }) => sum + size, 0n);
  if (sum(own) !== sum(disjoint(reservedBy(boot.options)))) yield "reserved nodes overlap";
  if (hartid !== undefined && BigInt(tree.bootCpuId) !== BigInt.asUintN(32, hartid)) {
    yield `hart ${tree.bootCpuId} boots`;
  }
  const { seeds } = boot.options;
  const kaslr = chosen && valueOf(chosen, "kaslr-seed");
  if (seeds?.kaslr !== undefined && (!kaslr || numberOf(kaslr) !== seeds.kaslr)) yield "kaslr-seed";
  const rng = chosen && valueOf(chosen, "rng-seed");
  if (seeds?.rng !== undefined && (!rng || !sameBytes(rng, seeds.rng))) yield "rng-seed";
}

/** Ranges, those that overlap cut. */
function disjoint(ranges: readonly Range[]): Range[] {
  let end = 0n;
  return [...ranges].sort((a, b) => a.start < b.start ? -1 : 1).map(({ start, size }) => {
    const from = start > end ? start : end;
    const to = start + size > from ? start + size : from;
    end = to;
    return { start: from, size: to - from };
  });
}

function compare(boot: BootCase, expected: Expected, plan: BootPlan, guest: CanaryGuest): string[] {
  const faults: string[] = [];
  if (plan.protocol !== expected.protocol) faults.push(`protocol ${plan.protocol}`);
  for (const { name, start, bytes } of expected.writes) {
    const there = guest.peek(start, bytes.length);
    if (!there || !sameBytes(there, bytes)) {
      const at = there ? bytes.findIndex((byte, i) => byte !== there[i]) : 0;
      faults.push(`${name} at ${hex(start)}: byte ${at} is ${there?.[at]}, not ${bytes[at]}`);
    }
  }
  for (const { start, size } of expected.zeros) {
    const there = guest.peek(start, Number(size));
    if (!there || there.some((byte) => byte !== 0)) faults.push(`no zeros at ${hex(start)}`);
  }
  const allowed = [
    ...expected.writes.map(({ start, bytes }) => ({ start, size: BigInt(bytes.length) })),
    ...expected.zeros,
    ...expected.meaningful,
  ];
  faults.push(...guest.changes(allowed).map((at) => `something else is written at ${at}`));
  const map = (entries: Expected["map"]) =>
    entries.map(({ start, size, type }) => `${hex(start)}+${hex(size)} ${type}`).join(", ");
  if (map(plan.memoryMap) !== map(expected.map)) {
    faults.push(`the memory map is ${map(plan.memoryMap)}, not ${map(expected.map)}`);
  }
  return [
    ...registerFaults(expected, plan),
    ...faults,
    ...x86Faults(plan, guest),
    ...treeFaults(boot, expected, guest),
  ];
}

/** What is reserved is there first: it is never what could not be placed. */
function overlapFaults({ code, ranges }: Refused): string[] {
  if (
    code !== "OVERLAP" ||
    !/^(reservation|legacy hole|device tree (node|memory))/.test(ranges?.[0].name ?? "")
  ) return [];
  return [`the error says that ${ranges![0].name} could not be placed`];
}

export default property({
  name: "model-boot",
  says:
    "a boot comes to what the plain model says: refused with its code, or its bytes at its places",
  inputs: boots,
  // Boots have the most ways to go wrong
  share: 6,
  check: checkBoot,
});

/**
 * Wants of a boot what the model says.
 *
 * @param boot The case.
 * @param library The library under test.
 */
export function checkBoot(boot: BootCase, library: Library): void {
  const verdict = verdictOn(boot);
  const guest = new CanaryGuest(library, boot.ram);
  const { value, refused } = judge(
    largestInput(boot),
    () => library.bootLinux(guest.memory, optionsOf(boot)),
  );
  if ("refused" in verdict) {
    const codes = verdict.refused.join(" or ");
    if (!refused) throw new Violation(`a boot is not refused with ${codes}`);
    if (verdict.refused.includes(refused.code)) {
      return requireNone("the wrong party", overlapFaults(refused));
    }
    if (boot.options.deviceTree && UNMODELLED.includes(refused.code)) return;
    throw new Violation(`refused with ${refused.code}, not ${codes}`, refused.message);
  }
  if (refused) {
    const isTree = ["arm64", "riscv64"].includes(verdict.expected.protocol);
    if (isTree && UNMODELLED.includes(refused.code)) return;
    throw new Violation(`refused with ${refused.code}`, refused.message);
  }
  requireNone("not as the model says", compare(boot, verdict.expected, value, guest));
}
