import fc from "fast-check";
import { boots } from "../arbitraries/boots.ts";
import { detach, dirtyRam } from "../arbitraries/machines.ts";
import { shares } from "../arbitraries/plans.ts";
import { optionsOf } from "../boot_run.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

/** Regions have buffers of their own here: more RAM than this takes too long to make. */
const MAX_RAM = 1 << 20;

export default property({
  name: "atomic-detached",
  says: "a plan that needs a region whose buffer is gone is refused, and nothing is written",
  inputs: fc.record({ boot: boots, which: fc.nat(7), after: fc.boolean() }),
  check({ boot, which, after }, library) {
    if (boot.ram.reduce((sum, { size }) => sum + size, 0) > MAX_RAM) return;
    const { regions, changes } = dirtyRam(...boot.ram);
    const memory = library.GuestMemory.of(regions);
    const lost = regions[which % regions.length];
    const range = { start: lost.start, size: BigInt(lost.bytes.length) };
    if (!after) detach(lost.bytes);
    const { value: plan } = judge(Infinity, () => library.planBoot(memory, optionsOf(boot)));
    if (!plan) return;
    if (after) detach(lost.bytes);
    const { refused } = judge(Infinity, () => library.applyPlan(memory, plan));
    if (plan.placements.some((placement) => shares(placement, range))) {
      if (refused?.code !== "INVALID_MEMORY") {
        throw new Violation("a lost region is not noticed", refused?.message);
      }
      const written = changes().map(({ start }) => `0x${start.toString(16)}`);
      requireNone("written before it was noticed", written);
    } else if (refused) {
      throw new Violation("refused for a region that is not needed", refused.message);
    }
  },
});
