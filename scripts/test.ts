/**
 * Runs the tests, the same files in Deno, Bun and Node.
 *
 * ```sh
 * deno task test [--runtime deno|bun|node]... [--filter TEXT] [--no-skip]
 * ```
 *
 * A runtime that is not there is skipped, with the reason. On a terminal, a line says what runs and
 * how many tests have passed so far. Each runner's own report is counted; the last line is the sum
 * over the runtimes.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { countJunit } from "./junit.ts";
import { LiveLine } from "./live.ts";
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
  /** A line that says that a test passed. */
  passed: RegExp;
  /** A line that says what runs from now on. */
  runs: RegExp;
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
    passed: /^\s+✔ /,
    runs: /^▶ (.*)/,
    // Its own list of failures lacks what a file that does not load has to say
    failures: (output) => output.replace(/^\s*[✔▶﹣] .*\n/gm, ""),
  },
  {
    name: "deno",
    args: (files, report) => [
      ...["test", "--allow-all", "--no-check", "--quiet"],
      ...[`--junit-path=${report}`, ...files],
    ],
    passed: /^\s+.* \.\.\. ok /,
    runs: /^running .* from \.\/(.*)/,
    failures: (output) => {
      const errors = output.indexOf(" ERRORS ");
      return errors >= 0 ? output.slice(errors) : output.replace(/^.* \.\.\.( .*ok\b.*)?\n/gm, "");
    },
  },
  {
    name: "bun",
    args: (files, report) => [
      ...["test", `--timeout=${BUN_TEST_MS}`, "--reporter=junit"],
      // Without ./ it takes them for patterns
      ...[`--reporter-outfile=${report}`, ...files.map((file) => `./${file}`)],
    ],
    passed: /^\(pass\) /,
    runs: /^(\S+_test\.ts):$/,
    failures: (output) =>
      output.replace(/^\(pass\) .*\n/gm, "").replace(/^\S+_test\.ts:\n\s*(?=\S+_test\.ts:)/gm, ""),
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

/** What runs now: a line for all runtimes. */
class Board {
  readonly live = new LiveLine();
  readonly #running = new Map<string, { passed: number; at: string }>();

  /** Takes note of a line of a runtime's output. */
  note({ name, passed, runs }: Runtime, line: string): void {
    const state = this.#running.get(name) ?? { passed: 0, at: "" };
    this.#running.set(name, state);
    if (passed.test(line)) state.passed++;
    else state.at = runs.exec(line)?.[1] ?? state.at;
    this.live.show(
      [...this.#running].map(([name, { passed, at }]) => `${name}: ${passed} passed, ${at}`)
        .join(" | "),
    );
  }

  /** A runtime has ended. */
  end({ name }: Runtime): void {
    this.#running.delete(name);
  }
}

/** Runs the files in one runtime, prints how that went, and counts. */
async function runIn(
  runtime: Runtime,
  files: readonly string[],
  timeoutMs: number,
  reports: string,
  noSkip: boolean,
  board: Board,
): Promise<Counts> {
  const print = (text: string) => board.live.print(text);
  const found = await findRuntime(runtime.name);
  if (found.reason !== undefined) {
    print(`${runtime.name}: ${noSkip ? "FAILED" : "skipped"}: ${found.reason}`);
    return { passed: 0, failed: noSkip ? 1 : 0, skipped: noSkip ? 0 : 1 };
  }
  const name = `${runtime.name} ${found.version}`;
  print(`${name}: ${files.length} files …`);
  const report = join(reports, `${runtime.name}.xml`);
  const deno = denoCommand();
  const env: Record<string, string> = deno === undefined ? {} : { DENO_EXEC: deno };
  const result = await runStep(found.command, runtime.args(files, report), {
    env,
    timeoutMs,
    onLine: (line) => board.note(runtime, line),
  });
  board.end(runtime);
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
    print(`\n${name}: FAILED: ${trouble}\n${runtime.failures(result.output).trimEnd()}\n`);
  }
  print(`${name}: ${countsLine(counts)} (${seconds(result.ms)})`);
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
  const board = new Board();
  let ran = 0;
  try {
    const queue = [...runtimes];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const counts = await runIn(next, files, timeoutMs, reports, options["no-skip"], board);
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
