import { type AddressRange, formatAddress } from "../address.ts";
import type { NamedRange } from "../errors.ts";
import type { FdtNode, FdtTree } from "../formats/fdt.ts";
import type {
  Arm64Cpu,
  Arm64Machine,
  Arm64Timer,
  Arm64Uart,
  Arm64VirtioMmio,
} from "./arm64_machine.ts";
import {
  addChild,
  type CellCounts,
  encodeCells,
  encodeNumber,
  encodePhandle,
  encodeReg,
  encodeString,
  encodeStrings,
} from "./device_tree.ts";
import { optionError, requireApart, requireInteger } from "./machine_checks.ts";

/** Linux' CONFIG_NR_CPUS for arm64 is 512 by default (since 6.9). */
const MAX_CPUS = 512;
/** A GICv2 names its targets in one byte. */
const MAX_GICV2_CPUS = 8;
/** GICv3 specification, chapter 12.10: a redistributor's two 64 KiB frames. */
const REDISTRIBUTOR_SIZE = 0x2_0000n;
/** KVM's reset_mpidr: a GICv3 SGI names 16 targets of one Aff1. */
const CPUS_PER_CLUSTER = 16;
/** MPIDR_EL1's affinity fields: Aff3 in 39..32, Aff2, Aff1, Aff0 in 23..0. */
const MPIDR_AFFINITY = 0xff_00ff_ffffn;

/** bindings/interrupt-controller/arm,gic.yaml: the first cell of an interrupt. */
const GIC_SPI = 0;
const GIC_PPI = 1;
/** bindings/interrupt-controller/interrupts.txt: the last cell of an interrupt. */
const IRQ_EDGE_RISING = 1;
const IRQ_LEVEL_HIGH = 4;
const IRQ_LEVEL_LOW = 8;
/** PPIs are the INTIDs 16 to 31, SPIs 32 to 1019. */
const PPI_COUNT = 16;
const SPI_COUNT = 988;

const PHANDLE_GIC = 1;
const PHANDLE_CLOCK = 2;
const ROOT_CELLS: CellCounts = { addressCells: 2, sizeCells: 2 };
const NO_VALUE = new Uint8Array(0);

/**
 * The device tree of an arm64 machine, as Linux' bindings want it, without memory and `/chosen`:
 * {@linkcode setMemory} and {@linkcode setChosen} add them.
 *
 * @param machine What the machine consists of.
 * @returns The tree; its root has two cells for addresses and two for sizes.
 * @throws {LoaderError} `INVALID_OPTION` if the machine is none: no or too many CPUs, an affinity
 * that two share, an interrupt number out of its range, devices that overlap; `FDT_VALUE` for a text
 * with a NUL or a clock of more than 32 bits.
 * @throws {TypeError} If a device's address or size is not a bigint.
 *
 * @example
 * ```ts
 * import { buildArm64Tree, setMemory, writeFdt } from "@vmm/linux-loader";
 *
 * const tree = buildArm64Tree({
 *   cpus: 2,
 *   psci: "hvc",
 *   gic: {
 *     version: 3,
 *     distributor: { start: 0x0800_0000n, size: 0x1_0000n },
 *     redistributors: [{ start: 0x080a_0000n, size: 0x4_0000n }],
 *   },
 *   uart: { type: "ns16550a", address: 0x0900_0000n, irq: 1 },
 * });
 * setMemory(tree, [{ start: 0x4000_0000n, size: 0x2000_0000n }]);
 * console.log(writeFdt(tree).length);
 * ```
 */
export function buildArm64Tree(machine: Arm64Machine): FdtTree {
  const { psci, gic, timer = {}, uart, virtioMmio = [] } = machine;
  const { model = "linux,dummy-virt", compatible = ["linux,dummy-virt"] } = machine;
  if (psci !== "hvc" && psci !== "smc") throw optionError("psci", '"hvc" or "smc"', `${psci}`);
  const cpus = cpusOf(machine);
  requireDevices(machine, cpus.length);

  const root: FdtNode = { name: "", properties: [], children: [] };
  root.properties.push(
    { name: "#address-cells", value: encodeCells([ROOT_CELLS.addressCells]) },
    { name: "#size-cells", value: encodeCells([ROOT_CELLS.sizeCells]) },
    { name: "interrupt-parent", value: encodePhandle(PHANDLE_GIC) },
    { name: "model", value: encodeString(model, "model") },
    { name: "compatible", value: encodeStrings(compatible, "compatible") },
  );
  addChild(root, "psci", {
    compatible: encodeStrings(["arm,psci-1.0", "arm,psci-0.2"]),
    method: encodeString(psci),
  });
  addCpus(root, cpus);
  addGic(root, gic);
  addTimer(root, timer, gic.version === 2 ? cpus.length : 0);
  if (uart) addUart(root, uart);
  for (const device of virtioMmio) addVirtioMmio(root, device);
  return { bootCpuId: Number(cpus[0].mpidr & 0xffff_ffffn), reservations: [], root };
}

/** bindings/arm/cpus.yaml. */
function addCpus(root: FdtNode, cpus: readonly Arm64Cpu[]): void {
  const addressCells = cpus.some(({ mpidr }) => mpidr >> 32n !== 0n) ? 2 : 1;
  const parent = addChild(root, "cpus", {
    "#address-cells": encodeCells([addressCells]),
    "#size-cells": encodeCells([0]),
  });
  for (const { mpidr, compatible = ["arm,armv8"] } of cpus) {
    addChild(parent, `cpu@${mpidr.toString(16)}`, {
      device_type: encodeString("cpu"),
      compatible: encodeStrings(compatible, "cpus.compatible"),
      reg: encodeNumber(mpidr, addressCells),
      "enable-method": encodeString("psci"),
    });
  }
}

/** bindings/interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml. */
function addGic(root: FdtNode, gic: Arm64Machine["gic"]): void {
  const common = {
    "#address-cells": encodeCells([0]),
    "#interrupt-cells": encodeCells([3]),
    "interrupt-controller": NO_VALUE,
    phandle: encodePhandle(PHANDLE_GIC),
  };
  const name = `interrupt-controller@${gic.distributor.start.toString(16)}`;
  switch (gic.version) {
    case 2:
      addChild(root, name, {
        compatible: encodeStrings(["arm,gic-400", "arm,cortex-a15-gic"]),
        reg: encodeReg([gic.distributor, gic.cpuInterface], ROOT_CELLS),
        ...common,
      });
      return;
    case 3:
      addChild(root, name, {
        compatible: encodeString("arm,gic-v3"),
        reg: encodeReg([gic.distributor, ...gic.redistributors], ROOT_CELLS),
        "#redistributor-regions": encodeCells([gic.redistributors.length]),
        ...common,
      });
      return;
    default:
      gic satisfies never;
  }
}

/** bindings/timer/arm,arch_timer.yaml. A GICv2 wants the CPUs that a PPI goes to, as a bit mask. */
function addTimer(root: FdtNode, timer: Arm64Timer, maskedCpus: number): void {
  const { secure = 13, nonSecure = 14, virtual = 11, hypervisor = 10 } = timer;
  const flags = (((1 << maskedCpus) - 1) << 8) | IRQ_LEVEL_LOW;
  const ppis = Object.entries({ secure, nonSecure, virtual, hypervisor });
  const interrupts = ppis.flatMap(([name, ppi]) => {
    requireInteger(ppi, 0, PPI_COUNT - 1, `timer.${name}`);
    return [GIC_PPI, ppi, flags];
  });
  addChild(root, "timer", {
    compatible: encodeString("arm,armv8-timer"),
    interrupts: encodeCells(interrupts),
    "always-on": NO_VALUE,
  });
}

function addUart(root: FdtNode, uart: Arm64Uart): void {
  const name = `serial@${uart.address.toString(16)}`;
  const common = {
    reg: encodeReg([uartRange(uart)], ROOT_CELLS),
    interrupts: encodeCells([GIC_SPI, uart.irq, IRQ_LEVEL_HIGH]),
  };
  switch (uart.type) {
    case "pl011": { // bindings/serial/pl011.yaml, bindings/clock/fixed-clock.yaml
      addChild(root, "apb-pclk", {
        compatible: encodeString("fixed-clock"),
        "#clock-cells": encodeCells([0]),
        "clock-frequency": encodeCells([uart.clockHz ?? 24_000_000], "uart.clockHz"),
        "clock-output-names": encodeString("apb_pclk"),
        phandle: encodePhandle(PHANDLE_CLOCK),
      });
      addChild(root, name, {
        compatible: encodeStrings(["arm,pl011", "arm,primecell"]),
        ...common,
        clocks: encodeCells([PHANDLE_CLOCK, PHANDLE_CLOCK]),
        "clock-names": encodeStrings(["uartclk", "apb_pclk"]),
      });
      break;
    }
    case "ns16550a": // bindings/serial/8250.yaml
      addChild(root, name, {
        compatible: encodeString("ns16550a"),
        ...common,
        "clock-frequency": encodeCells([uart.clockHz ?? 1_843_200], "uart.clockHz"),
      });
      break;
    default:
      throw optionError("uart.type", '"pl011" or "ns16550a"', `${uart.type satisfies never}`);
  }
  addChild(root, "aliases", { serial0: encodeString(`/${name}`) });
}

/** bindings/virtio/mmio.yaml. */
function addVirtioMmio(root: FdtNode, device: Arm64VirtioMmio): void {
  addChild(root, `virtio_mmio@${device.address.toString(16)}`, {
    compatible: encodeString("virtio,mmio"),
    reg: encodeReg([virtioRange(device)], ROOT_CELLS),
    interrupts: encodeCells([GIC_SPI, device.irq, IRQ_EDGE_RISING]),
    "dma-coherent": NO_VALUE,
  });
}

function cpusOf({ cpus }: Arm64Machine): readonly Arm64Cpu[] {
  if (typeof cpus === "number") {
    requireInteger(cpus, 1, MAX_CPUS, "cpus");
    return Array.from({ length: cpus }, (_, index) => {
      const cluster = Math.floor(index / CPUS_PER_CLUSTER);
      return { mpidr: BigInt((cluster << 8) | (index % CPUS_PER_CLUSTER)) };
    });
  }
  requireInteger(cpus.length, 1, MAX_CPUS, "cpus");
  const seen = new Set<bigint>();
  for (const { mpidr } of cpus) {
    if ((mpidr & MPIDR_AFFINITY) !== mpidr) {
      throw optionError("cpus.mpidr", "affinity bits only", formatAddress(mpidr));
    }
    if (seen.has(mpidr)) {
      throw optionError("cpus.mpidr", "one CPU for each affinity", `${formatAddress(mpidr)} twice`);
    }
    seen.add(mpidr);
  }
  return cpus;
}

function requireDevices(machine: Arm64Machine, cpuCount: number): void {
  const { gic, uart, virtioMmio = [] } = machine;
  const devices: NamedRange[] = [{ name: "gic.distributor", ...gic.distributor }];
  switch (gic.version) {
    case 2:
      requireInteger(cpuCount, 1, MAX_GICV2_CPUS, "cpus of a GICv2");
      devices.push({ name: "gic.cpuInterface", ...gic.cpuInterface });
      break;
    case 3: {
      let served = 0n;
      for (const range of gic.redistributors) {
        served += range.size / REDISTRIBUTOR_SIZE;
        devices.push({ name: "gic.redistributors", ...range });
      }
      if (served < cpuCount) {
        throw optionError("gic.redistributors", `room for ${cpuCount} CPUs`, `${served}`);
      }
      break;
    }
    default:
      gic satisfies never;
      throw optionError("gic.version", "2 or 3", `${machine.gic.version}`);
  }
  if (uart) {
    requireInteger(uart.irq, 0, SPI_COUNT - 1, "uart.irq");
    devices.push({ name: "uart", ...uartRange(uart) });
  }
  for (const device of virtioMmio) {
    requireInteger(device.irq, 0, SPI_COUNT - 1, "virtioMmio.irq");
    devices.push({ name: "virtioMmio", ...virtioRange(device) });
  }
  requireApart(devices);
}

function uartRange({ address, size = 0x1000n }: Arm64Uart): AddressRange {
  return { start: address, size };
}

function virtioRange({ address, size = 0x200n }: Arm64VirtioMmio): AddressRange {
  return { start: address, size };
}
