import { assertEquals } from "@std/assert";
import { transformSync } from "esbuild";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { patched, ROOT } from "../repository_copy.ts";
import { LISTED } from "./listed.ts";
import { explained } from "./survivors.ts";

describe("LISTED", () => {
  it("has a name of its own for each fault, and at least 60", () => {
    assertEquals(new Set(LISTED.map(({ id }) => id)).size, LISTED.length);
    assertEquals(LISTED.length >= 60, true);
    for (const { id, what } of LISTED) {
      assertEquals([/^[a-z0-9-]+$/.test(id), what !== ""], [true, true]);
    }
  });

  for (const fault of LISTED) {
    it(`${fault.id} applies to the source as it is: exactly once, and what comes of it parses`, () => {
      const text = readFileSync(join(ROOT, fault.file), "utf8");
      const planted = patched(text, fault);
      assertEquals(planted === text, false);
      transformSync(planted, { loader: "ts" });
    });
  }
});

describe("survivors", () => {
  it("that were listed by name are faults of the list", () => {
    const ids = LISTED.map(({ id }) => id);
    const named = explained().filter((id) => !id.includes(":"));
    assertEquals(named.filter((id) => !ids.includes(id)), []);
  });
});
