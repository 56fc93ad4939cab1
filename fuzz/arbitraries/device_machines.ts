/** Machines to build a device tree for. */
import fc from "fast-check";
import type { Arm64Machine, Riscv64Machine } from "../../mod.ts";
import { boundary, sometimes } from "./numbers.ts";

const address = fc.oneof(
  { arbitrary: fc.constantFrom(0x0900_0000n, 0x0a00_0000n, 0x0a00_0200n, 0n), weight: 6 },
  { arbitrary: boundary, weight: 1 },
);
const page = (start: bigint) => ({ start, size: 0x1000n });
const irq = fc.constantFrom(1, 2, 0, 987, 988, -1);

/** arm64 machines, most of them possible. */
export const machines: fc.Arbitrary<Arm64Machine> = fc.record({
  cpus: fc.constantFrom(1, 2, 8, 9, 17, 0, 513),
  psci: fc.constantFrom("hvc" as const, "smc" as const),
  gic: fc.oneof(
    fc.constantFrom(0x0800_0000n, 0x0900_0000n).map((start) => ({
      version: 2 as const,
      distributor: { start, size: 0x1_0000n },
      cpuInterface: { start: 0x0801_0000n, size: 0x1_0000n },
    })),
    fc.constantFrom(0x0200_0000n, 0x2_0000n).map((size) => ({
      version: 3 as const,
      distributor: { start: 0x0800_0000n, size: 0x1_0000n },
      redistributors: [{ start: 0x080a_0000n, size }],
    })),
  ),
  uart: sometimes(
    fc.record({ type: fc.constantFrom("pl011" as const, "ns16550a" as const), address, irq }),
    1,
  ),
  virtioMmio: sometimes(fc.array(fc.record({ address, irq }), { maxLength: 2 }), 2),
}) as fc.Arbitrary<Arm64Machine>;

/** riscv64 machines, most of them possible. */
export const riscvMachines: fc.Arbitrary<Riscv64Machine> = fc.record({
  cpus: fc.constantFrom(1, 2, 17, 0, 513),
  timebaseHz: fc.constantFrom(10_000_000, 0, 1),
  mmu: sometimes(fc.constantFrom("sv39" as const, "sv48" as const), 2),
  plic: fc.record({
    registers: fc.constantFrom(0x0c00_0000n, 0x0900_0000n).map((start) => ({
      start,
      size: 0x60_0000n,
    })),
    sources: fc.constantFrom(96, 1, 0, 1023, 1024),
  }),
  clint: sometimes(fc.constant({ start: 0x0200_0000n, size: 0x1_0000n }), 1),
  test: sometimes(fc.constantFrom(0x10_0000n, 0x0200_8000n).map(page), 2),
  uart: sometimes(fc.record({ address, irq }), 1),
  virtioMmio: sometimes(fc.array(fc.record({ address, irq }), { maxLength: 2 }), 2),
}) as fc.Arbitrary<Riscv64Machine>;
