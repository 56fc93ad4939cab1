/** Every plan of a run, made once more in Deno, Bun and Node: each must give the same bytes and CPU state. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { BootPlan } from "../mod.ts";
import { lastLines, run } from "../scripts/children.ts";
import {
  findRuntime,
  type FoundRuntime,
  RUNTIME_NAMES,
  type RuntimeName,
  scriptArguments,
} from "../scripts/runtimes.ts";
import { ROOT } from "../scripts/steps.ts";
import type { Capabilities } from "./capabilities.ts";
import { type BootCase, type Case, formatId, type Mismatch } from "./case.ts";
import { comparePlans, describePlan } from "./plan_text.ts";

const CHILD = fileURLToPath(new URL("runtime_plans_child.ts", import.meta.url));
/** Some seconds on a quiet machine. */
const TIMEOUT_MS = 300_000;

/** What a child is told, as JSON in its only argument. */
export interface PlanJob {
  /** The command line of the run, which says what its cases are. */
  readonly args: readonly string[];
  /** The directory that the run was started in. */
  readonly directory: string;
  /** The kernels that are there, by {@linkcode kernelKey}. */
  readonly kernels: { readonly [key: string]: string };
}

/** What a child answers: each plan as text, by the id of its case. */
export type PlanAnswers = { readonly [id: string]: string };

/**
 * A kernel's name in {@linkcode PlanJob}.
 *
 * @param need The kernel.
 * @returns The name.
 */
export function kernelKey({ id, arch }: { readonly id: string; readonly arch: string }): string {
  return `${id} ${arch}`;
}

/** How plans are made. */
export interface RuntimePlansOptions {
  /** The command line of the run. */
  readonly args: readonly string[];
  /** Its cases. */
  readonly cases: readonly Case[];
  /** What is there. */
  readonly capabilities: Capabilities;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** The plans of a run in each runtime. */
export class RuntimePlans {
  readonly #answers = new Map<RuntimeName, Promise<PlanAnswers>>();

  private constructor() {}

  /**
   * Starts a child for each runtime that is there, if the run has anything to plan.
   *
   * @param options How.
   * @returns At once: the children go on.
   */
  static async start(options: RuntimePlansOptions): Promise<RuntimePlans> {
    const plans = new RuntimePlans();
    const { args, cases, capabilities, signal } = options;
    const boots = cases.filter((test): test is BootCase => test.kind === "boot");
    if (boots.length === 0 || signal.aborted) return plans;
    const kernels = Object.fromEntries(
      boots.flatMap(({ needs }) => needs).flatMap((need) => {
        const found = capabilities.of(need);
        return need.kind === "kernel" && found.state === "there" && found.path !== undefined
          ? [[kernelKey(need), found.path]]
          : [];
      }),
    );
    const job: PlanJob = { args, directory: process.cwd(), kernels };
    for (const name of RUNTIME_NAMES) {
      const found = await findRuntime(name);
      if (found.reason !== undefined) continue;
      const answers = planIn(name, found, job, signal);
      answers.catch(() => {}); // told where it is asked for
      plans.#answers.set(name, answers);
    }
    return plans;
  }

  /** The runtimes that plan, too. */
  get runtimes(): readonly RuntimeName[] {
    return [...this.#answers.keys()];
  }

  /**
   * Compares a plan with those of the runtimes.
   *
   * @param test Its case.
   * @param plan The plan that was made here.
   * @returns The first difference of each runtime.
   * @throws {Error} If a runtime failed.
   */
  async compare(test: BootCase, plan: BootPlan): Promise<Mismatch[]> {
    const here = describePlan(plan);
    const all = await Promise.all(this.runtimes.map(async (runtime) => {
      const answers = await this.answers(runtime);
      return comparePlans(runtime, here, answers?.[formatId(test.id)] ?? "");
    }));
    return all.flat();
  }

  /**
   * Waits for a runtime's plans.
   *
   * @param runtime The runtime.
   * @returns Its plans; undefined if it is not there or no case of the run has a plan.
   * @throws {Error} If it failed.
   */
  async answers(runtime: RuntimeName): Promise<PlanAnswers | undefined> {
    return await this.#answers.get(runtime);
  }
}

async function planIn(
  runtime: RuntimeName,
  { command }: FoundRuntime & { command: string },
  job: PlanJob,
  signal: AbortSignal,
): Promise<PlanAnswers> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const args = [...scriptArguments(runtime, CHILD), JSON.stringify(job)];
  const { code, stdout, stderr } = await run(command, args, { cwd: ROOT, signal: either });
  if (code === 0) return JSON.parse(stdout);
  const said = lastLines(stderr, 5).join("\n");
  throw new Error(`Cannot plan in ${runtime}: it ended with ${code}: ${said}`);
}
