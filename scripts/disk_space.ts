/**
 * Full disks: whether one is behind a failure, and what to say then.
 *
 * @module
 */
import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { megabytes } from "./private_apt.ts";

/** With less than this, a program that stopped in the middle of a file has met the end of the disk. */
const NEARLY_NOTHING = 1 << 16;
/** What Node, APT and tar say of it. */
const TOLD = /ENOSPC|EDQUOT|no space left|enough free space|quota exceeded/i;

/**
 * How much can be written to a directory.
 *
 * @param directory The directory; it need not be there yet.
 * @returns Bytes; infinity where the file system has no size, such as /proc.
 */
export function freeBytes(directory: string): number {
  let there = resolve(directory);
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize, blocks } = statfsSync(there);
  return blocks === 0 ? Infinity : bavail * bsize;
}

/**
 * Whether a failure came of a full disk.
 *
 * @param message What was said of it.
 * @param free Bytes that can still be written, measured before anything was removed.
 * @returns True if it did.
 */
export function isDiskFull(message: string, free: number): boolean {
  return TOLD.test(message) || free < NEARLY_NOTHING;
}

/**
 * The sentence about a full disk.
 *
 * @param directory What lies on it.
 * @param free Bytes that can still be written.
 * @param wanted How many are wanted at least.
 * @returns It.
 */
export function diskFull(directory: string, free: number, wanted: number): string {
  return `the disk of ${resolve(directory)} is full: ${megabytes(free)} are free, some ` +
    `${megabytes(wanted)} are wanted; make room there`;
}
