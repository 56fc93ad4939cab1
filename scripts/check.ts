/**
 * Everything that can be checked without running the library: `deno task check`.
 *
 * Prints a line for each step, and the output of those that fail. A failed step does not keep the
 * others from running.
 *
 * @module
 */
import process from "node:process";
import { checkLinks, checkTopLevel } from "./check_files.ts";
import { checkLayers, exportedFiles, readGraph } from "./check_layers.ts";
import { checkBrowser, checkExamples, checkPublished } from "./check_package.ts";
import {
  checkCommand,
  type Counts,
  countsLine,
  denoCommand,
  type Finding,
  findingOf,
  seconds,
} from "./steps.ts";

interface Step {
  name: string;
  run: () => Promise<Finding> | Finding;
}

const STEPS: readonly Step[] = [
  { name: "format", run: () => deno("fmt", "--check") },
  { name: "lint", run: checkLint },
  { name: "types", run: () => deno("check", "--quiet", "--frozen") },
  { name: "publish dry run, and what it publishes", run: checkPublished },
  { name: "documentation lint", run: () => deno("doc", "--lint", ...exportedFiles()) },
  { name: "examples in the documentation", run: checkExamples },
  { name: "no globals but a browser's in the library", run: checkBrowser },
  { name: "layers", run: async () => findingOf(checkLayers(await readGraph(), exportedFiles())) },
  { name: "guests are what their sources give", run: checkGuests },
  { name: "top-level entries", run: checkTopLevel },
  { name: "links in *.md", run: checkLinks },
];

/** Two at a time, on two cores. */
const AT_ONCE = 2;

function deno(...args: string[]): Promise<Finding> {
  return checkCommand(denoCommand()!, args);
}

/** A file that the linter cannot parse is a warning to it, and goes unchecked. */
async function checkLint(): Promise<Finding> {
  const finding = await deno("lint");
  return /^warn: /m.test(finding.output ?? "") ? { ...finding, outcome: "failed" } : finding;
}

/** The guests' own check says with a line of its own that it compared no rebuild. */
async function checkGuests(): Promise<Finding> {
  const finding = await deno("run", "--allow-all", "scripts/build_guests.ts", "--check");
  const reason = /^SKIP: (.*)$/m.exec(finding.output ?? "")?.[1];
  const isSkipped = finding.outcome === "passed" && reason !== undefined;
  return isSkipped ? { outcome: "skipped", output: reason } : finding;
}

async function runAndReport({ name, run }: Step): Promise<keyof Counts> {
  const start = performance.now();
  let finding: Finding;
  try {
    finding = await run();
  } catch (error) {
    finding = { outcome: "failed", output: error instanceof Error ? error.message : String(error) };
  }
  const { outcome, output = "" } = finding;
  const word = { passed: "ok", failed: "FAILED", skipped: "skipped" }[outcome];
  const reason = outcome === "skipped" ? `: ${output}` : "";
  console.log(`${word.padEnd(8)}${name} (${seconds(performance.now() - start)})${reason}`);
  if (outcome === "failed") console.log(`\n${output.trimEnd()}\n`);
  return outcome;
}

async function main(): Promise<number> {
  if (denoCommand() === undefined) {
    console.error("Cannot check: deno is not on PATH");
    return 1;
  }
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const queue = [...STEPS];
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      counts[await runAndReport(step)]++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log(`\n${countsLine(counts)}`);
  return counts.failed === 0 ? 0 : 1;
}

process.exit(await main());
