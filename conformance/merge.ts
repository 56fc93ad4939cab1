/** `deno task conform:merge DIR... --report OUT`: makes one report of the reports of shards. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isRed } from "./case.ts";
import { summaryLines } from "./console_summary.ts";
import { UsageError } from "./options.ts";
import { parseDocument } from "./reporters/document.ts";
import { mergeReports, type ShardReport } from "./reporters/merge.ts";
import { checkReportPlace, DOCUMENT_FILE, writeReport } from "./reporters/write.ts";

const USAGE = `Makes one report of the reports of shards, and says what is missing.

deno task conform:merge DIR... --report OUT

  DIR           what conform --shard I/N --report DIR wrote, for each I
  --report OUT  where the whole is written: TAP, JUnit XML, JSON and a page`;

function main(args: readonly string[]): number {
  const { directories, out, help } = readArguments(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  if (out === undefined || directories.length === 0) {
    throw new UsageError("Cannot merge: DIR... and --report OUT are wanted (--help says more)");
  }
  checkReportPlace(out);
  const document = mergeReports(directories.map(readShard));
  writeReport(out, document);
  const { cases, requirements, problems, passed, failed, skipped, run } = document;
  const isRedHere = (result: (typeof cases)[number]) => isRed(result, run.policy);
  for (const { id, outcome, reason = "" } of cases.filter(isRedHere)) {
    console.log(`${outcome} ${id}: ${reason.split("\n")[0]}`);
  }
  for (const line of summaryLines(cases, requirements, isRedHere)) console.log(line);
  for (const problem of problems) console.log(`Not the whole: ${problem}`);
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || problems.length > 0 || passed === 0 ? 1 : 0;
}

function readArguments(args: readonly string[]) {
  const options = { report: { type: "string" }, help: { type: "boolean" } } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
    });
    return { directories: positionals, out: values.report, help: values.help ?? false };
  } catch (error) {
    const [reason] = (error as Error).message.split(". ");
    throw new UsageError(`Cannot understand the command line: ${reason}`);
  }
}

function readShard(directory: string): ShardReport {
  try {
    const text = readFileSync(join(directory, DOCUMENT_FILE), "utf8");
    return { name: directory, document: parseDocument(text) };
  } catch (error) {
    return { name: directory, unreadable: (error as Error).message };
  }
}

if (import.meta.main ?? process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    const { message } = error as Error;
    console.error(message?.startsWith("Cannot ") ? message : error);
    process.exitCode = 2;
  }
}
