/**
 * The model's refusals, and how it looks at bytes. Nothing in this folder comes from the library.
 *
 * @module
 */

/** A boot that must be refused, with one of some codes. */
export class Refusal extends Error {
  /** Any of these is right. */
  readonly codes: readonly string[];

  /** @param codes Any of these is right. */
  constructor(...codes: readonly string[]) {
    super(codes.join(" or "));
    this.codes = codes;
  }
}

/**
 * Refuses unless something is so.
 *
 * @param condition What must be so.
 * @param codes Any of these is right.
 */
export function need(condition: boolean, ...codes: readonly string[]): asserts condition {
  if (!condition) throw new Refusal(...codes);
}

/**
 * A little-endian number.
 *
 * @param file The bytes.
 * @param at Where.
 * @param width Bytes.
 * @returns The number; undefined past the end.
 */
export function look(file: Uint8Array, at: number, width: number): bigint | undefined {
  if (at < 0 || at + width > file.length) return undefined;
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = value * 256n + BigInt(file[at + i]);
  return value;
}

/**
 * A little-endian number that is known to be there.
 *
 * @param file The bytes.
 * @param at Where.
 * @param width Bytes.
 * @returns The number.
 */
export function number(file: Uint8Array, at: number, width: number): bigint {
  const value = look(file, at, width);
  need(value !== undefined, "TRUNCATED");
  return value;
}

/**
 * Rounds up.
 *
 * @param value A number.
 * @param to Any positive number.
 * @returns The smallest multiple of `to` that is not below.
 */
export function up(value: bigint, to: bigint): bigint {
  return (value + to - 1n) / to * to;
}

/** 2^64. */
export const TOP = 1n << 64n;

/**
 * What an EFI application's sections say of the file's size: PE format, "Section Table".
 *
 * @param file The file.
 */
export function needSections(file: Uint8Array): void {
  if (number(file, 0, 2) !== 0x5a4dn) return;
  const header = Number(number(file, 0x3c, 4));
  need(header + 24 <= file.length, "TRUNCATED");
  if (number(file, header, 4) !== 0x4550n) return;
  const count = Number(number(file, header + 6, 2));
  if (count > 96) return;
  const table = header + 24 + Number(number(file, header + 20, 2));
  need(table + 40 * count <= file.length, "TRUNCATED");
  for (let i = 0; i < count; i++) {
    const [size, start] = [16, 20].map((at) => number(file, table + 40 * i + at, 4));
    need(start + size <= BigInt(file.length), "TRUNCATED");
  }
}
