/** Boots guests in our own monitor on /dev/kvm, in Deno or in Bun: a process for each guest. */
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { AddressRange, BootPlan } from "../../../mod.ts";
import { runtimeCommand } from "../../../scripts/runtimes.ts";
import type { Layout, Mismatch, VmmNeed } from "../../case.ts";
import { type GuestExit, runGuest } from "../guest_process.ts";
import { comparePlans, describePlan } from "../../plan_text.ts";
import { encodeJob } from "./job.ts";
import type { KvmReport } from "./probe.ts";

/** A runtime that our monitor runs in. */
export type VmmRuntime = VmmNeed["runtime"];

/** Whether our monitor works here. */
export type VmmState =
  | { readonly state: "there"; readonly version: string; readonly path: string }
  | { readonly state: "missing"; readonly reason: string; readonly missingKvm: boolean }
  /** The attempt itself failed. */
  | { readonly state: "broken"; readonly reason: string };

/** A guest to boot. */
export interface VmmGuest {
  /** The runtime. */
  readonly runtime: VmmRuntime;
  /** The runtime's program. */
  readonly path: string;
  /** What to boot. */
  readonly layout: Layout;
  /** Where its RAM is. */
  readonly ram: readonly AddressRange[];
  /** Whether it gets interrupt controllers and a timer. */
  readonly interrupts: boolean;
  /** Where its job goes, and what it says of its plan. */
  readonly directory: string;
}

const [GUEST, PROBE] = ["guest.ts", "probe.ts"].map((file) =>
  fileURLToPath(new URL(file, import.meta.url))
);
const PROBE_SECONDS = 30;

/** Exit codes of a guest's process that says itself what is wrong: see guest.ts. */
export const COMPLAINTS: readonly number[] = [254, 255];

/**
 * Finds out whether our monitor works here, by running tiny guests in it.
 *
 * @param need In which runtime, and what for.
 * @param signal Ends the attempt.
 * @returns The runtime's version and path, or why not.
 */
export async function probe(
  { runtime, guest }: VmmNeed,
  signal: AbortSignal,
): Promise<VmmState> {
  const noKvm = (reason: string) => ({ state: "missing", reason, missingKvm: true } as const);
  const problem = kvmProblem();
  if (problem !== undefined) return noKvm(problem);
  const path = runtimeCommand(runtime);
  if (path === undefined) {
    const reason =
      `${runtime} is neither on PATH nor in .cache; \`npx -y deno@2.9.5 task setup\` puts it there`;
    return { state: "missing", reason, missingKvm: false };
  }
  const command = [...commandOf(runtime, path), PROBE];
  const exit = await runGuest(command, { timeout: PROBE_SECONDS, signal });
  if (exit.timedOut) return noKvm(`/dev/kvm does not work: no answer in ${PROBE_SECONDS} s`);
  if (exit.code !== 0) return { state: "broken", reason: `${command.join(" ")}: ${exit.stderr}` };
  const { version, lacks, problem: found }: KvmReport = JSON.parse(exit.serial);
  if (found?.with === "kvm") return noKvm(`/dev/kvm does not work: ${found.reason}`);
  if (found?.with === "ffi") return { state: "missing", reason: found.reason, missingKvm: false };
  if (guest === "linux") {
    // For any other guest the library's faults are for the cases to find
    if (found !== undefined) return { state: "broken", reason: found.reason };
    if (lacks.length > 0) {
      return noKvm(
        `this KVM emulates a guest's kernel code and lacks ${lacks.join(", ")}, ` +
          "without which a distribution's kernel does not start",
      );
    }
  }
  return { state: "there", version, path };
}

/**
 * What is wrong with /dev/kvm, as far as can be told without a monitor.
 *
 * @returns The reason; undefined if it is worth a try.
 */
export function kvmProblem(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return `there is no KVM for x86_64 guests on ${process.platform} ${process.arch}`;
  }
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "there is no /dev/kvm";
    return code === "EACCES" ? "no permission to use /dev/kvm" : message;
  }
}

/** How a runtime runs a file; the guests' files need neither packages nor an import map. */
function commandOf(runtime: VmmRuntime, path: string, directory?: string): string[] {
  if (runtime === "bun") return [path];
  const files = directory === undefined ? [] : ["--allow-read", `--allow-write=${directory}`];
  return [path, "run", "--no-config", "--no-lock", "--no-remote", "--allow-ffi", ...files];
}

/**
 * Writes the files of a guest.
 *
 * @param guest The guest.
 * @returns The command that boots it, as often as one likes.
 */
export function prepareVmmGuest(guest: VmmGuest): string[] {
  const { runtime, path, layout, ram, interrupts, directory } = guest;
  const job = join(directory, "job.json");
  let kernel: string;
  if (layout.kernel instanceof Uint8Array) {
    kernel = join(directory, "kernel");
    writeFileSync(kernel, layout.kernel);
  } else {
    kernel = layout.kernel.path;
  }
  writeFileSync(
    job,
    encodeJob({
      kernel,
      ram,
      options: layout.options,
      dirt: layout.dirt,
      interrupts,
      planFile: planFile(directory),
    }),
  );
  return [...commandOf(runtime, path, directory), GUEST, job];
}

function planFile(directory: string): string {
  return join(directory, "plan-in-guest.json");
}

/**
 * Judges what is not the guest's own doing: that it ended by itself, and that the plan which the
 * library made in its process is the one that it made in this process.
 *
 * @param directory The guest's directory.
 * @param plan The plan that was made here, from the same input.
 * @param exit How the process ended.
 * @returns What does not match.
 */
export function judgeVmm(directory: string, plan: BootPlan, exit: GuestExit): Mismatch[] {
  if (exit.timedOut) return [];
  const mismatches: Mismatch[] = [];
  if (exit.stderr !== "") {
    const actual = exit.stderr.trim();
    mismatches.push({ what: "the monitor", expected: "nothing to complain of", actual });
  }
  const there = readPlan(directory);
  return [...mismatches, ...comparePlans("the guest's process", describePlan(plan), there)];
}

function readPlan(directory: string): string {
  try {
    return readFileSync(planFile(directory), "utf8");
  } catch {
    return "(none was written)";
  }
}
