import fc from "fast-check";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type BootCase, boots } from "../arbitraries/boots.ts";
import { encodeInput } from "../codec.ts";
import { digest } from "../digest.ts";
import { property, Violation } from "../property.ts";

const FUZZ = dirname(dirname(fileURLToPath(import.meta.url)));
/** Cases that are handed to another runtime at once: it takes half a second to start. */
const CASES = 60;

/** How each runtime runs a script. */
const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  deno: ["run", "--allow-all", "--no-check", "--quiet"],
  bun: [],
  node: ["--import", "tsx"],
};

/** The runtime that this is. */
const self = "deno" in process.versions ? "deno" : "bun" in process.versions ? "bun" : "node";

function others(): { name: string; command: string }[] {
  const directories = [
    ...(process.env.PATH ?? "").split(delimiter),
    join(FUZZ, "../.cache/bun/node_modules/.bin"),
  ];
  return Object.keys(RUNTIMES).filter((name) => name !== self).flatMap((name) => {
    const found = directories.map((directory) => join(directory, name)).find(existsSync);
    return found ? [{ name, command: found }] : [];
  });
}

export default property({
  name: "stable-runtimes",
  says: "the answer is the same in Deno, Bun and Node: plan, registers, guest memory, refusal",
  // The message names the case: to shrink them all would start a hundred processes
  inputs: fc.noShrink(fc.array(boots, { minLength: CASES, maxLength: CASES, size: "max" })),
  share: 0.001,
  skip: () => others().length === 0 ? `there is no runtime but ${self}` : undefined,
  check(cases: BootCase[], library) {
    const expected = cases.map((boot) => digest(library, boot, (bytes) => bytes));
    const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
    try {
      const [input, output] = [join(directory, "cases.json"), join(directory, "answers.json")];
      writeFileSync(input, encodeInput(cases));
      for (const { name, command } of others()) {
        const args = [...RUNTIMES[name], join(FUZZ, "stable_child.ts"), input, output];
        const run = spawnSync(command, args, { cwd: dirname(FUZZ), encoding: "utf8" });
        if (run.status !== 0) throw new Error(`Cannot run ${name}: ${run.stderr || run.error}`);
        const answers: string[] = JSON.parse(readFileSync(output, "utf8"));
        const at = expected.findIndex((answer, i) => answer !== answers[i]);
        if (at >= 0) {
          throw new Violation(
            `another answer in ${name} than in ${self}`,
            `case ${at}: ${answers[at]}, not ${expected[at]}`,
          );
        }
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
});
