/**
 * Device trees of machines, as Linux' bindings want them: which machines there can be, and what their
 * trees must say. Documentation/devicetree/bindings names the file at each rule.
 *
 * @module
 */
import type { Arm64Machine, Riscv64Machine } from "../../mod.ts";
import type { Node } from "../arbitraries/tree_files.ts";
import { childOf, numberOf, rangesIn, valueOf } from "./fdt.ts";
import type { Span } from "./room.ts";

const isIn = (value: number, least: number, most: number) =>
  Number.isInteger(value) && value >= least && value <= most;

/** Whether ranges lie in 64 bits, and none on another. */
function areApart(ranges: readonly Span[]): boolean {
  return ranges.every(({ start, size }) => start >= 0n && size > 0n && start + size <= 1n << 64n) &&
    ranges.every((a, i) =>
      ranges.every((b, j) => i === j || a.start + a.size <= b.start || b.start + b.size <= a.start)
    );
}

const cellsOf = (node: Node | undefined, name: string): number[] => {
  const value = node && valueOf(node, name);
  if (!value) return [];
  return Array.from(
    { length: value.length / 4 },
    (_, i) => Number(numberOf(value.subarray(4 * i, 4 * i + 4))),
  );
};
const regOf = (node: Node | undefined): readonly Span[] =>
  rangesIn(node && valueOf(node, "reg") || new Uint8Array(0), [2, 2]) ?? [];
const same = (a: unknown, b: unknown) => show(a) === show(b);
const show = (value: unknown) =>
  JSON.stringify(value, (_, item) => typeof item === "bigint" ? `0x${item.toString(16)}` : item);

/** Devices with an interrupt: their node, their range, what `interrupts` must say. */
function* deviceFaults(
  root: Node,
  name: string,
  devices: readonly { range: Span; interrupts: readonly number[] }[],
): Generator<string> {
  const nodes = root.children.filter((node) => node.name.startsWith(`${name}@`));
  if (nodes.length !== devices.length) yield `${nodes.length} of ${devices.length} ${name}`;
  for (const [i, { range, interrupts }] of devices.entries()) {
    const node = nodes[i];
    if (node?.name !== `${name}@${range.start.toString(16)}`) {
      yield `${name} is called ${node?.name}`;
    }
    if (!same(regOf(node), [range])) yield `${name} lies at ${show(regOf(node))}`;
    if (!same(cellsOf(node, "interrupts"), interrupts)) yield `${name} has other interrupts`;
  }
}

const withSize = (address: bigint, size: bigint) => ({ start: address, size });

/**
 * Whether there can be an arm64 machine.
 *
 * @param machine The machine; its CPUs are a number.
 * @returns True if there can.
 */
export function isArm64Machine({ cpus, gic, uart, virtioMmio = [] }: Arm64Machine): boolean {
  const count = Number(cpus);
  const controllers = gic.version === 2 ? [gic.cpuInterface] : gic.redistributors;
  const room = gic.version === 2
    ? 8 // arm,gic.yaml: a mask of 8 bits
    : gic.redistributors.reduce((sum, { size }) => sum + Number(size / 0x20000n), 0);
  return isIn(count, 1, 512) && count <= room &&
    [...uart ? [uart] : [], ...virtioMmio].every(({ irq }) => isIn(irq, 0, 987)) && areApart([
      gic.distributor,
      ...controllers,
      ...uart ? [withSize(uart.address, uart.size ?? 0x1000n)] : [],
      ...virtioMmio.map(({ address, size = 0x200n }) => withSize(address, size)),
    ]);
}

/**
 * What is wrong with an arm64 machine's tree.
 *
 * @param machine The machine.
 * @param root The tree's root.
 * @returns A few words each.
 */
export function* arm64Faults(machine: Arm64Machine, root: Node): Generator<string> {
  const { gic, uart, virtioMmio = [] } = machine;
  const count = Number(machine.cpus);
  const cpus = childOf(root, "cpus");
  // arm/cpus.yaml: reg is the affinity: clusters of 16
  const affinities = (cpus?.children ?? []).map((cpu) => cellsOf(cpu, "reg"));
  const wanted = Array.from({ length: count }, (_, i) => [(i >> 4) << 8 | i & 15]);
  if (!same(affinities, wanted)) yield `cpus are ${show(affinities)}`;
  const controller = childOf(root, "interrupt-controller");
  const more = gic.version === 2 ? [gic.cpuInterface] : gic.redistributors;
  if (!same(regOf(controller), [gic.distributor, ...more])) yield "the interrupt controller's reg";
  const [phandle] = cellsOf(controller, "phandle");
  if (!same(cellsOf(root, "interrupt-parent"), [phandle])) yield "interrupt-parent";
  // arm,gic.yaml: bits 8 to 15 are CPUs, of a GICv2; bits 0 to 3 are 8, active low
  const flags = (gic.version === 2 ? (1 << count) - 1 : 0) << 8 | 8;
  const timer = [13, 14, 11, 10].flatMap((ppi) => [1, ppi, flags]);
  if (!same(cellsOf(childOf(root, "timer"), "interrupts"), timer)) yield "the timer's interrupts";
  const method = valueOf(childOf(root, "psci")!, "method");
  if (new TextDecoder().decode(method) !== `${machine.psci}\0`) yield "psci's method";
  yield* deviceFaults(
    root,
    "serial",
    uart
      ? [{ range: withSize(uart.address, uart.size ?? 0x1000n), interrupts: [0, uart.irq, 4] }]
      : [],
  );
  yield* deviceFaults(
    root,
    "virtio_mmio",
    virtioMmio.map(({ address, size = 0x200n, irq }) => ({
      range: withSize(address, size),
      interrupts: [0, irq, 1],
    })),
  );
}

/**
 * Whether there can be a riscv64 machine.
 *
 * @param machine The machine.
 * @returns True if there can.
 */
export function isRiscv64Machine(machine: Riscv64Machine): boolean {
  const { cpus, plic, clint, test, uart, virtioMmio = [] } = machine;
  return isIn(cpus, 1, 512) && isIn(plic.sources, 1, 1023) &&
    [...uart ? [uart] : [], ...virtioMmio].every(({ irq }) => isIn(irq, 1, plic.sources)) &&
    areApart([
      plic.registers,
      ...clint ? [clint] : [],
      ...test ? [test] : [],
      ...uart ? [withSize(uart.address, uart.size ?? 0x100n)] : [],
      ...virtioMmio.map(({ address, size = 0x200n }) => withSize(address, size)),
    ]);
}

/**
 * What is wrong with a riscv64 machine's tree.
 *
 * @param machine The machine.
 * @param root The tree's root.
 * @returns A few words each.
 */
export function* riscv64Faults(machine: Riscv64Machine, root: Node): Generator<string> {
  const { cpus, plic, clint, test, uart, virtioMmio = [], timebaseHz } = machine;
  const parent = childOf(root, "cpus");
  const harts = (parent?.children ?? []).filter(({ name }) => name.startsWith("cpu@"));
  if (
    !same(harts.map((hart) => cellsOf(hart, "reg")), Array.from({ length: cpus }, (_, i) => [i]))
  ) {
    yield "harts";
  }
  if (!same(cellsOf(parent, "timebase-frequency"), [timebaseHz])) yield "timebase-frequency";
  const inner = harts.map((hart) => {
    return cellsOf(childOf(hart, "interrupt-controller"), "phandle")[0];
  });
  const controller = childOf(root, "interrupt-controller");
  const [phandle] = cellsOf(controller, "phandle");
  if (new Set([...inner, phandle]).size !== cpus + 1) yield "phandles are not apart";
  // sifive,plic-1.0.0.yaml and sifive,clint.yaml; Privileged ISA, mcause: 11 and 9, 3 and 7
  const extended = (node: Node | undefined, ...irqs: number[]) =>
    same(cellsOf(node, "interrupts-extended"), inner.flatMap((at) => irqs.flatMap((n) => [at, n])));
  if (!extended(controller, 11, 9)) yield "the PLIC's contexts";
  if (!same(regOf(controller), [plic.registers])) yield "the PLIC's reg";
  if (!same(cellsOf(controller, "riscv,ndev"), [plic.sources])) yield "the PLIC's sources";
  const timer = childOf(root, "clint");
  if (clint && (!same(regOf(timer), [clint]) || !extended(timer, 3, 7))) yield "the CLINT";
  if (test && !same(regOf(childOf(root, "test")), [test])) yield "the test device";
  const devices = [
    ["serial", uart ? [{ size: 0x100n, ...uart }] : []],
    ["virtio_mmio", virtioMmio.map((device) => ({ size: 0x200n, ...device }))],
  ] as const;
  for (const [name, list] of devices) {
    yield* deviceFaults(
      root,
      name,
      list.map(({ address, size, irq }) => ({ range: withSize(address, size), interrupts: [irq] })),
    );
    for (const node of root.children.filter((node) => node.name.startsWith(`${name}@`))) {
      if (!same(cellsOf(node, "interrupt-parent"), [phandle])) yield `${name} has another parent`;
    }
  }
}
