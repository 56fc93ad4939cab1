/** Checks of options that callers in JavaScript, or with a cast, can get wrong. */
import { requireAddress } from "../address.ts";
import { LoaderError, wrongType } from "../errors.ts";
import { MAX_CALLER_ITEMS } from "../limits.ts";
import { requireString } from "./cmdline_rules.ts";
import { requireInteger } from "./machine_checks.ts";

/**
 * Checks the value of an option.
 *
 * @param value What the caller gave.
 * @param name The option, for the error.
 * @throws {TypeError} If it is of another type.
 * @throws {LoaderError} `INVALID_OPTION` if it is out of range, `LIMIT_EXCEEDED` if a list is too long.
 */
export type OptionCheck = (value: unknown, name: string) => void;

// deno-lint-ignore no-explicit-any
type Unchecked = any;

/** What something else checks where it is used. */
export const elsewhere: OptionCheck = () => {};

/** A 64-bit number. */
export const address: OptionCheck = (value, name) => void requireAddress(value as bigint, name);

/** A bigint, whatever its range. */
export const bigint: OptionCheck = (value, name) => {
  if (typeof value !== "bigint") throw wrongType(name, "a bigint", value);
};

/** A string. */
export const string: OptionCheck = (value, name) => requireString(value as string, name);

/** A number, whatever its range. */
export const number: OptionCheck = (value, name) => {
  if (typeof value !== "number") throw wrongType(name, "a number", value);
};

/** A number that fits 32 bits. */
export const uint32: OptionCheck = (value, name) => {
  number(value, name);
  requireInteger(value as number, 0, 0xffffffff, name);
};

/** Bytes. */
export const bytes: OptionCheck = (value, name) => {
  if (!(value instanceof Uint8Array)) throw wrongType(name, "a Uint8Array", value);
};

/** An object of any kind. */
export const object: OptionCheck = (value, name) => {
  if (typeof value !== "object" || value === null) throw wrongType(name, "an object", value);
};

/** A string, or what has a `toString` of its own: that of a list or of bytes says nothing useful. */
export const text: OptionCheck = (value, name) => {
  if (typeof value === "string") return;
  const own = (value as Unchecked)?.toString;
  if (
    typeof value !== "object" || typeof own !== "function" || own === Object.prototype.toString ||
    own === Array.prototype.toString
  ) throw wrongType(name, "a string or an object with a toString", value);
};

/**
 * What may be left out.
 *
 * @param check Checks it if it is there.
 * @returns The check.
 */
export function optional(check: OptionCheck): OptionCheck {
  return (value, name) => value === undefined ? undefined : check(value, name);
}

/**
 * An object whose fields are checked.
 *
 * @param fields Their checks; what else it has does not matter.
 * @returns The check.
 */
export function record(fields: { readonly [field: string]: OptionCheck }): OptionCheck {
  return (value, name) => {
    object(value, name);
    for (const [field, check] of Object.entries(fields)) {
      check((value as Unchecked)[field], `${name}.${field}`);
    }
  };
}

/**
 * A list of at most {@linkcode MAX_CALLER_ITEMS}, whose items are checked.
 *
 * @param check Checks an item.
 * @returns The check.
 */
export function list(check: OptionCheck): OptionCheck {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrongType(name, "an array", value);
    if (value.length > MAX_CALLER_ITEMS) {
      throw new LoaderError(
        "LIMIT_EXCEEDED",
        `Cannot use option ${name}: ${value.length} items, at most ${MAX_CALLER_ITEMS} are taken`,
        { field: name, expected: `at most ${MAX_CALLER_ITEMS}`, actual: `${value.length}` },
      );
    }
    for (let i = 0; i < value.length; i++) check(value[i], `${name}[${i}]`);
  };
}
