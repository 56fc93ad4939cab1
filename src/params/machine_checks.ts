/** What every description of a machine is checked for, whatever its architecture. */
import { byStart, formatRange, overlaps } from "../address.ts";
import { LoaderError, type NamedRange, wrongType } from "../errors.ts";

/**
 * Checks a number of a machine's description.
 *
 * @param value The number.
 * @param min The smallest that may be.
 * @param max The largest that may be.
 * @param field Which number, for the error.
 * @throws {LoaderError} `INVALID_OPTION`.
 */
export function requireInteger(value: number, min: number, max: number, field: string): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw optionError(field, `an integer in [${min}..${max}]`, `${value}`);
}

/**
 * Checks that devices lie in the address space and apart from each other.
 *
 * @param devices Their registers, named by the field that describes them.
 * @throws {LoaderError} `INVALID_OPTION`.
 * @throws {TypeError} If an address or a size is not a bigint.
 */
export function requireApart(devices: readonly NamedRange[]): void {
  for (const device of devices) {
    for (const value of [device.start, device.size]) {
      if (typeof value !== "bigint") throw wrongType(device.name, "bigint addresses", value);
    }
    if (device.start < 0n || device.size <= 0n || device.start + device.size > 1n << 64n) {
      throw optionError(device.name, "a range in the 64-bit address space", formatRange(device));
    }
  }
  const sorted = [...devices].sort(byStart);
  for (const [index, device] of sorted.entries()) {
    const next = sorted[index + 1];
    if (!next || !overlaps(device, next)) continue;
    throw new LoaderError(
      "INVALID_OPTION",
      `Cannot place ${next.name} ${formatRange(next)}: overlaps ${device.name} ${
        formatRange(device)
      }`,
      { field: next.name, ranges: [next, device] },
    );
  }
}

/**
 * The error of a machine's description that cannot be.
 *
 * @param field What of it.
 * @param expected What would have been accepted.
 * @param actual What was there.
 * @returns The error.
 */
export function optionError(field: string, expected: string, actual: string): LoaderError {
  return new LoaderError(
    "INVALID_OPTION",
    `Cannot use ${field}: expected ${expected}, got ${actual}`,
    { field, expected, actual },
  );
}
