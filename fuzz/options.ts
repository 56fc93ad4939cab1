/**
 * The options of `deno task fuzz`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

/** What the command prints for `--help`. */
export const USAGE = `Usage: deno task fuzz [options]

  --runs N       inputs for each property (default: 300), executions for each target (20000)
  --time S       seconds in all, shared by the properties or targets; --runs is then a limit if given
  --seed N       the seed; without it, another one each time
  --only NAME    only this property or target, or those whose names begin with it and "-"; repeatable
  --path P       with --seed and one --only: the one input that a failure's command names
  --guided       the coverage-guided loop over fuzz/targets, instead of the properties
  --shard I/N    the I-th of N parts of the run, 1 to N
  --json FILE    write the results there, too
  --no-keep      do not write failing inputs to fuzz/corpus
  --list         print the names of the properties and targets
  --help`;

/** The options, checked. */
export interface Options {
  readonly runs?: number;
  readonly time?: number;
  readonly seed: number;
  readonly only: readonly string[];
  readonly path?: string;
  readonly guided: boolean;
  readonly shard: { readonly index: number; readonly count: number };
  readonly json?: string;
  readonly keep: boolean;
  readonly list: boolean;
}

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @returns The options, the usage, or what is wrong.
 */
export function readOptions(
  args: readonly string[],
): { options: Options } | { usage: string } | { wrong: string } {
  const unknown: string[] = [];
  const given = parseArgs([...args], {
    string: ["runs", "time", "seed", "only", "path", "shard", "json"],
    boolean: ["guided", "no-keep", "list", "help"],
    collect: ["only"],
    unknown: (arg: string) => {
      unknown.push(arg);
      return false;
    },
  });
  if (given.help) return { usage: USAGE };
  if (unknown.length > 0) return { wrong: `unknown: ${unknown.join(" ")}` };
  const number = (name: string): number | undefined | string => {
    const text = given[name] as string | undefined;
    if (text === undefined) return undefined;
    const value = Number(text);
    return text !== "" && Number.isFinite(value) && value >= 0 ? value : `--${name} ${text}`;
  };
  const numbers = ["runs", "time", "seed"].map(number);
  const bad = numbers.find((value) => typeof value === "string");
  if (bad !== undefined) return { wrong: `${bad}: a number from 0 on is wanted` };
  const [runs, time, seed] = numbers as (number | undefined)[];
  if (![runs, seed].every((value) => value === undefined || Number.isSafeInteger(value))) {
    return { wrong: "--runs and --seed: whole numbers are wanted" };
  }
  const shard = /^(\d+)\/(\d+)$/.exec(given.shard ?? "1/1");
  const [index, count] = [Number(shard?.[1]), Number(shard?.[2])];
  if (!shard || index < 1 || index > count) {
    return { wrong: `--shard ${given.shard}: I/N with I from 1 to N is wanted` };
  }
  const only = given.only as string[];
  if (given.path !== undefined && (only.length !== 1 || seed === undefined)) {
    return { wrong: "--path: --seed and one --only are wanted with it" };
  }
  return {
    options: {
      runs,
      time,
      seed: seed ?? Math.floor(Math.random() * 0x7fffffff),
      only,
      path: given.path,
      guided: given.guided,
      shard: { index, count },
      json: given.json,
      keep: !given["no-keep"],
      list: given.list,
    },
  };
}

/**
 * Chooses by name.
 *
 * @param all What there is.
 * @param only The names that were asked for: a name, or what it begins with before a "-".
 * @returns What is meant, or the name that nothing has.
 */
export function choose<T extends { readonly name: string }>(
  all: readonly T[],
  only: readonly string[],
): { chosen: readonly T[] } | { missing: string } {
  if (only.length === 0) return { chosen: all };
  const isMeant = ({ name }: T, wanted: string) => name === wanted || name.startsWith(`${wanted}-`);
  const missing = only.find((wanted) => !all.some((one) => isMeant(one, wanted)));
  if (missing !== undefined) return { missing };
  return { chosen: all.filter((one) => only.some((wanted) => isMeant(one, wanted))) };
}
