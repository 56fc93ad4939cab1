/** Writes a report's directory: whole, or not at all. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import type { ReportDocument } from "./document.ts";
import { renderJunit } from "./junit.ts";
import { renderPage } from "./page.ts";
import { renderTap } from "./tap.ts";

/** The files of a report, and what makes them. */
const FILES: { readonly [name: string]: (document: ReportDocument) => string } = {
  "report.json": (document) => `${JSON.stringify(document, null, 1)}\n`,
  "report.tap": renderTap,
  "junit.xml": renderJunit,
  "index.html": renderPage,
};

/** The name of the file that {@linkcode parseDocument} reads. */
export const DOCUMENT_FILE = "report.json";

/**
 * Checks that a report may be written to a directory: before a run, which would else be in vain.
 *
 * @param directory The directory; it need not exist, and may hold an earlier report.
 * @throws {Error} If it holds anything else, is no directory, or cannot be made.
 */
export function checkReportPlace(directory: string): void {
  const others = entriesOf(directory).filter((name) => !(name in FILES));
  if (others.length > 0) {
    throw new Error(
      `Cannot write a report to ${directory}: it holds ${
        others[0]
      }, and a report replaces all of it`,
    );
  }
  const partial = partialOf(directory);
  try {
    mkdirSync(partial, { recursive: true });
    rmSync(partial, { recursive: true });
  } catch (cause) {
    throw cannot(directory, cause);
  }
}

function entriesOf(directory: string): string[] {
  if (!existsSync(directory)) return [];
  try {
    return readdirSync(directory);
  } catch (cause) {
    throw cannot(directory, cause);
  }
}

/** Beside it, so that a rename is enough. */
function partialOf(directory: string): string {
  return `${resolve(directory)}.${process.pid}.partial`;
}

const cannot = (directory: string, cause: unknown): Error =>
  new Error(`Cannot write a report to ${directory}: ${(cause as Error).message}`, { cause });

/**
 * Writes a report: into a directory beside, which is then renamed. What is seen under the name is the
 * report before, or this one, and never a part.
 *
 * @param directory Where to; an earlier report there is replaced.
 * @param document The report.
 * @throws {Error} If it cannot be written; then an earlier report is as it was.
 */
export function writeReport(directory: string, document: ReportDocument): void {
  checkReportPlace(directory);
  const [place, partial] = [resolve(directory), partialOf(directory)];
  const old = `${place}.${process.pid}.old`;
  try {
    mkdirSync(dirname(place), { recursive: true });
    mkdirSync(partial);
    for (const [name, render] of Object.entries(FILES)) {
      writeFileSync(join(partial, name), render(document));
    }
    if (existsSync(place)) renameSync(place, old);
    try {
      renameSync(partial, place);
    } catch (error) {
      if (existsSync(old)) renameSync(old, place);
      throw error;
    }
  } catch (cause) {
    throw cannot(directory, cause);
  } finally {
    for (const rest of [partial, old]) rmSync(rest, { recursive: true, force: true });
  }
}
