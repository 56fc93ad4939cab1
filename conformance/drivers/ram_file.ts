/** Guest memory as a sparse file that QEMU maps. */
import { Buffer } from "node:buffer";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { AddressRange, GuestMemory } from "../../mod.ts";

const CHUNK = 64 << 10;
const ZEROS = Buffer.alloc(CHUNK);

/**
 * Writes guest memory to a file, leaving holes where it is zero.
 *
 * @param path The file.
 * @param memory What a plan was applied to: all of the RAM, or parts of it; the rest is zero.
 * @param ranges The machine's RAM in the order in which the file holds it.
 * @param written What of the memory may hold anything but zeros, in which case nothing else is looked
 * at: the first look at a GiB of fresh memory costs more than half a second (measured).
 * @throws {Error} If memory lies outside of the RAM; the runtime's own error if the file cannot be
 * written.
 */
export function writeRamFile(
  path: string,
  memory: GuestMemory,
  ranges: readonly AddressRange[],
  written: readonly AddressRange[] = memory.ram,
): void {
  const file = openSync(path, "wx");
  try {
    for (const piece of written.flatMap(piecesOf)) {
      let offset = Number(offsetOf(piece, ranges));
      for (const view of memory.views(piece)) {
        writeSparse(file, view, offset);
        offset += view.length;
      }
    }
    ftruncateSync(file, Number(ranges.reduce((sum, { size }) => sum + size, 0n)));
  } finally {
    closeSync(file);
  }
}

/** Where the file holds a piece. */
function offsetOf(piece: AddressRange, ranges: readonly AddressRange[]): bigint {
  let offset = 0n;
  for (const { start, size } of ranges) {
    if (piece.start >= start && piece.start + piece.size <= start + size) {
      return offset + piece.start - start;
    }
    offset += size;
  }
  const address = `0x${piece.start.toString(16)}`;
  throw new Error(`Cannot write memory at ${address}: the machine has no RAM there`);
}

/** One view need not hold more. */
const PIECE = 1n << 30n;

function piecesOf({ start, size }: AddressRange): AddressRange[] {
  const pieces: AddressRange[] = [];
  for (let at = 0n; at < size; at += PIECE) {
    pieces.push({ start: start + at, size: size - at < PIECE ? size - at : PIECE });
  }
  return pieces;
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
