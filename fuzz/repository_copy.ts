/**
 * Copies of the repository in which a fault is planted: the tree itself is never touched.
 *
 * @module
 */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** A fault that a copy has and the library has not. */
export interface Patch {
  /** The file, from the root on. */
  readonly file: string;
  /** What is replaced, and by what. */
  readonly find: string;
  readonly replace: string;
}

/**
 * Copies the library and what fuzzes it. Packages are those of the repository itself.
 *
 * @param directory Where to: an empty directory.
 * @param more What else is copied, from the root on.
 */
export function copyRepository(directory: string, more: readonly string[] = []): void {
  for (const part of ["mod.ts", "src", "fuzz", ...more]) {
    cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
}

/**
 * Applies a patch to a text.
 *
 * @param text The file's text.
 * @param patch The patch.
 * @returns The text with the fault.
 * @throws {Error} If what is replaced is not there, or there more than once.
 */
export function patched(text: string, { file, find, replace }: Patch): string {
  const at = text.indexOf(find);
  if (at < 0) throw new Error(`Cannot patch ${file}: there is no ${find}`);
  if (text.indexOf(find, at + 1) >= 0) {
    throw new Error(`Cannot patch ${file}: there is more than one ${find}`);
  }
  return text.slice(0, at) + replace + text.slice(at + find.length);
}

/**
 * Applies patches to the files of a copy.
 *
 * @param directory The copy.
 * @param patches The patches.
 */
export function patchFiles(directory: string, patches: readonly Patch[]): void {
  for (const patch of patches) {
    const path = join(directory, patch.file);
    writeFileSync(path, patched(readFileSync(path, "utf8"), patch));
  }
}
