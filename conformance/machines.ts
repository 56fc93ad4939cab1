/** The machines that QEMU makes: where their RAM is, and what else a planner must know. */
import type { AddressRange, Arm64Machine, Reservation, Riscv64Machine } from "../mod.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

/** The machines: by their QEMU names, those of riscv64 with the architecture. */
export type MachineName = "microvm" | "pc" | "q35" | "virt" | "virt-riscv64";

/** A guest architecture of the matrix. */
export type GuestArch = "x86_64" | "aarch64" | "riscv64";

/** A machine that a plan is made for, and booted on. */
export interface Machine {
  /** QEMU's name for it. */
  readonly name: Exclude<MachineName, "virt-riscv64">;
  /** Its architecture. */
  readonly arch: GuestArch;
  /** The value of QEMU's option -M, but for the memory backend. */
  readonly type: string;
  /** The CPU model, QEMU's default if not given. */
  readonly cpu?: string;
  /** Guest-physical address of the first byte of RAM. */
  readonly ramStart: bigint;
  /** How much RAM lies below 4 GiB if there is more; undefined if RAM is one range. */
  readonly lowRam?: bigint;
  /** Guest ranges that QEMU itself writes to. */
  readonly reservations: readonly Reservation[];
  /** What a device tree describes. */
  readonly deviceTree?: Arm64Machine | Riscv64Machine;
}

/** -M virt,gic-version=2: QEMU 7.2, hw/arm/virt.c, base_memmap and a15irqmap. */
const VIRT: Arm64Machine = {
  cpus: 1,
  psci: "hvc",
  gic: {
    version: 2,
    distributor: { start: 0x0800_0000n, size: 0x1_0000n },
    cpuInterface: { start: 0x0801_0000n, size: 0x1_0000n },
  },
  uart: { type: "pl011", address: 0x0900_0000n, irq: 1 },
};

/** -M virt: QEMU 7.2, hw/riscv/virt.c, virt_memmap and the irq numbers of include/hw/riscv/virt.h. */
const VIRT_RISCV64: Riscv64Machine = {
  cpus: 1,
  timebaseHz: 10_000_000,
  plic: { registers: { start: 0x0c00_0000n, size: 0x60_0000n }, sources: 95 },
  clint: { start: 0x0200_0000n, size: 0x1_0000n },
  test: { start: 0x10_0000n, size: 0x1000n },
  uart: { address: 0x1000_0000n, irq: 10 },
};

/** Every machine of the matrix. */
export const MACHINES: { readonly [K in MachineName]: Machine } = {
  microvm: {
    name: "microvm",
    arch: "x86_64",
    type: "microvm,x-option-roms=off,acpi=off,auto-kernel-cmdline=off," +
      "pit=on,pic=on,rtc=on,isa-serial=on",
    ramStart: 0n,
    lowRam: 3n * GIB,
    reservations: [],
  },
  pc: {
    name: "pc",
    arch: "x86_64",
    type: "pc",
    ramStart: 0n,
    lowRam: 3n * GIB,
    reservations: [],
  },
  q35: {
    name: "q35",
    arch: "x86_64",
    type: "q35",
    ramStart: 0n,
    lowRam: 2n * GIB,
    reservations: [],
  },
  virt: {
    name: "virt",
    arch: "aarch64",
    type: "virt,gic-version=2",
    cpu: "cortex-a57",
    ramStart: GIB,
    // QEMU writes a device tree of its own to the start of RAM, at every reset.
    reservations: [{ name: "QEMU's device tree", start: GIB, size: MIB }],
    deviceTree: VIRT,
  },
  "virt-riscv64": {
    name: "virt",
    arch: "riscv64",
    type: "virt",
    ramStart: 2n * GIB,
    // OpenSBI, and behind it the stub that starts it.
    reservations: [{ name: "OpenSBI", start: 2n * GIB, size: 2n * MIB }],
    deviceTree: VIRT_RISCV64,
  },
};

/**
 * Where a machine's RAM lies.
 *
 * @param machine The machine.
 * @param size How much RAM it has, in bytes.
 * @returns The ranges in the order in which they lie in QEMU's RAM file.
 */
export function ramRanges({ ramStart, lowRam }: Machine, size: bigint): AddressRange[] {
  if (lowRam === undefined || size <= lowRam) return [{ start: ramStart, size }];
  return [{ start: ramStart, size: lowRam }, { start: 4n * GIB, size: size - lowRam }];
}
