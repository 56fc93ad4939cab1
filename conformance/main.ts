/** `deno task conform`: sets up what is missing, runs the cases, says what came of them. */
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LoaderError } from "../mod.ts";
import { Capabilities } from "./capabilities.ts";
import { type CaseResult, formatId, isRed } from "./case.ts";
import { CASES } from "./cases/all.ts";
import { Console } from "./console.ts";
import { parseOptions, USAGE, UsageError } from "./options.ts";
import { checkJsonPlace } from "../scripts/json_file.ts";
import { reportOf, writeJson } from "./report.ts";
import { documentOf, type FinishedRun, requirementRows } from "./reporters/document.ts";
import { checkReportPlace, writeReport } from "./reporters/write.ts";
import { runCases } from "./runner.ts";
import { RuntimePlans } from "./runtime_plans.ts";
import { selectCases } from "./select.ts";
import { casesOfShard } from "./shard.ts";

const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const selected = selectCases(options);
  const cases = casesOfShard(selected, options.shard);
  if (options.list) {
    for (const { id } of cases) console.log(formatId(id));
    return 0;
  }
  if (selected.length === 0) {
    throw new UsageError(`Cannot run: no case has ${options.filters.join(" or ")} in its id`);
  }
  if (cases.length === 0) {
    throw new UsageError(`Cannot run: ${selected.length} cases leave nothing for this shard`);
  }
  if (options.report !== undefined) checkReportPlace(options.report);
  if (options.json !== undefined) checkJsonPlace(options.json);

  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => stop.abort(new Error(name)));
  }
  const isRedHere = (result: CaseResult) => isRed(result, options);
  const started = new Date();
  const ids = cases.map(({ id }) => formatId(id));
  const console_ = new Console({ ids, jobs: options.jobs, isRed: isRedHere });
  const { signal } = stop;
  const resolving = { cacheDir: CACHE, offline: options.offline, log: console_.step, signal };
  const capabilities = await Capabilities.resolve(cases, resolving);
  const plans = await RuntimePlans.start({ args, cases, capabilities, signal });
  const artifactsDir = runDirectory(console_.step);
  const { keep, timeout, random } = options;
  if (cases.some(({ kind }) => kind === "random")) {
    console_.step(`${random.boots} random layouts in each of their cases, of seed ${random.seed}`);
  }
  const running = { capabilities, plans, random, artifactsDir, keep, timeout, signal };
  const results = await runCases(cases, options.jobs, running, console_);
  removeIfEmpty(artifactsDir);
  // A part of the suite shows a part of the requirements: what is open, the whole suite says
  const isWhole = options.own === undefined && cases.length === CASES.length;
  const requirements = options.own ? [] : requirementRows(CASES.map(({ id }) => formatId(id)));
  if (signal.aborted) console_.stop();
  else console_.finish(results, isWhole ? requirements : []);
  const whole = selected.map(({ id }) => formatId(id));
  const run = { options, started, ids, selected: whole, results, requirements };
  return conclude(run, isRedHere, signal);
}

/** Where this run's files go: in the cache, or where a checkout of somebody else's is read from, elsewhere. */
function runDirectory(log: (line: string) => void): string {
  const directory = join(CACHE, "runs", `${process.pid}`);
  try {
    mkdirSync(directory, { recursive: true });
    return directory;
  } catch (error) {
    const elsewhere = mkdtempSync(join(tmpdir(), "conformance-"));
    log(
      `${directory} cannot be written (${
        (error as NodeJS.ErrnoException).code
      }): using ${elsewhere}`,
    );
    return elsewhere;
  }
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
  run: FinishedRun,
  isRedHere: (result: CaseResult) => boolean,
  signal: AbortSignal,
): number {
  const { json, report: directory } = run.options;
  const report = reportOf(run.results, isRedHere);
  const ran = run.results.some(({ outcome }) => outcome !== "skip");
  const left = run.ids.length - run.results.length;
  const problems = signal.aborted
    ? [`The run was interrupted: ${left} of ${run.ids.length} cases had not begun`]
    : ran
    ? []
    : ["No case ran: that is no success"];
  let isWritten = true;
  const attempt = (write: () => void) => {
    try {
      write();
    } catch (error) {
      isWritten = false;
      console.error(`\n${(error as Error).message}`);
    }
  };
  if (directory !== undefined) {
    attempt(() => writeReport(directory, documentOf(run, report, problems)));
  }
  if (signal.aborted) {
    // What is there is not the whole: no JSON, no counts that could be taken for one.
    const where = directory !== undefined && isWritten
      ? `the report in ${directory} says so`
      : "no report was written";
    console.error(`Interrupted: nothing was left running, and ${where}`);
    return 130;
  }
  if (json !== undefined) attempt(() => writeJson(json, report));
  for (const problem of problems) console.log(`\n${problem}`);
  console.log(`\n${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`);
  return report.failed > 0 || !ran || !isWritten ? 1 : 0;
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
