/**
 * What benchmarks make of their measurements.
 *
 * @module
 */

/**
 * A quantile of measurements.
 *
 * @param values The measurements; at least one.
 * @param q Which one, from 0 to 1.
 * @returns The value at that rank.
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}

/**
 * The median of measurements.
 *
 * @param values The measurements; at least one.
 * @returns Their median.
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Two sides measured in the same rounds. */
export interface Comparison {
  /** Milliseconds of the side that sets the measure, in each round. */
  base: number[];
  /** Milliseconds of the side that is judged, in each round. */
  other: number[];
}

/**
 * Measures two sides in turn, so that whatever else happens on the machine happens to both, and
 * each one first in every other round.
 *
 * @param rounds How many rounds count; a few more go before them.
 * @param base The side that sets the measure: returns its milliseconds.
 * @param other The side that is judged: returns its milliseconds.
 * @returns The measurements.
 */
export function compare(rounds: number, base: () => number, other: () => number): Comparison {
  const result: Comparison = { base: [], other: [] };
  for (let round = -3; round < rounds; round++) {
    let times: [number, number];
    if (round % 2 === 0) times = [base(), other()];
    else {
      const first = other();
      times = [base(), first];
    }
    if (round < 0) continue;
    result.base.push(times[0]);
    result.other.push(times[1]);
  }
  return result;
}

/**
 * How much one side takes of the other.
 *
 * @param comparison The measurements.
 * @returns The ratio of the medians, and the rounds' own ratios from the 10th to the 90th percentile.
 */
export function ratio({ base, other }: Comparison): { median: number; p10: number; p90: number } {
  const ratios = base.map((one, i) => other[i] / one);
  return {
    median: median(other) / median(base),
    p10: quantile(ratios, 0.1),
    p90: quantile(ratios, 0.9),
  };
}

/**
 * A table in plain text, the first column left-aligned, the others right-aligned.
 *
 * @param rows The rows, the heads first.
 * @returns Its lines.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ");
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].map((text) => text.trimEnd()).join("\n");
}
