import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { checkJsonPlace, writeJsonFile } from "./json_file.ts";

describe("checkJsonPlace", () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "json-"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("refuses what could not be written in the end", () => {
    for (const path of [root, join(root, "none/x.json")]) {
      assertThrows(() => checkJsonPlace(path), Error, `Cannot write results to ${path}: `);
      assertThrows(() => writeJsonFile(path, []), Error, "Cannot write results");
    }
    assertEquals(readdirSync(root), []);
  });

  it("leaves what is there as it is, and nothing beside", () => {
    const path = join(root, "x.json");
    writeFileSync(path, "before");
    checkJsonPlace(path);
    assertEquals([readFileSync(path, "utf8"), readdirSync(root)], ["before", ["x.json"]]);
  });
});
