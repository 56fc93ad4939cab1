/** Compares what an arm64 probe saw with the plan, and with what booting.rst fixes. */
import type { Mismatch, Observation } from "../case.ts";
import { placementOf } from "./content.ts";
import type { Facts } from "./facts.ts";
import { judgeFlatProbe } from "./flat_probe.ts";

/** SPSR: all but the condition flags, which no protocol fixes. */
const PSTATE_MASK = 0x0fffffffn;
/** EL1h and EL2h with D, A, I and F masked. */
const PSTATE = { 1: 0x3c5n, 2: 0x3c9n } as const;

/**
 * Judges a probe.
 *
 * @param seen What was seen.
 * @returns What does not match.
 */
export function judgeArm64Probe(seen: Observation): Mismatch[] {
  return judgeFlatProbe(seen, { edited: false }, (facts) => expectCpu(facts, seen));
}

function expectCpu(facts: Facts, { plan, options }: Observation): void {
  const { cpu } = plan;
  if (cpu.arch !== "aarch64") {
    facts.note({ what: "plan", expected: "aarch64", actual: cpu.arch });
    return;
  }
  const { x0, x1, x2, x3, pc } = cpu;
  facts.expectAll({ x0, x1, x2, x3, pc });
  // booting.rst: x0 is the device tree, x1 to x3 are zero, D, A, I and F masked, the MMU is off
  facts.expectAll({ x0: placementOf(plan, "device tree")?.start, x1: 0, x2: 0, x3: 0 });
  facts.expectAll({ daif: 0x3c0, "sctlr.m": "0", currentel: options.exceptionLevel ?? 1 });
  const wanted = PSTATE[options.exceptionLevel ?? 1];
  const pstate = BigInt(facts.get("pstate") ?? -1);
  if ((pstate & PSTATE_MASK) !== wanted) {
    facts.note({
      what: "PROBE pstate",
      expected: `0x${wanted.toString(16)}`,
      actual: `0x${pstate.toString(16)}`,
    });
  }
}
