import { assertEquals, assertThrows } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as library from "../mod.ts";
import { CALLER_MISTAKES } from "./caller_mistakes.ts";
import { knownCodes } from "./judge.ts";

const SRC = join(dirname(dirname(fileURLToPath(import.meta.url))), "src");

describe("CALLER_MISTAKES", () => {
  for (const { what, error, message, make } of CALLER_MISTAKES) {
    it(`${error} for ${what}`, () => {
      const thrown = assertThrows(() => make(library)) as Error;
      assertEquals(thrown.constructor.name, error);
      assertEquals(message.test(thrown.message), true, thrown.message);
    });
  }

  it("are all that src/ throws but LoaderErrors", () => {
    const found = readdirSync(SRC, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !/_test|_bench|^compressed/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(SRC, file), "utf8");
        return [...text.matchAll(/new (TypeError|RangeError|Error)\(/g)].map(([, kind]) => {
          return `${file.replaceAll("\\", "/")} ${kind}`;
        });
      });
    const known = [
      "errors.ts TypeError", // wrongType
      "files.ts Error", // not a regular file, closed
      "loader.ts TypeError", // PE.load: no architecture
      "memory/guest_memory.ts TypeError",
      "params/cmdline.ts RangeError",
      "source.ts TypeError",
      "structs/struct.ts RangeError",
      "structs/struct.ts TypeError",
    ];
    assertEquals([...new Set(found)].sort(), known);
  });
});

describe("knownCodes", () => {
  it("are those of the library", () => {
    const text = readFileSync(join(SRC, "errors.ts"), "utf8");
    const union = text.slice(text.indexOf("export type LoaderErrorCode"), text.indexOf(";"));
    const codes = [...union.matchAll(/\| "([A-Z0-9_]+)"/g)].map(([, code]) => code);
    assertEquals(knownCodes().sort(), codes.sort());
  });
});
