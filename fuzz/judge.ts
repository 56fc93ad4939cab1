/**
 * Runs a part of the library on an input, and judges what is thrown: only a LoaderError, and one that
 * says where.
 *
 * @module
 */
import { Violation } from "./property.ts";

/** What a LoaderError says, without its class: a broken copy of the library has its own. */
export interface Refused {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  readonly offset?: number;
  readonly expected?: string;
  readonly actual?: string;
  readonly cause?: unknown;
  readonly ranges?: readonly { name: string; start: bigint; size: bigint }[];
}

/** What came of a call. */
export type Outcome<T> =
  | { readonly value: T; readonly refused?: undefined }
  | { readonly value?: undefined; readonly refused: Refused };

/**
 * What an error of a code must say: `place` a field and an offset that points into the input, `clash`
 * both ranges, `range` at least one, `field` which option or value, `any` one of these.
 */
type Duty = "place" | "clash" | "range" | "field" | "any";

/** Every code that there is: one that is not listed here is a fault. */
const DUTIES: Readonly<Record<string, Duty>> = {
  SOURCE_FAILED: "place",
  PARTIALLY_APPLIED: "range",
  UNKNOWN_FORMAT: "place",
  UNSUPPORTED_FORMAT: "place",
  TRUNCATED: "place",
  LIMIT_EXCEEDED: "field",
  ELF_MAGIC: "place",
  ELF_CLASS: "place",
  ELF_BYTE_ORDER: "place",
  ELF_VERSION: "place",
  ELF_TYPE: "place",
  ELF_MACHINE: "place",
  ELF_HEADER_SIZE: "place",
  ELF_PHENTSIZE: "place",
  ELF_PHOFF: "place",
  ELF_PHNUM: "place",
  ELF_SEGMENT_SIZE: "place",
  ELF_SEGMENT_OVERLAP: "clash",
  ELF_NO_SEGMENTS: "place",
  NOTE_MALFORMED: "place",
  PVH_NOT_PRESENT: "field",
  BZIMAGE_MAGIC: "place",
  BZIMAGE_BOOT_FLAG: "place",
  BZIMAGE_VERSION: "place",
  BZIMAGE_LOADFLAGS: "place",
  BZIMAGE_NO_64BIT_ENTRY: "place",
  BZIMAGE_FIELD: "place",
  IMAGE_MAGIC: "place",
  IMAGE_BIG_ENDIAN: "place",
  IMAGE_FIELD: "place",
  FDT_MAGIC: "place",
  FDT_STRUCTURE: "place",
  FDT_VALUE: "field",
  FDT_TOO_BIG: "field",
  CMDLINE_CAPACITY: "field",
  CMDLINE_ASCII: "place",
  CMDLINE_SPACE: "place",
  CMDLINE_EQUALS: "place",
  CMDLINE_MISSING_VALUE: "field",
  CMDLINE_MMIO_SIZE: "field",
  CMDLINE_QUOTE: "place",
  CMDLINE_QUOTE_SPACE: "place",
  CMDLINE_NUL: "place",
  CMDLINE_NO_BOOT_ARGS: "field",
  CMDLINE_TOO_LONG: "field",
  ADDRESS_OVERFLOW: "any",
  INVALID_MEMORY: "any",
  INVALID_OPTION: "any",
  INVALID_PLAN: "range",
  OUTSIDE_RAM: "clash",
  OVERLAP: "clash",
  MISALIGNED: "field",
  NO_SPACE: "clash",
  ENTRY_OUTSIDE_KERNEL: "place",
  BELOW_HIGHMEM: "place",
  BOOT_PARAMS_MISSING: "field",
  ZBOOT_FIELD: "place",
  COMPRESSED_CORRUPT: "place",
  COMPRESSED_CHECKSUM: "place",
  COMPRESSED_SIZE: "place",
  COMPRESSED_TRAILING: "place",
  COMPRESSED_UNSUPPORTED: "place",
  COMPRESSED_NESTING: "field",
  EMPTY_INITRD: "field",
  PROTOCOL_MISMATCH: "field",
};

/** A message is for a terminal, and quotes hostile bytes only in a harmless form. */
const MAX_MESSAGE = 2000;

/**
 * Runs something that may be refused.
 *
 * @param inputSize The size of the largest input that an offset may point into.
 * @param run What.
 * @returns What it returned, or the LoaderError.
 * @throws {Violation} If something else was thrown, or the LoaderError does not say what it must.
 */
export function judge<T>(inputSize: number, run: () => T): Outcome<T> {
  try {
    return { value: run() };
  } catch (error) {
    return { refused: judged(error, inputSize) };
  }
}

/**
 * Judges what was thrown.
 *
 * @param error What was thrown.
 * @param inputSize The size of the largest input that an offset may point into.
 * @returns It, as a LoaderError.
 * @throws {Violation} If it is none, or does not say what it must.
 */
export function judged(error: unknown, inputSize: number): Refused {
  if (!(error instanceof Error)) {
    throw new Violation(`${typeof error} thrown`, String(error), error);
  }
  const refused = error as unknown as Refused;
  if (refused.name !== "LoaderError" || refused.code === undefined) {
    throw new Violation(`${error.name} thrown`, error.message, error);
  }
  const faults = errorFaults(refused, inputSize);
  if (faults.length > 0) {
    throw new Violation(`${refused.code} ${faults[0]}`, refused.message, error);
  }
  return refused;
}

/**
 * What an error should say and does not.
 *
 * @param error The error.
 * @param inputSize The size of the largest input that an offset may point into.
 * @returns A few words each.
 */
export function errorFaults(error: Refused, inputSize: number): string[] {
  const { code, message, field, offset, ranges } = error;
  const faults: string[] = [];
  const duty = DUTIES[code];
  if (duty === undefined) faults.push("is no code that is known here");
  if (!/^Cannot [^\n]*[^.\n]$/.test(message)) faults.push("does not read Cannot X: …");
  if (message.length > MAX_MESSAGE) faults.push("has a message without end");
  if (/undefined|NaN|\[object/.test(message)) faults.push("has a hole in its message");
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f-\x9f]/.test(message)) faults.push("passes control characters on");
  if (field !== undefined && field === "") faults.push("names no field");
  const pointsInto = offset !== undefined && Number.isSafeInteger(offset) && offset >= 0 &&
    offset <= inputSize;
  if (offset !== undefined && !pointsInto) faults.push("has an offset that is not in the input");
  for (const range of ranges ?? []) {
    if (typeof range.name !== "string" || range.name === "") {
      faults.push("has a range without name");
    }
    if (typeof range.start !== "bigint" || typeof range.size !== "bigint") {
      faults.push("has a range that is none");
    }
  }
  if (duty === "place" && (field === undefined || offset === undefined)) {
    faults.push("does not say its field and offset");
  }
  if (duty === "field" && field === undefined) faults.push("does not say its field");
  if (duty === "clash" && (ranges?.length ?? 0) < 2) faults.push("does not name both ranges");
  if (["OVERLAP", "ELF_SEGMENT_OVERLAP"].includes(code) && !shareAnAddress(ranges ?? [])) {
    faults.push("names ranges that do not overlap");
  }
  if (duty === "range" && (ranges?.length ?? 0) < 1) faults.push("does not name its range");
  return faults;
}

function shareAnAddress([a, b]: NonNullable<Refused["ranges"]>): boolean {
  // That one is missing is said elsewhere
  return !a || !b || a.start < b.start + b.size && b.start < a.start + a.size;
}

/**
 * The codes that are known.
 *
 * @returns Them.
 */
export function knownCodes(): string[] {
  return Object.keys(DUTIES);
}
