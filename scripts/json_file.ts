/**
 * Results as JSON in a file: whole or not there, and known to be possible before the run.
 *
 * @module
 */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";

/**
 * Checks that results may be written to a file: before a run, which would else be in vain.
 *
 * @param path The file; it need not exist.
 * @throws {Error} If it is a directory, or cannot be written.
 */
export function checkJsonPlace(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`Cannot write results to ${path}: it is a directory`);
  }
  const partial = partialOf(path);
  try {
    writeFileSync(partial, "");
    rmSync(partial);
  } catch (cause) {
    throw cannot(path, cause);
  }
}

/**
 * Writes a value as JSON. The file is written beside and then renamed.
 *
 * @param path The file.
 * @param value The value.
 * @throws {Error} If it cannot be written.
 */
export function writeJsonFile(path: string, value: unknown): void {
  const partial = partialOf(path);
  try {
    writeFileSync(partial, `${JSON.stringify(value, null, 2)}\n`);
    renameSync(partial, path);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw cannot(path, cause);
  }
}

/** Beside it, so that a rename is enough. */
const partialOf = (path: string): string => `${path}.${process.pid}.partial`;

const cannot = (path: string, cause: unknown): Error =>
  new Error(`Cannot write results to ${path}: ${(cause as Error).message}`, { cause });
