/**
 * Runs a property: first what is stored of it, then new inputs, in batches that a seed names.
 *
 * @module
 */
import fc from "fast-check";
import { CORPUS, storedInputs, storeInput } from "./corpus.ts";
import { type Library, type Property, Violation } from "./property.ts";

/** Inputs of a batch. A batch is the unit of sharding, too. */
export const BATCH = 100;
/** Shrinking ends after this, in milliseconds. */
const SHRINK_MS = 30_000;

/** What a failure looks like. */
export interface Failure {
  /** What is wrong. */
  readonly message: string;
  /** The file that holds the input. */
  readonly file?: string;
  /** How to have it again. */
  readonly reproduce: string;
}

/** What came of a property so far. */
export interface Tally {
  readonly property: Property;
  runs: number;
  replayed: number;
  ms: number;
  failure?: Failure;
}

/** How properties are run. */
export interface RunnerOptions {
  /** The library under test. */
  readonly library: Library;
  /** Where inputs are stored; nothing is stored without. */
  readonly corpus?: string;
  /** Whether failing inputs are kept. */
  readonly keep: boolean;
  /** Whether failing inputs are shrunk; true if not given. */
  readonly shrink?: boolean;
  /** Called before every run. */
  readonly onRun?: (tally: Tally, reproduce: string) => void;
}

/**
 * Starts with a property: replays what is stored.
 *
 * @param property The property.
 * @param options How.
 * @returns The tally; a failure ends it.
 */
export async function replay(property: Property, options: RunnerOptions): Promise<Tally> {
  const tally: Tally = { property, runs: 0, replayed: 0, ms: 0 };
  const start = performance.now();
  for (const stored of storedInputs(property.name, options.corpus ?? CORPUS)) {
    const reproduce = `deno task fuzz --only ${property.name} --runs 0`;
    options.onRun?.(tally, reproduce);
    tally.replayed++;
    const error = await failureOf(() => property.check(stored.input, options.library));
    if (error === undefined) continue;
    tally.failure = { message: messageOf(error), file: stored.path, reproduce };
    break;
  }
  tally.ms += performance.now() - start;
  return tally;
}

/**
 * Runs a batch of new inputs.
 *
 * @param tally The property's tally, which is changed.
 * @param batch The batch's seed, how many inputs, and a path into it, if only that is wanted.
 * @param options How.
 * @returns When the batch is done.
 */
export async function runBatch(
  tally: Tally,
  batch: { seed: number; runs: number; path?: string },
  options: RunnerOptions,
): Promise<void> {
  const { property } = tally;
  const start = performance.now();
  let count = 0;
  let last: unknown;
  const begin = () => {
    options.onRun?.(tally, commandOf(property.name, batch.seed, batch.path ?? `${count}`));
    if (last !== undefined) return;
    count++;
    tally.runs++;
  };
  const predicate = property.isAsync
    ? fc.asyncProperty(property.inputs, async (input) => {
      begin();
      last = await failureOf(() => property.check(input, options.library));
      if (last !== undefined) throw last;
    })
    : fc.property(property.inputs, (input) => {
      begin();
      try {
        property.check(input, options.library);
      } catch (error) {
        last = error;
        throw error;
      }
    });
  const details = await fc.check(predicate as fc.IAsyncProperty<[unknown]>, {
    seed: batch.seed,
    numRuns: batch.runs,
    ...batch.path !== undefined && { path: batch.path, numRuns: 1 },
    interruptAfterTimeLimit: SHRINK_MS + batch.runs * 1000,
    markInterruptAsFailure: false,
    endOnFailure: options.shrink === false,
  });
  tally.ms += performance.now() - start;
  if (!details.failed) return;
  const [input] = details.counterexample ?? [];
  const error = details.errorInstance ?? last;
  const keep = options.keep && input !== undefined;
  tally.failure = {
    message: messageOf(error),
    reproduce: commandOf(property.name, batch.seed, details.counterexamplePath ?? "0"),
    ...keep && { file: storeInput(property.name, slugOf(error), input, options.corpus ?? CORPUS) },
  };
}

/**
 * The seed of a batch.
 *
 * @param seed The run's seed.
 * @param name The property.
 * @param batch The batch's number.
 * @returns A 31-bit number.
 */
export function batchSeed(seed: number, name: string, batch: number): number {
  // FNV-1a, 32 bits
  let hash = 0x811c9dc5;
  for (const char of `${seed} ${name} ${batch}`) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  }
  return hash >>> 1;
}

function commandOf(name: string, seed: number, path: string): string {
  return `deno task fuzz --only ${name} --seed ${seed} --path ${path}`;
}

async function failureOf(run: () => void | Promise<void>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error ?? new Error("undefined was thrown");
  }
}

function slugOf(error: unknown): string {
  return error instanceof Violation ? error.what : messageOf(error);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.cause instanceof Error ? error.cause.stack : undefined;
  const where = error instanceof Violation ? stack : error.stack;
  return where && !where.includes(error.message)
    ? `${error.message}\n${where}`
    : where ?? error.message;
}
