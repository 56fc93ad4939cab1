import type { AddressRange } from "../address.ts";
import type { NamedRange } from "../errors.ts";
import type { FdtNode, FdtTree } from "../formats/fdt.ts";
import {
  addChild,
  type CellCounts,
  encodeCells,
  encodePhandle,
  encodeReg,
  encodeString,
  encodeStrings,
} from "./device_tree.ts";
import { optionError, requireApart, requireInteger } from "./machine_checks.ts";
import type { Riscv64Machine, RiscvUart, RiscvVirtioMmio } from "./riscv64_machine.ts";

/** Linux' CONFIG_NR_CPUS for riscv64 is at most 512. */
const MAX_CPUS = 512;
/** PLIC specification 1.0.0: "up to 1023 interrupts (0 is reserved)". */
const MAX_SOURCES = 1023;
/** Privileged ISA, mcause: software, timer and external interrupts of the two modes. */
const IRQ = {
  machineSoft: 3,
  machineTimer: 7,
  supervisorExternal: 9,
  machineExternal: 11,
} as const;
const MMU_TYPES = ["sv39", "sv48", "sv57"];

const ROOT_CELLS: CellCounts = { addressCells: 2, sizeCells: 2 };
const NO_VALUE = new Uint8Array(0);
const PHANDLE_PLIC = 1;
const PHANDLE_TEST = 2;
/** Each hart's own interrupt controller follows. */
const PHANDLE_HARTS = 3;

/**
 * The device tree of a riscv64 machine, as Linux' bindings want it, without memory and `/chosen`.
 *
 * @param machine What the machine consists of.
 * @returns The tree; its root has two cells for addresses and two for sizes.
 * @throws {LoaderError} `INVALID_OPTION` if the machine is none: no or too many harts, an interrupt
 * number out of its range, devices that overlap; `FDT_VALUE` for a text with a NUL.
 * @throws {TypeError} If a device's address or size is not a bigint.
 *
 * @example
 * ```ts
 * import { buildRiscv64Tree, writeFdt } from "@vmm/linux-loader";
 *
 * const tree = buildRiscv64Tree({
 *   cpus: 1,
 *   timebaseHz: 10_000_000,
 *   plic: { registers: { start: 0x0c00_0000n, size: 0x60_0000n }, sources: 95 },
 *   uart: { address: 0x1000_0000n, irq: 10 },
 * });
 * console.log(writeFdt(tree).length);
 * ```
 */
export function buildRiscv64Tree(machine: Riscv64Machine): FdtTree {
  const { cpus, plic, clint, test, uart, virtioMmio = [] } = machine;
  const { model = "linux,dummy-virt", compatible = ["linux,dummy-virt"] } = machine;
  requireMachine(machine);

  const root: FdtNode = { name: "", properties: [], children: [] };
  root.properties.push(
    { name: "#address-cells", value: encodeCells([ROOT_CELLS.addressCells]) },
    { name: "#size-cells", value: encodeCells([ROOT_CELLS.sizeCells]) },
    { name: "model", value: encodeString(model, "model") },
    { name: "compatible", value: encodeStrings(compatible, "compatible") },
  );
  addCpus(root, machine);
  // bindings/interrupt-controller/sifive,plic-1.0.0.yaml: a context for each mode of each hart
  addChild(root, nameOf("interrupt-controller", plic.registers), {
    compatible: encodeStrings(["sifive,plic-1.0.0", "riscv,plic0"]),
    reg: encodeReg([plic.registers], ROOT_CELLS),
    "interrupts-extended": toHarts(cpus, IRQ.machineExternal, IRQ.supervisorExternal),
    "riscv,ndev": encodeCells([plic.sources]),
    "#address-cells": encodeCells([0]),
    "#interrupt-cells": encodeCells([1]),
    "interrupt-controller": NO_VALUE,
    phandle: encodePhandle(PHANDLE_PLIC),
  });
  if (clint) { // bindings/timer/sifive,clint.yaml
    addChild(root, nameOf("clint", clint), {
      compatible: encodeStrings(["sifive,clint0", "riscv,clint0"]),
      reg: encodeReg([clint], ROOT_CELLS),
      "interrupts-extended": toHarts(cpus, IRQ.machineSoft, IRQ.machineTimer),
    });
  }
  if (test) { // QEMU, hw/misc/sifive_test.c; OpenSBI looks for it by its first name
    addChild(root, nameOf("test", test), {
      compatible: encodeStrings(["sifive,test1", "sifive,test0", "syscon"]),
      reg: encodeReg([test], ROOT_CELLS),
      phandle: encodePhandle(PHANDLE_TEST),
    });
  }
  if (uart) addUart(root, uart);
  for (const device of virtioMmio) { // bindings/virtio/mmio.yaml
    addChild(root, nameOf("virtio_mmio", virtioRange(device)), {
      compatible: encodeString("virtio,mmio"),
      reg: encodeReg([virtioRange(device)], ROOT_CELLS),
      ...atPlic(device.irq),
    });
  }
  return { bootCpuId: 0, reservations: [], root };
}

/** bindings/riscv/cpus.yaml. */
function addCpus(root: FdtNode, machine: Riscv64Machine): void {
  const { cpus, timebaseHz, isa = "rv64imafdc_zicsr_zifencei", mmu = "sv39" } = machine;
  const parent = addChild(root, "cpus", {
    "#address-cells": encodeCells([1]),
    "#size-cells": encodeCells([0]),
    "timebase-frequency": encodeCells([timebaseHz], "timebaseHz"),
  });
  for (let hart = 0; hart < cpus; hart++) {
    const cpu = addChild(parent, `cpu@${hart.toString(16)}`, {
      device_type: encodeString("cpu"),
      reg: encodeCells([hart]),
      status: encodeString("okay"),
      compatible: encodeString("riscv"),
      "riscv,isa": encodeString(isa, "isa"),
      "mmu-type": encodeString(`riscv,${mmu}`),
    });
    addChild(cpu, "interrupt-controller", {
      compatible: encodeString("riscv,cpu-intc"),
      "#interrupt-cells": encodeCells([1]),
      "interrupt-controller": NO_VALUE,
      phandle: encodePhandle(PHANDLE_HARTS + hart),
    });
  }
}

/** bindings/serial/8250.yaml. */
function addUart(root: FdtNode, uart: RiscvUart): void {
  const name = nameOf("serial", uartRange(uart));
  addChild(root, name, {
    compatible: encodeString("ns16550a"),
    reg: encodeReg([uartRange(uart)], ROOT_CELLS),
    "clock-frequency": encodeCells([uart.clockHz ?? 3_686_400], "uart.clockHz"),
    ...atPlic(uart.irq),
  });
  addChild(root, "aliases", { serial0: encodeString(`/${name}`) });
}

function requireMachine(machine: Riscv64Machine): void {
  const { cpus, mmu = "sv39", plic, clint, test, uart, virtioMmio = [] } = machine;
  requireInteger(cpus, 1, MAX_CPUS, "cpus");
  requireInteger(plic.sources, 1, MAX_SOURCES, "plic.sources");
  if (!MMU_TYPES.includes(mmu)) throw optionError("mmu", MMU_TYPES.join(" or "), mmu);
  const devices: NamedRange[] = [{ name: "plic", ...plic.registers }];
  if (clint) devices.push({ name: "clint", ...clint });
  if (test) devices.push({ name: "test", ...test });
  if (uart) {
    requireInteger(uart.irq, 1, plic.sources, "uart.irq");
    devices.push({ name: "uart", ...uartRange(uart) });
  }
  for (const device of virtioMmio) {
    requireInteger(device.irq, 1, plic.sources, "virtioMmio.irq");
    devices.push({ name: "virtioMmio", ...virtioRange(device) });
  }
  requireApart(devices);
}

/** interrupts-extended: the same interrupts of every hart. */
function toHarts(cpus: number, ...irqs: readonly number[]): Uint8Array {
  const harts = Array.from({ length: cpus }, (_, hart) => PHANDLE_HARTS + hart);
  return encodeCells(harts.flatMap((hart) => irqs.flatMap((irq) => [hart, irq])));
}

function atPlic(irq: number): Record<string, Uint8Array> {
  return { "interrupt-parent": encodePhandle(PHANDLE_PLIC), interrupts: encodeCells([irq]) };
}

function nameOf(name: string, { start }: AddressRange): string {
  return `${name}@${start.toString(16)}`;
}

function uartRange({ address, size = 0x100n }: RiscvUart): AddressRange {
  return { start: address, size };
}

function virtioRange({ address, size = 0x200n }: RiscvVirtioMmio): AddressRange {
  return { start: address, size };
}
