/**
 * The options of `deno task fuzz:mutants`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { availableParallelism } from "node:os";

/** What the command prints for `--help`. */
export const USAGE = `Usage: deno task fuzz:mutants [options]

  --only ID        only this fault, or those whose names begin with it and "-"; repeatable
  --generated [N]  faults that Stryker makes instead of the listed ones: a sample of N (default: 200)
  --shard I/N      the I-th of N parts, 1 to N
  --jobs N         how many at once (default: one for each core, 4 at most)
  --runs N         inputs for each property, for a fault that is hard to find (default: 2000)
  --seed N         the seed of inputs and sample (default: 1)
  --json FILE      write the results there, too
  --list           print the faults
  --help`;

/** How many generated faults are a sample. */
const SAMPLE = 200;

/** The options, checked. */
export interface MutantOptions {
  readonly only: readonly string[];
  /** How many generated faults; undefined for the listed ones. */
  readonly generated?: number;
  readonly shard: { readonly index: number; readonly count: number };
  readonly jobs: number;
  readonly runs: number;
  readonly seed: number;
  readonly json?: string;
  readonly list: boolean;
}

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @returns The options, the usage, or what is wrong.
 */
export function readMutantOptions(
  args: readonly string[],
): { options: MutantOptions } | { usage: string } | { wrong: string } {
  const unknown: string[] = [];
  const given = parseArgs([...args], {
    string: ["only", "generated", "shard", "jobs", "runs", "seed", "json"],
    boolean: ["list", "help"],
    collect: ["only"],
    unknown: (arg: string) => {
      unknown.push(arg);
      return false;
    },
  });
  if (given.help) return { usage: USAGE };
  if (unknown.length > 0) return { wrong: `unknown: ${unknown.join(" ")}` };
  const jobs = Math.min(availableParallelism(), 4);
  const defaults = { jobs, runs: 2000, seed: 1, generated: SAMPLE };
  const numbers: Record<string, number> = {};
  for (const [name, fallback] of Object.entries(defaults)) {
    const text = given[name] as string | undefined;
    const value = text === undefined || text === "" ? fallback : Number(text);
    const least = name === "seed" ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      return { wrong: `--${name} ${text}: a whole number from ${least} on is wanted` };
    }
    numbers[name] = value;
  }
  const shard = /^(\d+)\/(\d+)$/.exec(given.shard ?? "1/1");
  const [index, count] = [Number(shard?.[1]), Number(shard?.[2])];
  if (!shard || index < 1 || index > count) {
    return { wrong: `--shard ${given.shard}: I/N with I from 1 to N is wanted` };
  }
  return {
    options: {
      only: given.only as string[],
      ...given.generated !== undefined && { generated: numbers.generated },
      shard: { index, count },
      jobs: numbers.jobs,
      runs: numbers.runs,
      seed: numbers.seed,
      json: given.json,
      list: given.list,
    },
  };
}
