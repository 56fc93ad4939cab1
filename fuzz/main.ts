/**
 * Fuzzing: `deno task fuzz`. See README.md beside.
 *
 * @module
 */
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import * as library from "../mod.ts";
import { checkJsonPlace, writeJsonFile } from "../scripts/json_file.ts";
import { choose, type Options, readOptions, USAGE } from "./options.ts";
import { Progress } from "./progress.ts";
import { PROPERTIES } from "./properties.ts";
import type { Property } from "./property.ts";
import { BATCH, batchSeed, replay, runBatch, type RunnerOptions, type Tally } from "./runner.ts";
import { Watchdog } from "./watchdog.ts";

const DEFAULT_RUNS = 300;
/** A single input that takes longer is a finding: the slowest takes well under a second. */
const HANG_SECONDS = 30;
const MISUSED = 2;

async function main(args: readonly string[]): Promise<number> {
  const read = readOptions(args);
  if ("usage" in read) {
    console.log(read.usage);
    return 0;
  }
  if ("wrong" in read) return misused(read.wrong);
  const { options } = read;
  if (options.list) {
    const { TARGETS } = await import("./guided/targets.ts");
    for (const { name, says } of PROPERTIES) console.log(`${name.padEnd(22)} ${says}`);
    for (const { name, says } of TARGETS) console.log(`${name.padEnd(22)} --guided: ${says}`);
    return 0;
  }
  try {
    if (options.json) checkJsonPlace(options.json);
  } catch (error) {
    return misused((error as Error).message);
  }
  const watchdog = new Watchdog(HANG_SECONDS);
  try {
    if (options.guided) {
      const { runGuided } = await import("./guided/main.ts");
      const said = await runGuided(options, watchdog);
      return typeof said === "string" ? misused(said) : said;
    }
    const found = choose(PROPERTIES, options.only);
    if ("missing" in found) return misused(`no property is called ${found.missing}`);
    return await runProperties(found.chosen, options, watchdog);
  } finally {
    await watchdog.stop();
  }
}

function misused(what: string): number {
  console.error(`Cannot fuzz: ${what}\n\n${USAGE}`);
  return MISUSED;
}

async function runProperties(
  properties: readonly Property[],
  options: Options,
  watchdog: Watchdog,
): Promise<number> {
  const progress = new Progress();
  const { seed, shard, path, time } = options;
  progress.line(`seed ${seed}, ${properties.length} properties`);
  const deadline = time === undefined ? Infinity : performance.now() + time * 1000;
  const limit = path !== undefined
    ? 1
    : options.runs ?? (time === undefined ? DEFAULT_RUNS : Infinity);
  let noted: string | undefined;
  const runner: RunnerOptions = {
    library,
    keep: options.keep,
    onRun: (tally, reproduce) => {
      if (reproduce !== noted) watchdog.note(noted = reproduce);
      else watchdog.tick();
      const leftMs = time === undefined ? undefined : deadline - performance.now();
      const of = limit === Infinity ? undefined : runsOf(tally.property, limit);
      progress.show({ name: tally.property.name, runs: tally.runs, of, ms: tally.ms || 1, leftMs });
    },
  };
  const results: Result[] = [];
  const open: Tally[] = [];
  for (const property of properties) {
    const reason = property.skip?.();
    if (reason !== undefined) {
      progress.line(`skipped  ${property.name}: ${reason}`);
      results.push({ name: property.name, outcome: "skipped", reason });
      continue;
    }
    open.push(await replay(property, runner));
  }
  const close = (tally: Tally) => {
    open.splice(open.indexOf(tally), 1);
    results.push(report(tally, progress));
  };
  // By time, a batch of each in turn; by runs, one property after the other.
  for (let batch = 0; open.length > 0; batch++) {
    for (const tally of time === undefined ? open.slice(0, 1) : [...open]) {
      const wanted = runsOf(tally.property, limit);
      for (let own = time === undefined ? 0 : batch;; own++) {
        const left = wanted - own * BATCH;
        if (tally.failure || left <= 0 || performance.now() >= deadline) {
          close(tally);
          break;
        }
        if (own % shard.count === shard.index - 1) {
          const name = tally.property.name;
          const runs = Math.min(BATCH, left, time === undefined ? Infinity : share(tally));
          const own31 = path === undefined ? batchSeed(seed, name, own) : seed;
          await runBatch(tally, { seed: own31, runs, path }, runner);
        }
        await turn();
        if (time !== undefined) break;
      }
    }
  }
  return finish(results, options, progress);
}

/** A slow property makes fewer runs, one at least. */
function runsOf({ share = 1 }: Property, runs: number): number {
  return runs === 0 || runs === Infinity ? runs : Math.max(Math.ceil(runs * share), 1);
}

function share(tally: Tally): number {
  return Math.max(Math.ceil(BATCH * (tally.property.share ?? 1)), 1);
}

/** A property's line in the report. */
interface Result {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  reason?: string;
  runs?: number;
  replayed?: number;
  ms?: number;
  failure?: Tally["failure"];
}

function report(
  { property: { name }, runs, replayed, ms, failure }: Tally,
  progress: Progress,
): Result {
  const rate = Math.round(runs / Math.max(ms, 1) * 1000);
  const stored = replayed === 0 ? "" : ` and ${replayed} stored`;
  const counts = `${runs} runs${stored}, ${rate}/s, ${(ms / 1000).toFixed(1)} s`;
  progress.line(`${(failure ? "FAILED" : "ok").padEnd(8)} ${name.padEnd(20)} ${counts}`);
  if (failure) {
    progress.line(`\n${failure.message}`);
    if (failure.file) progress.line(`input: ${failure.file}`);
    progress.line(`again: ${failure.reproduce}\n`);
  }
  return {
    name,
    outcome: failure ? "failed" : "passed",
    runs,
    replayed,
    ms: Math.round(ms),
    failure,
  };
}

function finish(results: readonly Result[], options: Options, progress: Progress): number {
  const count = (outcome: Result["outcome"]) => {
    return results.filter((result) => result.outcome === outcome).length;
  };
  if (options.json) {
    const { seed, shard } = options;
    writeJsonFile(options.json, { seed, shard, results });
  }
  const [passed, failed] = [count("passed"), count("failed")];
  progress.line(`\n${passed} passed, ${failed} failed, ${count("skipped")} skipped`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
