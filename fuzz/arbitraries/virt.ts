/** QEMU's virt machines, as their device trees describe them: for tests, and for guests that boot there. */
import type { Arm64Machine, Riscv64Machine } from "../../mod.ts";

/** -M virt,gic-version=2: QEMU 7.2, hw/arm/virt.c, base_memmap and a15irqmap. */
export const VIRT_ARM64 = {
  cpus: 1,
  psci: "hvc",
  gic: {
    version: 2,
    distributor: { start: 0x0800_0000n, size: 0x1_0000n },
    cpuInterface: { start: 0x0801_0000n, size: 0x1_0000n },
  },
  uart: { type: "pl011", address: 0x0900_0000n, irq: 1 },
} as const satisfies Arm64Machine;

/** -M virt: QEMU 7.2, hw/riscv/virt.c, virt_memmap and the irq numbers of include/hw/riscv/virt.h. */
export const VIRT_RISCV64 = {
  cpus: 1,
  timebaseHz: 10_000_000,
  plic: { registers: { start: 0x0c00_0000n, size: 0x60_0000n }, sources: 95 },
  clint: { start: 0x0200_0000n, size: 0x1_0000n },
  test: { start: 0x10_0000n, size: 0x1000n },
  uart: { address: 0x1000_0000n, irq: 10 },
} as const satisfies Riscv64Machine;
