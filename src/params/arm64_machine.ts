import type { AddressRange } from "../address.ts";

/** A CPU of an arm64 machine. */
export interface Arm64Cpu {
  /** Its affinity: Aff3 in bits 39..32, Aff2..Aff0 in bits 23..0 of MPIDR_EL1, the rest 0. */
  readonly mpidr: bigint;
  /** What it is. @default {["arm,armv8"]} */
  readonly compatible?: readonly string[];
}

/** A GICv2 interrupt controller. */
export interface GicV2 {
  /** The architecture's version. It serves at most 8 CPUs. */
  readonly version: 2;
  /** The distributor's registers (GICD), at least 4 KiB. */
  readonly distributor: AddressRange;
  /** The CPU interface's registers (GICC), 8 KiB by the architecture. */
  readonly cpuInterface: AddressRange;
}

/** A GICv3 interrupt controller. */
export interface GicV3 {
  /** The architecture's version. */
  readonly version: 3;
  /** The distributor's registers (GICD), 64 KiB by the architecture. */
  readonly distributor: AddressRange;
  /** The redistributors' registers (GICR): regions that hold 128 KiB for each CPU between them. */
  readonly redistributors: readonly AddressRange[];
}

/** The generic timer's interrupts: PPI numbers (0 is INTID 16), level-triggered, active low. */
export interface Arm64Timer {
  /** The secure physical timer. @default {13} */
  readonly secure?: number;
  /** The non-secure physical timer. @default {14} */
  readonly nonSecure?: number;
  /** The virtual timer. @default {11} */
  readonly virtual?: number;
  /** The hypervisor's physical timer. @default {10} */
  readonly hypervisor?: number;
}

/** A serial port of an arm64 machine. */
export interface Arm64Uart {
  /** What it is. */
  readonly type: "pl011" | "ns16550a";
  /** Its registers' guest-physical address. */
  readonly address: bigint;
  /** Size of its registers in bytes. @default {0x1000n} */
  readonly size?: bigint;
  /** Its interrupt, active high: an SPI number (0 is INTID 32). */
  readonly irq: number;
  /** Its clock in Hz. @default {24_000_000 of a pl011, 1_843_200 of an ns16550a} */
  readonly clockHz?: number;
}

/** A virtio device on the MMIO transport. */
export interface Arm64VirtioMmio {
  /** Its registers' guest-physical address. */
  readonly address: bigint;
  /** Size of its registers in bytes. @default {0x200n} */
  readonly size?: bigint;
  /** Its interrupt, a rising edge: an SPI number (0 is INTID 32). */
  readonly irq: number;
}

/** What an arm64 machine consists of, but for its memory. */
export interface Arm64Machine {
  /**
   * The CPUs, 1 to 512, the first boots. A number stands for so many with the affinities that KVM
   * gives them: 16 for each value of Aff1.
   */
  readonly cpus: number | readonly Arm64Cpu[];
  /** How the guest calls PSCI 1.0, which starts the other CPUs, and ends the guest. */
  readonly psci: "hvc" | "smc";
  /** The interrupt controller. */
  readonly gic: GicV2 | GicV3;
  /** The timer's interrupts. */
  readonly timer?: Arm64Timer;
  /** The serial port; the alias `serial0` stands for it. */
  readonly uart?: Arm64Uart;
  /** The virtio devices, in the order in which the guest finds them. */
  readonly virtioMmio?: readonly Arm64VirtioMmio[];
  /** The machine's name. @default {"linux,dummy-virt"} */
  readonly model?: string;
  /** What the machine is. @default {["linux,dummy-virt"]} */
  readonly compatible?: readonly string[];
}
