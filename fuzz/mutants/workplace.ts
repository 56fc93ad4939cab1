/**
 * A copy of the repository in which faults are planted one after the other, and what comes of each.
 *
 * @module
 */
import { transformSync } from "esbuild";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { denoCommand, runStep } from "../../scripts/steps.ts";
import { copyRepository } from "../repository_copy.ts";
import type { SuiteOptions, SuiteResult } from "./child.ts";

/** What the copy needs beside the library and fuzz/. */
const MORE = ["scripts/std", "deno.json", "deno.lock", "package.json", "tsconfig.json"];
/** A fault that makes the library take all memory ends here, not the machine. MiB. */
const HEAP_MIB = 2048;

/** A fault that can be planted. */
export interface Fault {
  readonly id: string;
  /** The file, from the root on. */
  readonly file: string;
  readonly what: string;
  /** Makes the file's text with the fault; throws if it does not apply. */
  readonly plant: (text: string) => string;
}

/** What is run against a fault. */
export type Stage =
  | { readonly kind: "fuzz"; readonly options: SuiteOptions; readonly timeoutMs: number }
  /** Test files, from the root on; for a fault in a file. */
  | {
    readonly kind: "tests";
    readonly files: (file: string) => readonly string[];
    readonly timeoutMs: number;
  };

/** What came of a fault; `broken`: the file no longer parses. `by` says which property, or which stage. */
export interface Verdict {
  readonly outcome: "killed" | "timeout" | "survived" | "does-not-apply" | "broken";
  readonly by?: string;
  readonly message?: string;
  readonly ms: number;
}

/** A copy. */
export class Workplace {
  readonly #directory: string;

  /** @param directory An empty directory, which its maker removes. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    copyRepository(directory, MORE);
    // Or Deno would write to node_modules, which is the repository's own
    const config = join(directory, "deno.json");
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace('"nodeModulesDir": "auto"', '"nodeModulesDir": "manual"'));
  }

  /**
   * Plants a fault, looks who notices, and takes it out again.
   *
   * @param fault The fault; the library as it is without.
   * @param stages What is run against it, until something notices.
   * @returns What came of it.
   */
  async judge(fault: Fault | undefined, stages: readonly Stage[]): Promise<Verdict> {
    const start = performance.now();
    const path = join(this.#directory, fault?.file ?? "mod.ts");
    const text = readFileSync(path, "utf8");
    const since = () => Math.round(performance.now() - start);
    let planted: string;
    try {
      planted = fault?.plant(text) ?? text;
    } catch (error) {
      return { outcome: "does-not-apply", message: (error as Error).message, ms: since() };
    }
    try {
      transformSync(planted, { loader: "ts" });
    } catch (error) {
      return { outcome: "broken", message: (error as Error).message, ms: since() };
    }
    writeFileSync(path, planted);
    try {
      for (const stage of stages) {
        const verdict = stage.kind === "fuzz"
          ? await this.#fuzz(stage.options, stage.timeoutMs)
          : await this.#test(stage.files(fault?.file ?? "mod.ts"), stage.timeoutMs);
        if (verdict !== undefined) return { ...verdict, ms: since() };
      }
      return { outcome: "survived", ms: since() };
    } finally {
      writeFileSync(path, text);
    }
  }

  async #fuzz(
    options: SuiteOptions,
    timeoutMs: number,
  ): Promise<Omit<Verdict, "ms"> | undefined> {
    const args = ["run", "--allow-all", "--no-check", "--quiet"];
    args.push(`--v8-flags=--max-old-space-size=${HEAP_MIB}`);
    args.push("fuzz/mutants/child.ts", JSON.stringify(options));
    const { output, stdout, code, timedOut } = await this.#deno(args, timeoutMs);
    if (timedOut || /^FAILED: a run has not ended/m.test(output)) {
      const again = /--only (\S+)/.exec(output)?.[1] ?? "all of it";
      return { outcome: "timeout", by: timedOut ? "the whole suite" : again };
    }
    const said = stdout.trimEnd().split("\n").at(-1) ?? "";
    if (code !== 0 || !said.startsWith("{")) {
      return { outcome: "killed", by: "a crash", message: output.trim().split("\n")[0] };
    }
    const { property, message } = JSON.parse(said) as SuiteResult;
    return property === undefined ? undefined : { outcome: "killed", by: property, message };
  }

  async #test(
    files: readonly string[],
    timeoutMs: number,
  ): Promise<Omit<Verdict, "ms"> | undefined> {
    if (files.length === 0) return undefined;
    const args = ["test", "--allow-all", "--no-check", "--quiet", "--fail-fast"];
    args.push(`--v8-flags=--max-old-space-size=${HEAP_MIB}`, ...files);
    const { code, output, timedOut } = await this.#deno(args, timeoutMs);
    if (timedOut) return { outcome: "timeout", by: "tests" };
    if (code === 0) return undefined;
    const name = / FAILURES \n+(.*)/.exec(output)?.[1];
    return { outcome: "killed", by: "tests", message: name };
  }

  #deno(args: readonly string[], timeoutMs: number): ReturnType<typeof runStep> {
    const env = { NO_COLOR: "1" };
    return runStep(denoCommand()!, args, { cwd: this.#directory, env, timeoutMs });
  }
}
