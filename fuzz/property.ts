/**
 * What a property is, and how it says that something is wrong.
 *
 * @module
 */
import type fc from "fast-check";
import type * as mod from "../mod.ts";

/** The library under test: mod.ts, or a test's broken copy of it. */
export type Library = typeof mod;

/** A statement about every input. */
export interface Property<T = unknown> {
  /** Its file's name, e.g. `"total-elf"`. */
  readonly name: string;
  /** The statement, in a line. */
  readonly says: string;
  /** What it is said of. */
  readonly inputs: fc.Arbitrary<T>;
  /**
   * Throws if the statement is not true of an input.
   *
   * @param input The input.
   * @param library The library under test.
   */
  readonly check: (input: T, library: Library) => void | Promise<void>;
  /** Whether `check` gives a promise; false if not given. */
  readonly isAsync?: boolean;
  /** How many of the runs that are asked for are made: 1 if not given, less for what is slow, more for what there is much of. */
  readonly share?: number;
  /** Why it cannot run on this machine; undefined if it can. */
  readonly skip?: () => string | undefined;
}

/** What a property throws where it does not hold. */
export class Violation extends Error {
  override readonly name: string = "Violation";
  /** A few words, for the name of a corpus file. */
  readonly what: string;

  /**
   * @param what A few words.
   * @param detail What was seen, what was expected.
   * @param cause What was thrown, if something was.
   */
  constructor(what: string, detail = "", cause?: unknown) {
    super(detail === "" ? what : `${what}: ${detail}`, cause === undefined ? undefined : { cause });
    this.what = what;
  }
}

/**
 * Fails unless there is nothing to say.
 *
 * @param what A few words.
 * @param faults A sentence each.
 */
export function requireNone(what: string, faults: readonly string[]): void {
  if (faults.length > 0) throw new Violation(what, faults.slice(0, 5).join("; "));
}

/**
 * Types a property for a list of properties of all kinds.
 *
 * @param property The property.
 * @returns The same.
 */
export function property<T>(property: Property<T>): Property {
  return property as unknown as Property;
}
