/** The counts of a run, and its results as JSON. */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { CaseResult } from "./case.ts";

/** A whole run. */
export interface RunReport {
  /** Every case that ran or was skipped. */
  readonly cases: readonly CaseResult[];
  /** pass. */
  readonly passed: number;
  /** fail, xpass, timeout, broken, and skips that are not allowed. */
  readonly failed: number;
  /** skip and xfail. */
  readonly skipped: number;
}

/**
 * Counts results.
 *
 * @param cases The results.
 * @param isRed Whether a result makes the run red.
 * @returns The report.
 */
export function reportOf(
  cases: readonly CaseResult[],
  isRed: (result: CaseResult) => boolean,
): RunReport {
  const failed = cases.filter(isRed).length;
  const passed = cases.filter(({ outcome }) => outcome === "pass").length;
  return { cases, passed, failed, skipped: cases.length - passed - failed };
}

/** What a report of its own shows of a case, and would make these results ten times as large. */
function withoutEvidence({ plan: _, serial: __, ...rest }: CaseResult): CaseResult {
  return rest;
}

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

/** Beside it, so that a rename is enough. */
const partialOf = (path: string): string => `${path}.${process.pid}.partial`;

const cannot = (path: string, cause: unknown): Error =>
  new Error(`Cannot write results to ${path}: ${(cause as Error).message}`, { cause });

/**
 * Writes a report as JSON, without plans and serial logs. The file is whole or not there: it is written beside and then renamed.
 *
 * @param path The file.
 * @param report The report.
 * @throws {Error} If it cannot be written.
 */
export function writeJson(path: string, report: RunReport): void {
  const partial = partialOf(path);
  try {
    const slim = { ...report, cases: report.cases.map(withoutEvidence) };
    writeFileSync(partial, `${JSON.stringify(slim, null, 2)}\n`);
    renameSync(partial, path);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw cannot(path, cause);
  }
}
