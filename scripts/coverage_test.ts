import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { branchesOf, coverageOf } from "./coverage.ts";

const LCOV = `SF:/a/b.ts
BRDA:2,1,0,7
BRDA:3,2,0,0
BRDA:3,2,1,-
BRDA:4,3,0,0
BRDA:5,4,0,1
BRF:5
end_of_record
SF:/a/a.ts
BRDA:1,1,0,3
end_of_record
`;

const TEXTS: Readonly<Record<string, string>> = {
  "/a/a.ts": "if (a) b();\n",
  "/a/b.ts": [
    "function f(x) {",
    "  if (x) {",
    "    return g();",
    "  throw new Error(); // unreachable: x is a tagged union",
    "  return; // unreachable: it was",
    "  return; // unreachable:",
  ].join("\n"),
};

describe("coverageOf", () => {
  const [a, b] = coverageOf(branchesOf(LCOV), (file) => TEXTS[file]);

  it("counts branches, those that were never taken by their lines", () => {
    assertEquals(a, { file: "/a/a.ts", branches: 1, taken: 1, missed: [], reached: [] });
    assertEquals([b.file, b.branches, b.taken, b.missed], ["/a/b.ts", 3, 1, [3]]);
  });

  it("leaves lines out that say why they cannot be reached, and tells of those that were", () => {
    assertEquals(b.reached, [5]);
  });
});
