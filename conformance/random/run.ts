/** Boots random layouts of a probe until one fails, and then ever simpler ones. */
import fc from "fast-check";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseBzImage } from "../../mod.ts";
import { openFile } from "../../src/files.ts";
import {
  type Accelerator,
  type BootCase,
  formatId,
  type RandomCase,
  type Verdict,
} from "../case.ts";
import { judgeArm64Probe } from "../matchers/arm64_probe.ts";
import { judgeRiscv64Probe } from "../matchers/riscv64_probe.ts";
import { judgeX86Probe } from "../matchers/x86_probe.ts";
import { flatLayouts } from "./flat.ts";
import type { RandomFamily, RandomLayout } from "./layouts.ts";
import { x86Layouts } from "./x86.ts";

/** A tiny guest takes a tenth of a second; a busy machine gets more. */
const BOOT_SECONDS = 20;
/** Failures are made simpler for so long, in milliseconds. */
const SHRINK_MS = 120_000;

/** Which random layouts are booted. */
export interface RandomOptions {
  /** How many. */
  readonly boots: number;
  /** The seed that they come from. */
  readonly seed: number;
  /** Where among them a failure lies; undefined for all. */
  readonly path?: string;
}

/**
 * Runs a case.
 *
 * @param test The case.
 * @param options Which layouts.
 * @param boot Boots one.
 * @param signal Ends everything.
 * @returns What came of it: of a failure, of the simplest layout that fails.
 */
export async function runRandom(
  test: RandomCase,
  { boots, seed, path }: RandomOptions,
  boot: (test: BootCase) => Promise<Verdict>,
  signal: AbortSignal,
): Promise<Verdict> {
  const { recipes, layoutOf } = familyOf(test);
  const started = performance.now();
  let count = 0;
  let accelerator: Accelerator | undefined;
  let failure: { verdict: Verdict; recipe: unknown; first: number } | undefined;
  const property = fc.asyncProperty(recipes, async (recipe) => {
    const now = performance.now();
    if (signal.aborted || now - (failure?.first ?? now) > SHRINK_MS) return;
    const verdict = await boot(bootCase(test, layoutOf(recipe)));
    count++;
    accelerator = verdict.accelerator;
    if (verdict.outcome === "pass") return;
    if (failure?.verdict.artifacts) rmSync(failure.verdict.artifacts, { recursive: true });
    failure = { verdict, recipe, first: failure?.first ?? now };
    throw new Error(verdict.reason);
  });
  const found = await fc.check(property, { numRuns: boots, seed, path });
  const random = { seed, boots: count, ms: performance.now() - started };
  if (signal.aborted) return { outcome: "broken", reason: "interrupted", random };
  if (failure === undefined) return { outcome: "pass", accelerator, random };
  const { verdict, recipe } = failure;
  const text = fc.stringify(recipe);
  if (verdict.artifacts) writeFileSync(join(verdict.artifacts, "layout.txt"), `${text}\n`);
  const again = `deno task conform --filter ${
    formatId(test.id)
  } --seed ${seed} --path ${found.counterexamplePath}`;
  return {
    ...verdict,
    reason:
      `random boot ${found.numRuns}, made simpler ${found.numShrinks} times: ${verdict.reason}\n` +
      `the layout: ${text}\nto boot it again: ${again}`,
    random,
  };
}

/**
 * The layouts of a case.
 *
 * @param test The case.
 * @returns Its family.
 */
export function familyOf({ machine, protocol, kernel }: RandomCase): RandomFamily<unknown> {
  if (machine.arch !== "x86_64") return flatLayouts(machine, { path: kernel });
  if (!kernel.includes("bzimage")) return x86Layouts(protocol, { path: kernel }, 0n);
  using file = openFile(kernel);
  const { init_size } = parseBzImage(file).header;
  return x86Layouts(protocol, { path: kernel }, BigInt(init_size ?? 0));
}

function bootCase(test: RandomCase, layout: RandomLayout): BootCase {
  const { id, needs, machine, protocol } = test;
  return {
    kind: "boot",
    id,
    needs,
    machine,
    ramSize: layout.ramSize,
    ram: layout.ram,
    layout: () => layout,
    judge: (seen) => {
      switch (protocol) {
        case "arm64":
          return judgeArm64Probe(seen);
        case "riscv64":
          return judgeRiscv64Probe(seen);
        default:
          return judgeX86Probe(seen);
      }
    },
    timeout: BOOT_SECONDS,
  };
}
