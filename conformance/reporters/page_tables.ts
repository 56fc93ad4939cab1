/** The two tables of the page: the matrix, and the requirements. */
import type { CaseResult } from "../case.ts";
import { type ReportDocument, type RequirementState, requirementState } from "./document.ts";
import { countOutcomes } from "./format.ts";
import { type Markup, markup } from "./markup.ts";
import type { Matrix, MatrixColumn, MatrixRow } from "./matrix.ts";

/**
 * Shows the matrix: a button for each cell, which filters the cases.
 *
 * @param matrix The matrix.
 * @param isRed Whether a result makes the run red.
 * @returns A table.
 */
export function renderMatrix(matrix: Matrix, isRed: (result: CaseResult) => boolean): Markup {
  return markup`<div class="wide tall" tabindex="0" role="region" aria-label="The matrix"><table class="matrix"><thead><tr><th scope="col">architecture<span>protocol</span></th>${
    matrix.columns.map(({ driver, machine }) =>
      markup`<th scope="col">${driver === "none" ? "no guest" : driver}<span>${
        driver === "none" ? "refusals" : machine === "-" ? "its own" : machine
      }</span></th>`
    )
  }</tr></thead><tbody>${
    matrix.rows.map((row) =>
      markup`<tr><th scope="row">${row.arch} <span class="dim">${row.protocol}</span></th>${
        matrix.columns.map((column, i) => cell(row, column, row.cells[i], isRed))
      }</tr>`
    )
  }</tbody></table></div>`;
}

function cell(
  { arch, protocol }: MatrixRow,
  { driver, machine }: MatrixColumn,
  results: readonly CaseResult[],
  isRed: (result: CaseResult) => boolean,
): Markup {
  if (results.length === 0) return markup`<td></td>`;
  const passed = results.filter(({ outcome }) => outcome === "pass").length;
  const red = results.some(isRed);
  const style = red ? "is-red" : passed > 0 ? "is-pass" : "is-skip";
  const sign = red ? "✗" : passed > 0 ? "✓" : "–";
  const others = countOutcomes(results).filter(({ outcome }) => outcome !== "pass")
    .map(({ outcome, count }) => `${count} ${outcome}`);
  const says = [`${passed} pass`, ...others].join(", ");
  return markup`<td><button type="button" class="${style}" aria-pressed="false" aria-label="${arch} ${protocol} ${driver} ${machine}: ${says}" data-arch="${arch}" data-protocol="${protocol}" data-driver="${driver}" data-machine="${machine}"><b>${sign} ${passed}${
    passed < results.length && `/${results.length}`
  }</b>${others.join(", ")}</button></td>`;
}

const STATES: { readonly [K in RequirementState]: { style: string; rank: number } } = {
  "red": { style: "is-red", rank: 0 },
  "no case": { style: "is-skip", rank: 1 },
  "not run": { style: "is-none", rank: 2 },
  "shown": { style: "is-pass", rank: 3 },
};

/**
 * Shows the requirements, those that nothing shows first.
 *
 * @param document The report.
 * @param isRed Whether a result makes the run red.
 * @returns A section.
 */
export function renderRequirements(
  { requirements, cases }: ReportDocument,
  isRed: (result: CaseResult) => boolean,
): Markup {
  const results = new Map(cases.map((result) => [result.id, result]));
  const rows = requirements.map((row) => ({ row, state: requirementState(row, results, isRed) }))
    .sort((a, b) => STATES[a.state].rank - STATES[b.state].rank);
  const open = rows.filter(({ state }) => state === "no case").length;
  return markup`<h2 id="requirements">Requirements</h2>
<p class="dim">What the protocols demand of a loader, and the cases that show it. ${
    open === 0 ? "Each has a case." : `${open} of ${rows.length} have no case.`
  }</p>
<div class="wide tall" tabindex="0" role="region" aria-label="Requirements"><table class="plain requirements"><thead><tr>${
    ["state", "requirement", "cases"].map((name) => markup`<th scope="col">${name}</th>`)
  }</tr></thead><tbody>${
    rows.map(({ row, state }) => {
      const here = row.cases.filter((id) => results.has(id)).length;
      return markup`<tr><td><span class="pill ${
        STATES[state].style
      }">${state}</span></td><td><code>${row.id}</code> ${row.text} <span class="source">${row.source}</span></td><td>${
        row.cases.length === 0
          ? "none"
          : here === 0
          ? `${row.cases.length}, not in this run`
          : markup`<button type="button" data-requirement="${row.id}">show ${here}${
            here < row.cases.length && ` of ${row.cases.length}`
          }</button>`
      }</td></tr>`;
    })
  }</tbody></table></div>`;
}
