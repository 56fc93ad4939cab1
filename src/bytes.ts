import { LoaderError } from "./errors.ts";

/**
 * The one bounds check of bytes in memory: `subarray` clamps and `DataView` wraps.
 *
 * @param bytes The input.
 * @param offset Bytes from its start.
 * @param size How many bytes.
 * @param field What is being taken, named in the error.
 * @returns A view of exactly `size` bytes.
 * @throws {LoaderError} `TRUNCATED` if they are not all there.
 */
export function take(bytes: Uint8Array, offset: number, size: number, field: string): Uint8Array {
  requireBytes(bytes.length, offset, size, field);
  return bytes.subarray(offset, offset + size);
}

/**
 * Checks that an input holds `[offset, offset + size)`.
 *
 * @param inputSize The input's size in bytes.
 * @param offset Bytes from its start.
 * @param size How many bytes.
 * @param field What is wanted, named in the error.
 * @throws {LoaderError} `TRUNCATED` if it does not; the error's offset is where the input ends,
 * or the field's own start if that lies before.
 */
export function requireBytes(
  inputSize: number,
  offset: number,
  size: number,
  field: string,
): void {
  if (offset >= 0 && size >= 0 && offset + size <= inputSize) return;
  const hex = (value: number) => `0x${value.toString(16)}`;
  throw new LoaderError(
    "TRUNCATED",
    `Cannot read ${field} at [${hex(offset)}..${hex(offset + size)}): the input ends at ${
      hex(inputSize)
    }, ${offset + size - inputSize} bytes are missing`,
    {
      field,
      offset: Math.min(Math.max(offset, 0), inputSize),
      expected: `at least ${offset + size} bytes`,
      actual: `${inputSize} bytes`,
    },
  );
}
