import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  checkLayers,
  exportedFiles,
  type Graph,
  INSIDE,
  readGraph,
  ROOMS,
} from "./check_layers.ts";
import { denoCommand } from "./steps.ts";

const DOORS = ["mod.ts", "src/files.ts"];

/** Checks one file that imports one thing. */
function check(file: string, target: string): string[] {
  return checkLayers(new Map([[file, [target]]]), DOORS);
}

describe("checkLayers", () => {
  it("accepts imports from lower floors, from the own room and on the ground", () => {
    const graph: Graph = new Map([
      ["mod.ts", ["src/boot.ts", "src/structs/elf.ts"]],
      ["src/boot.ts", ["src/protocols/pvh.ts", "src/formats/elf.ts", "src/errors.ts"]],
      ["src/protocols/pvh.ts", ["src/protocols/plan.ts", "src/cpu/x86.ts"]],
      ["src/protocols/plan.ts", ["src/protocols/layout_x86.ts", "src/params/cmdline.ts"]],
      ["src/formats/elf.ts", ["src/formats/elf_notes.ts", "src/source.ts"]],
      ["src/address.ts", ["src/errors.ts"]],
    ]);
    assertEquals(checkLayers(graph, DOORS), []);
  });

  it("refuses imports from higher floors", () => {
    assertEquals(check("src/formats/elf.ts", "src/params/cmdline.ts"), [
      "src/formats/elf.ts imports src/params/cmdline.ts: floor 3 does not import floor 4",
    ]);
    assertEquals(check("src/errors.ts", "mod.ts").length, 1);
  });

  it("refuses imports between the rooms of a floor", () => {
    const pairs = [
      ["src/formats/elf.ts", "src/memory/space.ts"],
      ["src/cpu/x86.ts", "src/memory/placement.ts"],
      ["src/boot.ts", "src/loader.ts"],
      ["src/compressed/mod.ts", "src/files.ts"],
      ["src/structs/struct.ts", "src/source.ts"],
    ];
    for (const [file, target] of pairs) {
      const [line] = check(file, target);
      assert(line.endsWith("do not import each other"), line);
    }
  });

  it("refuses a protocol that imports a protocol, or is imported by what they share", () => {
    assertEquals(check("src/protocols/linux32.ts", "src/protocols/linux64.ts").length, 1);
    assertEquals(check("src/protocols/plan.ts", "src/protocols/pvh.ts"), [
      "src/protocols/plan.ts imports src/protocols/pvh.ts: " +
      "what src/protocols/ shares does not import who shares it",
    ]);
  });

  it("refuses node: and packages in the library, but where they are allowed", () => {
    for (const target of ["node:fs", "npm:/fflate@0.8.2", "jsr:@std/assert", "https://x.y/z.ts"]) {
      assertEquals(check("src/source.ts", target).length, 1, target);
      assertEquals(check("src/compressed/zstd.ts", target), [], target);
    }
    assertEquals(check("src/source.ts", "scripts/std/assert/mod.js"), [
      "src/source.ts imports scripts/std/assert/mod.js: src/source.ts may not import packages",
    ]);
    assertEquals(check("src/files.ts", "node:fs"), []);
    assertEquals(check("src/files.ts", "npm:/fflate@0.8.2").length, 1);
  });

  it("refuses whatever is not a file in what mod.ts reaches", () => {
    const graph: Graph = new Map([
      ["mod.ts", ["src/files.ts"]],
      ["src/files.ts", ["node:fs", "src/source.ts"]],
    ]);
    assertEquals(checkLayers(graph, DOORS), [
      "src/files.ts imports node:fs: what mod.ts reaches is files of this repository only",
    ]);
  });

  it("refuses imports of tests and of what is around, and files without a room", () => {
    assertEquals(check("src/boot.ts", "src/boot_test.ts").length, 1);
    assertEquals(check("src/boot.ts", "scripts/steps.ts").length, 1);
    assertEquals(checkLayers(new Map([["src/new/x.ts", []]]), DOORS), [
      "src/new/x.ts is in no room of scripts/check_layers.ts",
    ]);
  });

  it("names imports that lead nowhere", () => {
    assertEquals(check("fuzz/main.ts", "unresolved:fuzz/none.ts"), [
      "fuzz/main.ts imports unresolved:fuzz/none.ts: it does not resolve",
    ]);
  });

  it("lets what is around in by the doors only", () => {
    assertEquals(check("conformance/main.ts", "mod.ts"), []);
    assertEquals(check("conformance/main.ts", "src/files.ts"), []);
    assertEquals(check("conformance/main.ts", "src/boot.ts"), [
      "conformance/main.ts imports src/boot.ts: " +
      "conformance/ uses the library by mod.ts and the entry points only",
    ]);
    assertEquals(check("scripts/x_test.ts", "src/boot.ts"), []);
    assertEquals(check("scripts/x_bench.ts", "src/boot.ts"), []);
    assertEquals(check("fuzz/elf_test.ts", "src/formats/elf.ts").length, 1);
    assertEquals(check("fuzz/properties/elf.ts", "src/formats/elf.ts").length, 1);
    assertEquals(check(INSIDE, "src/formats/elf.ts"), []);
  });

  it("lets tests in src/ use src/, packages and the arbitraries", () => {
    const test = "src/formats/elf_test.ts";
    const targets = ["src/boot.ts", "node:test", "npm:/fast-check@4", "scripts/std/assert/mod.js"];
    for (const target of [...targets, "mod.ts", "fuzz/arbitraries/elf.ts"]) {
      assertEquals(check(test, target), []);
    }
    assertEquals(check(test, "fuzz/main.ts").length, 1);
    assertEquals(check(test, "scripts/steps.ts").length, 1);
  });

  it("shows the way round a circle, wherever it is", () => {
    const graph: Graph = new Map([
      ["conformance/a.ts", ["conformance/b.ts"]],
      ["conformance/b.ts", ["conformance/c.ts"]],
      ["conformance/c.ts", ["conformance/b.ts"]],
      ["src/structs/elf.ts", ["src/structs/elf.ts"]],
    ]);
    assertEquals(checkLayers(graph, DOORS), [
      "conformance/b.ts imports conformance/c.ts: " +
      "no circles (conformance/b.ts -> conformance/c.ts -> conformance/b.ts)",
      "src/structs/elf.ts imports src/structs/elf.ts: " +
      "no circles (src/structs/elf.ts -> src/structs/elf.ts)",
    ]);
  });
});

describe("ROOMS", () => {
  it("names each room once", () => {
    const paths = ROOMS.map(({ path }) => path);
    assertEquals(paths.length, new Set(paths).size);
  });
});

describe("readGraph", () => {
  const skip = denoCommand() === undefined ? "there is no deno to read it with" : false;
  it("finds this repository's imports, type-only ones included", { skip }, async () => {
    const graph = await readGraph();
    assert(graph.get("mod.ts")?.includes("src/boot.ts"));
    assert(graph.get("scripts/junit.ts")?.includes("scripts/steps.ts")); // import type
    assert(graph.get("scripts/check_layers_test.ts")?.includes("node:test"));
    for (const door of exportedFiles()) assert(graph.has(door), door);
  });
});
