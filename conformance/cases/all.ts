/** Every case of the suite. */
import type { Case } from "../case.ts";
import { ARM64_PROBES } from "./arm64_probes.ts";
import { DEBIAN } from "./debian.ts";
import { REFUSAL_CASES } from "./refusals.ts";
import { X86_PROBES } from "./x86_probes.ts";

/** Those that take long first: then the jobs end at about the same time. */
export const CASES: readonly Case[] = [...DEBIAN, ...X86_PROBES, ...ARM64_PROBES, ...REFUSAL_CASES];
