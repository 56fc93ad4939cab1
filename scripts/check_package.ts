/**
 * Checks of the package: what is published, what its documentation shows, what it needs to run.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { markdownFiles } from "./check_files.ts";
import { exportedFiles, type Graph, readGraph } from "./check_layers.ts";
import { checkCommand, denoCommand, type Finding, findingOf, ROOT } from "./steps.ts";

/** What is published; nothing else is. */
const PUBLISHED =
  /^(mod\.ts|src\/.*\.ts|deno\.json|README\.md|LICENSE|CHANGELOG\.md|PORTING\.md|SECURITY\.md)$/;
const NOT_PUBLISHED = /_(test|bench)\.ts$/;
/** What may use more than a browser has. */
const BEYOND_BROWSERS = /^src\/files\.ts/;

/**
 * Dry-runs publishing, and checks which files it would publish.
 *
 * @returns What it found.
 */
export async function checkPublished(): Promise<Finding> {
  const dryRun = await checkCommand(denoCommand()!, ["publish", "--dry-run", "--allow-dirty"]);
  if (dryRun.outcome === "failed") return dryRun;
  const urls = (dryRun.output ?? "").matchAll(/^\s+(file:\/\/\/\S+) \(/gm);
  const base = pathToFileURL(ROOT + "/").href;
  const files = [...urls].map(([, url]) => decodeURI(url.replace(base, "")));
  return findingOf(publishedOffences(files, await readGraph(), exportedFiles()));
}

/**
 * Checks a list of files to publish.
 *
 * @param files The files, relative to the root.
 * @param graph Who imports whom.
 * @param doors The files that `exports` names.
 * @returns A line for each offence.
 */
export function publishedOffences(
  files: readonly string[],
  graph: Graph,
  doors: readonly string[],
): string[] {
  const lines = files.filter((file) => !PUBLISHED.test(file) || NOT_PUBLISHED.test(file))
    .map((file) => `${file} would be published, and should not`);
  const needed = new Set(doors);
  for (const file of needed) graph.get(file)?.forEach((target) => needed.add(target));
  for (const file of needed) {
    if (/^[a-z]+:/.test(file) || files.includes(file)) continue;
    lines.push(`${file} is needed by an entry point, and would not be published`);
  }
  return lines;
}

/** An example declares what it does not use: unused locals and imports are no faults of it. */
const ONLY_UNUSED = /^TS(6133|6192|6196|6198) \[ERROR\]/;

/**
 * Type-checks the code in the library's documentation and in *.md.
 *
 * @returns What it found.
 */
export async function checkExamples(): Promise<Finding> {
  const files = [...libraryFiles(), ...markdownFiles()];
  const finding = await checkCommand(denoCommand()!, ["check", "--quiet", "--doc-only", ...files]);
  if (finding.outcome === "passed") return finding;
  const errors = exampleErrors(finding.output ?? "");
  // Where nothing is known to be harmless, all of it counts
  return errors === undefined ? finding : findingOf(errors);
}

/**
 * The errors that matter in what `deno check` says about examples.
 *
 * @param output What it says.
 * @returns Those errors; `undefined` if it failed for another reason than errors of types.
 */
export function exampleErrors(output: string): string[] | undefined {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const errors = plain.split(/\n\n+/).filter((block) => /^TS\d+ \[ERROR\]/.test(block));
  if (errors.length === 0) return undefined;
  return errors.filter((error) => !ONLY_UNUSED.test(error));
}

/**
 * Type-checks the library with nothing in scope but what browsers have, so that `Deno`, `process`
 * and `Buffer` are errors.
 *
 * @returns What it found.
 */
export async function checkBrowser(): Promise<Finding> {
  const files = libraryFiles().filter((file) => !BEYOND_BROWSERS.test(file));
  const work = mkdtempSync(join(tmpdir(), "check-config-"));
  try {
    const config = join(work, "deno.json");
    const compilerOptions = { strict: true, erasableSyntaxOnly: true, lib: ["esnext", "dom"] };
    const { imports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
    const whole = { compilerOptions, imports, lock: false, nodeModulesDir: "none" };
    writeFileSync(config, JSON.stringify(whole));
    return await checkCommand(denoCommand()!, ["check", "--quiet", "--config", config, ...files]);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The library's files without its tests, relative to the root. */
function libraryFiles(): string[] {
  const names = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const isLibrary = (name: string) => name.endsWith(".ts") && !NOT_PUBLISHED.test(name);
  return ["mod.ts", ...names.filter(isLibrary).map((name) => `src/${name}`).sort()];
}
