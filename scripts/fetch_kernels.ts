/**
 * Fetches Debian kernels into the cache, and prints what is there: id, architecture, version, path.
 *
 *     deno run -A scripts/fetch_kernels.ts [--arch A] [--series S] [--cache DIR] [--refresh]
 *
 * @module
 */
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli/parse-args";
import { catalogue, fetchKernel, type KernelRow } from "./debian_kernels.ts";

const USAGE = `Usage: deno run -A scripts/fetch_kernels.ts [options]

  --arch A      only this architecture: x86_64, aarch64, i386, riscv64
  --series S    only this series: 6.1, 6.12
  --cache DIR   the cache (default: .cache)
  --refresh     look for newer versions than the cached ones`;

/** Exit codes: nothing fetched that was wanted, or a mistake in the arguments. */
const FAILED = 1;
const MISUSED = 2;
/** What a shell makes of a program that SIGINT ended. */
const INTERRUPTED = 130;

/** The rows that the arguments ask for. */
function choose(arch?: string, series?: string): KernelRow[] {
  return catalogue.filter((row) =>
    (arch === undefined || row.arch === arch) &&
    (series === undefined || row.series === series)
  );
}

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const options = parseArgs(args, {
    string: ["arch", "series", "cache"],
    boolean: ["refresh", "help"],
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const rows = choose(options.arch, options.series);
  if (unknown.length > 0 || rows.length === 0) {
    const what = unknown.length > 0 ? `unknown: ${unknown.join(" ")}` : "no kernel matches";
    console.error(`Cannot fetch kernels: ${what}\n\n${USAGE}`);
    return MISUSED;
  }

  const cacheDir = options.cache ?? join(dirname(fileURLToPath(import.meta.url)), "../.cache");
  const controller = new AbortController();
  const stop = () => controller.abort(new Error("interrupted"));
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, stop);
  const log = (line: string) => console.error(line);

  let code = 0;
  for (const row of rows) {
    try {
      const { signal } = controller;
      const { refresh } = options;
      const result = await fetchKernel(cacheDir, row.id, row.arch, { log, signal, refresh });
      if (result.unavailable === undefined) {
        console.log(`${row.id}\t${row.arch}\t${result.version}\t${result.path}`);
        continue;
      }
      const { reason, hint } = result.unavailable;
      console.error(`Cannot fetch ${row.id} for ${row.arch}: ${reason}; ${hint}`);
    } catch (error) {
      if (controller.signal.aborted) return INTERRUPTED;
      console.error(error instanceof Error ? error.message : String(error));
    }
    code = FAILED;
  }
  return code;
}

process.exit(await main(process.argv.slice(2)));
