/** Sizes, times and counts for people. */
import type { CaseResult, Outcome, RandomRun } from "../case.ts";

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/**
 * A size for people.
 *
 * @param size In bytes.
 * @returns Rounded to three digits, e.g. `4 MiB`, `93.2 KiB`.
 */
export function formatSize(size: bigint): string {
  let unit = 0;
  while (unit < UNITS.length - 1 && size >> BigInt(10 * (unit + 1)) > 0n) unit++;
  // 1023.9 MiB would be rounded to 1024 MiB
  if (unit < UNITS.length - 1 && Number(size) / 2 ** (10 * unit) >= 1023.5) unit++;
  const value = Number(size) / 2 ** (10 * unit);
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = unit === 0 ? `${size}` : `${Number(value.toFixed(digits))}`;
  return `${text} ${size === 1n ? "byte" : UNITS[unit]}`;
}

/**
 * A time for people.
 *
 * @param ms In milliseconds.
 * @returns E.g. `12 ms`, `3.4 s`, `4 min 10 s`.
 */
export function formatTime(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * What ran a guest.
 *
 * @param result The result of a case.
 * @returns Name and exact version; undefined if that is not known.
 */
export function hypervisorOf({ id, driverVersion, accelerator }: CaseResult): string | undefined {
  if (driverVersion === undefined || id.startsWith("none/")) return undefined;
  if (!id.startsWith("qemu-")) return `KVM, monitor in ${driverVersion}`;
  const confirmed = accelerator === undefined
    ? ""
    : `, ${accelerator.toUpperCase()} as QEMU confirms`;
  return `QEMU ${driverVersion}${confirmed}`;
}

/**
 * What a case of many random layouts did.
 *
 * @param run What it did.
 * @returns E.g. `40 boots of seed 1, 21.3/s`.
 */
export function formatRandom({ boots, seed, ms }: RandomRun): string {
  return `${boots} boots of seed ${seed}, ${(boots * 1000 / Math.max(1, ms)).toFixed(1)}/s`;
}

/** The outcomes, the worst first. */
export const OUTCOMES: readonly Outcome[] = [
  "broken",
  "timeout",
  "fail",
  "xpass",
  "skip",
  "xfail",
  "pass",
];

/**
 * How often each outcome occurs.
 *
 * @param results The results.
 * @returns The outcomes that occur, the worst first.
 */
export function countOutcomes(
  results: readonly Pick<CaseResult, "outcome">[],
): { outcome: Outcome; count: number }[] {
  return OUTCOMES
    .map((outcome) => ({ outcome, count: results.filter((one) => one.outcome === outcome).length }))
    .filter(({ count }) => count > 0);
}
