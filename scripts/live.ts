/**
 * A line on a terminal that says what runs now, and lines that stay above it.
 *
 * @module
 */
import process from "node:process";

const ERASE_LINE = "\r\x1b[2K";
/** How often the line changes at most, in milliseconds. */
const LIVE_MS = 100;

/** Where it writes to. */
export interface Terminal {
  /** Whether a person looks at it as it is written. */
  readonly isTTY?: boolean;
  /** How many characters fit into a line. */
  readonly columns?: number;
  /** Writes. */
  write(text: string): unknown;
}

/** Writes such lines; where there is no terminal, only those that stay. */
export class LiveLine {
  readonly #output: Terminal;
  readonly #now: () => number;
  #shownAt = -Infinity;
  #isOpen = false;

  /**
   * @param output Where to; standard output if not given.
   * @param now A clock in milliseconds.
   */
  constructor(output: Terminal = process.stdout, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  /**
   * Says what runs now, if it is time to.
   *
   * @param text What; cut where the terminal ends.
   */
  show(text: string): void {
    const now = this.#now();
    if (this.#output.isTTY !== true || now - this.#shownAt < LIVE_MS) return;
    this.#shownAt = now;
    this.#isOpen = true;
    this.#output.write(ERASE_LINE + text.slice(0, (this.#output.columns ?? 80) - 1));
  }

  /**
   * Writes lines that stay.
   *
   * @param text The lines; none to take the live one away.
   */
  print(text?: string): void {
    const erase = this.#isOpen ? ERASE_LINE : "";
    this.#isOpen = false;
    this.#shownAt = -Infinity;
    if (erase || text !== undefined) {
      this.#output.write(text === undefined ? erase : `${erase}${text}\n`);
    }
  }
}
