/**
 * The runtimes that everything here also runs in: where they are, and how they run a script.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { findOnPath } from "./children.ts";
import { BUN_DIRECTORY, bunIn } from "./setup_bun.ts";
import { denoCommand, ROOT, runStep } from "./steps.ts";

/** A runtime. */
export type RuntimeName = "deno" | "bun" | "node";

/** Every runtime. */
export const RUNTIME_NAMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** The runtime that this is. */
export const RUNTIME: RuntimeName = "deno" in process.versions
  ? "deno"
  : "bun" in process.versions
  ? "bun"
  : "node";

/** A runtime's program, or why there is none. */
export type FoundRuntime =
  | { readonly command: string; readonly version: string; readonly reason?: undefined }
  | { readonly reason: string };

/**
 * Looks for a runtime.
 *
 * @param name Which.
 * @returns Its program and version, or why it cannot be used.
 */
export async function findRuntime(name: RuntimeName): Promise<FoundRuntime> {
  const command = runtimeCommand(name);
  if (command === undefined) {
    const cache = "it is neither on PATH nor in .cache; `deno task setup` puts it there";
    return { reason: name === "bun" ? cache : "it is not on PATH" };
  }
  const { output } = await runStep(command, ["--version"], { timeoutMs: 60_000 });
  const version = /\d+\.\d+\.\d+\S*/.exec(output)?.[0] ?? "?";
  // Node 20 is the first that has what the tests use; tsx reads their types and import maps
  if (name === "node" && Number(version.split(".")[0]) < 20) {
    return { reason: `it is ${version}, 20 is wanted` };
  }
  if (name === "node" && !existsSync(join(ROOT, "node_modules/tsx"))) {
    return { reason: "node_modules has no tsx; `deno install` puts it there" };
  }
  return { command, version };
}

/**
 * The program of a runtime: on PATH, and Bun in the cache, too.
 *
 * @param name Which.
 * @returns Its path, or `undefined` if there is none.
 */
export function runtimeCommand(name: RuntimeName): string | undefined {
  if (name === "deno") return denoCommand();
  return findOnPath(name) ?? (name === "bun" ? bunIn(BUN_DIRECTORY) : undefined);
}

/**
 * The arguments that make a runtime run a script of this repository, from its root.
 *
 * @param name The runtime.
 * @param script The script.
 * @returns The arguments; those of the script follow.
 */
export function scriptArguments(name: RuntimeName, script: string): string[] {
  switch (name) {
    case "deno":
      return ["run", "--allow-all", "--no-check", "--quiet", script];
    case "bun":
      return [script];
    case "node":
      return ["--import", "tsx", script];
    default:
      return name satisfies never;
  }
}
