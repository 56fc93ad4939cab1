/**
 * The other side of runtime_plans.ts: plans the cases of a run in whatever runtime this is, and prints
 * the plans.
 */
import process from "node:process";
import { LoaderError, planBoot } from "../mod.ts";
import { openFile } from "../src/files.ts";
import { type BootCase, formatId } from "./case.ts";
import { ramRanges } from "./machines.ts";
import { parseOptions } from "./options.ts";
import { describePlan } from "./plan_text.ts";
import { kernelKey, type PlanJob } from "./runtime_plans.ts";
import { selectCases } from "./select.ts";
import { casesOfShard } from "./shard.ts";

/** The plan of a case as text; of a case that is refused or cannot be made, why. */
async function planOf(test: BootCase, kernels: PlanJob["kernels"]): Promise<string> {
  try {
    const layout = await test.layout((need) => kernels[kernelKey(need)]);
    const ram = test.ram ?? ramRanges(test.machine, test.ramSize);
    const { kernel, options } = layout;
    if (kernel instanceof Uint8Array) {
      return describePlan(planBoot({ ram }, { ...options, kernel }));
    }
    using file = openFile(kernel.path);
    return describePlan(planBoot({ ram }, { ...options, kernel: file }));
  } catch (error) {
    return error instanceof LoaderError ? `${error.code}: ${error.message}` : String(error);
  }
}

const { args, directory, kernels }: PlanJob = JSON.parse(process.argv[2]);
process.chdir(directory);
const options = parseOptions(args);
/** Cases that share a layout, as those of our own monitor and QEMU do, share its plan. */
const done = new Map<BootCase["layout"], string>();
const answers: { [id: string]: string } = {};
for (const test of casesOfShard(selectCases(options), options.shard)) {
  if (test.kind !== "boot") continue;
  if (test.needs.some((need) => need.kind === "kernel" && !(kernelKey(need) in kernels))) continue;
  const text = done.get(test.layout) ?? await planOf(test, kernels);
  done.set(test.layout, text);
  answers[formatId(test.id)] = text;
}
process.stdout.write(JSON.stringify(answers));
