import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { OWN_FILES } from "./cases.ts";
import { runVectors } from "./run.ts";

describe("the vectors", () => {
  it("agree with linux-loader, or differ for a named reason", () => {
    const { agree, divergences, unexplained } = runVectors(OWN_FILES);
    assertEquals(unexplained, []);
    // A count that moves is a change of behaviour: look at it, then write it down
    assertEquals({ agree, ...Object.fromEntries(divergences) }, {
      agree: 1514,
      "elf-class": 19,
      "segment-overlap": 2,
      "bss-outside-ram": 10,
      "kernel-end-covers-the-kernel": 14,
      "bss-zeroed": 7,
      "exact-fit": 3,
      "memory-untouched": 110,
      "source-independent": 7,
    });
  });
});
