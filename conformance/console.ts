/** What a person sees: progress while it runs, then what is red and why, then the table of all. */
import process from "node:process";
import type { CaseResult } from "./case.ts";
import { type Colour, groupReasons, type Paint, summaryLines } from "./console_summary.ts";
import { Estimate } from "./estimate.ts";
import type { RequirementRow } from "./reporters/document.ts";
import { formatRandom, formatTime } from "./reporters/format.ts";
import { printable } from "./reporters/markup.ts";
import type { Watcher } from "./runner.ts";

const ERASE_LINE = "\r\x1b[2K";
const COLOURS: { readonly [K in Colour]: number } = { red: 31, green: 32, yellow: 33, dim: 2 };
/** How often the time that is left is said anew, in milliseconds. */
const TICK = 1000;

/** Where a console writes to: standard output, or what a test gives it. */
export interface Output {
  /** Whether a person looks at it as it is written. */
  readonly isTTY?: boolean;
  /** How many characters fit into a line. */
  readonly columns?: number;
  /** Writes. */
  write(text: string): unknown;
}

/** What a console is told beforehand. */
export interface ConsoleOptions {
  /** The ids of the cases that will run. */
  readonly ids: readonly string[];
  /** How many run at a time. */
  readonly jobs: number;
  /** Whether a result makes the run red. */
  readonly isRed: (result: CaseResult) => boolean;
  /** Where to; standard output if not given. */
  readonly output?: Output;
  /** no-color.org: any text but an empty one forbids colours. The environment's if not given. */
  readonly noColour?: string;
}

/** Lines for a person: live on a terminal, plain elsewhere. */
export class Console implements Watcher {
  readonly #output: Output;
  readonly #isTerminal: boolean;
  readonly #isColoured: boolean;
  readonly #total: number;
  readonly #isRed: (result: CaseResult) => boolean;
  readonly #estimate: Estimate;
  readonly #running = new Set<string>();
  readonly #started: number = performance.now();
  #ticking: ReturnType<typeof setInterval> | undefined;
  /** The reasons that were said, each with its number. */
  readonly #reasons = new Map<string, number>();
  #done = 0;
  #red = 0;

  /**
   * Makes a console.
   *
   * @param options What it is told beforehand.
   */
  constructor({ ids, jobs, isRed, output = process.stdout, noColour }: ConsoleOptions) {
    this.#output = output;
    this.#isTerminal = output.isTTY === true;
    this.#isColoured = this.#isTerminal && !(noColour ?? process.env.NO_COLOR);
    this.#total = ids.length;
    this.#isRed = isRed;
    this.#estimate = new Estimate(ids, jobs);
  }

  /**
   * A step that is not a case.
   *
   * @param line What is being done.
   */
  step = (line: string): void => {
    this.#print(this.#paint("dim", `==> ${line}`));
  };

  /**
   * A case begins.
   *
   * @param id Its id.
   */
  begin(id: string): void {
    this.#running.add(id);
    this.#estimate.begin(id, performance.now());
    if (this.#isTerminal && this.#ticking === undefined) {
      this.#ticking = setInterval(() => this.#status(), TICK);
      this.#ticking.unref();
    }
    this.#status();
  }

  /**
   * A case has ended.
   *
   * @param result What came of it.
   */
  end(result: CaseResult): void {
    const { id, outcome, ms, reason, random, kernelVersion, differences, sameFacts } = result;
    this.#running.delete(id);
    this.#estimate.end(id, outcome === "skip" ? undefined : ms);
    this.#done++;
    const isRed = this.#isRed(result);
    if (isRed) this.#red++;
    const colour = isRed ? "red" : outcome === "pass" ? "green" : "yellow";
    const count = `${this.#done}/${this.#total}`.padStart(`${this.#total}`.length * 2 + 1);
    const detail = [
      kernelVersion && `version ${kernelVersion}`,
      random && formatRandom(random),
      differences && `${sameFacts} facts as by QEMU's own loader, ${differences.length} explained`,
      `${(ms / 1000).toFixed(2)} s`,
    ].filter(Boolean).join(", ");
    const why = outcome === "pass" ? "" : `: ${this.#say(reason ?? "")}`;
    this.#print(`${count} ${this.#paint(colour, outcome.padEnd(7))} ${id} (${detail})${why}`);
    this.#status();
  }

  /**
   * Everything has ended: what is red, and the table of all.
   *
   * @param results Every result.
   * @param requirements The requirements to look for; none if this is not the whole suite.
   */
  finish(results: readonly CaseResult[], requirements: readonly RequirementRow[]): void {
    this.stop();
    for (const alike of groupReasons(results.filter(this.#isRed))) this.#explain(alike);
    for (const line of summaryLines(results, requirements, this.#isRed, this.#paint)) {
      this.#print(line);
    }
  }

  /** Nothing more will be live. */
  stop(): void {
    clearInterval(this.#ticking);
    if (this.#isTerminal) this.#output.write(ERASE_LINE);
  }

  /** A reason in full when it comes first, then by its number. */
  #say(reason: string): string {
    const line = printable(reason).split("\n")[0];
    const number = this.#reasons.get(line);
    if (number !== undefined) return `reason ${number}, as above`;
    this.#reasons.set(line, this.#reasons.size + 1);
    return line.length > SHORT_REASON ? `${line} (reason ${this.#reasons.size})` : line;
  }

  #explain(alike: readonly CaseResult[]): void {
    const [{ outcome, reason, mismatches, serialTail, replay, artifacts }] = alike;
    for (const [i, { id }] of alike.entries()) {
      this.#print(`${i === 0 ? "\n" : ""}${this.#paint("red", outcome)} ${id}`);
    }
    if (reason) this.#print(indent(reason));
    const shown = mismatches?.slice(0, MAX_MISMATCHES) ?? [];
    for (const { what, expected, actual } of shown) {
      this.#print(`  ${what}: expected ${shorten(expected)}, got ${shorten(actual)}`);
    }
    const more = (mismatches?.length ?? 0) - shown.length;
    if (more > 0) this.#print(`  and ${more} more (--json has them all)`);
    if (serialTail?.length) {
      this.#print(`  the guest's last lines:\n${indent(serialTail.join("\n"), "  | ")}`);
    }
    if (artifacts) this.#print(`  artifacts: ${artifacts}`);
    if (replay) this.#print(`  replay: ${replay}`);
  }

  /** The last line on a terminal says what runs now, and how long it will still take. */
  #status(): void {
    if (!this.#isTerminal || this.#done === this.#total) return;
    const now = performance.now();
    const red = this.#red ? `, ${this.#red} red` : "";
    const left = formatTime(Math.max(1000, this.#estimate.left(now))).replace(/\.\d/, "");
    const line = `${this.#done}/${this.#total} done${red}, ${
      Math.round((now - this.#started) / 1000)
    } s, about ${left} left: ${[...this.#running].join(" ")}`;
    const width = this.#output.columns || 80;
    this.#output.write(`${ERASE_LINE}${line.slice(0, width - 1)}`);
  }

  #print(line: string): void {
    this.#output.write(`${this.#isTerminal ? ERASE_LINE : ""}${line}\n`);
  }

  readonly #paint: Paint = (colour, text) =>
    this.#isColoured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}

function indent(text: string, by = "  "): string {
  return printable(text).split("\n").map((line) => `${by}${line}`).join("\n");
}

/** What is as short as its number is said again. */
const SHORT_REASON = 40;
const MAX_SHOWN = 160;
const MAX_MISMATCHES = 12;

function shorten(value: string): string {
  const text = printable(value);
  return text.length <= MAX_SHOWN
    ? text
    : `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)`;
}
