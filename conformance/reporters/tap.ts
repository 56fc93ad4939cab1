/** A report in the Test Anything Protocol, version 14. */
import { type CaseResult, isRed } from "../case.ts";
import type { Policy, ReportDocument } from "./document.ts";

/** TAP 14, "Escaping": `#` begins a directive. */
const escaped = (text: string): string =>
  text.replace(/[\\#]/g, "\\$&").replace(/\s+/g, " ").trim();

/**
 * Makes TAP.
 *
 * @param document The report.
 * @returns Lines: a plan, a test point for each case, with diagnostics where it did not pass.
 */
export function renderTap({ cases, problems, run }: ReportDocument): string {
  const lines = ["TAP version 14", `1..${cases.length + run.notRun.length}`];
  for (const [i, result] of cases.entries()) lines.push(...point(result, i + 1, run.policy));
  if (problems.length > 0) lines.push(`Bail out! ${escaped(problems.join("; "))}`);
  return `${lines.join("\n")}\n# end of report\n`;
}

function point(result: CaseResult, number: number, policy: Policy): string[] {
  const { id, outcome, reason = "", ms } = result;
  const isBad = isRed(result, policy) || outcome === "xfail";
  const directive = outcome === "xfail"
    ? ` # TODO ${escaped(reason)}`
    : outcome === "skip" && !isBad
    ? ` # SKIP ${escaped(reason)}`
    : "";
  const line = `${isBad ? "not ok" : "ok"} ${number} - ${escaped(id)}${directive}`;
  if (outcome === "pass") return [line, ...yaml({ duration_ms: ms })];
  const mismatches = result.mismatches?.map(({ what, expected, actual }) =>
    `${what}: expected ${expected}, got ${actual}`
  );
  const { requirement, replay } = result;
  return [line, ...yaml({ duration_ms: ms, outcome, reason, requirement, mismatches, replay })];
}

/** JSON strings are YAML. */
function yaml(values: Readonly<Record<string, string | number | readonly string[] | undefined>>) {
  const lines = Object.entries(values).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  return ["  ---", ...lines, "  ..."];
}
