/** A part of a run: which cases run here, and that all parts together are the whole. */
import { formatCrc32 } from "./crc32.ts";

/** A part of a run. */
export interface Shard {
  /** Which part, from 1. */
  readonly index: number;
  /** How many parts there are. */
  readonly count: number;
}

/**
 * The cases of a shard. They are dealt out in turns: the list has those that take long first, so that
 * all shards take about as long.
 *
 * @param cases Every case that was selected.
 * @param shard The part; undefined for all of them.
 * @returns Its cases, in their order.
 */
export function casesOfShard<T>(cases: readonly T[], shard: Shard | undefined): readonly T[] {
  if (shard === undefined) return cases;
  return cases.filter((_, i) => i % shard.count === shard.index - 1);
}

/**
 * A checksum of what was selected: shards of different selections do not make a whole.
 *
 * @param ids The ids that were selected, in their order.
 * @returns The checksum.
 */
export function selectionOf(ids: readonly string[]): string {
  return formatCrc32(new TextEncoder().encode(ids.join("\n")));
}
