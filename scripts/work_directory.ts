/**
 * Directories for unfinished work: one for each process, so that two never meet.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A leftover of a process on another machine is that of a dead one after this, in milliseconds. */
const LEFTOVER_MS = 24 * 3600 * 1000;

/**
 * Makes a directory of this process's own, and removes those that killed processes have left.
 *
 * @param parent Where to make it.
 * @returns The path of the new directory. Its maker removes it.
 */
export function makeWorkDirectory(parent: string): string {
  mkdirSync(parent, { recursive: true });
  const mine = `work-${hostname()}-`;
  for (const name of readdirSync(parent)) {
    if (!name.startsWith("work-")) continue;
    const path = join(parent, name);
    const pid = name.startsWith(mine) ? /^(\d+)-/.exec(name.slice(mine.length))?.[1] : undefined;
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    const isLeft = pid === undefined ? Date.now() - modified > LEFTOVER_MS : !isAlive(Number(pid));
    try {
      if (isLeft) rmSync(path, { recursive: true, force: true });
    } catch {
      // It is another user's, or another process removes it at this moment
    }
  }
  return mkdtempSync(join(parent, `${mine}${process.pid}-`));
}

/** Whether there is a process of that number. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH"; // EPERM: it is another user's
  }
}
