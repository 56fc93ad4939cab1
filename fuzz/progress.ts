/**
 * The progress of a run: a line that changes on a terminal, plain lines elsewhere.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";

/** How often the line changes on a terminal, and how often a plain line comes. Milliseconds. */
const [LIVE_MS, PLAIN_MS] = [100, 10_000];

/** What is known of a run. */
export interface State {
  /** The property or the target. */
  readonly name: string;
  /** Runs so far, and how many there will be, if that is known. */
  readonly runs: number;
  readonly of?: number;
  /** Milliseconds that it took, and that are left, if that is known. */
  readonly ms: number;
  readonly leftMs?: number;
  /** Anything else, such as the edges that were reached. */
  readonly more?: string;
}

/** Writes progress. */
export class Progress {
  readonly #isLive: boolean;
  readonly #write: (text: string) => void;
  #last = performance.now();
  #isOpen = false;

  /**
   * @param isLive Whether the line may be written over; by default, if it is a terminal.
   * @param write Where to.
   */
  constructor(isLive: boolean = process.stdout.isTTY === true, write = writeOut) {
    this.#isLive = isLive;
    this.#write = write;
  }

  /**
   * Shows how far it is, if it is time to.
   *
   * @param state How far.
   */
  show(state: State): void {
    const now = performance.now();
    if (now - this.#last < (this.#isLive ? LIVE_MS : PLAIN_MS)) return;
    this.#last = now;
    const line = formatState(state);
    this.#write(this.#isLive ? `\r\x1b[K${line}` : `${line}\n`);
    this.#isOpen = this.#isLive;
  }

  /**
   * Writes a line that stays.
   *
   * @param line The line.
   */
  line(line: string): void {
    this.#write(`${this.#isOpen ? "\r\x1b[K" : ""}${line}\n`);
    this.#isOpen = false;
  }
}

/**
 * A state as text.
 *
 * @param state The state.
 * @returns A line: property, runs, rate, time left.
 */
export function formatState({ name, runs, of, ms, leftMs, more }: State): string {
  const rate = ms > 0 ? Math.round(runs / ms * 1000) : 0;
  const left = leftMs ?? (of !== undefined && rate > 0 ? (of - runs) / rate * 1000 : undefined);
  return [
    `${name.padEnd(20)} ${runs}${of === undefined ? "" : `/${of}`} runs, ${rate}/s`,
    ...left === undefined ? [] : [`${Math.max(left / 1000, 0).toFixed(0)} s left`],
    ...more === undefined ? [] : [more],
  ].join(", ");
}

/** Written at once: the runs leave no time for a stream to empty itself. */
function writeOut(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // A pipe that is full or closed must not end the run
  }
}
