/**
 * linux-loader's Cmdline as plainly as can be, from what rust-vmm documents of it.
 *
 * @module
 */
import type { CmdlineStep } from "../arbitraries/cmdlines.ts";

/** A line: the kernel's arguments, init's, and what they count as. */
export interface Line {
  readonly boot: string;
  readonly init: string;
  readonly size: number;
}

const PRINTABLE = /^[ -~]*$/;
const isKey = (key: string) => PRINTABLE.test(key) && !/[ =]/.test(key);
/** A quote only around the whole; a space only if it is quoted as a whole. */
const isValue = (value: string) =>
  PRINTABLE.test(value) && (/^"[^"]*"$/.test(value) || /^"?[^ "]*"?$/.test(value));

/** What a text adds, and to which half; undefined if it may not be added. */
function added(step: CmdlineStep): { text: string; isInit: boolean } | undefined {
  switch (step.kind) {
    case "insert":
      if (!isKey(step.key) || !isValue(step.value)) return undefined;
      return { text: `${step.key}=${step.value}`, isInit: false };
    case "multiple":
      if (!isKey(step.key) || step.values.length === 0 || !step.values.every(isValue)) {
        return undefined;
      }
      return { text: `${step.key}=${step.values.join(",")}`, isInit: false };
    case "virtio": {
      const { size, base, irq, id } = step;
      if (size === 0n) return undefined;
      const [unit, suffix] = ([[1n << 30n, "G"], [1n << 20n, "M"], [1n << 10n, "K"]] as const)
        .find(([unit]) => size % unit === 0n) ?? [1n, ""];
      const device = `${size / unit}${suffix}@0x${base.toString(16)}:${irq}`;
      return {
        text: `virtio_mmio.device=${device}${id === undefined ? "" : `:${id}`}`,
        isInit: false,
      };
    }
    default: {
      const text = step.text.replace(TRIMMED, "");
      return PRINTABLE.test(text) ? { text, isInit: step.kind === "init" } : undefined;
    }
  }
}

/** White space as Rust's `trim` has it: U+FEFF is none, U+0085 is some. */
const WHITE = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const TRIMMED = new RegExp(`^${WHITE}|${WHITE}$`, "g");

/**
 * Does something to a line.
 *
 * @param line The line.
 * @param step What.
 * @param capacity What the line may take, its NUL included.
 * @returns The line afterwards; undefined if it is refused.
 */
export function stepped(line: Line, step: CmdlineStep, capacity: number): Line | undefined {
  const more = added(step);
  if (!more) return undefined;
  const { text, isInit } = more;
  const half = isInit ? line.init : line.boot;
  const glue = half !== "" ? " " : isInit ? " -- " : "";
  const size = line.size + glue.length + text.length;
  if (size >= capacity) return undefined;
  if (!isInit) return { ...line, boot: line.boot + glue + text, size };
  // Room for the separator is asked for even where nothing is written
  if (line.init === "" && text === "") return line;
  return { ...line, init: line.init === "" ? text : `${line.init} ${text}`, size };
}

/**
 * Takes a line apart: at the first separator that no quote is open before.
 *
 * @param raw The line.
 * @param capacity What it may take.
 * @returns It; undefined if it is refused.
 */
export function parsed(raw: string, capacity: number): Line | undefined {
  if (/\p{Surrogate}/u.test(raw)) return undefined;
  let at = -1;
  for (let i = 0; i < raw.length && at < 0; i++) {
    const quotes = raw.slice(0, i).split('"').length - 1;
    if (raw.startsWith(" -- ", i) && quotes % 2 === 0) at = i;
  }
  const boot = (at < 0 ? raw : raw.slice(0, at)).replace(TRIMMED, "");
  const init = at < 0 ? "" : raw.slice(at + 4).replace(TRIMMED, "");
  const size = new TextEncoder().encode(textOf({ boot, init })).length;
  return size < capacity ? { boot, init, size } : undefined;
}

/**
 * A line as text.
 *
 * @param line The line.
 * @returns Both halves.
 */
export function textOf({ boot, init }: Pick<Line, "boot" | "init">): string {
  return init === "" ? boot : `${boot} -- ${init}`;
}
