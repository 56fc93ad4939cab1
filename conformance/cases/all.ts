/** Every case of the suite. */
import type { Case } from "../case.ts";
import { ARM64_PROBES } from "./arm64_probes.ts";
import { COMPRESSED } from "./compressed.ts";
import { DEBIAN } from "./debian.ts";
import { VMM_DEBIAN, VMM_PROBES } from "./own_kvm.ts";
import { ORACLE } from "./oracle.ts";
import { RANDOM } from "./random.ts";
import { REFUSAL_CASES } from "./refusals.ts";
import { RISCV64_PROBES } from "./riscv64_probes.ts";
import { RUNTIMES } from "./runtimes.ts";
import { X86_PROBES } from "./x86_probes.ts";

/** Those that take long first: then the jobs end at about the same time. */
export const CASES: readonly Case[] = [
  ...DEBIAN,
  ...VMM_DEBIAN,
  ...RANDOM,
  ...ORACLE,
  ...X86_PROBES,
  ...VMM_PROBES,
  ...ARM64_PROBES,
  ...RISCV64_PROBES,
  ...COMPRESSED,
  ...REFUSAL_CASES,
  ...RUNTIMES,
];
