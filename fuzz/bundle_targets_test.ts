import { assertEquals } from "@std/assert";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { bundleTargets } from "./bundle_targets.ts";
import { TARGETS } from "./guided/targets.ts";

describe("bundleTargets", () => {
  it("gives an engine a CommonJS file for each target, which takes its seeds and any bytes", () => {
    const directory = mkdtempSync(join(tmpdir(), "targets-"));
    try {
      const files = bundleTargets(directory);
      assertEquals(files.length, TARGETS.length);
      const require = createRequire(join(directory, "engine.js"));
      for (const file of files) {
        const { fuzz } = require(file) as { fuzz: (data: Uint8Array) => unknown };
        const seeds = join(directory, file.slice(directory.length + 1, -".js".length));
        const names = readdirSync(seeds);
        assertEquals(names.length > 0, true);
        for (const name of names) assertEquals(fuzz(readFileSync(join(seeds, name))), undefined);
        for (const size of [0, 1, 100]) fuzz(new Uint8Array(size).fill(size));
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
