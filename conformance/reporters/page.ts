/** A report as one page that needs nothing but itself: no network, no other file. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type CaseResult, isRed } from "../case.ts";
import { renderDetails } from "./details.ts";
import type { ReportDocument } from "./document.ts";
import { countOutcomes, formatTime, hypervisorOf } from "./format.ts";
import { type Markup, Markup as Trusted, markup } from "./markup.ts";
import { matrixOf, partsOf, unique } from "./matrix.ts";
import { renderMatrix, renderRequirements } from "./page_tables.ts";

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

const STYLES = ["page.css", "cases.css", "picture.css"] as const;

/** The last line of a page that was not cut off. */
export const PAGE_END = "<!-- end of report -->";

/**
 * Makes the page.
 *
 * @param document The report.
 * @returns HTML.
 */
export function renderPage(document: ReportDocument): string {
  const isRedHere = (result: CaseResult) => isRed(result, document.run.policy);
  // Red ones first: they are what one looks for
  const cases = [...document.cases].sort((a, b) => Number(isRedHere(b)) - Number(isRedHere(a)));
  const style = STYLES.map(asset).join("");
  const script = asset("page.js");
  const hash = createHash("sha256").update(script).digest("base64");
  // Nothing from elsewhere, and no script but the page's own
  const policy =
    `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const title = document.failed > 0 || document.problems.length > 0 ? "red" : "green";
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Conformance: ${title}, ${document.passed} passed, ${document.failed} failed</title>
<style>
${new Trusted(style)}</style>
</head>
<body>
<main>
<p id="cut-off" class="alert">This page was cut off: it is not the whole report.</p>
${document.problems.map((problem) => markup`<p class="alert" role="alert">${problem}</p>`)}
${header(document)}
<noscript><p class="alert">Without JavaScript this page neither filters nor shows a case's details; report.json has all of them.</p></noscript>
<h2 id="matrix">The matrix</h2>
${renderMatrix(matrixOf(cases, "machine"), isRedHere)}
<section>
<h2 id="cases">Cases</h2>
${filters(cases)}
<p id="nothing" class="dim" hidden>No case fits the filter.</p>
${cases.map((result, i) => caseRow(result, i, document, isRedHere(result)))}
</section>
${document.requirements.length > 0 && renderRequirements(document, isRedHere)}
</main>
<script type="application/octet-stream" id="details">${packed(cases, document)}</script>
<script>${new Trusted(script)}</script>
<style>#cut-off { display: none; }</style>
</body>
</html>
${new Trusted(PAGE_END)}
`.text;
}

/** The details of all cases: they repeat themselves, and shrink to a tenth. */
function packed(cases: readonly CaseResult[], { requirements }: ReportDocument): Markup {
  const all = cases.map((result) =>
    renderDetails(result, requirements.filter(({ cases }) => cases.includes(result.id))).text
  );
  const bytes = gzipSync(JSON.stringify(all), { level: 9 });
  return new Trusted(bytes.toString("base64"));
}

function header({ run, passed, failed, skipped, cases }: ReportDocument): Markup {
  const versions = unique(cases.flatMap((result) => hypervisorOf(result) ?? []));
  const kernels = unique(
    cases.flatMap(({ id, kernelVersion }) =>
      kernelVersion ? `${partsOf(id).rest.split("/")[0]} ${partsOf(id).arch}: ${kernelVersion}` : []
    ),
  );
  const pill = (style: string, text: string) => markup`<span class="pill ${style}">${text}</span>`;
  return markup`<header>
<h1>Conformance of the boot layouts</h1>
<p class="dim">${run.started.replace("T", " ").replace(/\.\d+Z$/, " UTC")}, ${
    formatTime(run.ms)
  } · library ${run.library} · ${run.hosts.join("; ")}${
    run.filters.length > 0 && ` · only ids with ${run.filters.join(" or ")}`
  }${run.shard && ` · shard ${run.shard.index} of ${run.shard.count}`}</p>
<div class="verdict">${pill(passed > 0 ? "is-pass" : "is-none", `✓ ${passed} passed`)}${
    pill(failed > 0 ? "is-red" : "is-none", `✗ ${failed} failed`)
  }${pill(skipped > 0 ? "is-skip" : "is-none", `– ${skipped} skipped`)}</div>
<details class="more"><summary>${versions.length} hypervisors, ${kernels.length} downloaded kernels, with their versions</summary><ul>${
    [...versions, ...kernels].map((version) => markup`<li>${version}</li>`)
  }</ul></details>
</header>`;
}

function filters(cases: readonly CaseResult[]): Markup {
  const parts = cases.map(({ id }) => partsOf(id));
  const outcomes = ["red", ...countOutcomes(cases).map(({ outcome }) => outcome)];
  const select = (name: string, label: string, values: readonly string[]) =>
    markup`<label>${label}<select name="${name}"><option value="">all</option>${
      values.map((value) => markup`<option>${value}</option>`)
    }</select></label>`;
  return markup`<form id="filters" class="filters" aria-label="Filter the cases" autocomplete="off">
<label class="text">Filter <input name="q" type="search" placeholder="words of id or requirement (press /)"></label>
${select("outcome", "Outcome", outcomes)}
${select("arch", "Architecture", unique(parts.map(({ arch }) => arch)))}
${select("protocol", "Protocol", unique(parts.map(({ protocol }) => protocol)))}
${select("driver", "Driver", unique(parts.map(({ driver }) => driver)))}
${select("machine", "Machine", unique(parts.map(({ machine }) => machine)))}
<button type="reset">Clear</button>
<output id="count" class="dim" aria-live="polite">${cases.length} of ${cases.length} cases</output>
</form>`;
}

function caseRow(
  { id, outcome, ms, requirement, reason, kernelVersion }: CaseResult,
  index: number,
  { requirements }: ReportDocument,
  isRed: boolean,
): Markup {
  const { driver, machine, arch, protocol, rest } = partsOf(id);
  const rows = requirements.filter(({ cases }) => cases.includes(id)).map((row) => row.id);
  const style = isRed ? "is-red" : outcome === "pass" ? "is-pass" : "is-skip";
  const why = outcome === "pass" ? undefined : reason?.split("\n")[0];
  const about = why ?? requirement;
  return markup`<details class="case ${outcome}" data-index="${index}" data-outcome="${outcome}" data-red="${
    isRed ? 1 : 0
  }" data-driver="${driver}" data-machine="${machine}" data-arch="${arch}" data-protocol="${protocol}" data-requirements="${
    rows.join(" ")
  }"><summary><span class="pill ${style}">${outcome}</span><span class="id">${
    [driver, machine, arch, protocol].join("/")
  }/<b>${rest}</b>${kernelVersion && ` (${kernelVersion})`}</span><span class="time">${
    formatTime(ms)
  }</span>${
    about && markup`<span class="about">${about}</span>`
  }</summary><div class="body"><p class="dim">…</p></div></details>
`;
}
