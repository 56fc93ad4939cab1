import fc from "fast-check";
import type { BootPlan, Placement } from "../../mod.ts";
import { boots } from "../arbitraries/boots.ts";
import { covered, shares } from "../arbitraries/plans.ts";
import { plan } from "../boot_run.ts";
import { CanaryGuest, type Range } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

/** What is done to a plan before it is applied. */
const bend = fc.record({
  which: fc.nat(7),
  kind: fc.constantFrom("start", "size", "negative", "offset", "twice", "onto", "bytes", "ram"),
  by: fc.constantFrom(1n, -1n, 0x1000n, -0x1000n, 0x200000n, 1n << 63n, 1n << 64n, -(1n << 64n)),
});
type Bend = typeof bend extends fc.Arbitrary<infer T> ? T : never;

function bent(plan: BootPlan, { which, kind, by }: Bend): BootPlan {
  const placements = [...plan.placements];
  const at = which % placements.length;
  const one = placements[at];
  const { content } = one;
  const set = (placement: Placement) => ({ ...plan, placements: placements.with(at, placement) });
  switch (kind) {
    case "start":
      return set({ ...one, start: one.start + by });
    case "size":
      return set({ ...one, size: one.size + by });
    case "negative": {
      const kind = by > 0n ? "zeros" : "claim";
      return set({ ...one, size: -1n - (by & 0xfffn), content: { kind } });
    }
    case "onto":
      return set({ ...one, start: placements[(which + 1) % placements.length].start });
    case "twice":
      return { ...plan, placements: [...placements, one] };
    case "offset":
      if (content.kind !== "source") return plan;
      return set({ ...one, content: { ...content, offset: content.offset + Number(by) } });
    case "bytes":
      if (content.kind !== "bytes") return plan;
      return set({ ...one, content: { ...content, bytes: content.bytes.subarray(1) } });
    default: {
      const ram = [...plan.ram];
      const range = ram[which % ram.length];
      ram[which % ram.length] = { ...range, size: range.size + by };
      return { ...plan, ram };
    }
  }
}

/** Whether a plan can be applied, by the rules that Placement states. */
function isSound({ placements, ram }: BootPlan, real: readonly Range[]): boolean {
  const hasContent = ({ size, content }: Placement) => {
    if (size < 0n) return false;
    if (content.kind === "bytes") return BigInt(content.bytes.length) === size;
    if (content.kind !== "source") return true;
    const { source, offset } = content;
    return Number.isSafeInteger(offset) && offset >= 0 && size <= BigInt(source.size - offset);
  };
  const isThere = (range: Range) => range.size <= 0n || covered(range, real) === range.size;
  return placements.every((one) => hasContent(one) && isThere(one)) && ram.every(isThere) &&
    placements.every((a, i) => placements.every((b, j) => i === j || !shares(a, b)));
}

export default property({
  name: "atomic-plans",
  says:
    "a plan that somebody has bent is applied if it is sound, or refused, and nothing is written",
  inputs: fc.record({ boot: boots, bends: fc.array(bend, { minLength: 1, maxLength: 2 }) }),
  check({ boot, bends }, library) {
    const { value } = plan(library, boot);
    if (!value) return;
    const wanted = bends.reduce(bent, value);
    const guest = new CanaryGuest(library, boot.ram);
    const { refused } = judge(Infinity, () => library.applyPlan(guest.memory, wanted));
    // Its sources do not fail: whatever is wrong is known before
    if (refused?.code === "PARTIALLY_APPLIED") {
      throw new Violation("a plan is refused while it is applied", refused.message);
    }
    const real = boot.ram.map(({ start, size }) => ({ start, size: BigInt(size) }));
    if (isSound(wanted, real) === (refused !== undefined)) {
      const what = refused ? "a sound plan is refused" : "an unsound plan is applied";
      throw new Violation(what, refused?.message);
    }
    if (refused) requireNone(`written before ${refused.code}`, guest.changes());
    else requireNone("written outside the plan", guest.changes(wanted.placements));
  },
});
