/** Plans as text, to be compared between processes and runtimes. */
import { type BootPlan, planToJson } from "../mod.ts";
import type { Mismatch } from "./case.ts";
import { formatCrc32 } from "./crc32.ts";

/**
 * A plan as text that is the same if and only if the plan is: `planToJson`, with what it leaves out.
 *
 * @param plan The plan.
 * @returns JSON, on lines.
 */
export function describePlan(plan: BootPlan): string {
  const contents = plan.placements.map(({ content }) => {
    switch (content.kind) {
      case "bytes":
        return formatCrc32(content.bytes);
      case "source":
        return `from ${content.offset}`;
      case "zeros":
      case "claim":
        return content.kind;
      default:
        return content satisfies never;
    }
  });
  return JSON.stringify({ ...planToJson(plan), contents }, null, 1);
}

/**
 * Compares two plans of the same input.
 *
 * @param where Where the second was made, e.g. `node`.
 * @param here What {@linkcode describePlan} gave for the first.
 * @param there What it gave for the second.
 * @returns The first line that is not the same, or nothing.
 */
export function comparePlans(where: string, here: string, there: string): Mismatch[] {
  if (here === there) return [];
  const [expected, actual] = [here, there].map((text) => text.split("\n"));
  const at = expected.findIndex((line, i) => line !== actual[i]);
  const line = at >= 0 ? at : expected.length;
  const what = `the plan in ${where}, line ${line + 1}`;
  return [{ what, expected: expected[line] ?? "none", actual: actual[line] ?? "none" }];
}
