/** Numbers at places in bytes, and bytes that show what is copied wrongly. */

/** Where a field lies, in bytes from the start of its struct, and how wide it is. */
export type Place = readonly [offset: number, width: 1 | 2 | 4 | 8];

/** Fields by their names in the specification. */
export type Overrides<T> = { readonly [K in keyof T]?: number | bigint };

/**
 * Writes a little-endian number.
 *
 * @param bytes Where to.
 * @param offset Bytes from their start.
 * @param width Bytes to write.
 * @param value The number; higher bits are dropped.
 */
export function poke(
  bytes: Uint8Array,
  offset: number,
  width: 1 | 2 | 4 | 8,
  value: number | bigint,
): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < width; i++, rest >>= 8n) bytes[offset + i] = Number(rest & 0xffn);
}

/**
 * Reads a little-endian number.
 *
 * @param bytes Where from.
 * @param offset Bytes from their start.
 * @param width Bytes to read.
 * @returns The number.
 */
export function peek(bytes: Uint8Array, offset: number, width: 1 | 2 | 4 | 8): bigint {
  if (offset < 0 || offset + width > bytes.length) throw new RangeError(`peek at ${offset}`);
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[offset + i]);
  return value;
}

/**
 * Writes fields.
 *
 * @param bytes Where to.
 * @param start Where the struct starts in them.
 * @param places Where its fields lie.
 * @param values What they are.
 */
export function pokeAll<T extends Record<string, Place>>(
  bytes: Uint8Array,
  start: number,
  places: T,
  values: Overrides<T>,
): void {
  for (const [name, value] of Object.entries(values) as [keyof T & string, number | bigint][]) {
    if (value === undefined) continue;
    const [offset, width] = places[name];
    poke(bytes, start + offset, width, value);
  }
}

/**
 * Bytes that differ from their neighbours and from 0, so that what is copied wrongly shows.
 *
 * @param size How many.
 * @param seed Another seed gives other bytes.
 * @returns The bytes.
 */
export function pattern(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed * 31) % 255 + 1;
  return bytes;
}
