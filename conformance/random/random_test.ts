import fc from "fast-check";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { planBoot } from "../../mod.ts";
import type { BootCase, Verdict } from "../case.ts";
import { RANDOM } from "../cases/random.ts";
import { hasRoom, placeTaken, without } from "./layouts.ts";
import { familyOf, runRandom } from "./run.ts";

const range = (start: bigint, end: bigint) => ({ start, size: end - start });

describe("without", () => {
  it("cuts ranges, and drops what is covered", () => {
    assertEquals(without([range(0n, 10n), range(20n, 30n)], [range(5n, 7n), range(9n, 22n)]), [
      range(0n, 5n),
      range(7n, 9n),
      range(22n, 30n),
    ]);
    assertEquals(without([range(5n, 7n)], [range(0n, 10n)]), []);
    assertEquals(without([range(5n, 7n)], [range(0n, 5n), range(7n, 9n)]), [range(5n, 7n)]);
  });
});

describe("hasRoom", () => {
  it("wants one gap that holds everything twice, between the bounds", () => {
    // A page, and a page more for its alignment, twice
    assert(hasRoom([range(0n, 0x4000n)], [0x1000], 0n, 1n << 32n));
    assert(!hasRoom([range(0n, 0x3fffn)], [0x1000], 0n, 1n << 32n));
    assert(!hasRoom([range(0n, 0x3000n), range(0x4000n, 0x7000n)], [0x1000], 0n, 1n << 32n));
    assert(!hasRoom([range(0n, 0x4000n)], [0x1000], 1n, 1n << 32n));
    assert(!hasRoom([range(0n, 0x4000n)], [0x1000], 0n, 0x3fffn));
  });
});

describe("placeTaken", () => {
  it("counts pages over the regions, stays inside them and off what is kept", () => {
    const ram = [range(0n, 0x2000n), range(0x10000n, 0x12000n)];
    const taken = (at: number, size: number) => ({ at, skew: 0, size, type: "acpi" as const });
    const drawn = [taken(2, 5), taken(1, 0x9000), taken(7, 1)];
    assertEquals(
      placeTaken(ram, drawn, [range(0x11000n, 0x12000n)], true).map((
        { start, size },
      ) => [start, size]),
      [[0x1000n, 0x1000n], [0x10000n, 5n]],
    );
  });
});

describe("random layouts", () => {
  for (const test of RANDOM) {
    const { protocol, kernel } = test.id;
    it(`of ${protocol} ${kernel} are the same for a seed, and all have room`, () => {
      const { recipes, layoutOf } = familyOf(test);
      const bytes = new Uint8Array(readFileSync(test.kernel));
      const drawn = fc.sample(recipes, { seed: 5, numRuns: 80 });
      assertEquals(
        fc.stringify(drawn),
        fc.stringify(fc.sample(recipes, { seed: 5, numRuns: 80 })),
      );
      for (const recipe of drawn) {
        const { ram, options } = layoutOf(recipe);
        planBoot({ ram }, { ...options, kernel: bytes });
      }
    });
  }
});

describe("runRandom", () => {
  const [test] = RANDOM;
  const { signal } = new AbortController();
  const pass: Verdict = { outcome: "pass" };

  it("boots as many as it is told", async () => {
    let booted = 0;
    const boot = () => Promise.resolve((booted++, pass));
    const { outcome, random } = await runRandom(test, { boots: 7, seed: 3 }, boot, signal);
    assertEquals([outcome, booted, random?.boots, random?.seed], ["pass", 7, 7, 3]);
  });

  it("makes what fails simpler, says how to have it again, and keeps its files alone", async () => {
    const root = mkdtempSync(join(tmpdir(), "random-"));
    try {
      // Fails where there is a command line of more than three characters
      const seen: string[] = [];
      const boot = async ({ layout }: BootCase): Promise<Verdict> => {
        const { options } = await layout(() => "");
        const cmdline = String(options.cmdline);
        if (cmdline.length <= 3) return pass;
        seen.push(cmdline);
        return { outcome: "fail", reason: "too long", artifacts: mkdtempSync(join(root, "boot-")) };
      };
      const options = { boots: 40, seed: 3 };
      const { outcome, reason = "", artifacts = "" } = await runRandom(test, options, boot, signal);
      assertEquals([outcome, seen.at(-1)?.length], ["fail", 4]);
      assertMatch(reason, /too long/);
      const [, seed, path] = /--seed (\d+) --path ([\d:]+)$/.exec(reason) ?? [];
      assertEquals([seed, existsSync(join(artifacts, "layout.txt"))], ["3", true]);
      assertEquals(
        readFileSync(join(artifacts, "layout.txt"), "utf8").includes(seen.at(-1)!),
        true,
      );
      const simplest = seen.at(-1);
      seen.length = 0;
      await runRandom(test, { boots: 1, seed: 3, path }, boot, signal);
      assertEquals(seen[0], simplest);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("takes a refusal for a failure", async () => {
    const refused: Verdict = { outcome: "fail", reason: "the library refused: NO_SPACE" };
    const { outcome } = await runRandom(
      test,
      { boots: 1, seed: 1 },
      () => Promise.resolve(refused),
      signal,
    );
    assertEquals(outcome, "fail");
  });

  it("ends with the run", async () => {
    const stop = new AbortController();
    const boot = () => Promise.resolve((stop.abort(), pass));
    const { outcome, random } = await runRandom(test, { boots: 50, seed: 1 }, boot, stop.signal);
    assertEquals([outcome, random?.boots], ["broken", 1]);
  });
});
