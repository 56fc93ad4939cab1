/**
 * Benchmarks on real kernels: `deno task bench [--kernel PATH]... [--cache DIR] [--rounds N]`.
 *
 * Nothing is downloaded: the kernels are the cached ones, or those that are named.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "@std/cli/parse-args";
import { Bench, parsingHeaders } from "./bench_load.ts";
import { compare, type Comparison, median, quantile, ratio, table } from "./bench_stats.ts";
import { cachedKernel, catalogue } from "./debian_kernels.ts";
import { denoCommand, ROOT } from "./steps.ts";

const USAGE = `Usage: deno task bench [options]

  --kernel PATH   this kernel; may be given more than once (default: the cached ones)
  --cache DIR     where kernels are cached (default: .cache)
  --rounds N      how many rounds of each load count (default: 41)`;

const ms = (value: number): string => value.toFixed(value < 1 ? 3 : 2);

/** The kernels to measure, by name. */
function kernels(paths: readonly string[], cache: string): { name: string; path: string }[] {
  if (paths.length > 0) return paths.map((path) => ({ name: basename(path), path }));
  return catalogue.flatMap(({ id, arch }) => {
    const kernel = cachedKernel(cache, id, arch);
    // i386 has no 64-bit entry, and for riscv64 there is no machine here
    if (kernel === undefined || arch === "i386" || arch === "riscv64") return [];
    return [{ name: `${id} ${arch}`, path: kernel.path }];
  });
}

function loadRow(name: string, bytes: number, memory: string, comparison: Comparison): string[] {
  const { median: middle, p10, p90 } = ratio(comparison);
  const [read, load] = [comparison.base, comparison.other].map((side) => ms(median(side)));
  const spread = `${p10.toFixed(3)} .. ${p90.toFixed(3)}`;
  return [name, (bytes / 1e6).toFixed(1), memory, read, load, middle.toFixed(3), spread];
}

/** What importing mod.ts adds to an empty script, each run in a process of its own. */
function importing(rounds: number, flags: readonly string[]): Comparison | undefined {
  const deno = denoCommand();
  if (deno === undefined) return undefined;
  const work = mkdtempSync(join(tmpdir(), "bench-import-"));
  const script = (name: string, text: string): string => {
    const path = join(work, name);
    writeFileSync(path, text);
    return path;
  };
  const run = (path: string) => (): number => {
    const start = performance.now();
    const { status, stderr } = spawnSync(deno, ["run", ...flags, path], { encoding: "utf8" });
    if (status !== 0) throw new Error(`Cannot run ${path}: ${stderr}`);
    return performance.now() - start;
  };
  try {
    const url = JSON.stringify(pathToFileURL(join(ROOT, "mod.ts")).href);
    return compare(
      rounds,
      run(script("empty.ts", "export {};\n")),
      run(script("import.ts", `import { bootLinux } from ${url};\nif (!bootLinux) throw 0;\n`)),
    );
  } finally {
    rmSync(work, { recursive: true });
  }
}

function main(args: readonly string[]): number {
  const unknown: string[] = [];
  const options = parseArgs([...args], {
    string: ["kernel", "cache", "rounds"],
    boolean: ["help"],
    collect: ["kernel"],
    default: { cache: join(ROOT, ".cache"), rounds: "41" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) unknown.push(`--rounds ${options.rounds}`);
  if (unknown.length > 0) {
    console.error(`Cannot run benchmarks: unknown: ${unknown.join(" ")}\n\n${USAGE}`);
    return 2;
  }
  const found = kernels(options.kernel, options.cache);
  if (found.length === 0) {
    console.error(
      "Cannot measure loading: no kernel is cached; `deno run -A scripts/fetch_kernels.ts` " +
        "fetches Debian's, --kernel PATH takes one of yours",
    );
    return 1;
  }

  console.log(
    "Loading (applyPlan) from the page cache, beside the plain positional read of the same",
  );
  console.log("bytes to the same addresses; medians, and the ratios' 10th to 90th percentile.\n");
  const loads = [["kernel", "MB", "memory", "read ms", "load ms", "ratio", "spread"]];
  const plans = [["planning (planBoot), right after a load", "median ms", "p90 ms"]];
  for (const { name, path } of found) {
    const bench = new Bench(path);
    try {
      loads.push(loadRow(name, bench.bytes, "reused", bench.reused(rounds)));
      loads.push(loadRow(name, bench.bytes, "fresh", bench.fresh(rounds)));
      const times = bench.planning(200);
      plans.push([name, ms(median(times)), ms(quantile(times, 0.9))]);
    } finally {
      bench.close();
    }
  }
  console.log(table(loads));
  console.log(`\n${table(plans)}`);

  const headers = parsingHeaders(20);
  const parsing = [["parsing", "median ms", "p90 ms"]];
  parsing.push(["65,535 program headers", ms(median(headers)), ms(quantile(headers, 0.9))]);
  console.log(`\n${table(parsing)}`);

  const imports = [["importing mod.ts, Deno", "empty ms", "import ms", "adds ms"]];
  for (
    const [what, flags] of [["code cache", []], ["no code cache", ["--no-code-cache"]]] as const
  ) {
    const times = importing(15, flags);
    if (times === undefined) break;
    const [empty, full] = [median(times.base), median(times.other)];
    imports.push([what, ms(empty), ms(full), ms(full - empty)]);
  }
  if (imports.length > 1) console.log(`\n${table(imports)}`);
  return 0;
}

process.exit(main(process.argv.slice(2)));
