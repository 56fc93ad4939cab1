/** Draws a guest's memory: once by the logarithm of sizes with names, and once to scale beside it. */
import type { PlanJson } from "../../mod.ts";
import { formatSize } from "./format.ts";
import { drawTogether, isVacant, type Segment, segmentsOf } from "./layout.ts";
import { type Markup, markup } from "./markup.ts";

/** Widths in units of the picture, left to right: addresses, names, lines between, to scale. */
const [NAMES_WIDTH, LINES_WIDTH, SCALE_WIDTH] = [236, 44, 26] as const;
/** What a digit of an address is wide. */
const DIGIT = 6.7;
const TOP = 22;
const LINE = 18;
const [BAR_MIN, TAKEN_MIN] = [2, 0.5] as const;

/** A segment and where it is drawn. */
interface Drawn extends Segment {
  readonly top: number;
  readonly height: number;
}

/** A line of text at least, and more for each doubling from a page on. */
function heightOf({ size, kind }: Segment): number {
  if (kind === "hole") return 24;
  const pages = Math.max(0, Math.log2(Number(size) / 4096));
  return LINE + Math.round(pages * (kind === "free" ? 1.4 : 2.2));
}

function byLogarithm(segments: readonly Segment[]): Drawn[] {
  let top = TOP;
  return segments.map((segment) => {
    const height = heightOf(segment);
    top += height;
    return { ...segment, top: top - height, height };
  });
}

function toScale(segments: readonly Segment[], total: number): Drawn[] {
  const first = segments[0].start;
  const bytes = Number(segments.reduce((sum, { size }) => sum + size, 0n));
  return segments.map((segment) => ({
    ...segment,
    top: TOP + total * Number(segment.start - first) / bytes,
    // Never thinner than can be seen
    height: Math.max(total * Number(segment.size) / bytes, isVacant(segment) ? TAKEN_MIN : BAR_MIN),
  }));
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const at = (value: number): string => value.toFixed(1).replace(".0", "");
const MAX_NAME = 26;

/**
 * Draws a plan.
 *
 * @param plan The plan.
 * @returns An SVG element; its colours are the page's.
 */
export function renderPicture(plan: PlanJson): Markup {
  const segments = segmentsOf(plan);
  if (segments.length === 0) return markup`<p>The plan has no memory.</p>`;
  const drawn = byLogarithm(drawTogether(segments));
  const last = drawn[drawn.length - 1];
  const bottom = last.top + last.height;
  const scaled = toScale(segments, bottom - TOP);
  const digits = Math.max(...drawn.map(({ start, size }) => hex(start + size).length));
  const x = Math.ceil(digits * DIGIT) + 8;
  const scale = x + NAMES_WIDTH + LINES_WIDTH;
  const size = { width: scale + SCALE_WIDTH + 1, height: bottom + 16 };
  return markup`<svg class="picture" viewBox="0 0 ${at(size.width)} ${
    at(size.height)
  }" role="img" aria-label="Memory of the guest, low addresses first. The table of placements says the same.">
<text x="${at(x)}" y="14" class="axis">by logarithm</text>
<text x="${at(scale + SCALE_WIDTH)}" y="14" class="axis end">to scale</text>
${drawn.map((one) => row(one, x))}
<text x="${at(x - 6)}" y="${at(bottom + 4)}" class="address end">${
    hex(last.start + last.size)
  }</text>
<rect class="frame" x="${at(x)}" y="${TOP}" width="${NAMES_WIDTH}" height="${at(bottom - TOP)}"/>
<rect class="bar k-free" x="${at(scale)}" y="${TOP}" width="${SCALE_WIDTH}" height="${
    at(bottom - TOP)
  }"/>
${scaled.filter((one) => isVacant(one) && one.kind !== "free").map((one) => bar(one, scale))}
${scaled.filter((one) => !isVacant(one)).map((one) => bar(one, scale))}
${leads(drawn, scaled, x + NAMES_WIDTH, scale)}
<rect class="frame" x="${at(scale)}" y="${TOP}" width="${SCALE_WIDTH}" height="${
    at(bottom - TOP)
  }"/>
</svg>`;
}

function row({ top, height, start, size, name, kind }: Drawn, x: number): Markup {
  const middle = at(top + height / 2 + 4);
  const shown = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
  const box = { x: at(x), y: at(top), width: NAMES_WIDTH, height: at(height) };
  return markup`<g><title>${name}: ${hex(start)} to ${hex(start + size)}, ${formatSize(size)} (${
    hex(size)
  })</title><rect class="k-${kind}" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}"/>${
    kind === "hole" && zigzag(x, top, height)
  }<text x="${at(x - 6)}" y="${at(top + 4)}" class="address end">${hex(start)}</text><text x="${
    at(x + 7)
  }" y="${middle}" class="name n-${kind}">${shown}</text><text x="${
    at(x + NAMES_WIDTH - 7)
  }" y="${middle}" class="size n-${kind} end">${formatSize(size)}</text></g>
`;
}

/** The torn edges that say: this is not drawn as long as it is. */
function zigzag(x: number, top: number, height: number): Markup {
  const tooth = NAMES_WIDTH / 24;
  const edge = (y: number) =>
    Array.from({ length: 25 }, (_, i) => `${at(x + i * tooth)},${at(y + (i % 2 ? 3 : 0))}`)
      .join(" ");
  return markup`<polyline class="tear" points="${edge(top)}"/><polyline class="tear" points="${
    edge(top + height - 3)
  }"/>`;
}

function bar({ kind, top, height }: Drawn, x: number): Markup {
  return markup`<rect class="bar k-${kind}" x="${at(x)}" y="${
    at(top)
  }" width="${SCALE_WIDTH}" height="${at(height)}"/>`;
}

/** Lines from the names to their places in the bar. */
function leads(
  drawn: readonly Drawn[],
  scaled: readonly Drawn[],
  left: number,
  right: number,
): Markup[] {
  return drawn.filter((one) => !isVacant(one)).map(({ start, top, height }) => {
    const there = scaled.find((one) => one.start === start)!;
    const [y, scaleY] = [at(top + height / 2), at(there.top + there.height / 2)];
    return markup`<line class="lead" x1="${at(left)}" y1="${y}" x2="${at(right)}" y2="${scaleY}"/>`;
  });
}
