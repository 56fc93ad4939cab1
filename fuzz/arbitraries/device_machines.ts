/** Machines to build a device tree for. */
import fc from "fast-check";
import type { Arm64Machine, Riscv64Machine } from "../../mod.ts";
import { boundary, sometimes } from "./numbers.ts";

const address = fc.oneof(
  {
    arbitrary: fc.constantFrom(0x0900_0000n, 0x0a00_0000n, 0x0a00_1000n, 0x0b00_0000n, 0n),
    weight: 12,
  },
  { arbitrary: boundary, weight: 1 },
);
/** Mostly what can be: one thing that cannot is enough for a refusal. */
const mostly = <T>(good: readonly T[], bad: readonly T[]) =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...good), weight: 8 },
    { arbitrary: fc.constantFrom(...bad), weight: 1 },
  );

/** Mostly what the documents say where nothing is said. */
const size = sometimes(mostly([0x1000n, 0x100n, 0x40n], [0n]), 3);
const clockHz = sometimes(mostly([1_000_000, 0, 2 ** 32 - 1], [2 ** 32, 0.5, -1]), 1);
const page = (start: bigint) => ({ start, size: 0x1000n });
const irq = mostly([1, 2, 3, 4, 5], [988, 988, 6, 97, 987, 0, -1, 1.5]);

/** Affinities: of a cluster, of others, with Aff3, twice, with bits that are none. */
const affinity = fc.constantFrom(0n, 1n, 2n, 0x100n, 0x10000n, 0x80ff_0000_0000n, 0x1_0000_0001n);
const cpus = fc.oneof(
  { arbitrary: mostly([1, 2, 8, 9, 17], [0, 512, 513, 1.5]), weight: 3 },
  {
    arbitrary: fc.array(
      fc.record({ mpidr: affinity, compatible: sometimes(fc.constant(["arm,cortex-a53"]), 2) }),
      { maxLength: 4 },
    ),
    weight: 1,
  },
  {
    arbitrary: fc.constantFrom([0x100n, 1n, 0n], [3n, 0x1_0000_0003n], [0x81_0000_0000n, 2n], [5n])
      .map((all) => all.map((mpidr) => ({ mpidr }))),
    weight: 1,
  },
);
const ppi = sometimes(mostly([0, 7, 15], [16, -1]), 2);

const named = {
  model: sometimes(mostly(["a machine", ""], ["a\0b", "\ud83d"]), 3),
  compatible: sometimes(mostly([["a,b", "c,d"], ["a,b"]], [["a\0b"], ["a", "\ud83d"]]), 3),
};

/** arm64 machines, most of them possible. */
export const machines: fc.Arbitrary<Arm64Machine> = fc.record({
  cpus,
  timer: sometimes(
    fc.record({ secure: ppi, nonSecure: ppi, virtual: ppi, hypervisor: ppi }),
    3,
  ),
  psci: mostly(["hvc", "smc"], ["qsmc", ""]),
  ...named,
  gic: fc.oneof(
    fc.constantFrom(0x0800_0000n, 0x0900_0000n).map((start) => ({
      version: 2 as const,
      distributor: { start, size: 0x1_0000n },
      cpuInterface: { start: 0x0801_0000n, size: 0x1_0000n },
    })),
    fc.constantFrom(
      [0x4000_0000n],
      [0x2_0000n],
      [0x2_0000n, 0x22_0000n],
      [0x3_ffffn, 0x1_0000n],
      // Of a version that there is not
      [0x2_0000n, 0x22_0000n, 0x2_0000n],
      [],
    )
      .map((sizes) => ({
        version: sizes.length === 3 ? 4 : 3,
        distributor: { start: 0x0800_0000n, size: 0x1_0000n },
        redistributors: sizes.map((size, i) => ({ start: 0x1_0000_0000n * BigInt(i + 1), size })),
      })),
  ),
  uart: sometimes(
    fc.record({
      type: fc.constantFrom("pl011" as const, "ns16550a" as const),
      ...{ address, irq, size, clockHz },
    }),
    1,
  ),
  virtioMmio: sometimes(fc.array(fc.record({ address, irq, size }), { maxLength: 3 }), 2),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<Arm64Machine>;

/** riscv64 machines, most of them possible. */
export const riscvMachines: fc.Arbitrary<Riscv64Machine> = fc.record({
  cpus: mostly([1, 2, 17], [0, 512, 513, 1.5]),
  timebaseHz: mostly([10_000_000, 0, 1, 2 ** 32 - 1], [2 ** 32]),
  mmu: sometimes(mostly(["sv39", "sv48", "sv57"], ["sv32", ""]), 2),
  ...named,
  isa: sometimes(fc.constantFrom("rv64gc", "rv64imac"), 2),
  plic: fc.record({
    registers: fc.constantFrom(0x0c00_0000n, 0x0900_0000n).map((start) => ({
      start,
      size: 0x60_0000n,
    })),
    sources: mostly([96, 5, 1023], [1, 0, 1024]),
  }),
  clint: sometimes(fc.constant({ start: 0x0200_0000n, size: 0x1_0000n }), 1),
  test: sometimes(fc.constantFrom(0x10_0000n, 0x0200_8000n).map(page), 2),
  uart: sometimes(fc.record({ address, irq, size, clockHz }), 1),
  virtioMmio: sometimes(fc.array(fc.record({ address, irq, size }), { maxLength: 3 }), 2),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<Riscv64Machine>;
