/** Compares what a riscv64 probe saw with the plan, and with what riscv/boot.rst fixes. */
import type { Mismatch, Observation } from "../case.ts";
import { placementOf } from "./content.ts";
import type { Facts } from "./facts.ts";
import { judgeFlatProbe } from "./flat_probe.ts";

/**
 * Judges a probe.
 *
 * @param seen What was seen.
 * @returns What does not match.
 */
export function judgeRiscv64Probe(seen: Observation): Mismatch[] {
  const edited = seen.machine.firmware !== undefined;
  return judgeFlatProbe(seen, { edited }, (facts) => expectCpu(facts, seen));
}

function expectCpu(facts: Facts, { plan, options }: Observation): void {
  const hartid = options.hartid ?? 0n;
  facts.expectAll({
    // boot.rst, "Register state" and "CSR state"
    a0: hartid,
    a1: placementOf(plan, "device tree")?.start,
    satp: 0,
    pc: plan.cpu.arch === "riscv64" ? plan.cpu.pc : "a riscv64 plan",
    // SBI specification, "Hart start": interrupts are off; whoever enters the kernel sees to it
    "sstatus.sie": "0",
    // Devicetree specification, "boot_cpuid_phys": the boot CPU's own number
    "fdt.boot_cpuid": hartid,
  });
}
