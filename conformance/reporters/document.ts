/** A run as a document: what every format of the report is made of. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import process from "node:process";
import type { CaseResult } from "../case.ts";
import type { Options } from "../options.ts";
import type { RunReport } from "../report.ts";
import { casesOf, REQUIREMENTS } from "../requirements.ts";
import { selectionOf, type Shard } from "../shard.ts";

/** The first key of a document. */
export const FORMAT = "linux-loader conformance report, version 1";
/** The last key's value: a document without it was cut off. */
export const END = "end of report";

/** Which skips are red. */
export interface Policy {
  /** Every skip but a missing KVM is. */
  readonly noSkip: boolean;
  /** A missing KVM is. */
  readonly requireKvm: boolean;
}

/** A requirement and the cases of the whole suite that show it. */
export interface RequirementRow {
  /** Its name. */
  readonly id: string;
  /** The specification and its section. */
  readonly source: string;
  /** What it demands. */
  readonly text: string;
  /** The ids of its cases, whether they ran or not. */
  readonly cases: readonly string[];
}

/** What was run, where and when. */
export interface RunFacts {
  /** When it began, ISO 8601. */
  readonly started: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** The library's version, with the commit where it is known. */
  readonly library: string;
  /** The machine and the runtime, one text for each that took part. */
  readonly hosts: readonly string[];
  /** The texts of --filter. */
  readonly filters: readonly string[];
  /** Which skips are red. */
  readonly policy: Policy;
  /** How many cases were selected, in all shards together. */
  readonly selected: number;
  /** A checksum of the ids that were selected, in all shards together. */
  readonly selection: string;
  /** Which part of the selection this is; undefined if it is all of it. */
  readonly shard?: Shard;
  /** The cases that were to run here and did not begin. */
  readonly notRun: readonly string[];
}

/** A report. */
export interface ReportDocument {
  /** {@linkcode FORMAT}. */
  readonly format: string;
  /** What was run. */
  readonly run: RunFacts;
  /** Why this is not the whole, or not what was asked for: sentences. None if all is well. */
  readonly problems: readonly string[];
  /** pass. */
  readonly passed: number;
  /** fail, xpass, timeout, broken, and skips that are not allowed. */
  readonly failed: number;
  /** skip and xfail. */
  readonly skipped: number;
  /** The requirements; none for a kernel of the user's own. */
  readonly requirements: readonly RequirementRow[];
  /** Every case that ran or was skipped. */
  readonly cases: readonly CaseResult[];
  /** {@linkcode END}. */
  readonly end: string;
}

/** A run that has ended, and what it was. */
export interface FinishedRun {
  /** What was asked for. */
  readonly options: Options;
  /** When it began. */
  readonly started: Date;
  /** The ids of the cases that were to run here. */
  readonly ids: readonly string[];
  /** The ids of the cases that were selected, in all shards. */
  readonly selected: readonly string[];
  /** What came of those that began. */
  readonly results: readonly CaseResult[];
  /** The requirements. */
  readonly requirements: readonly RequirementRow[];
}

/**
 * Makes the document of a run.
 *
 * @param run The run.
 * @param counts Its counts.
 * @param problems Why it is not the whole.
 * @returns The document.
 */
export function documentOf(
  { options, started, ids, selected, results, requirements }: FinishedRun,
  { passed, failed, skipped }: RunReport,
  problems: readonly string[],
): ReportDocument {
  const done = new Set(results.map(({ id }) => id));
  const { filters, noSkip, requireKvm, shard } = options;
  return {
    format: FORMAT,
    run: {
      started: started.toISOString(),
      ms: Date.now() - started.getTime(),
      library: describeLibrary(),
      hosts: [describeHost()],
      filters,
      policy: { noSkip, requireKvm },
      selected: selected.length,
      selection: selectionOf(selected),
      shard,
      notRun: ids.filter((id) => !done.has(id)),
    },
    problems,
    passed,
    failed,
    skipped,
    requirements,
    cases: results,
    end: END,
  };
}

/** How a requirement stands in a run. */
export type RequirementState = "no case" | "red" | "shown" | "not run";

/**
 * How a requirement stands.
 *
 * @param row The requirement.
 * @param results The results by their ids.
 * @param isRed Whether a result makes the run red.
 * @returns `shown` if one of its cases passed and none is red.
 */
export function requirementState(
  { cases }: RequirementRow,
  results: ReadonlyMap<string, CaseResult>,
  isRed: (result: CaseResult) => boolean,
): RequirementState {
  if (cases.length === 0) return "no case";
  const ran = cases.flatMap((id) => results.get(id) ?? []);
  if (ran.some(isRed)) return "red";
  return ran.some(({ outcome }) => outcome === "pass") ? "shown" : "not run";
}

/**
 * The requirements with their cases.
 *
 * @param ids The ids of the whole suite.
 * @returns A row for each.
 */
export function requirementRows(ids: readonly string[]): RequirementRow[] {
  return REQUIREMENTS.map((requirement) => {
    const { id, source, text } = requirement;
    return { id, source, text, cases: casesOf(requirement, ids) };
  });
}

/**
 * What runs this.
 *
 * @returns E.g. `linux x64, 2 CPUs, deno 2.9.5`.
 */
export function describeHost(): string {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  const runtime = deno ? `deno ${deno}` : bun ? `bun ${bun}` : `node ${process.versions.node}`;
  return `${process.platform} ${process.arch}, ${availableParallelism()} CPUs, ${runtime}`;
}

/**
 * Which library this is.
 *
 * @returns Its version, and the commit where this is a checkout.
 */
export function describeLibrary(): string {
  const root = new URL("../../", import.meta.url);
  const { version } = JSON.parse(readFileSync(new URL("deno.json", root), "utf8"));
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "safe.directory=*", ...args], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    const changed = git("status", "--porcelain") === "" ? "" : " and changes";
    return `${version}, commit ${git("rev-parse", "--short=12", "HEAD").trim()}${changed}`;
  } catch {
    return version; // no git, or no checkout
  }
}

/**
 * Reads a document.
 *
 * @param text The file.
 * @returns The document.
 * @throws {Error} If it is none, or was cut off.
 */
export function parseDocument(text: string): ReportDocument {
  let read: Partial<ReportDocument> | null;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new Error("it is not JSON, or was cut off", { cause });
  }
  if (read?.format !== FORMAT) throw new Error(`it is not a "${FORMAT}"`);
  if (read.end !== END) throw new Error("it was cut off");
  return read as ReportDocument;
}
