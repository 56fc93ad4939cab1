/** The differential cases: what was put to linux-loader, and what it answered. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** An unsigned 64-bit number as JSON has it: `"0x.."`. */
export type Hex = string;

/** Guest memory before the load. */
export interface MemorySpec {
  /** Guest-physical address of the only region. */
  readonly mem_base?: Hex;
  /** Its size in bytes. */
  readonly mem_size?: Hex;
  /** The regions, each an address and a size. */
  readonly regions?: readonly (readonly [Hex, Hex])[];
  /** What every byte of it is; 0 if not given. */
  readonly fill?: number;
}

/** A file to load. */
export interface ImageCase extends MemorySpec {
  readonly id: string;
  readonly format: "elf" | "bzimage" | "pe-arm64" | "pe-riscv64" | "dtb";
  /** The file that it is made from, by name. */
  readonly base: string;
  readonly pad_to?: number;
  /** What is written over it: an offset, and bytes in hex. */
  readonly patches?: readonly (readonly [number, string])[];
  readonly truncate?: number;
  readonly kernel_offset: Hex | null;
  readonly himem: Hex | null;
}

/** An operation on a command line, and its arguments. */
export type CmdlineOp =
  | readonly ["insert", string, string]
  | readonly ["insert_multiple", string, readonly string[]]
  | readonly ["insert_str" | "insert_init_args" | "try_from", string]
  | readonly ["virtio_mmio", Hex | number, Hex | number, number, number | null];

/** A command line to build, and perhaps to load. */
export interface CmdlineCase extends MemorySpec {
  readonly id: string;
  readonly format: "cmdline";
  readonly capacity: number;
  readonly ops: readonly CmdlineOp[];
  readonly load_addr?: Hex;
}

/** Boot parameters to write; bytes in hex. */
export interface BootParamsCase extends MemorySpec {
  readonly id: string;
  readonly format: "bootparams";
  readonly protocol: "linux" | "pvh" | "fdt";
  readonly header: string;
  readonly header_start: Hex;
  readonly sections: string | null;
  readonly sections_start: Hex | null;
  readonly modules: string | null;
  readonly modules_start: Hex | null;
}

/** What was put to linux-loader. */
export type Case = ImageCase | CmdlineCase | BootParamsCase;

/** A run of 4 KiB pages that differ from the fill: where, and the sha256 of its bytes. */
export type Run = readonly [start: Hex, end: Hex, sha256: string];

/** What linux-loader answered. */
export interface Verdict {
  readonly id?: string;
  /** The first 16 hex digits of the input file's sha256. */
  readonly in?: string;
  readonly ok: boolean;
  /** linux-loader's name of the error. */
  readonly err?: string;
  /** Guest memory afterwards, also after an error. */
  readonly mem?: readonly Run[];
  readonly kernel_load?: Hex;
  readonly kernel_end?: Hex;
  /** An ELF's PVH entry, `"not_present"` or `"ignored"`. */
  readonly pvh?: string;
  /** A bzImage's setup_header in hex. */
  readonly setup_header?: string;
  /** What is answered when the same bytes are read from a file, where that differs. */
  readonly file?: Verdict;
  /** A command line: the answer of `new`, where it failed. */
  readonly new?: string;
  /** A command line: the answer of each operation, `"ok"` or an error. */
  readonly ops?: readonly string[];
  /** A command line: its text. */
  readonly result?: string;
  /** A command line: `"ok"`, or the error of loading it. */
  readonly load?: string;
}

/** A case, what it loads, and its verdict. */
export interface Vector {
  readonly case: Case;
  /** The input file's bytes; empty for a case without. */
  readonly input: Uint8Array;
  readonly verdict: Verdict;
}

/** Where the three files are. */
export interface VectorFiles {
  readonly bases: string | URL;
  readonly cases: string | URL;
  readonly verdicts: string | URL;
}

/** The files that lie beside this one. */
export const OWN_FILES: VectorFiles = {
  bases: new URL("data/bases.jsonl.gz", import.meta.url),
  cases: new URL("data/cases.jsonl.gz", import.meta.url),
  verdicts: new URL("data/verdicts.jsonl.gz", import.meta.url),
};

/**
 * Reads the vectors and builds their inputs.
 *
 * @param files Where they are; gzip, one JSON object a line.
 * @returns The vectors, one at a time, since their inputs are large together.
 * @throws {Error} If the files do not fit together: an id without its verdict, an input that is not
 * what linux-loader was given.
 */
export function* readVectors(files: VectorFiles): Generator<Vector> {
  const bases = new Map(
    readLines<{ base: string; sha256: string; b64: string }>(files.bases).map((line) => {
      const bytes = new Uint8Array(Buffer.from(line.b64, "base64"));
      requireSame(`base ${line.base}`, sha256(bytes), line.sha256);
      return [line.base, bytes];
    }),
  );
  const cases = readLines<Case>(files.cases);
  const verdicts = readLines<Verdict>(files.verdicts);
  requireSame("number of verdicts", `${verdicts.length}`, `${cases.length}`);
  for (const [i, one] of cases.entries()) {
    requireSame(`verdict ${i}`, verdicts[i].id ?? "", one.id);
    const input = "base" in one ? buildInput(one, bases) : new Uint8Array(0);
    if ("base" in one) requireSame(one.id, sha256(input).slice(0, 16), verdicts[i].in ?? "");
    yield { case: one, input, verdict: verdicts[i] };
  }
}

/** Base, extended with zeros, patched, cut, in this order. */
function buildInput(
  { id, base, pad_to = 0, patches = [], truncate }: ImageCase,
  bases: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const original = bases.get(base);
  if (original === undefined) throw new Error(`Cannot build ${id}: there is no base ${base}`);
  const parts = patches.map(([offset, hex]) => ({ offset, bytes: fromHex(hex) }));
  const size = parts.reduce(
    (size, { offset, bytes }) => Math.max(size, offset + bytes.length),
    Math.max(original.length, pad_to),
  );
  const input = new Uint8Array(size);
  input.set(original);
  for (const { offset, bytes } of parts) input.set(bytes, offset);
  return truncate === undefined ? input : input.subarray(0, truncate);
}

/**
 * Bytes from hex digits.
 *
 * @param hex Two digits each.
 * @returns The bytes.
 */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/**
 * Hex digits of bytes.
 *
 * @param bytes The bytes.
 * @returns Two digits each.
 */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/**
 * SHA-256.
 *
 * @param bytes The bytes.
 * @returns Hex digits.
 */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function readLines<T>(file: string | URL): T[] {
  const text = gunzipSync(readFileSync(file)).toString("utf8");
  return text.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line));
}

function requireSame(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`Cannot use ${what}: ${actual}, expected ${expected}`);
}
