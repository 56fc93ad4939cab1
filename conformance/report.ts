/** The counts of a run, and its results as JSON. */
import { writeJsonFile } from "../scripts/json_file.ts";
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
 * Writes a report as JSON, without plans and serial logs. The file is whole or not there.
 *
 * @param path The file.
 * @param report The report.
 * @throws {Error} If it cannot be written.
 */
export function writeJson(path: string, report: RunReport): void {
  writeJsonFile(path, { ...report, cases: report.cases.map(withoutEvidence) });
}
