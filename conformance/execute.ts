/** Runs one case: builds the layout with the library, boots it, and judges. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyPlan, formatPlan, LoaderError, planBoot, planToJson } from "../mod.ts";
import { RUNTIME } from "../scripts/runtimes.ts";
import type { Capabilities } from "./capabilities.ts";
import {
  type BootCase,
  type Case,
  type CaseResult,
  formatId,
  type Mismatch,
  type RandomCase,
  type RuntimeCase,
  type Verdict,
} from "./case.ts";
import { confirmedAccelerator, judgeAccelerator } from "./drivers/accelerator.ts";
import { type GuestExit, runGuest } from "./drivers/guest_process.ts";
import { COMPLAINTS, judgeVmm, prepareVmmGuest } from "./drivers/kvm/driver.ts";
import { prepareGuest } from "./drivers/qemu.ts";
import { allocate, kernelPaths, openKernel } from "./layout_input.ts";
import { ramRanges } from "./machines.ts";
import { runOracle } from "./oracle.ts";
import { comparePlans } from "./plan_text.ts";
import type { RandomOptions } from "./random/run.ts";
import { refuse } from "./refuse.ts";
import type { RuntimePlans } from "./runtime_plans.ts";

/** How cases are run. */
export interface ExecuteOptions {
  /** What is there. */
  readonly capabilities: Capabilities;
  /** The plans of the run in each runtime. */
  readonly plans: RuntimePlans;
  /** Which random layouts are booted. */
  readonly random: RandomOptions;
  /** Where artifacts go, a directory for each case. */
  readonly artifactsDir: string;
  /** Whether artifacts of green cases are kept, too. */
  readonly keep: boolean;
  /** Overrides every case's own limit, in seconds. */
  readonly timeout?: number;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/**
 * Runs a case.
 *
 * @param test The case.
 * @param options How.
 * @returns What came of it; an error of the harness is the outcome `broken`.
 */
export async function execute(test: Case, options: ExecuteOptions): Promise<CaseResult> {
  const started = performance.now();
  const unmet = unmetNeed(test, options.capabilities);
  let verdict: Verdict;
  try {
    verdict = unmet ?? await runCase(test, options);
  } catch (error) {
    verdict = { outcome: "broken", reason: (error as Error)?.stack ?? String(error) };
  }
  const versions = test.needs.map((need) => ({ need, found: options.capabilities.of(need) }));
  const versionOf = (kind: string) =>
    versions.map(({ need, found }) =>
      need.kind === kind && found.state === "there" ? found.version : undefined
    ).find((version) => version !== undefined);
  return {
    id: formatId(test.id),
    ...verdict,
    ms: Math.round(performance.now() - started),
    kernelVersion: versionOf("kernel"),
    driverVersion: versionOf("qemu") ?? versionOf("vmm") ?? versionOf("runtime"),
    requirement: test.requirement,
  };
}

function runCase(test: Case, options: ExecuteOptions): Promise<Verdict> {
  switch (test.kind) {
    case "boot":
      return boot(test, options);
    case "refusal":
      return refuse(test, options.capabilities);
    case "oracle":
      return runOracle(test, options, (test) => boot(test, { ...options, plans: undefined }));
    case "random":
      return bootRandom(test, options);
    case "runtime":
      return judgeRuntime(test, options.plans);
    default:
      return test satisfies never;
  }
}

async function bootRandom(test: RandomCase, options: ExecuteOptions): Promise<Verdict> {
  // Only these cases need fast-check
  const { runRandom } = await import("./random/run.ts");
  const one = { ...options, plans: undefined };
  return await runRandom(test, options.random, (test) => boot(test, one), options.signal);
}

/** What a boot case compares with its own plan, without a guest: one runtime with the one that this is. */
async function judgeRuntime({ runtime }: RuntimeCase, plans: RuntimePlans): Promise<Verdict> {
  const there = await plans.answers(runtime);
  if (there === undefined) return { outcome: "skip", reason: "no case of this run has a plan" };
  const here = await plans.answers(RUNTIME);
  const mismatches = Object.entries(here ?? there).flatMap(([id, plan]) =>
    comparePlans(runtime, plan, there[id] ?? "").map((one) => ({
      ...one,
      what: `${id}: ${one.what}`,
    }))
  );
  return mismatches.length === 0 ? { outcome: "pass" } : {
    outcome: "fail",
    reason: `${mismatches.length} plans are not the same in ${runtime} and ${RUNTIME}`,
    mismatches,
  };
}

function unmetNeed(test: Case, capabilities: Capabilities): Verdict | undefined {
  for (const need of test.needs) {
    const found = capabilities.of(need);
    if (found.state === "there") continue;
    return found.state === "missing"
      ? { outcome: "skip", reason: found.reason, missingKvm: found.missingKvm }
      : { outcome: "broken", reason: found.reason };
  }
  return undefined;
}

async function boot(
  test: BootCase,
  options: Omit<ExecuteOptions, "plans"> & { readonly plans?: RuntimePlans },
): Promise<Verdict> {
  const layout = await test.layout(kernelPaths(options.capabilities));
  const ram = test.ram ?? ramRanges(test.machine, test.ramSize);
  const vmm = vmmOf(test, options.capabilities);
  // Our own monitor maps the guest's RAM itself, and applies the plan to that.
  const memory = vmm === undefined ? allocate(ram, layout.dirt) : undefined;
  const kernel = openKernel(layout.kernel);
  const begun = performance.now();
  let plan;
  try {
    const fresh = layout.dirt === undefined;
    plan = planBoot(memory ?? { ram }, { ...layout.options, kernel: kernel.source });
    if (memory !== undefined) applyPlan(memory, plan, { fresh });
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error;
    return { outcome: "fail", reason: `the library refused: ${error.code} ${error.message}` };
  } finally {
    kernel.close();
  }
  const loaded = performance.now();
  const accelerator = test.id.driver === "qemu-kvm" ? "kvm" : "tcg";
  mkdirSync(options.artifactsDir, { recursive: true });
  const directory = mkdtempSync(
    join(options.artifactsDir, `${formatId(test.id).replaceAll("/", "_")}-`),
  );
  let isKept = true;
  try {
    const command = vmm !== undefined
      ? prepareVmmGuest({ ...vmm, layout, ram, directory })
      : prepareGuest({
        machine: test.machine,
        accelerator,
        ramSize: test.ramSize,
        plan,
        memory: memory!,
        args: test.qemuArgs,
        directory,
      });
    const prepared = performance.now();
    const timeout = options.timeout ?? test.timeout;
    const exit = await runGuest(command, { timeout, isDone: test.isDone, signal: options.signal });
    const { kernel, options: asked } = layout;
    const { machine } = test;
    const seen = { serial: exit.serial, plan, kernel, options: asked, ram, machine };
    const otherPlans = await options.plans?.compare(test, plan);
    const confirmed = vmm === undefined ? confirmedAccelerator(directory) : undefined;
    const mismatches = [
      ...(vmm === undefined
        ? judgeAccelerator(accelerator, confirmed)
        : judgeVmm(directory, plan, exit)),
      ...test.judge(seen),
      ...otherPlans ?? [],
    ];
    // What our own monitor complains of is among the mismatches, and no fault of the harness
    const isComplaint = vmm !== undefined && COMPLAINTS.includes(exit.code);
    const verdict = {
      ...judgeExit(
        isComplaint ? { ...exit, stderr: "" } : exit,
        mismatches,
        timeout,
        options.signal,
      ),
      plan: planToJson(plan),
      accelerator: confirmed,
      plannedIn: otherPlans?.length === 0 ? options.plans?.runtimes : undefined,
      serial: clip(exit.serial),
      timing: { load: loaded - begun, prepare: prepared - loaded, guest: exit.ms },
    };
    isKept = verdict.outcome !== "pass" || options.keep;
    if (!isKept) return verdict;
    const replay = command.map(quote).join(" ");
    writeFileSync(join(directory, "serial.log"), exit.serial);
    writeFileSync(join(directory, "stderr.log"), exit.stderr);
    writeFileSync(join(directory, "plan.json"), JSON.stringify(verdict.plan, null, 2));
    writeFileSync(join(directory, "plan.txt"), `${formatPlan(plan)}\n`);
    writeFileSync(join(directory, "replay.sh"), `#!/bin/sh\nexec ${replay}\n`);
    return { ...verdict, replay, artifacts: directory };
  } finally {
    if (!isKept || options.signal.aborted) rmSync(directory, { recursive: true, force: true });
  }
}

/** The monitor that a case runs in, if it is ours. */
function vmmOf(test: BootCase, capabilities: Capabilities) {
  const need = test.needs.find((need) => need.kind === "vmm");
  if (need === undefined) return undefined;
  const found = capabilities.of(need);
  if (found.state !== "there" || found.path === undefined) {
    throw new Error("Cannot run a case whose needs are not met");
  }
  return { runtime: need.runtime, path: found.path, interrupts: need.guest === "linux" };
}

function judgeExit(
  exit: GuestExit,
  mismatches: readonly Mismatch[],
  timeout: number,
  signal: AbortSignal,
): Verdict {
  const serialTail = exit.serial.split("\n").map((line) => line.trimEnd()).filter((line) => line)
    .slice(-15);
  if (signal.aborted) return { outcome: "broken", reason: "interrupted" };
  if (exit.timedOut) {
    return { outcome: "timeout", reason: `no end after ${timeout} s`, mismatches, serialTail };
  }
  if (exit.serial === "" && exit.stderr !== "") {
    return { outcome: "broken", reason: exit.stderr.trim() };
  }
  if (mismatches.length === 0) return { outcome: "pass" };
  return {
    outcome: "fail",
    reason: `${mismatches.length} of what was seen does not match`,
    mismatches,
    serialTail,
  };
}

/** What a report takes of a log: Linux prints some 40 KB until userland. */
const MAX_KEPT = 256 << 10;

/** The beginning and the end of a log: how it ended matters more. */
function clip(serial: string): string {
  const more = serial.length - MAX_KEPT;
  if (more <= 0) return serial;
  const [head, tail] = [serial.slice(0, MAX_KEPT / 4), serial.slice(-MAX_KEPT * 3 / 4)];
  return `${head}\n[… ${more} characters left out …]\n${tail}`;
}

/** An argument as a POSIX shell takes it. */
function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
