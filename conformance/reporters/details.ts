/** Everything that is known of a case, as the page shows it when the case is opened. */
import type { PlanJson } from "../../mod.ts";
import type { CaseResult, Difference, Mismatch, Timing } from "../case.ts";
import { renderCpu } from "./cpu.ts";
import type { RequirementRow } from "./document.ts";
import { formatRandom, formatSize, formatTime, hypervisorOf } from "./format.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { renderPicture } from "./picture.ts";

/** Of a longer log the page has the beginning and the end; report.json has more of it. */
const MAX_SERIAL = 96 << 10;

/**
 * Shows a case.
 *
 * @param result What came of it.
 * @param requirements The requirements that it is a case of.
 * @returns The inside of its section.
 */
export function renderDetails(
  result: CaseResult,
  requirements: readonly RequirementRow[],
): Markup {
  const { plan, mismatches, differences, sameFacts, reason, serial, serialTail } = result;
  const log = serial ?? serialTail?.join("\n");
  return markup`<div class="columns"><div>
${reason !== undefined && part("Reason", markup`<pre class="reason">${reason}</pre>`)}
${
    mismatches !== undefined && mismatches.length > 0 &&
    part("What does not match", table(mismatches))
  }
${differences !== undefined && part("Beside QEMU's own -kernel", oracle(sameFacts, differences))}
${part("Requirement", shows(result, requirements))}
${part("Run", facts(result))}
${plan && part("Placements", placements(plan))}
${plan && part("Memory map", memoryMap(plan))}
${plan && part("CPU at entry", renderCpu(plan.cpu))}
</div>${plan && markup`<div>${part("Memory layout", renderPicture(plan))}</div>`}</div>
${log !== undefined && part("Serial port", serialLog(log))}`;
}

function part(title: string, content: Content): Markup {
  return markup`<section><h3>${title}</h3>${content}</section>`;
}

function shows(result: CaseResult, requirements: readonly RequirementRow[]): Markup {
  return markup`<p>${result.requirement ?? "The case does not say."}</p>${
    requirements.length > 0 && markup`<details class="more"><summary>${
      requirements.length === 1
        ? "The row that this case is part of"
        : `The ${requirements.length} rows that this case is part of`
    } in the table of requirements</summary><ul>${
      requirements.map(({ id, source, text }) =>
        markup`<li><code>${id}</code> ${text} <span class="source">${source}</span></li>`
      )
    }</ul></details>`
  }`;
}

function facts(result: CaseResult): Markup {
  const { id, ms, timing, refusal, plannedIn, random, kernelVersion, replay, artifacts } = result;
  const again = random ? ` --seed ${random.seed} --boots ${random.boots}` : "";
  const rows: [string, Content][] = [
    ["time", timing ? markup`${formatTime(ms)}: ${spent(timing)}` : formatTime(ms)],
    ["hypervisor", hypervisorOf(result) ?? "none"],
    ["random layouts", random && formatRandom(random)],
    ["same plan in", plannedIn?.join(", ")],
    ["kernel", kernelVersion && `version ${kernelVersion}`],
    ["refused with", refusal],
    ["run again", code(`deno task conform --filter ${id}${again}`)],
    ["replay", replay && code(replay)],
    ["artifacts", artifacts && code(artifacts)],
  ];
  return markup`<dl class="facts">${
    rows.filter(([, value]) => value !== undefined && value !== "")
      .map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)
  }</dl>`;
}

const code = (text: string): Markup => markup`<code class="command">${text}</code>`;

function spent({ load, prepare, guest }: Timing): string {
  return `library ${formatTime(load)}, harness ${formatTime(prepare)}, guest ${formatTime(guest)}`;
}

function table(mismatches: readonly Mismatch[]): Markup {
  return wide(
    "What does not match",
    ["what", "expected", "actual"],
    mismatches.map(({ what, expected, actual }) => [what, expected, actual]),
    "mismatches",
  );
}

function oracle(same: number | undefined, differences: readonly Difference[]): Markup {
  return markup`<p>${same} facts are the same; these differ, each for a reason.</p>${
    wide(
      "Differences to QEMU's own loader",
      ["fact", "ours", "QEMU's", "why"],
      differences.map(({ fact, ours, theirs, reason }) => [fact, ours, theirs, reason]),
      "mismatches",
    )
  }`;
}

const lastOf = (start: string, size: string): string =>
  `0x${(BigInt(start) + BigInt(size) - 1n).toString(16)}`;

function placements({ placements }: PlanJson): Markup {
  return wide(
    "Placements",
    ["name", "first", "last", "size", "from"],
    placements.map(({ name, start, size, content }) => [
      name,
      start,
      lastOf(start, size),
      formatSize(BigInt(size)),
      content,
    ]),
  );
}

function memoryMap({ memoryMap }: PlanJson): Markup {
  return wide(
    "Memory map",
    ["first", "last", "size", "type"],
    memoryMap.map(({ start, size, type }) => [
      start,
      lastOf(start, size),
      formatSize(BigInt(size)),
      type,
    ]),
  );
}

/** A table that scrolls by itself where the window is narrow or the table long. */
function wide(
  label: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  style = "",
): Markup {
  return markup`<div class="wide" tabindex="0" role="region" aria-label="${label}"><table class="plain ${style}"><thead><tr>${
    columns.map((name) => markup`<th scope="col">${name}</th>`)
  }</tr></thead><tbody>${
    rows.map((row) => markup`<tr>${row.map((cell) => markup`<td>${cell}</td>`)}</tr>`)
  }</tbody></table></div>`;
}

function serialLog(serial: string): Markup {
  const log = serial.replaceAll("\r\n", "\n").trimEnd();
  const more = log.length - MAX_SERIAL;
  const [head, tail] = more <= 0
    ? [log, ""]
    : [log.slice(0, MAX_SERIAL / 4), log.slice(-MAX_SERIAL * 3 / 4)];
  return markup`<pre class="serial" tabindex="0" role="region" aria-label="Serial port">${
    head === "" ? markup`<i>nothing</i>` : head
  }${
    more > 0 &&
    markup`
<i>${more} characters are left out here; report.json and the artifacts have more.</i>
${tail}`
  }</pre>`;
}
