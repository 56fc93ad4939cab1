/** The machines that QEMU makes: where their RAM is, and what else a planner must know. */
import type { AddressRange, Arm64Machine, Reservation } from "../mod.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

/** The machines by their QEMU names. */
export type MachineName = "microvm" | "pc" | "q35" | "virt";

/** A guest architecture of the matrix. */
export type GuestArch = "x86_64" | "aarch64";

/** A machine that a plan is made for, and booted on. */
export interface Machine {
  /** QEMU's name for it. */
  readonly name: MachineName;
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
  /** What an arm64 device tree describes. */
  readonly arm64?: Arm64Machine;
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
    arm64: VIRT,
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
