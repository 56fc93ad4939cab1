/**
 * The branches of src/ that tests and fuzzing take together: `deno task coverage`.
 *
 * V8 counts blocks: what an `if`, a `?:`, a `??`, a `case`, a loop's body or the code behind a `throw`
 * guards is a branch where it ran another number of times than what is around it, or never. A line
 * that cannot be reached says so, with the reason, and is left out: `// unreachable: …`.
 *
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli/parse-args";
import { checkCommand, denoCommand, ROOT } from "./steps.ts";
import { makeWorkDirectory } from "./work_directory.ts";

const USAGE = `Usage: deno task coverage [options]

  --min PERCENT  the share of branches that must be taken (default: 97)
  --runs N       inputs for each property of the fuzz run (default: 300)
  --seed N       its seed (default: 1)
  --lcov FILE    read this lcov file instead of running anything
  --help`;

const MISUSED = 2;
/** Measured: a minute and a half on two cores. */
const RUN_MS = 600_000;
const EXCUSE = /\/\/ unreachable: \S/;

/** A branch: where it is, and how often it was taken. */
export interface Branch {
  readonly file: string;
  readonly line: number;
  readonly taken: number;
}

/** What came of a file. */
export interface FileCoverage {
  readonly file: string;
  readonly branches: number;
  readonly taken: number;
  /** Lines with branches that were never taken. */
  readonly missed: readonly number[];
  /** Lines that say they cannot be reached, and were. */
  readonly reached: readonly number[];
}

/**
 * Reads the branches of an lcov file.
 *
 * @param lcov Its text.
 * @returns All branches.
 */
export function branchesOf(lcov: string): Branch[] {
  const branches: Branch[] = [];
  let file = "";
  for (const record of lcov.split("\n")) {
    if (record.startsWith("SF:")) file = record.slice(3);
    const [, line, taken] = /^BRDA:(\d+),\d+,\d+,(\d+|-)$/.exec(record) ?? [];
    if (line !== undefined) {
      branches.push({ file, line: Number(line), taken: taken === "-" ? 0 : Number(taken) });
    }
  }
  return branches;
}

/**
 * Sums branches up, file by file.
 *
 * @param branches The branches.
 * @param read Gives a file's text.
 * @returns A line for each file, in the order of their names.
 */
export function coverageOf(
  branches: readonly Branch[],
  read: (file: string) => string,
): FileCoverage[] {
  const files = [...new Set(branches.map(({ file }) => file))].sort();
  return files.map((file) => {
    const lines = read(file).split("\n");
    const isExcused = (line: number) => EXCUSE.test(lines[line - 1] ?? "");
    const own = branches.filter((branch) => branch.file === file);
    const counted = own.filter(({ line }) => !isExcused(line));
    const missed = counted.filter(({ taken }) => taken === 0).map(({ line }) => line);
    const excused = lines.map((_, i) => i + 1).filter(isExcused);
    const reached = excused.filter((line) => {
      return !own.some((branch) => branch.line === line && branch.taken === 0);
    });
    return {
      file,
      branches: counted.length,
      taken: counted.length - missed.length,
      missed: [...new Set(missed)].sort((a, b) => a - b),
      reached,
    };
  });
}

/** Runs tests and fuzzing, and gives the lcov file; or what went wrong. */
async function measure(runs: string, seed: string): Promise<{ lcov: string } | { wrong: string }> {
  const deno = denoCommand();
  if (deno === undefined) return { wrong: "deno is not on PATH" };
  const work = makeWorkDirectory(join(ROOT, ".cache/tmp"));
  const [tests, fuzz, output] = ["tests", "fuzz", "lcov"].map((name) => join(work, name));
  const common = ["--allow-all", "--no-check", "--quiet"];
  const steps = [
    [
      "test",
      ...common,
      "--reporter=dot",
      "--coverage-raw-data-only",
      `--coverage=${tests}`,
      "src/",
    ],
    ["run", ...common, `--coverage=${fuzz}`, "fuzz/main.ts", "--no-keep", "--runs", runs],
    ["coverage", "--quiet", "--lcov", "--include=^file:.*/src/", `--output=${output}`, tests, fuzz],
  ];
  steps[1].push("--seed", seed);
  try {
    for (const args of steps) {
      const { outcome, output = "" } = await checkCommand(deno, args, RUN_MS);
      if (outcome !== "passed") return { wrong: output };
    }
    return { lcov: readFileSync(output, "utf8") };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const options = parseArgs([...args], {
    string: ["min", "runs", "seed", "lcov"],
    boolean: ["help"],
    default: { min: "97", runs: "300", seed: "1" },
    unknown: (arg: string) => {
      unknown.push(arg);
      return false;
    },
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const least = Number(options.min);
  if (!(least >= 0 && least <= 100)) unknown.push(`--min ${options.min}`);
  if (unknown.length > 0) {
    console.error(`Cannot measure coverage: unknown: ${unknown.join(" ")}\n\n${USAGE}`);
    return MISUSED;
  }
  const found = options.lcov === undefined
    ? await measure(options.runs as string, options.seed as string)
    : { lcov: readFileSync(options.lcov as string, "utf8") };
  if ("wrong" in found) {
    console.error(`Cannot measure coverage: ${found.wrong}\n\n0 passed, 1 failed, 0 skipped`);
    return 1;
  }
  return report(coverageOf(branchesOf(found.lcov), (file) => readFileSync(file, "utf8")), least);
}

/** Prints what is missed, and the sum. */
function report(files: readonly FileCoverage[], least: number): number {
  const sum = (of: "branches" | "taken") => files.reduce((sum, file) => sum + file[of], 0);
  let stale = 0;
  for (const { file, branches, taken, missed, reached } of files) {
    const name = relative(ROOT, file);
    if (missed.length > 0) {
      console.log(`${name.padEnd(40)} ${taken}/${branches}, never: ${missed.join(", ")}`);
    }
    stale += reached.length;
    for (const line of reached) console.log(`${name}:${line} says it is unreachable, and is not`);
  }
  const percent = sum("branches") === 0 ? 0 : 100 * sum("taken") / sum("branches");
  console.log(
    `\n${sum("taken")} of ${sum("branches")} branches in ${files.length} files: ` +
      `${percent.toFixed(2)} %, ${least} % are wanted`,
  );
  const isRed = percent < least || stale > 0;
  console.log(`\n${isRed ? "0 passed, 1 failed" : "1 passed, 0 failed"}, 0 skipped`);
  return isRed ? 1 : 0;
}

if (import.meta.main ?? process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exit(await main(process.argv.slice(2)));
}
