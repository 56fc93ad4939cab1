/**
 * A {@linkcode KernelSource} over a file: `node:fs` positional reads, which work in Deno, Bun and
 * Node and go straight into guest memory.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { MAX_SINGLE_READ } from "./limits.ts";
import type { KernelSource } from "./source.ts";

/**
 * An open file as a source. Close it when the plan has been applied.
 *
 * @example
 * ```ts
 * import { bootLinux, GuestMemory } from "@vmm/linux-loader";
 * import { openFile } from "@vmm/linux-loader/files";
 *
 * function boot(ram: Uint8Array, path: string) {
 *   using kernel = openFile(path);
 *   return bootLinux(GuestMemory.of([{ start: 0n, bytes: ram }]), { kernel });
 * }
 * ```
 */
export class FileSource implements KernelSource {
  /** Size in bytes when the file was opened. */
  readonly size: number;
  #fd: number | undefined;

  /**
   * Opens a file.
   *
   * @param path The file.
   * @throws {Error} The runtime's own error if it cannot be opened; or if it is not a regular file, or
   * has 2^53 bytes or more.
   */
  constructor(path: string | URL) {
    // Before it is opened: opening a FIFO waits for a writer.
    if (!statSync(path).isFile()) throw new Error(`Cannot read ${path}: not a regular file`);
    const fd = openSync(path, "r");
    try {
      this.size = fstatSync(fd).size;
      // A sparse file may be that large, and its size was rounded
      if (!Number.isSafeInteger(this.size)) {
        throw new Error(`Cannot read ${path}: it has 2^53 bytes or more`);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#fd = fd;
  }

  /**
   * Reads up to `target.length` bytes.
   *
   * @param offset Bytes from the start of the file.
   * @param target Where they go.
   * @returns How many were read.
   */
  readAt(offset: number, target: Uint8Array): number {
    if (this.#fd === undefined) throw new Error("Cannot read file: it is closed");
    return readSync(this.#fd, target, 0, Math.min(target.length, MAX_SINGLE_READ), offset);
  }

  /** Closes the file; a second time does nothing. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Closes the file at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a file as a source.
 *
 * @param path The file.
 * @returns The source; close it when the plan has been applied.
 * @throws {Error} The runtime's own error if it cannot be opened; or if it is not a regular file, or
 * has 2^53 bytes or more.
 */
export function openFile(path: string | URL): FileSource {
  return new FileSource(path);
}
