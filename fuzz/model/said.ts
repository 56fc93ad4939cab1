/**
 * What a parser must say of a file: all of its description, or which field is wrong and where.
 *
 * @module
 */
import { encodeInput } from "../codec.ts";
import type { Outcome } from "../judge.ts";
import { Violation } from "../property.ts";

/** What an error must say. */
export interface Said {
  readonly code: string;
  readonly field: string;
  readonly offset: number;
}

class Misfit extends Error {
  readonly said: Said;

  constructor(said: Said) {
    super(`${said.code} ${said.field} at ${said.offset}`);
    this.said = said;
  }
}

/**
 * Refuses unless something is so.
 *
 * @param condition What must be so.
 * @param code What it is refused with.
 * @param field The field that is wrong.
 * @param offset Where it lies in the file.
 */
export function must(
  condition: boolean,
  code: string,
  field: string,
  offset: number,
): asserts condition {
  if (!condition) throw new Misfit({ code, field, offset });
}

/**
 * Reads.
 *
 * @param read What reads.
 * @returns What it read, or what must be said.
 */
export function reading<T>(read: () => T): { readonly value?: T; readonly refused?: Said } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof Misfit) return { refused: error.said };
    throw error;
  }
}

/**
 * Fails unless the library says the same as the model.
 *
 * @param outcome What came of the library.
 * @param wanted What came of the model.
 */
export function requireSaid(
  { value, refused }: Outcome<unknown>,
  wanted: { readonly value?: unknown; readonly refused?: Said },
): void {
  const { code, field, offset } = wanted.refused ?? {};
  const due = code === undefined ? "a description" : `${code} ${field} at ${offset}`;
  const came = refused ? `${refused.code} ${refused.field} at ${refused.offset}` : "a description";
  if (came !== due) throw new Violation("another answer", `${came}, not ${due}`);
  if (refused) return;
  const [is, was] = [plain(value), plain(wanted.value)];
  if (is !== was) throw new Violation("another description", `${is}, not ${was}`);
}

/** As text, whatever the order of the keys. */
function plain(value: unknown): string {
  return encodeInput(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
