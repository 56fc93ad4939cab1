/** Data to compress, compressed data, and what must come of it when it is damaged. */
import { FIXTURES } from "./compressed_fixtures.ts";

/** A fixture's name. */
export type FixtureName = keyof typeof FIXTURES;

/**
 * What the fixtures hold: calls of x86 and arm64 code for the branch filters, runs, text, noise.
 *
 * @returns 4,096 bytes, the same every time.
 */
export function sample(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  // x86: e8 is a call, e9 a jump; their targets are relative to the next instruction
  for (let at = 0; at + 12 <= 1000; at += 12) {
    view.setUint8(at, at % 5 === 0 ? 0xe9 : 0xe8);
    view.setInt32(at + 1, 0x1000 * (at % 7) - (at + 5), true);
    bytes.set([0x48, 0x89, 0xe5, at & 0xff, 0xe8, 0x0f, 0x1f], at + 5);
  }
  // arm64: 94 is bl, 90 is adrp; bl's target is relative to itself
  for (let at = 1000; at < 1800; at += 8) {
    view.setUint32(at, 0x94000000 | (0x4000 - at >> 2) & 0x03ffffff, true);
    view.setUint32(at + 4, 0x90000000 | at & 0x1f | (at & 0x60) << 8, true);
  }
  bytes.fill(0, 1800, 2300);
  bytes.fill(0x61, 2300, 2305);
  let state = 1;
  for (let at = 2305; at < 2600; at++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0; // TAOCP vol. 2, 3.3.4
    bytes[at] = state >>> 24;
  }
  const text = new TextEncoder().encode("Linux version, the quick brown fox; ");
  for (let at = 2600; at < 4096; at++) bytes[at] = text[(at * (at >> 7)) % text.length];
  return bytes;
}

/**
 * A fixture's bytes.
 *
 * @param name Its name.
 * @returns A copy of its own.
 */
export function fixture(name: FixtureName): Uint8Array<ArrayBuffer> {
  return fromHex(FIXTURES[name].hex);
}

/**
 * Bytes from hexadecimal digits.
 *
 * @param hex The digits; white space is skipped.
 * @returns The bytes.
 */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (digits) => parseInt(digits, 16));
}
