import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { compare, median, quantile, ratio, table } from "./bench_stats.ts";

describe("quantile", () => {
  it("picks by rank, and leaves the measurements as they are", () => {
    const values = [5, 1, 4, 2, 3];
    assertEquals([0, 0.5, 1].map((q) => quantile(values, q)), [1, 3, 5]);
    assertEquals([median([7]), values], [7, [5, 1, 4, 2, 3]]);
  });
});

describe("compare", () => {
  it("takes turns, and does not count the first rounds", () => {
    let calls = "";
    const side = (name: string) => () => {
      calls += name;
      return calls.length;
    };
    const { base, other } = compare(2, side("b"), side("o"));
    assertEquals([calls, base.length, other.length], ["obboobboob", 2, 2]);
    assertEquals([base[0], other[0], base[1], other[1]], [7, 8, 10, 9]);
  });
});

describe("ratio", () => {
  it("divides the medians", () => {
    const { median, p10, p90 } = ratio({ base: [1, 2, 4], other: [2, 2, 2] });
    assertEquals([median, p10, p90], [1, 0.5, 2]);
  });
});

describe("table", () => {
  it("aligns its columns", () => {
    const lines = ["what     ms", "-------  --", "read      9", "planned  10"];
    assertEquals(table([["what", "ms"], ["read", "9"], ["planned", "10"]]), lines.join("\n"));
  });
});
