/** What cases hand over: the committed guests, and bytes that look random and are the same every time. */
import { fileURLToPath } from "node:url";

/** A committed guest of kernels/bin. */
export type GuestFile =
  | "probe-elf64.x86_64"
  | "probe-elf32.i386"
  | "probe-bzimage.x86_64"
  | "probe-image.aarch64"
  | "probe-image.riscv64"
  | "init.i386"
  | "init.x86_64"
  | "init.aarch64"
  | "init.riscv64";

/**
 * The path of a committed guest.
 *
 * @param file Its name.
 * @returns An absolute path.
 */
export function guestPath(file: GuestFile): string {
  return fileURLToPath(new URL(`../../kernels/bin/${file}`, import.meta.url));
}

/**
 * Bytes without a pattern, the same for a seed wherever they are made.
 *
 * @param size How many.
 * @param seed Which.
 * @returns The bytes.
 */
export function noise(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  // Knuth, TAOCP vol. 2, 3.3.4, table 1, line 16: a linear congruential generator; high bits are used
  let state = seed >>> 0;
  for (let i = 0; i < size; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
