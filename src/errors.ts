/**
 * What went wrong, as one flat union to switch on.
 *
 * - `SOURCE_*`, `PARTIALLY_APPLIED`: the bytes could not be had.
 * - `UNKNOWN_FORMAT`, `UNSUPPORTED_FORMAT`, `TRUNCATED`, `ELF_*`, `NOTE_*`, `BZIMAGE_*`, `IMAGE_*`,
 *   `ZBOOT_*`, `COMPRESSED_*`, `FDT_*`: the file says something that is not so, or that cannot be booted.
 * - `CMDLINE_*`: the command line.
 * - the rest: the plan and the guest's memory.
 */
export type LoaderErrorCode =
  | "SOURCE_FAILED"
  | "PARTIALLY_APPLIED"
  | "UNKNOWN_FORMAT"
  | "UNSUPPORTED_FORMAT"
  | "TRUNCATED"
  | "LIMIT_EXCEEDED"
  | "ELF_MAGIC"
  | "ELF_CLASS"
  | "ELF_BYTE_ORDER"
  | "ELF_VERSION"
  | "ELF_TYPE"
  | "ELF_MACHINE"
  | "ELF_HEADER_SIZE"
  | "ELF_PHENTSIZE"
  | "ELF_PHOFF"
  | "ELF_PHNUM"
  | "ELF_SEGMENT_SIZE"
  | "ELF_SEGMENT_OVERLAP"
  | "ELF_NO_SEGMENTS"
  | "NOTE_MALFORMED"
  | "PVH_NOT_PRESENT"
  | "BZIMAGE_MAGIC"
  | "BZIMAGE_BOOT_FLAG"
  | "BZIMAGE_VERSION"
  | "BZIMAGE_LOADFLAGS"
  | "BZIMAGE_NO_64BIT_ENTRY"
  | "BZIMAGE_FIELD"
  | "IMAGE_MAGIC"
  | "IMAGE_BIG_ENDIAN"
  | "IMAGE_FIELD"
  | "ZBOOT_FIELD"
  | "COMPRESSED_CORRUPT"
  | "COMPRESSED_CHECKSUM"
  | "COMPRESSED_SIZE"
  | "COMPRESSED_TRAILING"
  | "COMPRESSED_UNSUPPORTED"
  | "COMPRESSED_NESTING"
  | "FDT_MAGIC"
  | "FDT_STRUCTURE"
  | "FDT_VALUE"
  | "FDT_TOO_BIG"
  | "CMDLINE_CAPACITY"
  | "CMDLINE_ASCII"
  | "CMDLINE_SPACE"
  | "CMDLINE_EQUALS"
  | "CMDLINE_MISSING_VALUE"
  | "CMDLINE_MMIO_SIZE"
  | "CMDLINE_QUOTE"
  | "CMDLINE_QUOTE_SPACE"
  | "CMDLINE_NUL"
  | "CMDLINE_NO_BOOT_ARGS"
  | "CMDLINE_TOO_LONG"
  | "ADDRESS_OVERFLOW"
  | "INVALID_MEMORY"
  | "INVALID_OPTION"
  | "INVALID_PLAN"
  | "OUTSIDE_RAM"
  | "OVERLAP"
  | "MISALIGNED"
  | "NO_SPACE"
  | "ENTRY_OUTSIDE_KERNEL"
  | "BELOW_HIGHMEM"
  | "BOOT_PARAMS_MISSING"
  | "EMPTY_INITRD"
  | "PROTOCOL_MISMATCH";

/** A guest-physical range and what lies there: one party of a clash. */
export interface NamedRange {
  /** What lies there, e.g. `"initrd"`. */
  readonly name: string;
  /** The first guest-physical address. */
  readonly start: bigint;
  /** Size in bytes. */
  readonly size: bigint;
}

/** Where an error was met, what was expected there and what was found. */
export interface LoaderErrorDetails {
  /** The specification's name of the field, e.g. `"setup_header.xloadflags"`. */
  readonly field?: string;
  /** Where the field lies: bytes from the start of the input. */
  readonly offset?: number;
  /** What would have been accepted. */
  readonly expected?: string;
  /** What was there. */
  readonly actual?: string;
  /** The guest-physical ranges that clash, the one that could not be placed first. */
  readonly ranges?: readonly NamedRange[];
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * The one error that input (a kernel, an initrd, a command line, a memory layout) can cause.
 *
 * @example
 * ```ts
 * import { bootLinux, GuestMemory, LoaderError } from "@vmm/linux-loader";
 *
 * const memory = GuestMemory.of([{ start: 0n, bytes: new Uint8Array(1 << 20) }]);
 * try {
 *   bootLinux(memory, { kernel: new Uint8Array(4096) });
 * } catch (error) {
 *   if (!(error instanceof LoaderError)) throw error;
 *   console.log(error.code, error.message); // UNKNOWN_FORMAT Cannot recognise kernel: …
 * }
 * ```
 */
export class LoaderError extends Error {
  /** The class' name. */
  override readonly name: string = "LoaderError";
  /** What went wrong. */
  readonly code: LoaderErrorCode;
  /** The specification's name of the field. */
  readonly field?: string;
  /** Where the field lies: bytes from the start of the input. */
  readonly offset?: number;
  /** What would have been accepted. */
  readonly expected?: string;
  /** What was there. */
  readonly actual?: string;
  /** The guest-physical ranges that clash, the one that could not be placed first. */
  readonly ranges?: readonly NamedRange[];

  /**
   * An error with its place.
   *
   * @param code What went wrong.
   * @param message A sentence: "Cannot X: <what is>, <what is wanted>".
   * @param details Where, what was expected, what was there.
   */
  constructor(code: LoaderErrorCode, message: string, details: LoaderErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.field !== undefined) this.field = details.field;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.expected !== undefined) this.expected = details.expected;
    if (details.actual !== undefined) this.actual = details.actual;
    if (details.ranges !== undefined) this.ranges = details.ranges;
  }
}

/** The place of a field in an input: what a parse error is made from. */
export interface FieldLocation {
  /** The specification's name of the field. */
  readonly field: string;
  /** Bytes from the start of the input. */
  readonly offset: number;
}

/**
 * The error of a field that does not hold what it must.
 *
 * @param code What went wrong.
 * @param at The field.
 * @param expected What would have been accepted.
 * @param actual What was there.
 * @returns An error that reads "Cannot parse FIELD at 0xN: expected E, got A".
 */
export function fieldError(
  code: LoaderErrorCode,
  at: FieldLocation,
  expected: string,
  actual: string,
): LoaderError {
  return new LoaderError(
    code,
    `Cannot parse ${at.field} at 0x${at.offset.toString(16)}: expected ${expected}, got ${actual}`,
    { ...at, expected, actual },
  );
}

/**
 * The error of an argument that is not of the type that TypeScript's types promise.
 *
 * @param name The argument.
 * @param expected What would have been accepted.
 * @param value What was there.
 * @returns An error that reads "Cannot use NAME: expected a bigint, got number".
 */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  const actual = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
  return new TypeError(`Cannot use ${name}: expected ${expected}, got ${actual}`);
}

/** So much of a text from a file is quoted. */
const MAX_QUOTED = 64;

/**
 * A text from a file, for an error's message, which may end up in a terminal.
 *
 * @param text The text.
 * @returns Its start in quotes, on one line and in ASCII, and how many characters more it has.
 */
export function quoteText(text: string): string {
  const quoted = JSON.stringify(text.slice(0, MAX_QUOTED)).replace(/[^ -~]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return text.length > MAX_QUOTED ? `${quoted} and ${text.length - MAX_QUOTED} more` : quoted;
}
