/** What the selected cases need, made available or found missing, once before the first case runs. */
import { spawn } from "node:child_process";
import { findOnPath } from "../scripts/children.ts";
import { cacheEntry, fetchKernel } from "../scripts/debian_kernels.ts";
import { findRuntime, runtimeCommand, type RuntimeName } from "../scripts/runtimes.ts";
import {
  ensureTools,
  QEMU_AARCH64,
  QEMU_RISCV64,
  QEMU_X86_64,
  type ToolState,
} from "../scripts/setup.ts";
import { installBun } from "../scripts/setup_bun.ts";
import type { Case, KernelNeed, Need, VmmNeed } from "./case.ts";
import { kvmProblem, probe } from "./drivers/kvm/driver.ts";
import type { GuestArch } from "./machines.ts";

/** What became of a need. */
export type Capability =
  /** It is there. */
  | { readonly state: "there"; readonly version?: string; readonly path?: string }
  /** It is not there and was not to be had: cases are skipped. */
  | { readonly state: "missing"; readonly reason: string; readonly missingKvm?: boolean }
  /** Getting it was tried and failed: cases are broken. */
  | { readonly state: "broken"; readonly reason: string };

/** How needs are met. */
export interface ResolveOptions {
  /** Where downloads are kept. */
  readonly cacheDir: string;
  /** Nothing may be fetched or installed. */
  readonly offline: boolean;
  /** Told about what takes time. */
  readonly log: (line: string) => void;
  /** Stops everything. */
  readonly signal: AbortSignal;
}

const TOOLS = { x86_64: QEMU_X86_64, aarch64: QEMU_AARCH64, riscv64: QEMU_RISCV64 } as const;

/** What the needs of some cases came to. */
export class Capabilities {
  readonly #found = new Map<string, Capability>();

  /**
   * What became of a need.
   *
   * @param need The need, of one of the cases that were resolved.
   * @returns Its capability.
   */
  of(need: Need): Capability {
    return this.#found.get(keyOf(need)) ??
      { state: "broken", reason: `${keyOf(need)} was not resolved` };
  }

  /**
   * Meets the needs of some cases: looks for tools, installs them where that is possible, fetches
   * kernels.
   *
   * @param cases The cases that will run.
   * @param options How.
   * @returns What is there and what is not.
   */
  static async resolve(cases: readonly Case[], options: ResolveOptions): Promise<Capabilities> {
    const capabilities = new Capabilities();
    const found = capabilities.#found;
    const needs = new Map(cases.flatMap(({ needs }) => needs).map((need) => [keyOf(need), need]));
    const archs = [...needs.values()].flatMap((need) => need.kind === "qemu" ? [need.arch] : []);
    for (const [arch, capability] of await resolveQemu(archs, options)) {
      found.set(keyOf({ kind: "qemu", arch }), capability);
    }
    for (const [key, need] of needs) {
      if (options.signal.aborted) break;
      if (need.kind === "kvm") found.set(key, await resolveKvm(found.get("qemu x86_64")));
      if (need.kind === "runtime") found.set(key, await resolveRuntime(need.runtime, options));
      if (need.kind === "vmm") found.set(key, await resolveVmm(need, options));
      if (need.kind === "kernel") found.set(key, await resolveKernel(need, options));
    }
    return capabilities;
  }
}

function keyOf(need: Need): string {
  switch (need.kind) {
    case "qemu":
      return `qemu ${need.arch}`;
    case "kvm":
      return "kvm";
    case "runtime":
      return need.runtime;
    case "vmm":
      return `${need.runtime} on kvm, ${need.guest}`;
    case "kernel":
      return `${need.id} ${need.arch}`;
    default:
      return need satisfies never;
  }
}

async function resolveQemu(
  archs: readonly GuestArch[],
  { log, offline, signal }: ResolveOptions,
): Promise<[GuestArch, Capability][]> {
  const tools = archs.map((arch) => TOOLS[arch]);
  const states = await ensureTools(tools, { log, offline, signal });
  return states.map((state, i) => [archs[i], capabilityOf(state, log)]);
}

function capabilityOf(tool: ToolState, log: (line: string) => void): Capability {
  if (tool.missing) {
    const reason = `${tool.name} is missing: ${tool.missing.reason}. ${tool.missing.hint}`;
    log(reason);
    return { state: "missing", reason };
  }
  if (tool.failed) return { state: "broken", reason: tool.failed.reason };
  return { state: "there", version: tool.version, path: tool.path };
}

async function resolveKernel(need: KernelNeed, options: ResolveOptions): Promise<Capability> {
  const { cacheDir, offline, log, signal } = options;
  const { kernel, damage } = cacheEntry(cacheDir, need.id, need.arch);
  if (kernel) return { state: "there", version: kernel.version, path: kernel.path };
  if (offline) {
    const why = damage ?? "it is not in the cache";
    return {
      state: "missing",
      reason: `${need.id} for ${need.arch}: ${why}, and --offline forbids the download`,
    };
  }
  try {
    const result = await fetchKernel(cacheDir, need.id, need.arch, { log, signal });
    if (result.unavailable) {
      const { reason, hint } = result.unavailable;
      return { state: "missing", reason: `${need.id} for ${need.arch}: ${reason}. ${hint}` };
    }
    return { state: "there", version: result.version, path: result.path };
  } catch (error) {
    return { state: "broken", reason: (error as Error).message };
  }
}

/** Bun comes from npm into the cache, as the tests' does. */
async function ensureRuntime(
  runtime: RuntimeName,
  { offline, log }: ResolveOptions,
): Promise<Capability | undefined> {
  const isWanted = runtime === "bun" && !offline && runtimeCommand("bun") === undefined;
  if (!isWanted || findOnPath("npm") === undefined) return undefined;
  const problem = await installBun(log).catch((error: Error) => error.message);
  return problem === undefined
    ? undefined
    : { state: "broken", reason: `Cannot install Bun: ${problem}` };
}

async function resolveRuntime(runtime: RuntimeName, options: ResolveOptions): Promise<Capability> {
  const failed = await ensureRuntime(runtime, options);
  if (failed !== undefined) return failed;
  const found = await findRuntime(runtime);
  return found.reason === undefined
    ? { state: "there", version: `${runtime} ${found.version}`, path: found.command }
    : { state: "missing", reason: `no ${runtime}: ${found.reason}` };
}

/** Without a KVM there is no use for Bun. */
async function resolveVmm(need: VmmNeed, options: ResolveOptions): Promise<Capability> {
  const failed = kvmProblem() === undefined
    ? await ensureRuntime(need.runtime, options)
    : undefined;
  return failed ?? await probe(need, options.signal);
}

/** KVM is a capability that is probed: a device that can be opened need not work. */
async function resolveKvm(qemu: Capability | undefined): Promise<Capability> {
  const reason = kvmProblem();
  if (reason !== undefined) return { state: "missing", reason, missingKvm: true };
  if (qemu?.state !== "there") {
    return { state: "missing", reason: "no QEMU to try /dev/kvm with", missingKvm: true };
  }
  const said = await askQemu();
  if (/kvm support: enabled/.test(said)) return { state: "there" };
  const lastLine = said.trim().split("\n").at(-1);
  return { state: "missing", reason: `/dev/kvm does not work: ${lastLine}`, missingKvm: true };
}

/** Starts a machine without a CPU under KVM and asks QEMU which accelerator it has. */
function askQemu(): Promise<string> {
  return new Promise((resolve) => {
    const args = [
      "-M",
      "none",
      "-accel",
      "kvm",
      "-nodefaults",
      "-display",
      "none",
      "-monitor",
      "stdio",
    ];
    const child = spawn("qemu-system-x86_64", args, { timeout: 20_000, killSignal: "SIGKILL" });
    let said = "";
    child.stdout.on("data", (chunk) => said += chunk);
    child.stderr.on("data", (chunk) => said += chunk);
    child.stdin.on("error", () => {});
    child.stdin.end("info kvm\nquit\n");
    child.on("error", (error) => resolve(error.message));
    child.on("close", () => resolve(said));
  });
}
