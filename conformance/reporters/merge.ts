/** Makes one report of the reports of shards, and says what is missing. */
import { isRed } from "../case.ts";
import { reportOf } from "../report.ts";
import { END, FORMAT, type Policy, type ReportDocument } from "./document.ts";
import { unique } from "./matrix.ts";

/** A report that was read, or why it could not be. */
export type ShardReport =
  | { readonly name: string; readonly document: ReportDocument }
  | { readonly name: string; readonly unreadable: string };

/**
 * Merges reports. What is wrong does not keep the rest from being shown: it becomes one of the
 * report's problems, and such a report is never a success.
 *
 * @param reports The reports, by the names that problems call them.
 * @returns The whole, its cases sorted by id.
 * @throws {Error} If none can be read.
 */
export function mergeReports(reports: readonly ShardReport[]): ReportDocument {
  const read = reports.flatMap((report) => "document" in report ? [report] : []);
  const unreadable = reports.flatMap((report) => "unreadable" in report ? [report] : [])
    .map(({ name, unreadable }) => `${name} cannot be read: ${unreadable}`);
  if (read.length === 0) throw new Error(`Cannot merge: ${unreadable.join("; ")}`);
  const documents = read.map(({ document }) => document);
  const runs = documents.map(({ run }) => run);
  const policy: Policy = {
    noSkip: runs.some((run) => run.policy.noSkip),
    requireKvm: runs.some((run) => run.policy.requireKvm),
  };
  const { cases, twice } = casesOf(documents);
  const begun = runs.map(({ started }) => Date.parse(started));
  const ends = runs.map(({ ms }, i) => begun[i] + ms);
  const notRun = unique(runs.flatMap((run) => run.notRun));
  const problems = [
    ...unreadable,
    ...shardProblems(read),
    ...twice.map((id) => `${id} is in more than one report`),
    ...documents.flatMap((document) => document.problems),
    ...lacking(runs[0].selected, cases.length + notRun.length),
  ];
  return {
    format: FORMAT,
    run: {
      ...runs[0],
      started: new Date(Math.min(...begun)).toISOString(),
      ms: Math.max(...ends) - Math.min(...begun),
      library: unique(runs.map(({ library }) => library)).join(" and "),
      hosts: unique(runs.flatMap(({ hosts }) => hosts)),
      policy,
      shard: undefined,
      notRun,
    },
    problems: [...new Set(problems)],
    ...reportOf(cases, (result) => isRed(result, policy)),
    requirements: documents[0].requirements,
    cases,
    end: END,
  };
}

/** Every case once. */
function casesOf(documents: readonly ReportDocument[]) {
  const found = new Map<string, ReportDocument["cases"][number]>();
  const twice = new Set<string>();
  for (const result of documents.flatMap(({ cases }) => cases)) {
    const other = found.get(result.id);
    if (other) twice.add(result.id);
    // Of two results the one that did not pass is the one to see
    if (other === undefined || other.outcome === "pass") found.set(result.id, result);
  }
  const cases = [...found.values()].sort((a, b) => a.id < b.id ? -1 : 1);
  return { cases, twice: [...twice] };
}

/** Whether the shards are parts of the same whole, each there once. */
function shardProblems(
  read: readonly { readonly name: string; readonly document: ReportDocument }[],
): string[] {
  const problems: string[] = [];
  const first = read[0];
  const count = first.document.run.shard?.count ?? 1;
  const seen = new Map<number, string>();
  for (const { name, document: { run } } of read) {
    const { index, count: own } = run.shard ?? { index: 1, count: 1 };
    if (own !== count) problems.push(`${name} is of ${own} shards, ${first.name} of ${count}`);
    if (run.selection !== first.document.run.selection) {
      problems.push(`${name} is of another selection of cases than ${first.name}`);
    }
    if (run.library !== first.document.run.library) {
      problems.push(`${name} is of library ${run.library}, ${first.name} of another`);
    }
    const before = seen.get(index);
    if (before !== undefined) {
      problems.push(`shard ${index} of ${count} is there twice: ${before} and ${name}`);
    }
    seen.set(index, name);
  }
  for (let index = 1; index <= count; index++) {
    if (!seen.has(index)) problems.push(`shard ${index} of ${count} is missing`);
  }
  return problems;
}

function lacking(selected: number, there: number): string[] {
  return there >= selected
    ? []
    : [`${there} cases are there, ${selected} were selected: ${selected - there} are missing`];
}
