/** The state of a CPU as tables: registers, segments, descriptor tables. */
import { type Markup, markup } from "./markup.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The bits of a segment, by the names that KVM and the manuals give them. */
const SEGMENT_FLAGS = ["present", "s", "db", "l", "g", "avl"] as const;

/**
 * Shows a CPU.
 *
 * @param cpu The state of a plan as JSON; what is not known is shown as it is.
 * @returns Tables.
 */
export function renderCpu(cpu: Fields): Markup {
  const { segments, ...others } = cpu;
  const tables = Object.entries(others).filter(([, value]) => isFields(value));
  const registers = Object.entries(others).flatMap(([name, value]) => {
    if (isFields(value)) return [];
    if (name === "r8to15" && Array.isArray(value)) {
      return value.map((item, i) => [`r${8 + i}`, shown(item)]);
    }
    return [[name, shown(value)]];
  });
  return markup`<dl class="registers">${
    registers.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)
  }</dl>${isFields(segments) && segmentTable({ ...segments, ...Object.fromEntries(tables) })}`;
}

function segmentTable(segments: Fields): Markup {
  const rows = Object.entries(segments).map(([name, value]) => {
    const segment = isFields(value) ? value : {};
    const flags = SEGMENT_FLAGS.filter((flag) => segment[flag] === true);
    const { selector = "–", base, limit, type = "–", dpl = "–" } = segment;
    return markup`<tr><th scope="row">${name}</th>${
      [selector, base, limit, type, dpl].map((field) => markup`<td>${shown(field)}</td>`)
    }<td>${flags.join(" ") || "–"}</td></tr>`;
  });
  return markup`<div class="wide" tabindex="0" role="region" aria-label="Segments and tables"><table class="plain"><thead><tr>${
    ["segment", "selector", "base", "limit", "type", "dpl", "flags"]
      .map((name) => markup`<th scope="col">${name}</th>`)
  }</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function shown(value: unknown): string {
  if (typeof value === "number") return value < 10 ? `${value}` : `0x${value.toString(16)}`;
  if (Array.isArray(value)) return value.map(shown).join(" ");
  if (!isFields(value)) return String(value);
  return Object.entries(value).map(([name, item]) => `${name} ${shown(item)}`).join(", ");
}
