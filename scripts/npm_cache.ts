/**
 * Packages from npm in the cache, for what is used now and then: they are in no lock file, and not in
 * node_modules.
 *
 * @module
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { findOnPath } from "./children.ts";
import { ROOT, runStep } from "./steps.ts";
import { makeWorkDirectory } from "./work_directory.ts";

const INSTALL_MS = 300_000;

/**
 * Installs packages with npm into a directory. What is there is a whole installation, or nothing.
 *
 * @param packages Names with exact versions.
 * @param directory Where to.
 * @param check Looks at the installation before it takes its place; says what is wrong with it.
 * @returns What went wrong, if something did.
 */
export async function installFromNpm(
  packages: readonly string[],
  directory: string,
  check: (work: string) => Promise<string | undefined> | string | undefined,
): Promise<string | undefined> {
  const npm = findOnPath("npm");
  if (npm === undefined) return "there is no npm to install it with";
  const work = makeWorkDirectory(join(ROOT, ".cache/tmp"));
  try {
    const args = ["install", "--prefix", work, "--no-audit", "--no-fund", ...packages];
    const installed = await runStep(npm, args, { timeoutMs: INSTALL_MS });
    if (installed.code !== 0) return `npm failed:\n${installed.output.trimEnd()}`;
    const wrong = await check(work);
    if (wrong !== undefined) return wrong;
    mkdirSync(dirname(directory), { recursive: true });
    rmSync(directory, { recursive: true, force: true });
    renameSync(work, directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
