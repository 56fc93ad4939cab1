/** What a guest said, line by line, and how it is compared with what should be. */
import type { Mismatch } from "../case.ts";

/** The facts of a guest: its lines by name. */
export class Facts {
  readonly #prefix: string;
  readonly #facts = new Map<string, string>();
  readonly #mismatches: Mismatch[] = [];

  /**
   * Reads `<prefix> <name>=<value>` lines; other lines are not facts.
   *
   * @param serial What the guest printed.
   * @param prefix `PROBE` or `INIT`.
   */
  constructor(serial: string, prefix: string) {
    this.#prefix = prefix;
    for (const line of serial.split("\n")) {
      const at = line.indexOf("=");
      const start = `${prefix} `;
      if (!line.startsWith(start) || at < 0) continue;
      const name = line.slice(start.length, at);
      // A name that comes twice is itself a mismatch: one of the two values would go unseen.
      if (this.#facts.has(name)) this.#mismatches.push(twice(name));
      this.#facts.set(name, line.slice(at + 1).trimEnd());
    }
  }

  /** Everything that did not match so far. */
  get mismatches(): Mismatch[] {
    return this.#mismatches;
  }

  /**
   * What the guest said of something.
   *
   * @param name The fact.
   * @returns Its value, undefined if the guest did not say.
   */
  get(name: string): string | undefined {
    return this.#facts.get(name);
  }

  /**
   * How many facts have names such as `e820[0]`.
   *
   * @param name The name before the bracket.
   * @returns How many there are.
   */
  count(name: string): number {
    const pattern = `${name}[`;
    return [...this.#facts.keys()].filter((key) => key.startsWith(pattern) && key.endsWith("]"))
      .length;
  }

  /**
   * Compares a fact.
   *
   * @param name The fact.
   * @param expected What it must be; numbers and bigints as the guests print them. Undefined: it must
   * be absent.
   */
  expect(name: string, expected: string | number | bigint | undefined): void {
    const wanted = typeof expected === "number" || typeof expected === "bigint"
      ? `0x${expected.toString(16)}`
      : expected;
    const actual = this.#facts.get(name);
    if (actual === wanted) return;
    this.#mismatches.push({
      what: `${this.#prefix} ${name}`,
      expected: wanted ?? "absent",
      actual: actual ?? "absent",
    });
  }

  /**
   * Compares many facts.
   *
   * @param expected What each must be.
   */
  expectAll(expected: Readonly<Record<string, string | number | bigint | undefined>>): void {
    for (const [name, value] of Object.entries(expected)) this.expect(name, value);
  }

  /**
   * Notes something else that does not match.
   *
   * @param mismatch What.
   */
  note(mismatch: Mismatch): void {
    this.#mismatches.push(mismatch);
  }
}

function twice(name: string): Mismatch {
  return { what: name, expected: "once", actual: "more than once" };
}
