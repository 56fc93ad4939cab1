/** What a person sees: progress while it runs, then what is red and why. */
import process from "node:process";
import type { CaseResult } from "./case.ts";
import type { Watcher } from "./runner.ts";

const ERASE_LINE = "\r\x1b[2K";
const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2 } as const;

/** Lines for a person: live on a terminal, plain elsewhere. */
export class Console implements Watcher {
  readonly #isTerminal: boolean = process.stdout.isTTY === true;
  readonly #isColoured: boolean = this.#isTerminal && !process.env.NO_COLOR;
  readonly #total: number;
  readonly #isRed: (result: CaseResult) => boolean;
  readonly #running = new Set<string>();
  readonly #started: number = performance.now();
  #done = 0;
  #red = 0;

  /**
   * Makes a console.
   *
   * @param total How many cases will run.
   * @param isRed Whether a result makes the run red.
   */
  constructor(total: number, isRed: (result: CaseResult) => boolean) {
    this.#total = total;
    this.#isRed = isRed;
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
    this.#status();
  }

  /**
   * A case has ended.
   *
   * @param result What came of it.
   */
  end(result: CaseResult): void {
    const { id, outcome, ms, reason, kernelVersion } = result;
    this.#running.delete(id);
    this.#done++;
    const isRed = this.#isRed(result);
    if (isRed) this.#red++;
    const colour = isRed ? "red" : outcome === "pass" ? "green" : "yellow";
    const count = `${this.#done}/${this.#total}`.padStart(`${this.#total}`.length * 2 + 1);
    const detail = [
      kernelVersion && `version ${kernelVersion}`,
      `${(ms / 1000).toFixed(2)} s`,
    ].filter(Boolean).join(", ");
    const why = outcome === "pass" ? "" : `: ${reason?.split("\n")[0]}`;
    this.#print(`${count} ${this.#paint(colour, outcome.padEnd(7))} ${id} (${detail})${why}`);
    this.#status();
  }

  /**
   * Everything has ended.
   *
   * @param results Every result.
   */
  finish(results: readonly CaseResult[]): void {
    if (this.#isTerminal) process.stdout.write(ERASE_LINE);
    for (const result of results) if (this.#isRed(result)) this.#explain(result);
  }

  #explain({ id, outcome, reason, mismatches, serialTail, replay, artifacts }: CaseResult): void {
    console.log(`\n${this.#paint("red", outcome)} ${id}`);
    if (reason) console.log(indent(reason));
    const shown = mismatches?.slice(0, MAX_MISMATCHES) ?? [];
    for (const { what, expected, actual } of shown) {
      console.log(`  ${what}: expected ${shorten(expected)}, got ${shorten(actual)}`);
    }
    const more = (mismatches?.length ?? 0) - shown.length;
    if (more > 0) console.log(`  and ${more} more (--json has them all)`);
    if (serialTail?.length) {
      console.log(`  the guest's last lines:\n${indent(serialTail.join("\n"), "  | ")}`);
    }
    if (artifacts) console.log(`  artifacts: ${artifacts}`);
    if (replay) console.log(`  replay: ${replay}`);
  }

  /** The last line on a terminal says what runs now. */
  #status(): void {
    if (!this.#isTerminal || this.#done === this.#total) return;
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const red = this.#red ? `, ${this.#red} red` : "";
    const line = `${this.#done}/${this.#total} done${red}, ${seconds} s: ${
      [...this.#running].join(" ")
    }`;
    const width = process.stdout.columns || 80;
    process.stdout.write(`${ERASE_LINE}${line.slice(0, width - 1)}`);
  }

  #print(line: string): void {
    process.stdout.write(`${this.#isTerminal ? ERASE_LINE : ""}${line}\n`);
  }

  #paint(colour: keyof typeof COLOURS, text: string): string {
    return this.#isColoured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  }
}

function indent(text: string, by = "  "): string {
  return text.split("\n").map((line) => `${by}${line}`).join("\n");
}

const MAX_SHOWN = 160;
const MAX_MISMATCHES = 12;

function shorten(text: string): string {
  return text.length <= MAX_SHOWN
    ? text
    : `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)`;
}
