import { take } from "../bytes.ts";

/** One row of a wire struct: where a field lies, how wide it is, how it is read and written. */
export interface Field<V> {
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Width in bytes. */
  readonly size: number;
  /** Reads the value. `view` covers the struct; `at` is where the struct starts in it. */
  get(view: DataView, at: number): V;
  /** Writes the value. */
  set(view: DataView, at: number, value: V): void;
}

type NumberKind = "Uint8" | "Uint16" | "Uint32";

function numberField(offset: number, size: 1 | 2 | 4, bigEndian: boolean): Field<number> {
  const kind: NumberKind = size === 1 ? "Uint8" : size === 2 ? "Uint16" : "Uint32";
  const max = 2 ** (8 * size) - 1;
  return {
    offset,
    size,
    get: (view, at) => view[`get${kind}`](at + offset, !bigEndian),
    set: (view, at, value) => {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw new RangeError(`Cannot write ${value} to ${size} bytes at offset ${offset}`);
      }
      view[`set${kind}`](at + offset, value, !bigEndian);
    },
  };
}

/**
 * An 8-bit field.
 *
 * @param offset Bytes from the start of the struct.
 * @returns The row.
 */
export function u8(offset: number): Field<number> {
  return numberField(offset, 1, false);
}

/**
 * A 16-bit little-endian field.
 *
 * @param offset Bytes from the start of the struct.
 * @returns The row.
 */
export function u16(offset: number): Field<number> {
  return numberField(offset, 2, false);
}

/**
 * A 32-bit little-endian field.
 *
 * @param offset Bytes from the start of the struct.
 * @returns The row.
 */
export function u32(offset: number): Field<number> {
  return numberField(offset, 4, false);
}

/**
 * A 32-bit big-endian field.
 *
 * @param offset Bytes from the start of the struct.
 * @returns The row.
 */
export function u32be(offset: number): Field<number> {
  return numberField(offset, 4, true);
}

/**
 * A 32-bit little-endian field, as a bigint: an address or a size of a struct whose 64-bit variant
 * has it in 64 bits.
 *
 * @param offset Bytes from the start of the struct.
 * @returns The row.
 */
export function u32wide(offset: number): Field<bigint> {
  const narrow = u32(offset);
  return {
    offset,
    size: 4,
    get: (view, at) => BigInt(narrow.get(view, at)),
    set: (view, at, value) => narrow.set(view, at, Number(value)),
  };
}

/**
 * A 64-bit little-endian field.
 *
 * @param offset Bytes from the start of the struct.
 * @returns The row.
 */
export function u64(offset: number): Field<bigint> {
  return {
    offset,
    size: 8,
    get: (view, at) => view.getBigUint64(at + offset, true),
    set: (view, at, value) => {
      if (typeof value !== "bigint" || value < 0n || value >> 64n !== 0n) {
        throw new RangeError(`Cannot write ${value} to 8 bytes at offset ${offset}`);
      }
      view.setBigUint64(at + offset, value, true);
    },
  };
}

/**
 * A field of bytes that have no number's meaning.
 *
 * @param offset Bytes from the start of the struct.
 * @param size Width in bytes.
 * @returns The row. Reading copies.
 */
export function bytes(offset: number, size: number): Field<Uint8Array> {
  return {
    offset,
    size,
    get: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at + offset, size).slice(),
    set: (view, at, value) => {
      if (value.length !== size) {
        throw new RangeError(
          `Cannot write ${value.length} bytes at offset ${offset}: ${size} are wanted`,
        );
      }
      new Uint8Array(view.buffer, view.byteOffset + at + offset, size).set(value);
    },
  };
}

/**
 * A field that is a struct itself.
 *
 * @typeParam T The inner struct's fields.
 * @param offset Bytes from the start of the outer struct.
 * @param struct The inner struct.
 * @returns The row.
 */
export function nested<T extends object>(offset: number, struct: Struct<T>): Field<T> {
  return {
    offset,
    size: struct.size,
    get: (view, at) => struct.read(bytesIn(view, at + offset, struct.size)),
    set: (view, at, value) => struct.write(bytesIn(view, at + offset, struct.size), value),
  };
}

/**
 * A field that is an array of structs.
 *
 * @typeParam T The inner struct's fields.
 * @param offset Bytes from the start of the outer struct.
 * @param struct What an element is.
 * @param count How many elements there are. Writing takes fewer, and leaves the others.
 * @returns The row.
 */
export function list<T extends object>(
  offset: number,
  struct: Struct<T>,
  count: number,
): Field<readonly T[]> {
  const { size } = struct;
  return arrayOf(offset, count, size, {
    get: (view, at) => struct.read(bytesIn(view, at, size)),
    set: (view, at, value) => struct.write(bytesIn(view, at, size), value),
  });
}

/**
 * A field that is an array of 32-bit little-endian numbers.
 *
 * @param offset Bytes from the start of the struct.
 * @param count How many there are. Writing takes fewer, and leaves the others.
 * @returns The row.
 */
export function u32s(offset: number, count: number): Field<readonly number[]> {
  return arrayOf(offset, count, 4, u32(0));
}

function arrayOf<V>(
  offset: number,
  count: number,
  size: number,
  element: Pick<Field<V>, "get" | "set">,
): Field<readonly V[]> {
  return {
    offset,
    size: count * size,
    get: (view, at) =>
      Array.from({ length: count }, (_, i) => element.get(view, at + offset + i * size)),
    set: (view, at, values) => {
      if (values.length > count) {
        throw new RangeError(
          `Cannot write ${values.length} elements at offset ${offset}: ${count} are wanted at most`,
        );
      }
      for (const [i, value] of values.entries()) element.set(view, at + offset + i * size, value);
    },
  };
}

function bytesIn(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size);
}

/** The rows of a struct: one for each field of `T`, of the field's own type. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/**
 * A wire struct as a table: the same rows read it, write it, and say where a field lies.
 *
 * @typeParam T The struct's fields under their names in the specification.
 */
export class Struct<T extends object> {
  /** The struct's name in the specification. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** The rows, in the specification's order. */
  readonly fields: Fields<T>;
  readonly #rows: [keyof T, Field<T[keyof T]>][];

  /**
   * Checks the rows and makes the struct.
   *
   * @param name The struct's name in the specification.
   * @param size Size in bytes.
   * @param fields One row for each field, ascending, disjoint, inside the size.
   * @throws {TypeError} If the rows are not.
   */
  constructor(name: string, size: number, fields: Fields<T>) {
    this.name = name;
    this.size = size;
    this.fields = fields;
    this.#rows = Object.entries(fields) as [keyof T, Field<T[keyof T]>][];
    let end = 0;
    for (const [key, field] of this.#rows) {
      if (field.offset < end || field.offset + field.size > size) {
        throw new TypeError(`Cannot define ${name}.${String(key)}: row out of order or size`);
      }
      end = field.offset + field.size;
    }
  }

  /**
   * Reads the struct.
   *
   * @param input Bytes that hold it.
   * @param at Where it starts in them.
   * @returns A value for every field.
   * @throws {LoaderError} `TRUNCATED` if it is not all there.
   */
  read(input: Uint8Array, at = 0): T {
    const part = take(input, at, this.size, this.name);
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    const value: Partial<T> = {};
    for (const [key, field] of this.#rows) value[key] = field.get(view, 0);
    return value as T;
  }

  /**
   * Writes fields of the struct over bytes that are there; those not given stay.
   *
   * @param target Bytes that hold the struct.
   * @param value The fields to write.
   * @param at Where the struct starts in `target`.
   * @throws {LoaderError} `TRUNCATED` if the struct does not fit.
   * @throws {RangeError} If a value does not fit its field.
   */
  write(target: Uint8Array, value: Partial<T>, at = 0): void {
    const part = take(target, at, this.size, this.name);
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    for (const [key, field] of this.#rows) {
      const given = value[key];
      if (given !== undefined) field.set(view, 0, given);
    }
  }

  /**
   * The struct as bytes of its own.
   *
   * @param value A value for every field.
   * @returns `size` bytes; what no row covers is zero.
   * @throws {RangeError} If a value does not fit its field.
   */
  encode(value: T): Uint8Array {
    const target = new Uint8Array(this.size);
    this.write(target, value);
    return target;
  }

  /**
   * A value with a zero for every field that is not given: what is all zeros in memory.
   *
   * @param value The fields that are not zero.
   * @returns A value for every field.
   */
  make(value: Partial<T> = {}): T {
    return { ...this.read(new Uint8Array(this.size)), ...value };
  }
}
