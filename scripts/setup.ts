/**
 * What conformance needs of the system: looks for tools, and installs them where that is safe.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findOnPath, lastLines, run, type RunResult } from "./children.ts";
import { type PackageManager, packageManager, type System, thisSystem } from "./system.ts";

/** A program that is needed, and the packages that have it. */
export interface Tool {
  /** The program's name. It must know the option `--version`. */
  name: string;
  /** The package that has it, for each package manager. */
  packages: Record<PackageManager, string>;
}

/** QEMU for x86_64 guests. */
export const QEMU_X86_64: Tool = {
  name: "qemu-system-x86_64",
  packages: {
    apt: "qemu-system-x86",
    dnf: "qemu-system-x86-core",
    pacman: "qemu-system-x86",
    brew: "qemu",
  },
};

/** QEMU for aarch64 guests. */
export const QEMU_AARCH64: Tool = {
  name: "qemu-system-aarch64",
  packages: {
    apt: "qemu-system-arm",
    dnf: "qemu-system-aarch64-core",
    pacman: "qemu-system-aarch64",
    brew: "qemu",
  },
};

/** QEMU for riscv64 guests. */
export const QEMU_RISCV64: Tool = {
  name: "qemu-system-riscv64",
  packages: {
    apt: "qemu-system-misc", // from Debian 13 on it depends on qemu-system-riscv
    dnf: "qemu-system-riscv-core",
    pacman: "qemu-system-riscv",
    brew: "qemu",
  },
};

/** A tool: there (`path` and `version`), or missing, or failed. */
export interface ToolState {
  /** The program's name. */
  name: string;
  /** Where it is. */
  path?: string;
  /** Its version, as it says itself. */
  version?: string;
  /** It is not there, and installing it was not possible, so not tried. */
  missing?: { reason: string; hint: string };
  /** Something was tried and went wrong: installing it, or running it. */
  failed?: { reason: string; log?: string; lines: string[] };
}

/** Options of {@linkcode ensureTools}. */
export interface EnsureOptions {
  /** Told about what takes time. */
  log?: (line: string) => void;
  /** Whether nothing may be fetched. */
  offline?: boolean;
  /** Where the installation's log goes. Default: `.cache/logs` of this repository. */
  logDir?: string;
  /** Stops the running child. */
  signal?: AbortSignal;
  /** The system to look at. Default: this one. */
  system?: System;
}

/** How long to wait for another APT to finish, in seconds. */
const LOCK_SECONDS = 120;
/** How long APT may take to stop in order; half an installation is worse than a late end. */
const STOP_MS = 60_000;
/** How many of a failed program's last lines are repeated. */
const FAILED_LINES = 8;
/** How to install a package, for each package manager. */
const COMMANDS: Record<PackageManager, string> = {
  apt: "sudo apt-get install -y --no-install-recommends",
  dnf: "sudo dnf install -y",
  pacman: "sudo pacman -S --needed",
  brew: "brew install",
};

/**
 * Looks for tools, and installs the missing ones with apt-get if this is root on Debian or Ubuntu.
 *
 * @param tools What is needed.
 * @param options How.
 * @returns The state of each tool, in the same order.
 * @throws {unknown} The signal's reason, if it was aborted.
 */
export async function ensureTools(
  tools: readonly Tool[],
  options: EnsureOptions = {},
): Promise<ToolState[]> {
  const system = options.system ?? thisSystem();
  const states: ToolState[] = [];
  for (const tool of tools) states.push(await look(tool, system, options.signal));

  const needed = tools.filter((_, i) => states[i].path === undefined);
  if (needed.length === 0) return states;
  const manager = packageManager(system);
  const apt = findOnPath("apt-get", system.path);
  let obstacle: string | undefined;
  let failure: ToolState["failed"];
  if (options.offline) obstacle = "nothing may be fetched offline";
  else if (manager !== "apt") obstacle = "only on Debian and Ubuntu is it installed without asking";
  else if (!system.isRoot) obstacle = "only root can install it";
  else if (apt === undefined) obstacle = "there is no apt-get";
  else failure = await install(apt, needed, options);

  for (const [i, tool] of tools.entries()) {
    if (states[i].path !== undefined) continue;
    if (obstacle === undefined) {
      states[i] = await look(tool, system, options.signal);
      if (states[i].path !== undefined) continue;
      states[i].failed = failure ?? states[i].failed ?? {
        reason: `Cannot find ${tool.name}: ${tool.packages.apt} is installed, it should be in PATH`,
        lines: [],
      };
    } else if (states[i].failed === undefined) {
      const reason = `Cannot find ${tool.name}: it is not in PATH, and ${obstacle}`;
      states[i].missing = { reason, hint: installHint(tool, manager) };
    }
  }
  return states;
}

/**
 * Says how to install a tool by hand.
 *
 * @param tool The tool.
 * @param manager The system's package manager, if it is known.
 * @returns The command to run, or one for each package manager.
 */
export function installHint(tool: Tool, manager?: PackageManager): string {
  const command = (one: PackageManager) => `${COMMANDS[one]} ${tool.packages[one]}`;
  if (manager !== undefined) return `Install it with: ${command(manager)}`;
  const all = (Object.keys(COMMANDS) as PackageManager[]).map(command);
  return `Install it with one of: ${all.join("; ")}`;
}

/** Looks for a tool, and runs it. */
async function look(tool: Tool, system: System, signal?: AbortSignal): Promise<ToolState> {
  const { name } = tool;
  const path = findOnPath(name, system.path);
  if (path === undefined) return { name };
  let result: RunResult;
  try {
    result = await run(path, ["--version"], { signal });
  } catch (error) {
    signal?.throwIfAborted();
    return { name, failed: { reason: (error as Error).message, lines: [] } };
  }
  const version = /\d+\.\d.*/.exec(result.stdout.split("\n")[0])?.[0].trim();
  if (result.code === 0 && version !== undefined) return { name, path, version };
  const reason = result.code === 0
    ? `Cannot use ${path}: --version printed no version, one is wanted`
    : `Cannot use ${path}: --version ended with exit code ${result.code}, 0 is wanted`;
  return { name, failed: { reason, lines: lastLines(result.stderr, FAILED_LINES) } };
}

/** Installs tools with apt-get; returns what went wrong, if something did. */
async function install(
  aptGet: string,
  tools: readonly Tool[],
  options: EnsureOptions,
): Promise<ToolState["failed"]> {
  const { log = () => {}, signal } = options;
  const here = dirname(fileURLToPath(import.meta.url));
  const logDir = options.logDir ?? join(here, "../.cache/logs");
  mkdirSync(logDir, { recursive: true });
  const logFile = join(logDir, "apt-get.log");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const apt = async (...args: string[]): Promise<RunResult> => {
    const all = ["-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...args];
    for (let waited = 0;; waited++) {
      const result = await run(aptGet, all, { env, signal, logFile, graceMs: STOP_MS });
      // The option does not cover the lock of the package lists
      const isLocked = result.code !== 0 && /lists\/lock/.test(result.stderr);
      if (!isLocked || waited >= LOCK_SECONDS) return result;
      if (waited === 0) log("Waiting for another apt-get to finish …");
      await sleep(1000, undefined, { signal });
    }
  };

  const packages = [...new Set(tools.map((tool) => tool.packages.apt))];
  const args = ["install", "-y", "--no-install-recommends", ...packages];
  log("Updating the package lists with apt-get …");
  const update = await apt("update");
  if (update.code !== 0) {
    log(`  exit code ${update.code}: a source is broken; trying with the lists that are there`);
  }
  const uris = await apt("-qq", "--print-uris", ...args);
  const size = downloadSize(uris.stdout);
  const about = size > 0 ? ` (${(size / 1e6).toFixed(1)} MB to download)` : "";
  log(`Installing ${packages.join(" ")} with apt-get${about} …`);
  const start = performance.now();
  const result = await apt(...args);
  if (result.code !== 0) {
    const reason = `Cannot install ${packages.join(" ")}: ` +
      `apt-get ended with exit code ${result.code}, 0 is wanted`;
    return { reason, log: logFile, lines: lastLines(result.stderr, FAILED_LINES) };
  }
  log(`  done in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

/**
 * Adds up what apt-get would download.
 *
 * @param printed What `apt-get --print-uris` printed: URI, file name, size and hash, a line each.
 * @returns The size in bytes.
 */
export function downloadSize(printed: string): number {
  const sizes = [...printed.matchAll(/^'[^']*' \S+ (\d+)\b/gm)].map(([, size]) => Number(size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
