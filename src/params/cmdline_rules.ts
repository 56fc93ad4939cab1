/** What may stand in a kernel command line: linux-loader's rules, and how much a kernel takes. */

import { LoaderError, type LoaderErrorCode, wrongType } from "../errors.ts";

/** Between the kernel's arguments and those for init (kernel-parameters.rst, on "--"). */
export const INIT_ARGS_SEPARATOR = " -- ";

/**
 * Unicode's White_Space, which Rust's `str::trim` trims: with U+0085 and without U+FEFF, the other
 * way round than JavaScript's.
 */
const WHITE_SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A part of a caller's string that keeps its place, so that an error's offset counts in the whole. */
export interface Slice {
  /** The part. */
  readonly text: string;
  /** Where it begins: UTF-16 code units from the start of the caller's string. */
  readonly start: number;
}

/**
 * Takes white space off both ends, as Rust's `str::trim` does.
 *
 * @param slice A part of the caller's string.
 * @returns The part without it.
 */
export function trimSlice({ text, start }: Slice): Slice {
  let first = 0;
  let end = text.length;
  while (first < end && WHITE_SPACE.test(text[first])) first++;
  while (end > first && WHITE_SPACE.test(text[end - 1])) end--;
  return { text: text.slice(first, end), start: start + first };
}

/**
 * Parts a command line at the first `" -- "` that an even number of `"` precedes.
 *
 * @param raw A whole command line.
 * @returns Both halves, trimmed; the second is empty if there is no such place.
 */
export function splitInitArgs(raw: string): { boot: Slice; init: Slice } {
  let counted = 0;
  let quoted = false;
  for (;;) {
    const at = raw.indexOf(INIT_ARGS_SEPARATOR, counted);
    if (at < 0) break;
    for (; counted < at; counted++) if (raw[counted] === '"') quoted = !quoted;
    if (!quoted) {
      const initStart = at + INIT_ARGS_SEPARATOR.length;
      return {
        boot: trimSlice({ text: raw.slice(0, at), start: 0 }),
        init: trimSlice({ text: raw.slice(initStart), start: initStart }),
      };
    }
    counted = at + 1; // past the separator's first space, which is no quote
  }
  return { boot: trimSlice({ text: raw, start: 0 }), init: { text: "", start: raw.length } };
}

/**
 * Checks that every character is one of `" "` … `"~"`.
 *
 * @param slice A part of the caller's string.
 * @param field What it is, named in the error.
 * @throws {LoaderError} `CMDLINE_ASCII` at the first other character.
 */
export function requirePrintable({ text, start }: Slice, field: string): void {
  const at = text.search(/[^ -~]/);
  if (at < 0) return;
  const expected = "printable ASCII (U+0020 to U+007E)";
  throw characterError("CMDLINE_ASCII", field, text, at, start, expected);
}

/**
 * Checks a parameter's name: printable ASCII, no space, no `=`, in this order.
 *
 * @param key The name; may be empty, as upstream allows.
 * @throws {LoaderError} `CMDLINE_ASCII`, `CMDLINE_SPACE` or `CMDLINE_EQUALS`.
 */
export function requireKey(key: string): void {
  requirePrintable({ text: key, start: 0 }, "key");
  const space = key.indexOf(" ");
  if (space >= 0) throw characterError("CMDLINE_SPACE", "key", key, space, 0, "no space");
  const equals = key.indexOf("=");
  if (equals >= 0) throw characterError("CMDLINE_EQUALS", "key", key, equals, 0, 'no "="');
}

/**
 * Checks a parameter's value: printable ASCII, `"` only as the first or the last character, spaces
 * only between two such quotes, in this order. An `=` is fine.
 *
 * @param value The value; may be empty.
 * @param field What it is, named in the error.
 * @throws {LoaderError} `CMDLINE_ASCII`, `CMDLINE_QUOTE` or `CMDLINE_QUOTE_SPACE`.
 */
export function requireValue(value: string, field: string): void {
  requirePrintable({ text: value, start: 0 }, field);
  const quote = value.slice(0, -1).indexOf('"', 1);
  if (quote >= 0) {
    const expected = "quotes only around the whole value";
    throw characterError("CMDLINE_QUOTE", field, value, quote, 0, expected);
  }
  const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  const space = quoted ? -1 : value.indexOf(" ");
  if (space >= 0) {
    const expected = "spaces only in a value that is quoted as a whole";
    throw characterError("CMDLINE_QUOTE_SPACE", field, value, space, 0, expected);
  }
}

/** How long a kernel's command line may be. */
export interface CmdlineLimit {
  /** Bytes without the NUL. */
  readonly maxLength: number;
  /** Where the number comes from, to be quoted in an error. */
  readonly where: string;
}

/**
 * What each architecture's kernels take at most: COMMAND_LINE_SIZE less the NUL. A kernel cuts off
 * what is longer without a word (on device tree machines the strscpy in drivers/of/fdt.c,
 * early_init_dt_scan_chosen).
 *
 * A bzImage says its own number, `setup_header.cmdline_size`, which goes before this one. riscv64
 * has 1024 since Linux 6.3 (commit 61fc1ee8be26) and in the stable series back to 4.14.312. Kernels
 * before have include/uapi/asm-generic/setup.h's 512; after 6.12 there are trees with 2048.
 */
export const CMDLINE_LIMITS: {
  /** 64-bit and 32-bit x86. */
  readonly x86_64: CmdlineLimit;
  /** 64-bit Arm. */
  readonly aarch64: CmdlineLimit;
  /** 64-bit RISC-V. */
  readonly riscv64: CmdlineLimit;
} = {
  x86_64: { maxLength: 2047, where: "COMMAND_LINE_SIZE in arch/x86/include/asm/setup.h" },
  aarch64: { maxLength: 2047, where: "COMMAND_LINE_SIZE in arch/arm64/include/uapi/asm/setup.h" },
  riscv64: { maxLength: 1023, where: "COMMAND_LINE_SIZE in arch/riscv/include/uapi/asm/setup.h" },
};

/**
 * Checks a whole command line against what a kernel takes. The line is used as it is: not trimmed,
 * not shortened, quotes not balanced.
 *
 * @param line The command line: characters from `" "` to `"~"`, which is what `Cmdline` lets in; may
 * be empty.
 * @param maxLength What the kernel takes at most, in bytes without the NUL.
 * @param where Where that limit comes from, quoted in the error.
 * @returns Its bytes with the NUL.
 * @throws {LoaderError} `CMDLINE_ASCII` for any other character (NUL, tab and newline too),
 * `CMDLINE_TOO_LONG`; the offset is an index into `line`.
 * @throws {TypeError} If it is not a string.
 */
export function checkCmdline(line: string, maxLength: number, where: string): Uint8Array {
  requireString(line, "command line");
  requirePrintable({ text: line, start: 0 }, "command line");
  if (line.length > maxLength) {
    throw new LoaderError(
      "CMDLINE_TOO_LONG",
      `Cannot use command line: ${line.length} bytes, the kernel takes at most ${maxLength} (${where}); ` +
        `shorten it by ${line.length - maxLength}`,
      {
        field: "command line",
        offset: maxLength,
        expected: `at most ${maxLength} bytes`,
        actual: `${line.length} bytes`,
      },
    );
  }
  return new TextEncoder().encode(`${line}\0`);
}

/**
 * A size as Linux' `memparse` reads it back: with the largest suffix of G, M and K that is exact.
 *
 * @param size Bytes, above 0.
 * @returns E.g. `"4K"`, `"1536"`, `"1024G"`.
 */
export function formatMemorySize(size: bigint): string {
  if (size % (1n << 30n) === 0n) return `${size >> 30n}G`;
  if (size % (1n << 20n) === 0n) return `${size >> 20n}M`;
  if (size % (1n << 10n) === 0n) return `${size >> 10n}K`;
  return `${size}`;
}

/**
 * The error of a character that may not stand where it stands.
 *
 * @param code What went wrong.
 * @param field What is being checked.
 * @param text The part of the caller's string that is being checked.
 * @param at The character's index in `text`, in UTF-16 code units.
 * @param start Where `text` begins in the caller's string.
 * @param expected What would have been accepted.
 * @returns An error whose offset counts in the caller's string.
 */
export function characterError(
  code: LoaderErrorCode,
  field: string,
  text: string,
  at: number,
  start: number,
  expected: string,
): LoaderError {
  const actual = formatCharacter(text.codePointAt(at)!);
  return new LoaderError(
    code,
    `Cannot use ${field}: ${actual} at index ${start + at}, expected ${expected}`,
    { field, offset: start + at, expected, actual },
  );
}

/**
 * Checks an argument that TypeScript's types promise.
 *
 * @param value The caller's argument.
 * @param field Its name.
 * @throws {TypeError} If it is not a string.
 */
export function requireString(value: string, field: string): void {
  if (typeof value !== "string") throw wrongType(field, "a string", value);
}

/** Control characters and what lies past ASCII stay out of messages, which end up in terminals. */
function formatCharacter(codePoint: number): string {
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
  const visible = codePoint > 0x20 && codePoint < 0x7f;
  return visible ? `${name} (${String.fromCodePoint(codePoint)})` : name;
}
