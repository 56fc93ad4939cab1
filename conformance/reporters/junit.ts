/** A report as JUnit XML: a suite for each driver, machine, architecture and protocol. */
import { type CaseResult, isRed } from "../case.ts";
import type { Policy, ReportDocument } from "./document.ts";
import { hypervisorOf } from "./format.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { partsOf, unique } from "./matrix.ts";

const suiteOf = ({ id }: CaseResult): string => {
  const { driver, machine, arch, protocol } = partsOf(id);
  return [driver, machine, arch, protocol].join("/");
};

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

type Kind = "passed" | "failure" | "error" | "skipped";

function kindOf(result: CaseResult, policy: Policy): Kind {
  if (result.outcome === "broken") return "error";
  if (isRed(result, policy)) return "failure";
  return result.outcome === "pass" ? "passed" : "skipped";
}

/**
 * Makes JUnit XML. What a run lacks is an error of its own: no reader of it may take it for whole.
 *
 * @param document The report.
 * @returns XML.
 */
export function renderJunit({ cases, problems, run }: ReportDocument): string {
  const counts = countsOf(cases, run.policy);
  const suites = unique(cases.map(suiteOf)).map((name) =>
    suite(name, cases.filter((result) => suiteOf(result) === name), run.policy)
  );
  const lacks = problems.length > 0 &&
    markup`<testsuite name="report" tests="${problems.length}" failures="0" errors="${problems.length}" skipped="0">${
      problems.map((problem) =>
        markup`<testcase classname="report" name="is whole"><error message="${problem}"/></testcase>`
      )
    }</testsuite>
`;
  const { tests, errors, failures, skipped } = counts;
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="conformance" tests="${tests + problems.length}" failures="${failures}" errors="${
    errors + problems.length
  }" skipped="${skipped}" time="${seconds(run.ms)}" timestamp="${run.started}">
${suites}${lacks}</testsuites>
`.text;
}

function countsOf(cases: readonly CaseResult[], policy: Policy): Counts {
  const count = (kind: Kind) => cases.filter((result) => kindOf(result, policy) === kind).length;
  return {
    tests: cases.length,
    failures: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
  };
}

function suite(name: string, cases: readonly CaseResult[], policy: Policy): Markup {
  const { tests, failures, errors, skipped } = countsOf(cases, policy);
  const time = seconds(cases.reduce((sum, { ms }) => sum + ms, 0));
  return markup`<testsuite name="${name}" tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${time}">
${cases.map((result) => testcase(name, result, kindOf(result, policy)))}</testsuite>
`;
}

function testcase(suiteName: string, result: CaseResult, kind: Kind): Markup {
  const { id, ms, outcome, reason = outcome, requirement, kernelVersion } = result;
  const property = (name: string, value: Content) =>
    value !== undefined && markup`<property name="${name}" value="${value}"/>`;
  const message = reason.split("\n")[0];
  const body = kind === "passed"
    ? undefined
    : kind === "skipped"
    ? markup`<skipped message="${message}"/>`
    : markup`<${tag(kind)} type="${outcome}" message="${message}">${report(result)}</${tag(kind)}>`;
  return markup`<testcase classname="${suiteName}" name="${partsOf(id).rest}" time="${
    seconds(ms)
  }"><properties>${property("requirement", requirement)}${property("kernel", kernelVersion)}${
    property("hypervisor", hypervisorOf(result))
  }</properties>${body}</testcase>
`;
}

const tag = (kind: "failure" | "error"): Markup =>
  kind === "error" ? markup`error` : markup`failure`;

function report({ reason, mismatches, serialTail, replay }: CaseResult): string {
  return [
    reason,
    ...(mismatches ?? []).map(({ what, expected, actual }) =>
      `${what}: expected ${expected}, got ${actual}`
    ),
    ...(serialTail ?? []).map((line) => `| ${line}`),
    replay && `replay: ${replay}`,
  ].filter(Boolean).join("\n");
}
