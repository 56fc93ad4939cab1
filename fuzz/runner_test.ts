import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import * as library from "../mod.ts";
import { storedInputs, storedSeeds, storeInput } from "./corpus.ts";
import { property, Violation } from "./property.ts";
import { batchSeed, replay, runBatch, type RunnerOptions, type Tally } from "./runner.ts";

/** Fails from 1000 on. */
const small = property({
  name: "small",
  says: "numbers are small",
  inputs: fc.record({ n: fc.nat(100_000), bytes: fc.uint8Array({ maxLength: 4 }) }),
  check({ n }) {
    if (n >= 1000) throw new Violation("a number is large", `${n}`);
  },
});

async function inCorpus(
  run: (options: RunnerOptions & { corpus: string }) => void | Promise<void>,
): Promise<void> {
  const corpus = mkdtempSync(join(tmpdir(), "corpus-"));
  try {
    await run({ library, corpus, keep: true });
  } finally {
    rmSync(corpus, { recursive: true });
  }
}

const tallyOf = (): Tally => ({ property: small, runs: 0, replayed: 0, ms: 0 });

describe("runBatch", () => {
  it("shrinks what fails, keeps it under a name that says what it is, and says how to have it again", async () => {
    await inCorpus(async (options) => {
      const tally = tallyOf();
      await runBatch(tally, { seed: 7, runs: 100 }, options);
      assertEquals(tally.failure?.message.split("\n")[0], "a number is large: 1000");
      const [stored] = storedInputs<{ n: number; bytes: Uint8Array }>("small", options.corpus);
      assertEquals(stored.input.n, 1000);
      assertEquals(stored.input.bytes, new Uint8Array(0));
      assertEquals(basename(stored.path).startsWith("a-number-is-large-"), true);

      const path = /--seed 7 --path (\S+)$/.exec(tally.failure!.reproduce)![1];
      const again = tallyOf();
      await runBatch(again, { seed: 7, runs: 100, path }, { ...options, keep: false });
      assertEquals(again.failure?.message, tally.failure?.message);
    });
  });

  it("runs the same inputs for the same seed", async () => {
    const inputs = async (seed: number) => {
      const seen: number[] = [];
      const spy = {
        ...small,
        check: (input: unknown) => void seen.push((input as { n: number }).n),
      };
      await runBatch({ ...tallyOf(), property: spy }, { seed, runs: 20 }, { library, keep: false });
      return seen;
    };
    assertEquals(await inputs(3), await inputs(3));
    assertEquals((await inputs(3)).join() === (await inputs(4)).join(), false);
  });
});

describe("replay", () => {
  it("runs what is stored first, and names the file that fails", async () => {
    await inCorpus(async (options) => {
      storeInput("small", "good", { n: 1, bytes: new Uint8Array(0) }, options.corpus);
      assertEquals((await replay(small, options)).failure, undefined);
      const file = storeInput(
        "small",
        "large",
        { n: 5000, bytes: Uint8Array.of(1) },
        options.corpus,
      );
      const tally = await replay(small, options);
      assertEquals([tally.replayed, tally.failure?.file], [2, file]);
    });
  });
});

describe("batchSeed", () => {
  it("differs by seed, name and batch", () => {
    const seeds = [batchSeed(1, "a", 0), batchSeed(2, "a", 0), batchSeed(1, "b", 0)];
    assertEquals(new Set([...seeds, batchSeed(1, "a", 1)]).size, 4);
    assertEquals(seeds.every((seed) => Number.isInteger(seed) && seed >= 0), true);
  });
});

describe("storeInput", () => {
  it("keeps every kind of value, and bytes of a target raw", async () => {
    await inCorpus(({ corpus }) => {
      const input = {
        big: 1n << 64n,
        negative: -5n,
        bytes: Uint8Array.from([1, 2, ...Array(20).fill(0), 3]),
        list: [{ text: "\u00e9\0" }, null, 1.5],
      };
      storeInput("x", "a thing", input, corpus);
      assertEquals(storedInputs("x", corpus)[0].input, input);
      storeInput("t", "Crash at 0x123!", Uint8Array.of(9, 8), corpus);
      const [seed] = storedSeeds("t", corpus);
      assertEquals([...seed.input], [9, 8]);
      assertEquals(/^crash-at-n-[0-9a-f]{8}\.bin$/.test(basename(seed.path)), true);
    });
  });
});
