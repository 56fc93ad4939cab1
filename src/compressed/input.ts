import { formatAddress } from "../address.ts";
import { fieldError, LoaderError, type LoaderErrorCode } from "../errors.ts";

/** Compressed bytes, the place in them, and how an error about them is made. */
export class PackedInput {
  /** All of them. */
  readonly bytes: Uint8Array;
  /** What they claim to be, e.g. `xz`: the first word of every error's field. */
  readonly format: string;
  /** Where they start in the file, so that errors tell offsets of the file. */
  readonly base: number;
  /** Where the next read starts. */
  at = 0;
  readonly #view: DataView;

  /**
   * Compressed bytes, to be read from their start.
   *
   * @param bytes All of them.
   * @param format What they claim to be.
   * @param base Where they start in the file.
   */
  constructor(bytes: Uint8Array, format: string, base = 0) {
    this.bytes = bytes;
    this.format = format;
    this.base = base;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes that are not read yet. */
  get rest(): number {
    return this.bytes.length - this.at;
  }

  /**
   * Goes past some bytes.
   *
   * @param size How many.
   * @param field What they are, named in the error.
   * @returns Where they start.
   * @throws {LoaderError} `TRUNCATED` if they are not all there.
   */
  skip(size: number, field: string): number {
    if (size > this.rest) throw this.truncated(field, size - this.rest);
    const start = this.at;
    this.at += size;
    return start;
  }

  /**
   * Takes some bytes.
   *
   * @param size How many.
   * @param field What they are, named in the error.
   * @returns A view of them.
   * @throws {LoaderError} `TRUNCATED` if they are not all there.
   */
  take(size: number, field: string): Uint8Array {
    const start = this.skip(size, field);
    return this.bytes.subarray(start, start + size);
  }

  /** The next byte. */
  u8(field: string): number {
    return this.#view.getUint8(this.skip(1, field));
  }

  /** The next 2 bytes, most significant first. */
  u16be(field: string): number {
    return this.#view.getUint16(this.skip(2, field));
  }

  /** The next 4 bytes, least significant first. */
  u32(field: string): number {
    return this.#view.getUint32(this.skip(4, field), true);
  }

  /** The next 4 bytes, most significant first. */
  u32be(field: string): number {
    return this.#view.getUint32(this.skip(4, field));
  }

  /** The next 8 bytes, least significant first. */
  u64(field: string): bigint {
    return this.#view.getBigUint64(this.skip(8, field), true);
  }

  /**
   * The error of a stream that ends too early.
   *
   * @param field What is not all there.
   * @param missing How many bytes are missing at least.
   * @returns The error; its offset is where the input ends.
   */
  truncated(field: string, missing = 1): LoaderError {
    const offset = this.base + this.bytes.length;
    return new LoaderError(
      "TRUNCATED",
      `Cannot decompress ${this.format} ${field}: the input ends at ${formatAddress(offset)}, ` +
        `at least ${missing} bytes are missing`,
      {
        field: `${this.format} ${field}`,
        offset,
        expected: `at least ${this.bytes.length + missing} bytes`,
        actual: `${this.bytes.length} bytes`,
      },
    );
  }

  /**
   * The error of a field that does not hold what it must.
   *
   * @param field The field.
   * @param at Where it starts in the compressed bytes.
   * @param expected What would have been accepted.
   * @param actual What was there.
   * @param code What went wrong.
   * @returns The error.
   */
  corrupt(
    field: string,
    at: number,
    expected: string,
    actual: string | number | bigint,
    code: LoaderErrorCode = "COMPRESSED_CORRUPT",
  ): LoaderError {
    const got = typeof actual === "string" ? actual : formatAddress(actual);
    const place = { field: `${this.format} ${field}`, offset: this.base + at };
    return fieldError(code, place, expected, got);
  }

  /**
   * Compares a checksum with the one that the stream holds.
   *
   * @param field The checksum's name.
   * @param at Where it lies in the compressed bytes.
   * @param stored The one in the stream.
   * @param computed The one of the data.
   * @throws {LoaderError} `COMPRESSED_CHECKSUM` if they differ.
   */
  verify(
    field: string,
    at: number,
    stored: number | bigint,
    computed: number | bigint,
  ): void {
    if (stored === computed) return;
    const expected = `${formatAddress(computed)}, the checksum of the data`;
    throw this.corrupt(field, at, expected, stored, "COMPRESSED_CHECKSUM");
  }

  /**
   * Makes sure that nothing follows.
   *
   * @throws {LoaderError} `COMPRESSED_TRAILING` if something does.
   */
  end(): void {
    if (this.rest === 0) return;
    throw this.corrupt(
      "end",
      this.at,
      "nothing after the compressed data",
      `${this.rest} bytes`,
      "COMPRESSED_TRAILING",
    );
  }

  /**
   * Makes sure that another frame may follow: less than a magic is none that was cut off.
   *
   * @param least The size of a magic.
   * @throws {LoaderError} `COMPRESSED_TRAILING` if less follows.
   */
  endUnless(least: number): void {
    if (this.rest < least) this.end();
  }
}
