/**
 * The probes once more, loaded by QEMU itself: an oracle that knows nothing of this library. A bzImage
 * is not among them: QEMU enters it in real mode by way of its own setup code, which the probe lacks.
 */
import type { BootCase, OracleCase } from "../case.ts";
import {
  ARM64_EXPLANATIONS,
  PVH_EXPLANATIONS,
  RISCV64_EXPLANATIONS,
} from "../oracle_explanations.ts";
import { ARM64_PROBES } from "./arm64_probes.ts";
import { RISCV64_PROBES } from "./riscv64_probes.ts";
import { X86_PROBES } from "./x86_probes.ts";

/** What is varied, by the last part of our own case's id. */
const PVH = ["boot", "no-initrd", "cmdline-limit", "initrd-high"];
const RISCV64 = ["opensbi-boot", "opensbi-no-initrd", "opensbi-cmdline-limit"];
const ARM64 = ["boot", "boot-el2", "no-initrd", "cmdline-limit"];

const isOf = (protocol: string, whats: readonly string[]) => ({ id }: BootCase) =>
  id.driver === "qemu-tcg" && id.protocol === protocol && whats.includes(id.what);

function oracle(boot: BootCase, explanations: OracleCase["explanations"]): OracleCase {
  return {
    kind: "oracle",
    id: { ...boot.id, what: `oracle-${boot.id.what}` },
    needs: boot.needs,
    boot,
    explanations,
    requirement: `QEMU's own -kernel shows the guest the same, but for what has a reason`,
  };
}

/** Every case. */
export const ORACLE: readonly OracleCase[] = [
  ...X86_PROBES.filter(isOf("pvh", PVH)).map((test) => oracle(test, PVH_EXPLANATIONS)),
  ...RISCV64_PROBES.filter(isOf("riscv64", RISCV64))
    .map((test) => oracle(test, RISCV64_EXPLANATIONS)),
  ...ARM64_PROBES.filter(isOf("arm64", ARM64)).map((test) => oracle(test, ARM64_EXPLANATIONS)),
];
