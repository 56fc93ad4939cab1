/**
 * Bun in the cache, for machines that have npm only.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { installFromNpm } from "./npm_cache.ts";
import { ROOT, runStep } from "./steps.ts";

/** The Bun that the tests are known to run in. */
const VERSION = "1.4.5";

/** Where Bun is cached. */
export const BUN_DIRECTORY: string = join(ROOT, ".cache", `bun-${VERSION}`);

/**
 * Looks for Bun where {@linkcode installBun} puts it.
 *
 * @param directory Where to look.
 * @returns Its program, or `undefined` if it is not there.
 */
export function bunIn(directory: string): string | undefined {
  const modules = join(directory, "node_modules");
  const candidates = [join(modules, "bun/bin/bun.exe")];
  // Where npm runs no install scripts, the first one is a stub, or not there
  if (existsSync(join(modules, "@oven"))) {
    const platforms = readdirSync(join(modules, "@oven"));
    candidates.unshift(...platforms.map((name) => join(modules, "@oven", name, "bin/bun")));
  }
  return candidates.find((path) => existsSync(path));
}

/**
 * Installs Bun with npm into the cache. What is there is a whole installation, or nothing.
 *
 * @param log Told what happens.
 * @returns What went wrong, if something did.
 */
export async function installBun(log: (line: string) => void): Promise<string | undefined> {
  log(`Installing bun ${VERSION} with npm into .cache …`);
  return await installFromNpm([`bun@${VERSION}`], BUN_DIRECTORY, async (work) => {
    const command = bunIn(work);
    if (command === undefined) return "npm installed no bun for this machine";
    const { code, output } = await runStep(command, ["--version"], { timeoutMs: 60_000 });
    return code === 0 ? undefined : `it does not run here:\n${output.trimEnd()}`;
  });
}
