/**
 * Runs the tests, the same files in Deno, Bun and Node.
 *
 * ```sh
 * deno task test [--runtime deno|bun|node]... [--filter TEXT] [--no-skip]
 * ```
 *
 * A runtime that is not there is skipped, with the reason. Each runner's own report is counted; the
 * last line is the sum over the runtimes.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { countJunit } from "./junit.ts";
import { findRuntime, type RuntimeName } from "./runtimes.ts";
import { type Counts, countsLine, denoCommand, ROOT, runStep, seconds } from "./steps.ts";

const USAGE = `Usage: deno task test [options]

  --runtime NAME   only this runtime: deno, bun or node; may be given more than once
  --filter TEXT    only the test files whose path contains TEXT
  --no-skip        a runtime that is not there is a failure
  --timeout S      how long each runtime may take, in seconds (default: 600)`;

/** Where tests are. */
const DIRECTORIES = ["src", "conformance", "fuzz", "scripts"];
/** How long a single test may take in Bun, whose default of 5 s the other two do not share. */
const BUN_TEST_MS = 120_000;
/** Two at a time take two thirds of the time of one after another on two cores (measured). */
const AT_ONCE = 2;
const MISUSED = 2;

/** A runtime that can run the tests. */
interface Runtime {
  name: RuntimeName;
  /** The arguments that run `files` and write a JUnit report to `report`. */
  args: (files: readonly string[], report: string) => string[];
  /** What matters in its output when something failed. */
  failures: (output: string) => string;
}

/** The slowest first: it runs beside the other two. */
const RUNTIMES: readonly Runtime[] = [
  {
    name: "node",
    args: (files, report) => [
      ...[
        "--import",
        "tsx",
        "--test",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
      ],
      ...["--test-reporter=junit", `--test-reporter-destination=${report}`, ...files],
    ],
    // Its own list of failures lacks what a file that does not load has to say
    failures: (output) => output.replace(/^\s*[✔▶﹣] .*\n/gm, ""),
  },
  {
    name: "deno",
    args: (files, report) => [
      ...["test", "--allow-all", "--no-check", "--quiet", "--reporter=dot"],
      ...[`--junit-path=${report}`, ...files],
    ],
    failures: (output) => output.slice(Math.max(output.indexOf(" ERRORS "), 0)),
  },
  {
    name: "bun",
    args: (files, report) => [
      ...["test", "--only-failures", `--timeout=${BUN_TEST_MS}`, "--reporter=junit"],
      // Without ./ it takes them for patterns
      ...[`--reporter-outfile=${report}`, ...files.map((file) => `./${file}`)],
    ],
    failures: (output) => output,
  },
];

/** The test files, relative to the root. */
function testFiles(filter: string): string[] {
  const files = DIRECTORIES.filter((directory) => existsSync(join(ROOT, directory)))
    .flatMap((directory) =>
      readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })
        .map((file) => `${directory}/${file}`)
    );
  return files.filter((file) => file.endsWith("_test.ts") && file.includes(filter)).sort();
}

/** Runs the files in one runtime, prints how that went, and counts. */
async function runIn(
  runtime: Runtime,
  files: readonly string[],
  timeoutMs: number,
  reports: string,
  noSkip: boolean,
): Promise<Counts> {
  const found = await findRuntime(runtime.name);
  if (found.reason !== undefined) {
    console.log(`${runtime.name}: ${noSkip ? "FAILED" : "skipped"}: ${found.reason}`);
    return { passed: 0, failed: noSkip ? 1 : 0, skipped: noSkip ? 0 : 1 };
  }
  const name = `${runtime.name} ${found.version}`;
  console.log(`${name}: ${files.length} files …`);
  const report = join(reports, `${runtime.name}.xml`);
  const deno = denoCommand();
  const env: Record<string, string> = deno === undefined ? {} : { DENO_EXEC: deno };
  const result = await runStep(found.command, runtime.args(files, report), { env, timeoutMs });
  const counts = existsSync(report)
    ? countJunit(readFileSync(report, "utf8"))
    : { passed: 0, failed: 0, skipped: 0 };

  let trouble: string | undefined;
  if (result.timedOut) trouble = `stopped after ${seconds(result.ms)}`;
  else if (result.code !== 0) trouble = `exit code ${result.code}`;
  else if (counts.failed > 0) trouble = "the report and the exit code disagree";
  else if (counts.passed === 0) trouble = "no test ran";
  if (trouble !== undefined) {
    counts.failed ||= 1; // a file that does not load, or a hook, is in no report
    console.log(`\n${name}: FAILED: ${trouble}\n${runtime.failures(result.output).trimEnd()}\n`);
  }
  console.log(`${name}: ${countsLine(counts)} (${seconds(result.ms)})`);
  return counts;
}

async function main(args: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const options = parseArgs([...args], {
    string: ["runtime", "filter", "timeout"],
    boolean: ["no-skip", "help"],
    collect: ["runtime"],
    default: { filter: "", timeout: "600" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const wanted: string[] = options.runtime.length > 0
    ? options.runtime
    : RUNTIMES.map(({ name }) => name);
  const runtimes = RUNTIMES.filter(({ name }) => wanted.includes(name));
  unknown.push(...wanted.filter((name) => RUNTIMES.every((one) => one.name !== name)));
  const timeoutMs = Number(options.timeout) * 1000;
  if (!(timeoutMs > 0)) unknown.push(`--timeout ${options.timeout}`);
  if (unknown.length > 0) {
    console.error(`Cannot run tests: unknown: ${unknown.join(" ")}\n\n${USAGE}`);
    return MISUSED;
  }
  const files = testFiles(options.filter);
  if (files.length === 0) {
    console.error(`Cannot run tests: no test file's path contains "${options.filter}"`);
    return MISUSED;
  }

  const reports = mkdtempSync(join(tmpdir(), "test-reports-"));
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  let ran = 0;
  try {
    const queue = [...runtimes];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const counts = await runIn(next, files, timeoutMs, reports, options["no-skip"]);
        for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key];
        ran += counts.passed + counts.failed;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  console.log(`\n${countsLine(total)}`);
  return total.failed === 0 && ran > 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
