/**
 * Sets up what the whole gate needs besides Node and npm: `deno task setup`.
 *
 * Bun goes into .cache; compilers and dtc are installed where that is safe (root on Debian or
 * Ubuntu). Without them nothing breaks: tests and checks that need one are skipped, with the reason.
 *
 * @module
 */
import process from "node:process";
import { findToolchain } from "./build_guests.ts";
import { findOnPath } from "./children.ts";
import { ensureTools, type Tool } from "./setup.ts";
import { BUN_DIRECTORY, bunIn, installBun } from "./setup_bun.ts";
import { type Counts, countsLine } from "./steps.ts";

/** What rebuilds the guests of kernels/. */
const COMPILERS: readonly Tool[] = [
  { name: "clang", packages: { apt: "clang", dnf: "clang", pacman: "clang", brew: "llvm" } },
  { name: "ld.lld", packages: { apt: "lld", dnf: "lld", pacman: "lld", brew: "lld" } },
  // Stands for llvm-objcopy of the same package, which prints no version on its first line
  { name: "llvm-config", packages: { apt: "llvm", dnf: "llvm", pacman: "llvm", brew: "llvm" } },
];

/** What device trees are compared with. */
const DTC: Tool = {
  name: "dtc",
  packages: { apt: "device-tree-compiler", dnf: "dtc", pacman: "dtc", brew: "dtc" },
};

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const report = (outcome: keyof Counts, line: string): void => {
  counts[outcome]++;
  console.log(line);
};

const bun = findOnPath("bun") ?? bunIn(BUN_DIRECTORY);
const trouble = bun === undefined ? await installBun(console.log) : undefined;
if (trouble === undefined) report("passed", `bun: ${bun ?? bunIn(BUN_DIRECTORY)}`);
else report("failed", `bun: FAILED: ${trouble}`);

const hasCompilers = "commands" in findToolchain();
if (hasCompilers) report("passed", "compilers: there");
for (
  const state of await ensureTools([...hasCompilers ? [] : COMPILERS, DTC], { log: console.log })
) {
  const { name, path, version, missing, failed } = state;
  if (path !== undefined) report("passed", `${name}: ${version}, ${path}`);
  else if (missing !== undefined) report("skipped", `${name}: ${missing.reason}. ${missing.hint}`);
  else {report(
      "failed",
      [`${name}: FAILED: ${failed?.reason}`, ...failed?.lines ?? []].join("\n  "),
    );}
}
console.log(`\n${countsLine(counts)}`);
process.exit(counts.failed === 0 ? 0 : 1);
