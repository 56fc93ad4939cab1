import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { build, type Hooks, instrument, MAP_SIZE } from "./instrument.ts";
import { mutate, put, solve } from "./mutate.ts";
import { Random } from "./random.ts";

/** Runs an instrumented script. */
function run(source: string): { value: unknown; hooks: Hooks; pairs: unknown[][] } {
  const pairs: unknown[][] = [];
  const hooks: Hooks = {
    counters: new Uint8Array(MAP_SIZE),
    work: 0,
    isTracing: true,
    onCompare: (left, right) => void pairs.push([left, right]),
  };
  const value = new Function("__hooks", instrument(source).code + "\nreturn result;")(hooks);
  return { value, hooks, pairs };
}

describe("instrument", () => {
  it("changes nothing that a script does", () => {
    const scripts: [string, unknown][] = [
      ["var result = [1, 2, 3].map((x) => x > 1 ? x : -x).filter((x) => x < 3);", [-1, 2]],
      ["var result = 0; for (const x of [1, 2]) if (x === 2) result += x; else result -= x;", 1],
      [
        "function f(x) { switch (x) { case 1: return 'a'; case 2: default: return 'b'; } }" +
        "var result = f(1) + f(2) + f(3);",
        "abb",
      ],
      ["var result = null ?? (1 < 2 && (3 >= 3)) ;", true],
      ["var a = { b: 1 }; var result = (a.b) === (1) && a?.c !== 2;", true],
      ["var i = 0; do i++; while (i < 5); var result = i;", 5],
      ["class A { #x = 1; has(o) { return #x in o; } } var result = new A().has(new A());", true],
      ["var f = () => ({ y: 1 }); var result = f().y;", 1],
      ["var result = 2n > 1 && 1n <= 1n;", true],
    ];
    for (const [script, wanted] of scripts) assertEquals(run(script).value, wanted, script);
  });

  it("counts each way once, and shows comparisons that do not hold", () => {
    const loop = (n: number) => run(`var result = 0; for (let i = 0; i < ${n}; i++) result++;`);
    assertEquals(loop(10).hooks.work, 10);
    assertEquals(loop(20).hooks.work, 20);
    assertEquals(run("var result = 5 === 0x1234;").pairs, [[5, 0x1234]]);
    assertEquals(run("switch (7) { case 8: case 7: }; var result;").pairs, [[7, 8]]);
  });
});

describe("build", () => {
  it("bundles the library, and a patched copy of it", () => {
    const patch = { file: "src/limits.ts", find: "1 << 17", replace: "1 << 3" };
    assertEquals(typeof build("mod.ts").exports.parseElf, "function");
    assertEquals(typeof build("mod.ts", [patch]).exports.parseElf, "function");
    assertThrows(() => build("mod.ts", [{ ...patch, find: "not there" }]), Error, "not there");
  });
});

describe("solve", () => {
  it("writes one side of a comparison where the other stands, in either byte order", () => {
    const input = Uint8Array.of(9, 0x34, 0x12, 9, 0x12, 0x34, 9);
    const solved = solve(input, 0x1234, 0xabcd).map((bytes) => [...bytes].join());
    assertEquals(solved.includes("9,205,171,9,18,52,9"), true);
    assertEquals(solved.includes("9,52,18,9,171,205,9"), true);
    assertEquals(solve(input, "text", 5), []);
    assertEquals(solve(input, -1, 5), []);
  });
});

describe("mutate", () => {
  it("is the same for the same seed, leaves the input, and keeps to the largest size", () => {
    const input = new Uint8Array(64).fill(1);
    const results = [5, 5, 6].map((seed) => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () => mutate(input, input, [], random).join()).join(";");
    });
    assertEquals(results[0], results[1]);
    assertEquals(results[0] === results[2], false);
    assertEquals(input.every((byte) => byte === 1), true);
  });

  it("put writes both byte orders and drops what does not fit", () => {
    const bytes = new Uint8Array(4);
    put(bytes, 1, 2, 0x1234n, false);
    assertEquals([...bytes], [0, 0x34, 0x12, 0]);
    put(bytes, 3, 4, 0x11223344n, true);
    assertEquals([...bytes], [0, 0x34, 0x12, 0x11]);
  });
});
