/**
 * `deno task fuzz --guided`.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { writeJsonFile } from "../../scripts/json_file.ts";
import { storeInput } from "../corpus.ts";
import { choose, type Options } from "../options.ts";
import { Progress } from "../progress.ts";
import type { Watchdog } from "../watchdog.ts";
import { type Crash, Engine, type Target } from "./engine.ts";
import { build } from "./instrument.ts";
import { seedsOf, type TargetFile, TARGETS } from "./targets.ts";

const DEFAULT_EXECUTIONS = 20_000;
/** Executions between two looks at the clock. */
const ROUND = 500;

interface Result {
  readonly name: string;
  readonly outcome: "passed" | "failed";
  readonly executions: number;
  readonly ms: number;
  readonly perSecond: number;
  readonly edges: number;
  readonly blocks: number;
  readonly kept: number;
  readonly file?: string;
  readonly message?: string;
}

/**
 * Fuzzes the targets, one after the other.
 *
 * @param options The command's options.
 * @param watchdog Notices a run that does not end.
 * @returns The exit code, or what is wrong with the options.
 */
export async function runGuided(options: Options, watchdog: Watchdog): Promise<number | string> {
  const found = choose(TARGETS, options.only);
  if ("missing" in found) return `no target is called ${found.missing}`;
  const progress = new Progress();
  const { shard } = options;
  // A shard has a seed of its own: its executions are other ones.
  const seed = options.seed + (shard.index - 1) * 1_000_003;
  progress.line(`seed ${options.seed}, ${found.chosen.length} targets`);
  const total = options.runs ?? (options.time === undefined ? DEFAULT_EXECUTIONS : Infinity);
  const runs = Math.ceil(total / shard.count);
  const results: Result[] = [];
  for (const target of found.chosen) {
    const seconds = options.time === undefined ? Infinity : options.time / found.chosen.length;
    const again = `deno task fuzz --guided --only ${target.name} --seed ${options.seed}` +
      (shard.count > 1 ? ` --shard ${shard.index}/${shard.count}` : "");
    watchdog.note(again);
    results.push(
      await runTarget(target, { seed, runs, seconds, options, again }, progress, watchdog),
    );
  }
  const count = (outcome: Result["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  if (options.json) {
    writeJsonFile(options.json, { seed, shard, results });
  }
  progress.line(`\n${count("passed")} passed, ${count("failed")} failed, 0 skipped`);
  return count("failed") === 0 ? 0 : 1;
}

async function runTarget(
  target: TargetFile,
  limits: { seed: number; runs: number; seconds: number; options: Options; again: string },
  progress: Progress,
  watchdog: Watchdog,
): Promise<Result> {
  watchdog.pause(true);
  const { hooks, exports, blocks } = build(target.entry);
  watchdog.pause(false);
  const engine = new Engine(exports.fuzz as Target, hooks, limits.seed, seedsOf(target));
  const start = performance.now();
  const deadline = start + limits.seconds * 1000;
  let crash: Crash | undefined;
  // Most inputs are refused, and a stack trace costs more than the rest of the run
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  while (!crash && engine.executions < limits.runs && performance.now() < deadline) {
    const end = Math.min(engine.executions + ROUND, limits.runs);
    while (!crash && engine.executions < end) {
      watchdog.tick();
      crash = engine.step();
    }
    const ms = performance.now() - start;
    progress.show({
      ...{ name: target.name, runs: engine.executions, ms },
      ...limits.runs !== Infinity && { of: limits.runs },
      ...limits.seconds !== Infinity && { leftMs: deadline - performance.now() },
      more: `${engine.edges} edges`,
    });
    await turn();
  }
  Error.stackTraceLimit = depth;
  const ms = Math.round(performance.now() - start);
  const perSecond = Math.round(engine.executions / Math.max(ms, 1) * 1000);
  const { executions, edges, kept } = engine;
  const counts = `${executions} executions, ${perSecond}/s, ${edges} edges, ${kept} kept`;
  progress.line(`${(crash ? "FAILED" : "ok").padEnd(8)} ${target.name.padEnd(20)} ${counts}`);
  const result = { name: target.name, executions, ms, perSecond, edges, blocks, kept };
  if (!crash) return { ...result, outcome: "passed" };
  const message = messageOf(crash.error);
  const small = engine.shrink(crash, (error) => messageOf(error) === message);
  const { keep } = limits.options;
  const file = keep ? storeInput(target.name, message, small.input) : undefined;
  progress.line(`\n${stackOf(small.error)}`);
  if (file) progress.line(`input: ${file}`);
  progress.line(`again: ${limits.again}\n`);
  return { ...result, outcome: "failed", message, ...file !== undefined && { file } };
}

/** Two findings are the same if they read the same, numbers aside. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/0x[0-9a-f]+|\d+/g, "N");
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `\n${error.cause.stack}` : "";
  return `${error.stack}${cause}`.split("\n").slice(0, 14).join("\n");
}
