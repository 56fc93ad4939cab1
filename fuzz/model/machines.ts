/**
 * Device trees of machines, as Linux' bindings want them: which machines there can be, and what their
 * trees must say. Documentation/devicetree/bindings names the file at each rule.
 *
 * @module
 */
import type { Arm64Machine, Riscv64Machine } from "../../mod.ts";
import type { Node, Tree } from "../arbitraries/dtb.ts";
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
/** A list of texts, with commas between. */
const textOf = (node: Node | undefined, name: string): string =>
  new TextDecoder().decode(node && valueOf(node, name)).split("\0").slice(0, -1).join();
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

interface Named {
  readonly model?: string;
  readonly compatible?: readonly string[];
}

/** A text has no NUL and no half of a surrogate pair. */
const areTexts = ({ model = "", compatible = [] }: Named) =>
  [model, ...compatible].every((text) => !/[\0\p{Surrogate}]/u.test(text));

function* nameFaults({ model, compatible }: Named, root: Node): Generator<string> {
  if (textOf(root, "model") !== (model ?? "linux,dummy-virt")) yield "model";
  if (textOf(root, "compatible") !== (compatible ?? ["linux,dummy-virt"]).join()) {
    yield "compatible";
  }
}

/** Affinities: as KVM gives them, 16 for each value of Aff1, or the caller's. */
const affinitiesOf = (cpus: Arm64Machine["cpus"]): bigint[] =>
  typeof cpus === "number"
    ? Array.from({ length: cpus }, (_, i) => BigInt((i >> 4) << 8 | i & 15))
    : cpus.map(({ mpidr }) => mpidr);

/** Numbers of 32 bits, of what says one. */
const areCells = (...values: readonly (number | undefined)[]) =>
  values.every((value = 0) => isIn(value, 0, 2 ** 32 - 1));

/** PPIs in the order of arm,arch_timer.yaml. */
const ppisOf = ({ secure = 13, nonSecure = 14, virtual = 11, hypervisor = 10 } = {}) => [
  ...[secure, nonSecure, virtual, hypervisor],
];

/**
 * Whether there can be an arm64 machine.
 *
 * @param machine The machine.
 * @returns True if there can.
 */
export function isArm64Machine(machine: Arm64Machine): boolean {
  const { cpus, psci, gic, timer, uart, virtioMmio = [] } = machine;
  if (!["hvc", "smc"].includes(psci) || !areTexts(machine)) return false;
  if (![2, 3].includes(gic.version)) return false;
  const count = typeof cpus === "number" ? cpus : cpus.length;
  if (!isIn(count, 1, 512)) return false;
  const affinities = affinitiesOf(cpus);
  // Arm ARM, MPIDR_EL1: Aff3 in 39..32, Aff2 to Aff0 in 23..0
  const isAffinity = (one: bigint) => one >= 0n && one < 1n << 40n && (one >> 24n & 0xffn) === 0n;
  if (!affinities.every(isAffinity) || new Set(affinities).size !== count) return false;
  if (!ppisOf(timer).every((ppi) => isIn(ppi, 0, 15)) || !areCells(uart?.clockHz)) return false;
  const controllers = gic.version === 2 ? [gic.cpuInterface] : gic.redistributors;
  const room = gic.version === 2
    ? 8 // arm,gic.yaml: a mask of 8 bits
    : gic.redistributors.reduce((sum, { size }) => sum + Number(size / 0x20000n), 0);
  return count <= room &&
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
 * @param tree The tree.
 * @returns A few words each.
 */
export function* arm64Faults(
  machine: Arm64Machine,
  { root, bootCpuId }: Tree,
): Generator<string> {
  const { gic, uart, virtioMmio = [] } = machine;
  yield* nameFaults(machine, root);
  const affinities = affinitiesOf(machine.cpus);
  const count = affinities.length;
  // Devicetree Specification v0.4, 5.2: boot_cpuid_phys has 32 bits; the first CPU boots
  if (BigInt(bootCpuId) !== BigInt.asUintN(32, affinities[0])) yield `CPU ${bootCpuId} boots`;
  const cpus = childOf(root, "cpus");
  // arm/cpus.yaml: reg is the affinity, of two cells if Aff3 is in use
  const width = affinities.some((one) => one >= 1n << 32n) ? 2 : 1;
  if (!same(cellsOf(cpus, "#address-cells"), [width])) yield "cpus: #address-cells";
  for (const [i, affinity] of affinities.entries()) {
    const cpu = cpus?.children[i];
    if (cpu?.name !== `cpu@${affinity.toString(16)}`) yield `a CPU is called ${cpu?.name}`;
    const reg = cpu && valueOf(cpu, "reg");
    if (reg?.length !== 4 * width || numberOf(reg) !== affinity) yield `${cpu?.name}: reg`;
    const all = typeof machine.cpus === "number" ? undefined : machine.cpus[i].compatible;
    if (textOf(cpu, "compatible") !== (all ?? ["arm,armv8"]).join()) yield "a CPU's compatible";
  }
  if (cpus?.children.length !== count) yield `${cpus?.children.length} CPUs`;
  const controller = childOf(root, "interrupt-controller");
  const more = gic.version === 2 ? [gic.cpuInterface] : gic.redistributors;
  if (!same(regOf(controller), [gic.distributor, ...more])) yield "the interrupt controller's reg";
  const regions = gic.version === 3 ? [gic.redistributors.length] : [];
  if (!same(cellsOf(controller, "#redistributor-regions"), regions)) yield "redistributor regions";
  const kind = gic.version === 3 ? "arm,gic-v3" : "arm,gic-400,arm,cortex-a15-gic";
  if (textOf(controller, "compatible") !== kind) yield "the interrupt controller's compatible";
  const [phandle] = cellsOf(controller, "phandle");
  if (!same(cellsOf(root, "interrupt-parent"), [phandle])) yield "interrupt-parent";
  // arm,gic.yaml: bits 8 to 15 are CPUs, of a GICv2; bits 0 to 3 are 8, active low
  const flags = (gic.version === 2 ? (1 << count) - 1 : 0) << 8 | 8;
  const timer = ppisOf(machine.timer).flatMap((ppi) => [1, ppi, flags]);
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
  for (const node of root.children.filter(({ name }) => name.startsWith("virtio_mmio@"))) {
    if (textOf(node, "compatible") !== "virtio,mmio") yield "virtio: compatible";
    // Else Linux maintains caches, which a VMM's memory has no use for
    if (!valueOf(node, "dma-coherent")) yield "virtio: dma-coherent";
  }
  if (!uart) return;
  const isPl011 = uart.type === "pl011";
  // pl011.yaml: two clocks, which are a node's; 8250.yaml: a number
  yield* serialFaults(root, isPl011 ? "arm,pl011,arm,primecell" : "ns16550a");
  const clock = childOf(root, "apb-pclk");
  const hz = uart.clockHz ?? (isPl011 ? 24_000_000 : 1_843_200);
  const at = isPl011 ? clock : childOf(root, "serial");
  if (!same(cellsOf(at, "clock-frequency"), [hz])) yield "the serial port's clock";
  const [handle] = cellsOf(clock, "phandle");
  if (isPl011 && !same(cellsOf(childOf(root, "serial"), "clocks"), [handle, handle])) {
    yield "the serial port's clocks";
  }
}

/** 8250.yaml and pl011.yaml: what it is; the alias that a console is found by. */
function* serialFaults(root: Node, compatible: string): Generator<string> {
  const serial = childOf(root, "serial");
  if (textOf(serial, "compatible") !== compatible) yield "the serial port's compatible";
  if (textOf(childOf(root, "aliases"), "serial0") !== `/${serial?.name}`) yield "serial0";
}

/**
 * Whether there can be a riscv64 machine.
 *
 * @param machine The machine.
 * @returns True if there can.
 */
export function isRiscv64Machine(machine: Riscv64Machine): boolean {
  const { cpus, plic, clint, test, uart, virtioMmio = [], mmu = "sv39", timebaseHz } = machine;
  return areTexts(machine) && isIn(cpus, 1, 512) && ["sv39", "sv48", "sv57"].includes(mmu) &&
    areCells(timebaseHz, uart?.clockHz) && isIn(plic.sources, 1, 1023) &&
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
 * @param tree The tree.
 * @returns A few words each.
 */
export function* riscv64Faults(
  machine: Riscv64Machine,
  { root, bootCpuId }: Tree,
): Generator<string> {
  yield* nameFaults(machine, root);
  if (bootCpuId !== 0) yield `hart ${bootCpuId} boots`;
  const { cpus, plic, clint, test, uart, virtioMmio = [], timebaseHz } = machine;
  const parent = childOf(root, "cpus");
  const harts = (parent?.children ?? []).filter(({ name }) => name.startsWith("cpu@"));
  if (
    !same(harts.map((hart) => cellsOf(hart, "reg")), Array.from({ length: cpus }, (_, i) => [i]))
  ) {
    yield "harts";
  }
  const { mmu = "sv39", isa = "rv64imafdc_zicsr_zifencei" } = machine;
  for (const [i, hart] of harts.entries()) {
    if (hart.name !== `cpu@${i.toString(16)}`) yield `a hart is called ${hart.name}`;
    if (textOf(hart, "mmu-type") !== `riscv,${mmu}`) yield "mmu-type";
    if (textOf(hart, "riscv,isa") !== isa) yield "riscv,isa";
  }
  if (uart) {
    yield* serialFaults(root, "ns16550a");
    const clock = cellsOf(childOf(root, "serial"), "clock-frequency");
    if (!same(clock, [uart.clockHz ?? 3_686_400])) yield "the serial port's clock";
  }
  // OpenSBI's fdt_reset_sifive_test.c looks for the first
  const tests = test && textOf(childOf(root, "test"), "compatible");
  if (test && tests !== "sifive,test1,sifive,test0,syscon") yield "the test device's compatible";
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
    ["serial", uart ? [{ ...uart, size: uart.size ?? 0x100n }] : []],
    ["virtio_mmio", virtioMmio.map((device) => ({ ...device, size: device.size ?? 0x200n }))],
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
