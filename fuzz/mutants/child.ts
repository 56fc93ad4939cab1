/**
 * The fuzz suite against the library beside it, until a property fails: `main.ts` runs this in a copy
 * that holds a fault. What came of it is the last line, as JSON.
 *
 * @module
 */
import process from "node:process";
import type { Library, Property } from "../property.ts";
import { BATCH, batchSeed, replay, runBatch, type RunnerOptions } from "../runner.ts";
import { Watchdog } from "../watchdog.ts";

/** A run that takes longer does not end. */
const HANG_SECONDS = 20;

/** How the suite is run. */
export interface SuiteOptions {
  readonly seed: number;
  /** Inputs for each property, in rounds: the first finds most faults, the last is the longest. */
  readonly rounds: readonly number[];
}

/** What came of it. */
export interface SuiteResult {
  /** The property that failed. */
  readonly property?: string;
  /** Its first line. */
  readonly message?: string;
}

async function run({ seed, rounds }: SuiteOptions): Promise<SuiteResult> {
  let library: Library;
  let properties: readonly Property[];
  try {
    library = await import("../../mod.ts");
    ({ PROPERTIES: properties } = await import("../properties.ts"));
  } catch (error) {
    return { property: "loading", message: String(error) };
  }
  const watchdog = new Watchdog(HANG_SECONDS);
  const options: RunnerOptions = {
    library,
    keep: false,
    shrink: false,
    onRun: (_, reproduce) => watchdog.note(reproduce),
  };
  try {
    // Those that compare with a model find the most: they come first
    const isModel = ({ name }: Property) => name.startsWith("model-");
    const able = properties.filter(({ skip }) => skip?.() === undefined)
      .sort((a, b) => Number(isModel(b)) - Number(isModel(a)));
    const tallies = [];
    for (const property of able) tallies.push(await replay(property, options));
    for (const [round, runs] of rounds.entries()) {
      for (const tally of tallies) {
        const { name, share = 1 } = tally.property;
        // A slow property has its turn where its share comes to a run
        for (let left = Math.floor(runs * share), batch = 0; left > 0; left -= BATCH, batch++) {
          if (tally.failure) break;
          const own = batchSeed(seed + round, name, batch);
          await runBatch(tally, { seed: own, runs: Math.min(left, BATCH) }, options);
        }
        if (!tally.failure) continue;
        return { property: name, message: tally.failure.message.split("\n")[0] };
      }
    }
    return {};
  } finally {
    await watchdog.stop();
  }
}

const result = await run(JSON.parse(process.argv[2]));
console.log(`\n${JSON.stringify(result)}`);
