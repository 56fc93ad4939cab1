/** Guest memory as a sparse file that QEMU maps. */
import { Buffer } from "node:buffer";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { AddressRange, GuestMemory } from "../../mod.ts";

const CHUNK = 64 << 10;
const ZEROS = Buffer.alloc(CHUNK);
/** The pieces in which memory is looked at: a view of it, not a copy. */
const PIECE = 1n << 30n;

/**
 * Writes guest memory to a file, leaving holes where it is zero.
 *
 * @param path The file.
 * @param memory What a plan was applied to.
 * @param ranges Its RAM in the order in which the file holds it.
 * @throws {Error} The runtime's own error if the file cannot be written.
 */
export function writeRamFile(
  path: string,
  memory: GuestMemory,
  ranges: readonly AddressRange[],
): void {
  const file = openSync(path, "wx");
  try {
    let offset = 0;
    for (const { start, size } of ranges) {
      for (let at = 0n; at < size; at += PIECE) {
        const piece = { start: start + at, size: size - at < PIECE ? size - at : PIECE };
        for (const view of memory.views(piece)) {
          writeSparse(file, view, offset);
          offset += view.length;
        }
      }
    }
    ftruncateSync(file, offset);
  } finally {
    closeSync(file);
  }
}

function writeSparse(file: number, view: Uint8Array, offset: number): void {
  for (let at = 0; at < view.length; at += CHUNK) {
    const chunk = view.subarray(at, at + CHUNK);
    if (Buffer.compare(chunk, ZEROS.subarray(0, chunk.length)) === 0) continue;
    for (let done = 0; done < chunk.length;) {
      done += writeSync(file, chunk, done, chunk.length - done, offset + at + done);
    }
  }
}
