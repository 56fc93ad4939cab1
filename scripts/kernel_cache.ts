/**
 * The cache of fetched kernels: a directory for each one, with the kernel and a record of it.
 *
 * The record is written last and names the file, whose name holds its hash. So a reader sees a
 * whole kernel or none, also while another process writes, and a file that is not what its record
 * says is never used.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** What is known about a cached kernel. */
export interface KernelRecord {
  /** The Debian package that it comes from. */
  package: string;
  /** The package's exact version. */
  version: string;
  /** SHA-256 of the package, as the signed index has it. */
  debSha256: string;
  /** SHA-256 of the kernel. */
  kernelSha256: string;
  /** The kernel's size in bytes. */
  size: number;
  /** The kernel's file name in the package, e.g. `vmlinuz-6.1.0-50-amd64`. */
  name: string;
  /** The kernel's file name beside this record. */
  file: string;
}

/** A kernel in the cache, checked. */
export interface CachedKernel extends KernelRecord {
  /** The kernel's absolute path. */
  path: string;
}

/** What is in the cache: a kernel, or a file that may not be used, or nothing. */
export interface CacheEntry {
  /** The kernel, if there is one and it is what its record says. */
  kernel?: CachedKernel;
  /** Otherwise, what is wrong with what is there. */
  damage?: string;
}

/** The record's file name. */
const RECORD = "kernel.json";
/** All of a record but the size. */
const TEXT_FIELDS = ["package", "version", "debSha256", "kernelSha256", "name", "file"] as const;

/**
 * Looks up a kernel, and checks its size and hash.
 *
 * @param directory The kernel's directory.
 * @returns What is there.
 */
export function readCache(directory: string): CacheEntry {
  const recordText = readIfThere(join(directory, RECORD))?.toString();
  if (recordText === undefined) return {};
  const record = parseRecord(recordText);
  if (record === undefined) return { damage: `${join(directory, RECORD)} is not a record` };

  const path = resolve(directory, record.file);
  const bytes = readIfThere(path);
  if (bytes === undefined) return { damage: `${path} is missing` };
  if (bytes.length !== record.size) {
    return { damage: `${path} has ${bytes.length} bytes, its record says ${record.size}` };
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== record.kernelSha256) {
    return { damage: `${path} has SHA-256 ${sha256}, its record says ${record.kernelSha256}` };
  }
  return { kernel: { ...record, path } };
}

/**
 * Moves a kernel into the cache, in place of the one that is there.
 *
 * @param directory The kernel's directory.
 * @param source The file to move, on the same file system.
 * @param origin Where it comes from.
 * @returns The cached kernel.
 */
export function writeCache(
  directory: string,
  source: string,
  origin: Pick<KernelRecord, "package" | "version" | "debSha256">,
): CachedKernel {
  mkdirSync(directory, { recursive: true });
  const bytes = readFileSync(source);
  const kernelSha256 = createHash("sha256").update(bytes).digest("hex");
  const name = basename(source);
  const record: KernelRecord = {
    package: origin.package,
    version: origin.version,
    debSha256: origin.debSha256,
    kernelSha256,
    size: bytes.length,
    name,
    file: `${name}-${kernelSha256.slice(0, 16)}`,
  };
  const path = resolve(directory, record.file);
  const oldText = readIfThere(join(directory, RECORD))?.toString();

  chmodSync(source, 0o644);
  sync(source);
  renameSync(source, path);
  const old = oldText === undefined ? undefined : parseRecord(oldText);
  try {
    writeAtomically(join(directory, RECORD), JSON.stringify(record, null, 2) + "\n");
  } catch (error) {
    // A full disk: without its record nobody would ever use or remove it
    if (old?.file !== record.file) rmSync(path, { force: true });
    throw error;
  }
  if (old !== undefined && old.file !== record.file) {
    rmSync(join(directory, old.file), { force: true });
  }
  return { ...record, path };
}

/**
 * Writes a file so that a reader, or a reader after a crash, sees the old content or the new one.
 *
 * @param path The file.
 * @param content Its new content.
 */
export function writeAtomically(path: string, content: string): void {
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    writeFileSync(partial, content);
    sync(partial);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
  sync(dirname(path));
}

/** Parses a record; `undefined` for anything else, since a file can hold anything. */
function parseRecord(text: string): KernelRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const record = value as KernelRecord;
  if (TEXT_FIELDS.some((field) => typeof record[field] !== "string")) return undefined;
  if (typeof record.size !== "number") return undefined;
  const isInside = record.file === basename(record.file) && !/^\.*$/.test(record.file);
  return isInside ? record : undefined;
}

/** A file's content, or `undefined` if there is no such file. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Has the system write a file or directory to the disk. */
function sync(path: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    fsyncSync(descriptor);
  } catch {
    // Not every file system can; the hash is checked before every use anyway
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
