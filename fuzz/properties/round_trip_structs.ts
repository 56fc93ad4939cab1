import fc from "fast-check";
import * as mod from "../../mod.ts";
import type { Struct } from "../../mod.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { type Library, property, Violation } from "../property.ts";

/** Any wire struct: its fields are known at run time only; some are structs and lists themselves. */
type AnyStruct = Struct<Record<string, unknown>>;

function isStruct(value: unknown): value is AnyStruct {
  return value instanceof mod.Struct;
}

/** Every struct that the library exports, by its export's name. */
export const STRUCTS: readonly string[] = Object.keys(mod)
  .filter((name) => isStruct((mod as unknown as Record<string, unknown>)[name])).sort();

/** Hostile values of a field of some width; the struct says which kind it wants. */
const inputs = fc.record({
  name: fc.constantFrom(...STRUCTS),
  bytes: fc.noShrink(fc.uint8Array({ minLength: 4096 + 16, maxLength: 4096 + 16 })),
  at: fc.nat(16),
}).map(({ name, bytes, at }) => ({ name, bytes, at }));

/** Values that a field cannot hold. */
function tooMuch(value: unknown, size: number): unknown[] {
  if (typeof value === "number") return [2 ** (8 * size), -1, 0.5, NaN];
  if (typeof value === "bigint") return [1n << BigInt(8 * size), -1n];
  if (value instanceof Uint8Array) return [value.subarray(1), new Uint8Array(size + 1)];
  return Array.isArray(value) ? [[...value, value[0]]] : [];
}

/** What does not fit is not written, and what is cut off is not read. */
function requireRefused(name: string, struct: AnyStruct, bytes: Uint8Array): void {
  const value = struct.read(bytes);
  const target = new Uint8Array(struct.size).fill(0xcc);
  const isKept = () => target.every((byte) => byte === 0xcc);
  for (const [key, { size }] of Object.entries(struct.fields)) {
    for (const wrong of tooMuch(value[key], size)) {
      try {
        struct.write(target, { [key]: wrong });
      } catch (error) {
        if (error instanceof RangeError) continue;
        throw error;
      }
      throw new Violation(`${name}.${key} is written`, String(wrong));
    }
  }
  if (!isKept()) throw new Violation(`${name} is written before it is refused`);
  const short = target.subarray(1);
  for (const run of [() => struct.read(short), () => struct.write(short, value)]) {
    const { refused } = judge(short.length, run);
    if (refused?.code !== "TRUNCATED" || !isKept()) throw new Violation(`${name} fits anything`);
  }
  const zero = struct.make();
  if (struct.encode(zero).some((byte) => byte !== 0)) {
    throw new Violation(`${name} is not made of 0`);
  }
}

export default property({
  name: "round-trip-structs",
  says: "every wire struct reads what it wrote, writes its own fields only, and what it read again",
  inputs,
  check({ name, bytes, at }, library: Library) {
    const struct = (library as unknown as Record<string, AnyStruct>)[name];
    if (at % 4 === 0) requireRefused(name, struct, bytes);
    const input = bytes.slice();
    const value = struct.read(input, at);
    input.fill(0);
    // Reading agrees with a plain look at the bytes.
    for (const [key, { offset, size }] of Object.entries(struct.fields)) {
      const part = bytes.subarray(at + offset, at + offset + size);
      const read = value[key];
      if (read instanceof Uint8Array) {
        if (read.join() !== part.join()) throw new Violation(`${name}.${key} reads other bytes`);
      }
      if (typeof read !== "number" && typeof read !== "bigint") continue;
      const little = [...part].reverse().reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
      const big = [...part].reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
      const wanted = name === "FDT_HEADER" ? big : little;
      if (BigInt(read) !== wanted) throw new Violation(`${name}.${key} reads another number`);
    }
    const encoded = struct.encode(value);
    if (encoded.length !== struct.size) throw new Violation(`${name} has another size`);
    if (encodeInput(struct.read(encoded)) !== encodeInput(value)) {
      throw new Violation(`${name} does not read what it wrote`);
    }
    // What no row covers stays; an inner struct may have gaps of its own.
    const target = bytes.map((byte) => ~byte);
    struct.write(target, value, at);
    const rows = Object.entries(struct.fields).map(([key, { offset, size }]) => {
      const isPlain = typeof value[key] !== "object" || value[key] instanceof Uint8Array;
      return { from: at + offset, to: at + offset + size, isPlain };
    });
    target.forEach((byte, i) => {
      const row = rows.find(({ from, to }) => i >= from && i < to);
      const isOld = byte === (~bytes[i] & 255);
      if (row ? byte === bytes[i] || !row.isPlain && isOld : isOld) return;
      throw new Violation(`${name} writes another byte`, `at ${i - at}`);
    });
    if (encodeInput(struct.read(target, at)) !== encodeInput(value)) {
      throw new Violation(`${name} does not write all of it`);
    }
  },
});
