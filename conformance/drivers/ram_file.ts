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
 * @throws {Error} If memory lies outside of the RAM; the runtime's own error if the file cannot be
 * written.
 */
export function writeRamFile(
  path: string,
  memory: GuestMemory,
  ranges: readonly AddressRange[],
): void {
  const file = openSync(path, "wx");
  try {
    for (const { start, bytes } of memory.regions) {
      writeSparse(file, bytes, Number(offsetOf(start, bytes.length, ranges)));
    }
    ftruncateSync(file, Number(ranges.reduce((sum, { size }) => sum + size, 0n)));
  } finally {
    closeSync(file);
  }
}

/** Where the file holds a region. */
function offsetOf(address: bigint, length: number, ranges: readonly AddressRange[]): bigint {
  let offset = 0n;
  for (const { start, size } of ranges) {
    if (address >= start && address + BigInt(length) <= start + size) {
      return offset + address - start;
    }
    offset += size;
  }
  throw new Error(`Cannot write memory at 0x${address.toString(16)}: the machine has no RAM there`);
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
