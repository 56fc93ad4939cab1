import { LoaderError } from "../errors.ts";
import type { PackedInput } from "./input.ts";

/** The smallest buffer that is made, unless the bound is smaller still. */
const FIRST_SIZE = 1 << 20;
/** Kernels shrink to a fifth or a fourth: at most one growth for them. */
const LIKELY_RATIO = 4;

/** How much may come out of a stream, and where it goes. */
export interface OutputBounds {
  /** More than this is an error, and is never decompressed. */
  readonly maxSize: number;
  /** What the stream must come to exactly, where something outside of it says so. */
  readonly expectedSize?: number;
  /** Where it goes; a buffer of its own that grows with the data if not given. */
  readonly buffer?: Uint8Array;
}

/**
 * Where decompressed bytes go. It grows with what has come out, never with what a header promises,
 * and it never grows past its bound.
 */
export class Output {
  /** The buffer; a decoder writes at `length` after it has made room. Changes when it grows. */
  bytes: Uint8Array;
  /** Bytes written. */
  length = 0;
  /** Bytes that may be written. */
  readonly limit: number;
  readonly #isOwn: boolean;
  readonly #expectedSize: number | undefined;
  /** What the caller allows, for errors. */
  readonly #most: string;
  readonly #input: PackedInput;

  /**
   * An empty output.
   *
   * @param input What is decompressed, named in errors.
   * @param bounds How much may come out.
   * @throws {LoaderError} `COMPRESSED_SIZE` if more is expected than may come out.
   */
  constructor(input: PackedInput, { maxSize, expectedSize, buffer }: OutputBounds) {
    const most = Math.min(maxSize, buffer?.length ?? Infinity);
    this.#most = `at most ${most} bytes (${most === maxSize ? "maxSize" : "the output's length"})`;
    this.#isOwn = buffer === undefined;
    this.#input = input;
    this.#expectedSize = expectedSize;
    this.limit = Math.min(most, expectedSize ?? Infinity);
    if (expectedSize !== undefined && expectedSize > most) {
      throw this.#sizeError(this.#most, `a declared size of ${expectedSize} bytes`);
    }
    const first = Math.max(FIRST_SIZE, LIKELY_RATIO * input.bytes.length);
    this.bytes = buffer?.subarray(0, this.limit) ?? new Uint8Array(Math.min(this.limit, first));
  }

  /**
   * Makes room for bytes that are certain to come.
   *
   * @param size How many.
   * @returns The buffer.
   * @throws {LoaderError} `COMPRESSED_SIZE` if they pass the bound.
   */
  reserve(size: number): Uint8Array {
    if (size > this.limit - this.length) throw this.overflow();
    return this.makeRoom(size);
  }

  /**
   * Makes room for bytes that may come, or for as many as the bound allows.
   *
   * @param size How many.
   * @returns The buffer, which may have less room than that.
   */
  makeRoom(size: number): Uint8Array {
    const wanted = Math.min(this.length + size, this.limit);
    if (wanted <= this.bytes.length) return this.bytes;
    const grown = new Uint8Array(Math.min(this.limit, Math.max(wanted, 2 * this.bytes.length)));
    grown.set(this.bytes.subarray(0, this.length));
    return this.bytes = grown;
  }

  /**
   * Refuses a size that the stream declares, before anything of it is decompressed.
   *
   * @param size The declared size of what comes next, in bytes.
   * @throws {LoaderError} `COMPRESSED_SIZE` if it passes the bound.
   */
  announce(size: number | bigint): void {
    if (size > this.limit - this.length) throw this.overflow();
  }

  /**
   * Takes in what a library returned: its own buffer as the output if it can be, else a copy.
   *
   * @param data What comes next.
   * @throws {LoaderError} `COMPRESSED_SIZE` if it passes the bound.
   */
  append(data: Uint8Array): void {
    this.announce(data.length);
    if (this.#isOwn && this.length === 0) this.bytes = data;
    else this.makeRoom(data.length).set(data, this.length);
    this.length += data.length;
  }

  /**
   * What was written.
   *
   * @returns A view of it.
   * @throws {LoaderError} `COMPRESSED_SIZE` if it is not what was expected.
   */
  finish(): Uint8Array {
    const expected = this.#expectedSize;
    if (expected !== undefined && expected !== this.length) {
      throw this.#sizeError(`${expected} bytes`, `${this.length} bytes`);
    }
    return this.bytes.subarray(0, this.length);
  }

  /**
   * The error of a stream that holds more than it may.
   *
   * @returns The error.
   */
  overflow(): LoaderError {
    const isDeclared = this.limit === this.#expectedSize;
    return this.#sizeError(isDeclared ? `${this.limit} bytes` : this.#most, "more");
  }

  #sizeError(expected: string, actual: string): LoaderError {
    const { format, base } = this.#input;
    return new LoaderError(
      "COMPRESSED_SIZE",
      `Cannot decompress ${format} data at 0x${base.toString(16)}: expected ${expected}, ` +
        `got ${actual}`,
      { field: `${format} data`, offset: base, expected, actual },
    );
  }
}
