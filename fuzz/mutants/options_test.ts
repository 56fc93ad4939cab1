import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { readMutantOptions } from "./options.ts";

describe("readMutantOptions", () => {
  const read = (...args: string[]) => {
    const read = readMutantOptions(args);
    if ("wrong" in read) return read.wrong;
    return "options" in read ? { ...read.options, jobs: 0 } : "usage";
  };

  it("has a fixed seed, and the listed faults, unless it is told", () => {
    const rest = { only: [], shard: { index: 1, count: 1 }, json: undefined, list: false };
    assertEquals(read(), { ...rest, jobs: 0, runs: 2000, seed: 1 });
    assertEquals(read("--generated"), { ...rest, jobs: 0, runs: 2000, seed: 1, generated: 200 });
    const options = ["--generated", "9", "--seed", "0", "--shard", "2/3", "--runs", "5"];
    assertEquals(read(...options, "--only", "a", "--only", "b", "--json", "f", "--list"), {
      ...{ only: ["a", "b"], shard: { index: 2, count: 3 }, json: "f", list: true },
      ...{ jobs: 0, runs: 5, seed: 0, generated: 9 },
    });
    assertEquals(read("--help"), "usage");
  });

  it("refuses what it cannot use", () => {
    assertEquals(read("--what"), "unknown: --what");
    assertEquals(read("--runs", "0"), "--runs 0: a whole number from 1 on is wanted");
    assertEquals(read("--seed", "x"), "--seed x: a whole number from 0 on is wanted");
    assertEquals(read("--shard", "3/2"), "--shard 3/2: I/N with I from 1 to N is wanted");
  });
});
