/** The machines that QEMU makes: where their RAM is, and what else a planner must know. */
import type { AddressRange, Arm64Machine, Reservation, Riscv64Machine } from "../mod.ts";
import { VIRT_ARM64, VIRT_RISCV64 } from "../fuzz/arbitraries/virt.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

/** The machines: by their QEMU names, those of riscv64 with the architecture. */
export type MachineName =
  | "microvm"
  | "pc"
  | "q35"
  | "virt"
  | "virt-riscv64"
  | "virt-riscv64-bare";

/** A guest architecture of the matrix. */
export type GuestArch = "x86_64" | "aarch64" | "riscv64";

/** A machine that a plan is made for, and booted on. */
export interface Machine {
  /** QEMU's name for it. */
  readonly name: "microvm" | "pc" | "q35" | "virt";
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
  /** The least RAM that QEMU is given, in bytes; what a plan does not get of it lies idle. */
  readonly leastRam?: bigint;
  /** Firmware that enters the kernel; without it a stub does. */
  readonly firmware?: "opensbi";
  /** riscv64 without firmware: the hart that boots, 0 if not given; those before it are parked. */
  readonly bootHart?: number;
  /** Guest ranges that QEMU itself writes to, and what firmware keeps. */
  readonly reservations: readonly Reservation[];
  /** What a device tree describes. */
  readonly deviceTree?: Arm64Machine | Riscv64Machine;
}

/**
 * What QEMU's virt machine for riscv64 has whoever enters the kernel. Its device tree goes to the top
 * of RAM, but below 3 GiB (QEMU 7.2, hw/riscv/boot.c, riscv_load_fdt): with 1 GiB always to one place.
 */
const RISCV64 = {
  name: "virt",
  arch: "riscv64",
  type: "virt",
  ramStart: 2n * GIB,
  leastRam: GIB,
  deviceTree: VIRT_RISCV64,
} as const;
const RISCV64_QEMU_TREE: Reservation = {
  name: "QEMU's device tree",
  start: 3n * GIB - 2n * MIB,
  size: 2n * MIB,
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
    deviceTree: VIRT_ARM64,
  },
  "virt-riscv64": {
    ...RISCV64,
    firmware: "opensbi",
    // OpenSBI, and behind it the stub that starts it.
    reservations: [{ name: "OpenSBI", start: 2n * GIB, size: 2n * MIB }, RISCV64_QEMU_TREE],
  },
  "virt-riscv64-bare": { ...RISCV64, reservations: [RISCV64_QEMU_TREE] },
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

/**
 * What a boot on a machine must be told of it.
 *
 * @param machine The machine.
 * @param ram The RAM that the plan gets.
 * @returns The description for a device tree, and the reservations that lie in that RAM.
 */
export function machineOptions(
  { deviceTree, reservations }: Machine,
  ram: readonly AddressRange[],
): { deviceTree?: Arm64Machine | Riscv64Machine; reservations: readonly Reservation[] } {
  const isInRam = (one: Reservation) =>
    ram.some(({ start, size }) => one.start < start + size && start < one.start + one.size);
  return { deviceTree, reservations: reservations.filter(isInRam) };
}
