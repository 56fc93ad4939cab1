/**
 * Inputs as files: `corpus/<property>/<what it is>.json`, and raw bytes for the coverage-guided
 * targets as `corpus/<target>/<what it is>.bin`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where inputs lie that have once failed, or are worth a replay for another reason. */
export const CORPUS: string = join(dirname(fileURLToPath(import.meta.url)), "corpus");

/** A stored input. */
export interface Stored<T> {
  /** Its file. */
  readonly path: string;
  /** The input. */
  readonly input: T;
}

/**
 * An input as JSON: bigints as `{ "$bigint": "0x10" }`, bytes as `{ "$bytes": "00ff*3 01" }` (hex,
 * a repeated byte with its count).
 *
 * @param input Plain data with bigints and bytes.
 * @returns Text.
 */
export function encodeInput(input: unknown): string {
  return JSON.stringify(encode(input), undefined, 1) + "\n";
}

/**
 * Reads what {@linkcode encodeInput} wrote.
 *
 * @param text JSON.
 * @returns The input.
 */
export function decodeInput(text: string): unknown {
  return decode(JSON.parse(text));
}

function encode(value: unknown): unknown {
  if (typeof value === "bigint") {
    return { $bigint: value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}` };
  }
  if (value instanceof Uint8Array) return { $bytes: encodeBytes(value) };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, encode(item)]),
  );
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const { $bigint, $bytes } = value as { $bigint?: string; $bytes?: string };
  if ($bigint !== undefined) {
    return $bigint.startsWith("-") ? -BigInt($bigint.slice(1)) : BigInt($bigint);
  }
  if ($bytes !== undefined) return decodeBytes($bytes);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

/** Runs of eight and more are counted. */
const LONG_RUN = 8;

function encodeBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let plain = "";
  for (let at = 0; at < bytes.length;) {
    let end = at + 1;
    while (end < bytes.length && bytes[end] === bytes[at]) end++;
    const hex = bytes[at].toString(16).padStart(2, "0");
    if (end - at >= LONG_RUN) {
      if (plain !== "") parts.push(plain);
      parts.push(`${hex}*${end - at}`);
      plain = "";
    } else {
      plain += hex.repeat(end - at);
    }
    at = end;
  }
  if (plain !== "") parts.push(plain);
  return parts.join(" ");
}

function decodeBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const part of text.split(" ").filter((part) => part !== "")) {
    const [hex, count] = part.split("*");
    if (count !== undefined) {
      for (let i = 0; i < Number(count); i++) bytes.push(parseInt(hex, 16));
    } else {
      for (let i = 0; i < hex.length; i += 2) bytes.push(parseInt(hex.slice(i, i + 2), 16));
    }
  }
  return Uint8Array.from(bytes);
}

/**
 * The stored inputs of a property.
 *
 * @param name The property's name.
 * @param root The corpus.
 * @returns Them, in the order of their names.
 */
export function storedInputs<T>(name: string, root: string = CORPUS): Stored<T>[] {
  return filesOf(name, ".json", root).map((path) => ({
    path,
    input: decodeInput(readFileSync(path, "utf8")) as T,
  }));
}

/**
 * The stored seeds of a target.
 *
 * @param name The target's name.
 * @param root The corpus.
 * @returns Their bytes, in the order of their names.
 */
export function storedSeeds(name: string, root: string = CORPUS): Stored<Uint8Array>[] {
  return filesOf(name, ".bin", root).map((path) => ({
    path,
    input: new Uint8Array(readFileSync(path)),
  }));
}

function filesOf(name: string, ending: string, root: string): string[] {
  const directory = join(root, name);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((file) => file.endsWith(ending)).sort()
    .map((file) => join(directory, file));
}

/**
 * Keeps an input.
 *
 * @param name The property's or the target's name.
 * @param what What it is, in a few words.
 * @param input The input: bytes are kept raw.
 * @param root The corpus.
 * @returns The file.
 */
export function storeInput(
  name: string,
  what: string,
  input: unknown,
  root: string = CORPUS,
): string {
  const isRaw = input instanceof Uint8Array;
  const content = isRaw ? input : encodeInput(input);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8);
  const words = what.toLowerCase().replace(/0x[0-9a-f]+|\d+/g, "n").replace(/[^a-z0-9]+/g, "-");
  const slug = words.replace(/^-+|-+$/g, "").slice(0, 60) || "failure";
  const path = join(root, name, `${slug}-${hash}.${isRaw ? "bin" : "json"}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}
