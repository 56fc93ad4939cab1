import type { AddressRange } from "../address.ts";

/** A platform-level interrupt controller (PLIC). */
export interface RiscvPlic {
  /** Its registers. */
  readonly registers: AddressRange;
  /** How many interrupts it has, 1 to 1023; the first is number 1. */
  readonly sources: number;
}

/** A 16550 serial port of a riscv64 machine. */
export interface RiscvUart {
  /** Its registers' guest-physical address. */
  readonly address: bigint;
  /** Size of its registers in bytes. @default {0x100n} */
  readonly size?: bigint;
  /** Its interrupt at the PLIC. */
  readonly irq: number;
  /** Its clock in Hz. @default {3_686_400} */
  readonly clockHz?: number;
}

/** A virtio device on the MMIO transport. */
export interface RiscvVirtioMmio {
  /** Its registers' guest-physical address. */
  readonly address: bigint;
  /** Size of its registers in bytes. @default {0x200n} */
  readonly size?: bigint;
  /** Its interrupt at the PLIC. */
  readonly irq: number;
}

/** What a riscv64 machine consists of, but for its memory. Timer, IPIs and power are SBI's. */
export interface Riscv64Machine {
  /** How many harts, 1 to 512, numbered from 0. */
  readonly cpus: number;
  /** The harts' instruction set, as `riscv,isa` names it. @default {"rv64imafdc_zicsr_zifencei"} */
  readonly isa?: string;
  /** The largest address translation of the harts. @default {"sv39"} */
  readonly mmu?: "sv39" | "sv48" | "sv57";
  /** How fast the time CSR counts, in Hz. */
  readonly timebaseHz: number;
  /** The interrupt controller. */
  readonly plic: RiscvPlic;
  /** The core-local interruptor, which firmware uses; a guest without machine mode has none. */
  readonly clint?: AddressRange;
  /** A SiFive test device, through which firmware ends the machine. */
  readonly test?: AddressRange;
  /** The serial port; the alias `serial0` stands for it. */
  readonly uart?: RiscvUart;
  /** Devices on the virtio MMIO transport. */
  readonly virtioMmio?: readonly RiscvVirtioMmio[];
  /** The root's `model`. @default {"linux,dummy-virt"} */
  readonly model?: string;
  /** The root's `compatible`. @default {["linux,dummy-virt"]} */
  readonly compatible?: readonly string[];
}
