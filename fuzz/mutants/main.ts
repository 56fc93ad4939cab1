/**
 * Would the suite notice? Plants faults in copies of the library, one at a time, and wants them found:
 * `deno task fuzz:mutants`. See ../README.md.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { checkJsonPlace, writeJsonFile } from "../../scripts/json_file.ts";
import { denoCommand, seconds } from "../../scripts/steps.ts";
import { makeWorkDirectory } from "../../scripts/work_directory.ts";
import { choose } from "../options.ts";
import { Progress } from "../progress.ts";
import { patched } from "../repository_copy.ts";
import { generatedFaults, generatedStages } from "./generated.ts";
import { LISTED } from "./listed.ts";
import { type MutantOptions, readMutantOptions, USAGE } from "./options.ts";
import { reasonFor } from "./survivors.ts";
import { type Fault, type Stage, type Verdict, Workplace } from "./workplace.ts";

const MISUSED = 2;
/** The share of faults that must be found. */
const WANTED = { listed: 0.95, generated: 0.85 } as const;
/** Inputs for each property in the rounds before the last; too few in the first for what is slow. */
const ROUNDS = [19, 300];
/** Until the suite has found a fault, or not: some times what it takes without one. */
const [SUITE_MS, SUITE_TIMES] = [600_000, 5];

/** A fault's line in the report. */
interface Result extends Verdict {
  readonly id: string;
  readonly file: string;
  readonly what: string;
  /** Why it survives, where that is known. */
  readonly reason?: string;
}

async function main(args: readonly string[]): Promise<number> {
  const read = readMutantOptions(args);
  if ("usage" in read) {
    console.log(read.usage);
    return 0;
  }
  if ("wrong" in read) return misused(read.wrong);
  const { options } = read;
  if (denoCommand() === undefined) return misused("deno is not on PATH");
  const all = options.generated === undefined
    ? listedFaults()
    : await generatedFaults(options.generated, options.seed);
  if (typeof all === "string") {
    console.error(`Cannot make mutants: ${all}`);
    return 1;
  }
  const named = all.map((fault) => ({ ...fault, name: fault.id }));
  const found = choose(named, options.only);
  if ("missing" in found) return misused(`no fault is called ${found.missing}`);
  const { index, count } = options.shard;
  const faults = found.chosen.filter((_, i) => i % count === index - 1);
  if (options.list) {
    for (const { id, file, what } of faults) console.log(`${id.padEnd(28)} ${file}: ${what}`);
    return 0;
  }
  try {
    if (options.json) checkJsonPlace(options.json);
  } catch (error) {
    return misused((error as Error).message);
  }
  return await judgeAll(faults, options);
}

function misused(what: string): number {
  console.error(`Cannot plant faults: ${what}\n\n${USAGE}`);
  return MISUSED;
}

function listedFaults(): Fault[] {
  return LISTED.map((fault) => ({ ...fault, plant: (text) => patched(text, fault) }));
}

async function judgeAll(faults: readonly Fault[], options: MutantOptions): Promise<number> {
  const progress = new Progress();
  const { seed, runs, jobs, generated } = options;
  const rounds = [...ROUNDS.filter((n) => n < runs), runs];
  const suite = { kind: "fuzz", options: { seed, rounds }, timeoutMs: SUITE_MS } as const;
  const stages: readonly Stage[] = generated === undefined ? [suite] : generatedStages(suite);
  progress.line(`${faults.length} faults, seed ${seed}, up to ${runs} inputs for each property`);
  const directory = makeWorkDirectory(join(tmpdir(), "fuzz-mutants"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const places = Array.from(
    { length: Math.max(Math.min(jobs, faults.length), 1) },
    (_, i) => new Workplace(join(directory, `${i}`)),
  );
  const start = performance.now();
  const results: Result[] = [];
  // What fails without a fault finds none
  const sane = await places[0].judge(undefined, stages);
  if (sane.outcome !== "survived") {
    progress.line(`FAILED: without a fault, ${sane.by}: ${sane.message ?? sane.outcome}`);
    progress.line("\n0 passed, 1 failed, 0 skipped");
    return 1;
  }
  progress.line(`without a fault all passes (${seconds(sane.ms)})`);
  const patient = stages.map((stage): Stage => {
    return { ...stage, timeoutMs: Math.max(stage.timeoutMs, SUITE_TIMES * sane.ms) };
  });
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => isStopping = true);
  }
  const queue = [...faults];
  await Promise.all(places.map(async (place) => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const verdict = await place.judge(fault, patient);
      if (isStopping) return; // what was stopped was not found
      const { id, file, what } = fault;
      const reason = verdict.outcome === "survived" ? reasonFor(id) : undefined;
      const result: Result = { id, file, what, ...verdict, ...reason && { reason } };
      results.push(result);
      progress.line(lineOf(result));
      const ms = performance.now() - start;
      progress.show({ name: "faults", runs: results.length, of: faults.length, ms });
    }
  }));
  return finish(results, options, progress);
}

function lineOf({ id, file, what, outcome, by, message, reason, ms }: Result): string {
  const how = outcome === "killed"
    ? `killed    ${id}: by ${by}`
    : outcome === "timeout"
    ? `killed    ${id}: by timeout, in ${by}`
    : `${outcome === "survived" ? "SURVIVED " : "FAILED   "} ${id} (${file}): ${what}`;
  const why = outcome === "survived" ? reason : outcome === "killed" ? undefined : message;
  return `${how}${why ? `: ${why}` : ""} (${seconds(ms)})`;
}

function finish(
  results: readonly Result[],
  { generated, json, seed, runs, shard }: MutantOptions,
  progress: Progress,
): number {
  const of = (...outcomes: Result["outcome"][]) => {
    return results.filter(({ outcome }) => outcomes.includes(outcome));
  };
  const [dead, alive] = [of("killed", "timeout").length, of("survived")];
  const wrong = of("does-not-apply", "broken").length;
  const rate = results.length === 0 ? 0 : dead / results.length;
  const wanted = generated === undefined ? WANTED.listed : WANTED.generated;
  // A listed fault that nothing finds has a reason; a generated one may be new
  const unexplained = alive.filter(({ reason }) => reason === undefined);
  const isRed = rate < wanted || wrong > 0 || (generated === undefined && unexplained.length > 0);
  if (json) {
    const summary = { seed, runs, shard, killed: dead, of: results.length, rate, wanted };
    writeJsonFile(json, { ...summary, results });
  }
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const timeouts = of("timeout").length;
  progress.line(
    `\n${dead} of ${results.length} killed (${timeouts} by timeout): ${percent(rate)}, ` +
      `${
        percent(wanted)
      } are wanted; ${unexplained.length} of ${alive.length} survivors without a reason`,
  );
  const passed = dead + alive.length - unexplained.length;
  const failed = results.length - passed;
  progress.line(
    `${isRed ? "FAILED" : "ok"}\n\n${passed} passed, ${isRed ? Math.max(failed, 1) : 0} failed, ${
      isRed ? 0 : failed
    } skipped`,
  );
  return isRed ? 1 : 0;
}

process.exit(await main(process.argv.slice(2)));
