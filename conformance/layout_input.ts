/** What a layout is put into, and what it is read from. */
import { type AddressRange, GuestMemory, type KernelSource } from "../mod.ts";
import { type FileSource, openFile } from "../src/files.ts";
import type { Capabilities } from "./capabilities.ts";
import type { KernelPaths, Layout } from "./case.ts";

/** Regions of at most this size: one view need not hold more, and regions that touch act as one. */
const REGION = 1n << 30n;

/**
 * Makes guest memory.
 *
 * @param ranges The RAM.
 * @param dirt The byte that it is filled with; fresh memory if not given.
 * @returns The memory.
 */
export function allocate(ranges: readonly AddressRange[], dirt: number | undefined): GuestMemory {
  const regions = ranges.flatMap(({ start, size }) => {
    const parts: { start: bigint; bytes: Uint8Array }[] = [];
    for (let at = 0n; at < size; at += REGION) {
      const length = Number(size - at < REGION ? size - at : REGION);
      parts.push({ start: start + at, bytes: new Uint8Array(length) });
    }
    return parts;
  });
  if (dirt !== undefined) { for (const { bytes } of regions) bytes.fill(dirt); }
  return GuestMemory.of(regions);
}

/**
 * Opens a layout's kernel.
 *
 * @param kernel The kernel.
 * @returns What the library reads, and what closes it.
 */
export function openKernel(
  kernel: Layout["kernel"],
): { source: KernelSource | Uint8Array; close(): void } {
  if (kernel instanceof Uint8Array) return { source: kernel, close: () => {} };
  const file: FileSource = openFile(kernel.path);
  return { source: file, close: () => file.close() };
}

/**
 * Gives the paths of kernels that a case needs.
 *
 * @param capabilities What is there.
 * @returns The path of each.
 */
export const kernelPaths = (capabilities: Capabilities): KernelPaths => (need) => {
  const found = capabilities.of(need);
  if (found.state === "there" && found.path !== undefined) return found.path;
  throw new Error(`Cannot use ${need.id}: the case does not name it as a need`);
};
