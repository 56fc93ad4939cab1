/**
 * Faults that nobody chose: a sample of what Stryker's mutators make of src/.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findOnPath } from "../../scripts/children.ts";
import { installFromNpm } from "../../scripts/npm_cache.ts";
import { runStep } from "../../scripts/steps.ts";
import { ROOT } from "../repository_copy.ts";
import type { StrykerMutant, StrykerRequest } from "./stryker_child.ts";
import type { Fault, Stage } from "./workplace.ts";

/** The last version that runs in Node 20. */
const VERSION = "9.6.1";
const INSTRUMENTER = `@stryker-mutator/instrumenter@${VERSION}`;
const DIRECTORY = join(ROOT, ".cache", `stryker-${VERSION}`);
/** Texts of errors, nearly all of them, on which nothing should depend. */
const EXCLUDED = "StringLiteral";
const GENERATE_MS = 300_000;
const TESTS_MS = 300_000;

/**
 * Makes a sample, the same one for the same seed; what changes in one place of a file does not change
 * what is chosen elsewhere.
 *
 * @param count How many; fewer if there are fewer.
 * @param seed The seed.
 * @returns The faults, or why there are none.
 */
export async function generatedFaults(count: number, seed: number): Promise<Fault[] | string> {
  const node = findOnPath("node");
  if (node === undefined) return "there is no node to run Stryker in";
  if (!existsSync(DIRECTORY)) {
    console.log(`Installing ${INSTRUMENTER} with npm into .cache …`);
    const isThere = (work: string) => existsSync(join(work, "node_modules/@stryker-mutator"));
    const wrong = await installFromNpm([INSTRUMENTER], DIRECTORY, (work) => {
      return isThere(work) ? undefined : "npm installed no Stryker";
    });
    if (wrong !== undefined) return wrong;
  }
  const work = mkdtempSync(join(tmpdir(), "fuzz-stryker-"));
  try {
    const output = join(work, "mutants.json");
    const files = sourceFiles().map((name) => ({ name, path: join(ROOT, name) }));
    const request: StrykerRequest = { directory: DIRECTORY, files, output };
    const child = join(ROOT, "fuzz/mutants/stryker_child.ts");
    const args = ["--import", "tsx", child, JSON.stringify(request)];
    const made = await runStep(node, args, { timeoutMs: GENERATE_MS });
    if (made.code !== 0) return `Stryker failed:\n${made.output.trimEnd()}`;
    const mutants = (JSON.parse(readFileSync(output, "utf8")) as StrykerMutant[])
      .filter(({ mutatorName }) => mutatorName !== EXCLUDED);
    const order = (fault: Fault) => hashOf(`${seed} ${fault.id}`);
    return faultsOf(mutants)
      .map((fault) => ({ fault, order: order(fault) }))
      .sort((a, b) => a.order < b.order ? -1 : 1)
      .slice(0, count)
      .map(({ fault }) => fault);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * What a generated fault is run against: a short look by the suite, the tests of its room, all tests
 * of the library, then the suite as long as is asked for.
 *
 * @param suite The suite at its full length.
 * @returns The stages.
 */
export function generatedStages(suite: Stage & { kind: "fuzz" }): Stage[] {
  const { seed, rounds } = suite.options;
  const tests = (files: (file: string) => readonly string[]): Stage => {
    return { kind: "tests", files, timeoutMs: TESTS_MS };
  };
  return [
    { ...suite, options: { seed, rounds: rounds.slice(0, 2) } },
    tests((file) => testsIn(dirname(file))),
    tests((file) => testsIn("src", true).filter((test) => dirname(test) !== dirname(file))),
    { ...suite, options: { seed, rounds: rounds.slice(2) } },
  ];
}

function sourceFiles(): string[] {
  return filesIn("src", true).filter((file) => !/_(test|bench)\.ts$/.test(file));
}

function testsIn(directory: string, recursive = false): string[] {
  if (!directory.startsWith("src")) return [];
  return filesIn(directory, recursive).filter((file) => file.endsWith("_test.ts"));
}

function filesIn(directory: string, recursive: boolean): string[] {
  return readdirSync(join(ROOT, directory), { recursive, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${directory}/${file}`)
    .sort();
}

/** Names are made of the line's text, not its number: they last while the line does. */
function faultsOf(mutants: readonly StrykerMutant[]): Fault[] {
  const texts = new Map<string, { text: string; lines: number[] }>();
  const seen = new Map<string, number>();
  return mutants.map(({ fileName: file, mutatorName, replacement, location: { start, end } }) => {
    let known = texts.get(file);
    if (known === undefined) {
      const text = readFileSync(join(ROOT, file), "utf8");
      const lines = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
      texts.set(file, known = { text, lines });
    }
    const { text, lines } = known;
    const from = lines[start.line] + start.column;
    const to = lines[end.line] + end.column;
    const line = text.slice(lines[start.line], lines[start.line + 1]).trim();
    const what = `${oneLine(text.slice(from, to))} → ${oneLine(replacement)}, in: ${line}`;
    const key = `${file} ${mutatorName} ${what}`;
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    const id = `${file.slice("src/".length)}:${mutatorName}:${hashOf(`${key} ${nth}`)}`;
    return {
      id,
      file,
      what,
      plant: (now) => {
        if (now !== text) throw new Error(`Cannot plant ${id}: ${file} has changed meanwhile`);
        return text.slice(0, from) + replacement + text.slice(to);
      },
    };
  });
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
