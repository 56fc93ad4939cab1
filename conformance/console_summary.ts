/** The end of a run on a terminal: the table of what passed, and the requirements that nothing shows. */
import type { CaseResult } from "./case.ts";
import { type RequirementRow, requirementState } from "./reporters/document.ts";
import { countOutcomes } from "./reporters/format.ts";
import { printable } from "./reporters/markup.ts";
import { matrixOf } from "./reporters/matrix.ts";

/** The colours of a console. */
export type Colour = "red" | "green" | "yellow" | "dim";

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

const plain: Paint = (_, text) => text;

/**
 * What a run came to, as lines.
 *
 * @param results The results.
 * @param requirements The requirements of the suite; none if they are not to be listed.
 * @param isRed Whether a result makes the run red.
 * @param paint Colours a text.
 * @returns Lines; the first is empty.
 */
export function summaryLines(
  results: readonly CaseResult[],
  requirements: readonly RequirementRow[],
  isRed: (result: CaseResult) => boolean,
  paint: Paint = plain,
): string[] {
  return [
    "",
    ...tableLines(results, isRed, paint),
    ...skippedLines(results),
    ...openLines(requirements, results, isRed),
  ];
}

/**
 * Puts together what has nothing of its own to say: the same outcome for the same reason, without
 * anything that was seen of a guest.
 *
 * @param results The results.
 * @returns Groups, in the order of their first results.
 */
export function groupReasons(results: readonly CaseResult[]): CaseResult[][] {
  const groups = new Map<string, CaseResult[]>();
  for (const result of results) {
    const { id, outcome, reason, mismatches, serialTail, artifacts } = result;
    const isOwn = reason === undefined ||
      [mismatches, serialTail, artifacts].some((one) => one?.length);
    const key = isOwn ? id : `${outcome} ${reason}`;
    groups.set(key, [...groups.get(key) ?? [], result]);
  }
  return [...groups.values()];
}

/** Why cases were skipped, each reason once. */
function skippedLines(results: readonly CaseResult[]): string[] {
  const groups = groupReasons(results.filter(({ outcome }) => outcome === "skip"));
  if (groups.length === 0) return [];
  const lines = groups.map((alike) =>
    `  ${alike.length} skipped: ${printable(alike[0].reason ?? "").split("\n")[0]}`
  );
  return ["", ...lines];
}

interface Cell {
  readonly text: string;
  readonly colour?: Colour;
}

function tableLines(
  results: readonly CaseResult[],
  isRed: (result: CaseResult) => boolean,
  paint: Paint,
): string[] {
  const { columns, rows } = matrixOf(results, "driver");
  const head: Cell[] = [
    { text: "architecture, protocol" },
    ...columns.map(({ driver }) => ({ text: driver === "none" ? "no guest" : driver })),
  ];
  const lines: Cell[][] = rows.map(({ arch, protocol, cells }) => [
    { text: `${arch} ${protocol}` },
    ...cells.map((cell) => cellOf(cell, isRed)),
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...lines].map((line) => line[i].text.length))
  );
  return [head.map((cell): Cell => ({ ...cell, colour: "dim" })), ...lines].map((line) =>
    line.map(({ text, colour }, i) => {
      // Padded outside the colour: it has no width
      const padding = i === line.length - 1 ? "" : " ".repeat(widths[i] - text.length + 2);
      return (colour ? paint(colour, text) : text) + padding;
    }).join("").trimEnd()
  );
}

function cellOf(results: readonly CaseResult[], isRed: (result: CaseResult) => boolean): Cell {
  if (results.length === 0) return { text: "" };
  const passed = results.filter(({ outcome }) => outcome === "pass").length;
  const others = countOutcomes(results).filter(({ outcome }) => outcome !== "pass")
    .map(({ outcome, count }) => `${count} ${outcome}`);
  const colour = results.some(isRed) ? "red" : others.length > 0 ? "yellow" : "green";
  return { text: [`${passed}/${results.length}`, ...others].join(", "), colour };
}

function openLines(
  requirements: readonly RequirementRow[],
  results: readonly CaseResult[],
  isRed: (result: CaseResult) => boolean,
): string[] {
  if (requirements.length === 0) return [];
  const byId = new Map(results.map((result) => [result.id, result]));
  const states = requirements.map((row) => requirementState(row, byId, isRed));
  const count = (state: string) => states.filter((one) => one === state).length;
  const counts = (["shown", "red", "not run"] as const).map((state) => `${count(state)} ${state}`);
  const open = requirements.filter((_, i) => states[i] === "no case");
  return [
    "",
    `${requirements.length} requirements: ${counts.join(", ")}, ${open.length} without a case`,
    ...open.map(({ id, text, source }) => `  without a case: ${id} (${source}): ${text}`),
  ];
}
