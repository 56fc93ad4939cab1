import { assertEquals } from "@std/assert";
import process from "node:process";
import { describe, it } from "node:test";
import { bzImage, elfImage } from "../arbitraries/images.ts";
import { Engine, type Target } from "./engine.ts";
import type { Patch } from "../repository_copy.ts";
import { build } from "./instrument.ts";
import { seedsOf, TARGETS } from "./targets.ts";

/** A bug that a test build has, and what finds it. */
interface Planted {
  readonly what: string;
  readonly target: string;
  readonly patch: Patch;
  /** None: the loop starts from nothing, and has to find the magic number, too. */
  readonly seeds: readonly Uint8Array[];
  /** A few times what it took when this was written. */
  readonly atMost: number;
}

const PLANTED: readonly Planted[] = [
  {
    what: "a bug behind a magic number, a version check and a flag, from no seed",
    target: "target-bzimage",
    patch: {
      file: "src/formats/bzimage.ts",
      find: "  checkMagic(raw);\n",
      replace: `  checkMagic(raw);
  if (raw.version === 0x020d && (raw.xloadflags & 8) !== 0) throw new Error("planted");\n`,
    },
    seeds: [],
    atMost: 40_000,
  },
  {
    what: "a bug behind a large number and two fields that are equal",
    target: "target-bzimage",
    patch: {
      file: "src/formats/bzimage.ts",
      find: "  checkMagic(raw);\n",
      replace: `  checkMagic(raw);
  if (raw.payload_length > 0x7fffff00 && raw.init_size === raw.syssize) throw new Error("planted");\n`,
    },
    seeds: [bzImage({ kernel: new Uint8Array(64) })],
    atMost: 40_000,
  },
  {
    what: "a bounds check that was dropped",
    target: "target-elf",
    patch: {
      file: "src/formats/elf.ts",
      find: "if (start + size > BigInt(source.size)) {",
      replace: "if (start > BigInt(source.size)) {",
    },
    seeds: [elfImage()],
    atMost: 20_000,
  },
  {
    what: "an 8-byte number behind the magic of an ELF, from no seed",
    target: "target-elf",
    patch: {
      file: "src/formats/elf.ts",
      find: "  checkIdent(head, classes);\n",
      replace: `  checkIdent(head, classes);
  if (head.length === 64 && new DataView(head.buffer).getBigUint64(24, true) === 0xdeadbeefcafef00dn) {
    throw new Error("planted");
  }\n`,
    },
    seeds: [],
    atMost: 40_000,
  },
];

/** Runs until something is found. */
function hunt(
  planted: Planted,
  seed: number,
): { executions: number; found: boolean; input?: Uint8Array } {
  const entry = TARGETS.find(({ name }) => name === planted.target)!.entry;
  const { hooks, exports } = build(entry, [planted.patch]);
  const engine = new Engine(exports.fuzz as Target, hooks, seed, planted.seeds);
  while (engine.executions < planted.atMost) {
    const crash = engine.step();
    if (!crash) continue;
    const { message } = crash.error as Error;
    const small = engine.shrink(crash, (error) => (error as Error).message === message);
    assertEquals(small.input.length <= crash.input.length, true);
    return { executions: crash.execution, found: true, input: small.input };
  }
  return { executions: engine.executions, found: false };
}

describe("Engine", () => {
  for (const planted of PLANTED) {
    it(`finds ${planted.what}`, () => {
      for (const seed of [1, 2, 3]) {
        const { found, executions } = hunt(planted, seed);
        assertEquals(found, true, `seed ${seed}: nothing in ${executions} executions`);
        if (process.env.FUZZ_FIGURES) console.log(`${planted.what}, seed ${seed}: ${executions}`);
      }
    });
  }

  it("does the same for the same seed", () => {
    const runs = [9, 9, 10].map((seed) => hunt(PLANTED[0], seed));
    assertEquals(runs[0], runs[1]);
    assertEquals(runs[0].executions === runs[2].executions, false);
  });

  it("finds nothing in the library as it is, and counts edges", () => {
    const target = TARGETS.find(({ name }) => name === "target-detect")!;
    const { hooks, exports } = build(target.entry);
    const engine = new Engine(exports.fuzz as Target, hooks, 1, seedsOf(target));
    while (engine.executions < 2000) assertEquals(engine.step(), undefined);
    assertEquals(engine.edges > 20, true);
    assertEquals(engine.kept > 5, true);
  });
});
