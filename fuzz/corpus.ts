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
import { decodeInput, encodeInput } from "./codec.ts";

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
