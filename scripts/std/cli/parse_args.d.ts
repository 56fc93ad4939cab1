// The part of @std/cli that this repository uses; see ../assert/mod.d.ts.

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Names that take no value. */
  boolean?: readonly string[];
  /** Names that take a value. */
  string?: readonly string[];
  /** Names that may be given more than once. */
  collect?: readonly string[];
  /** Other names of an option. */
  alias?: Record<string, string | readonly string[]>;
  /** Values for options that are not given. */
  default?: Record<string, unknown>;
  /** Whether what follows `--` is kept apart, under `"--"`. */
  "--"?: boolean;
  /** Called for each argument that no name claims. Return false to leave it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Parses command-line arguments. */
export function parseArgs(
  args: string[],
  options?: ParseOptions,
  // deno-lint-ignore no-explicit-any
): { _: (string | number)[]; "--"?: string[]; [name: string]: any };
