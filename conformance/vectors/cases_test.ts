import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { assertEquals, assertThrows } from "@std/assert";
import { readVectors, sha256, type Vector } from "./cases.ts";

const BASE = Uint8Array.of(1, 2, 3, 4);

/** The vectors of one case over a base of four bytes. */
function read(one: object, verdict: object, base = BASE): Vector[] {
  const directory = mkdtempSync(join(tmpdir(), "cases-"));
  const write = (name: string, line: object) => {
    writeFileSync(join(directory, name), gzipSync(`${JSON.stringify(line)}\n`));
    return join(directory, name);
  };
  try {
    const files = {
      bases: write("bases", {
        base: "b",
        sha256: sha256(BASE),
        b64: btoa(String.fromCharCode(...base)),
      }),
      cases: write("cases", { id: "c", base: "b", ...one }),
      verdicts: write("verdicts", { id: "c", ...verdict }),
    };
    return [...readVectors(files)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("readVectors", () => {
  it("extends, patches and cuts the base, in this order", () => {
    const one = { pad_to: 6, patches: [[1, "ff"], [7, "aabb"], [0, "cc"]], truncate: 8 };
    const input = Uint8Array.of(0xcc, 0xff, 3, 4, 0, 0, 0, 0xaa);
    const verdict = { in: sha256(input).slice(0, 16) };
    assertEquals(read(one, verdict).map((vector) => vector.input), [input]);
  });

  it("refuses an input that is not what linux-loader was given", () => {
    assertThrows(() => read({}, { in: sha256(Uint8Array.of(1)).slice(0, 16) }), Error, "c");
    const same = { in: sha256(BASE).slice(0, 16) };
    assertThrows(() => read({}, same, Uint8Array.of(9)), Error, "base b");
    assertThrows(() => read({ base: "x" }, same), Error, "no base x");
    assertThrows(() => read({ id: "d" }, same), Error, "verdict 0");
  });
});
