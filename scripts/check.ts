/**
 * Everything that can be checked without running the library: `deno task check`.
 *
 * Prints a line for each step, and the output of the steps that fail. A failed step does not keep
 * the others from running.
 *
 * @module
 */
import process from "node:process";
import { checkLinks, checkTopLevel } from "./check_files.ts";
import { checkLayers, exportedFiles, readGraph } from "./check_layers.ts";
import { checkBrowser, checkExamples, checkPublished } from "./check_package.ts";
import { type Counts, countsLine, denoCommand, runStep, seconds } from "./steps.ts";

/** How long a step may take. */
const TIMEOUT_MS = 300_000;
/** The checks are small, and keep about one core busy each. */
const AT_ONCE = 2;

/** What a step found. */
export interface Finding {
  outcome: keyof Counts;
  /** Why it was skipped, or what is wrong. */
  output?: string;
}

interface Step {
  name: string;
  run: () => Promise<Finding> | Finding;
}

const STEPS: readonly Step[] = [
  { name: "format", run: () => deno("fmt", "--check") },
  { name: "lint", run: () => deno("lint") },
  { name: "types", run: () => deno("check", "--frozen") },
  { name: "publish dry run", run: () => deno("publish", "--dry-run", "--allow-dirty") },
  { name: "published files", run: checkPublished },
  { name: "documentation lint", run: () => deno("doc", "--lint", ...exportedFiles()) },
  { name: "examples in the documentation", run: checkExamples },
  { name: "only a browser's globals in the library", run: checkBrowser },
  { name: "layers", run: async () => findings(checkLayers(await readGraph(), exportedFiles())) },
  { name: "guests are what their sources give", run: checkGuests },
  { name: "top-level entries", run: checkTopLevel },
  { name: "links in *.md", run: checkLinks },
];

/**
 * A finding from lines about what is wrong.
 *
 * @param lines A line each; none if all is well.
 * @returns The finding.
 */
export function findings(lines: readonly string[]): Finding {
  return lines.length === 0
    ? { outcome: "passed" }
    : { outcome: "failed", output: lines.join("\n") };
}
