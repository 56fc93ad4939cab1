/** `deno task conform`: sets up what is missing, runs the cases, says what came of them. */
import { rmdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LoaderError } from "../mod.ts";
import { Capabilities } from "./capabilities.ts";
import { type Case, type CaseResult, formatId, isRed } from "./case.ts";
import { CASES } from "./cases/all.ts";
import { ownKernelCase } from "./cases/own_kernel.ts";
import { Console } from "./console.ts";
import { type Options, parseOptions, USAGE, UsageError } from "./options.ts";
import { reportOf, writeJson } from "./report.ts";
import { runCases } from "./runner.ts";

const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const cases = select(options);
  if (options.list) {
    for (const { id } of cases) console.log(formatId(id));
    return 0;
  }
  if (cases.length === 0) {
    throw new UsageError(`Cannot run: no case has ${options.filters.join(" or ")} in its id`);
  }

  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => stop.abort(new Error(name)));
  }
  const isRedHere = (result: CaseResult) => isRed(result, options);
  const console_ = new Console(cases.length, isRedHere);
  const { signal } = stop;
  const resolving = { cacheDir: CACHE, offline: options.offline, log: console_.step, signal };
  const capabilities = await Capabilities.resolve(cases, resolving);
  const artifactsDir = join(CACHE, "runs", `${process.pid}`);
  const { keep, timeout } = options;
  const running = { capabilities, artifactsDir, keep, timeout, signal };
  const results = await runCases(cases, options.jobs, running, console_);
  removeIfEmpty(artifactsDir);
  console_.finish(signal.aborted ? [] : results);
  return conclude(results, isRedHere, options, signal);
}

/** Artifacts of green cases are gone by now, and so is a directory that held nothing else. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It was never made, or holds what a person will want to look at.
  }
}

function conclude(
  results: readonly CaseResult[],
  isRedHere: (result: CaseResult) => boolean,
  { json }: Options,
  signal: AbortSignal,
): number {
  const report = reportOf(results, isRedHere);
  if (signal.aborted) {
    // What is there is not the whole: no report, no counts that could be taken for one.
    console.error("Interrupted: nothing was left running, and no report was written");
    return 130;
  }
  if (json !== undefined) writeJson(json, report);
  const ran = results.some(({ outcome }) => outcome !== "skip");
  if (!ran) console.log("\nNo case ran: that is no success");
  console.log(`\n${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`);
  return report.failed > 0 || !ran ? 1 : 0;
}

function select({ own, filters }: Options): readonly Case[] {
  const all = own === undefined ? CASES : [ownKernelCase(own)];
  if (filters.length === 0) return all;
  return all.filter(({ id }) => filters.some((text) => formatId(id).includes(text.toLowerCase())));
}

/** What the user can do something about is said in a sentence; the rest is a defect, with its stack. */
function messageFor(error: unknown): string | undefined {
  if (error instanceof UsageError || error instanceof LoaderError) return error.message;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return `Cannot read ${path}: there is no such file`;
  if (code === "EACCES") return `Cannot read ${path}: permission denied`;
  return message?.startsWith("Cannot ") ? message : undefined;
}

if (import.meta.main ?? process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).then((code) => process.exit(code), (error) => {
    console.error(messageFor(error) ?? error);
    process.exit(messageFor(error) === undefined ? 1 : 2);
  });
}
