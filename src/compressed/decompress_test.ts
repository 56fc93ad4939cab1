import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { fixture, type FixtureName, sample } from "../../fuzz/arbitraries/compressed.ts";
import { FIXTURES } from "../../fuzz/arbitraries/compressed_fixtures.ts";
import { LoaderError, type LoaderErrorCode } from "../errors.ts";
import { type CompressedFormat, decompress, type DecompressOptions } from "./decompress.ts";

const SAMPLE = sample();
const NAMES = Object.keys(FIXTURES) as FixtureName[];
/** Nothing in these tells that the data is what it was: only that its size is right. */
const WITHOUT_CHECKSUM: readonly FixtureName[] = [
  ...["lzma", "xzBlocks", "lz4Legacy", "lz4Plain", "zstdSize"] as const,
];
/** What may be decompressed at most, by what its format can do in a second or two. */
const BOMB_SIZE = 64 << 20;

const unpack = (name: FixtureName, bytes: Uint8Array, options?: DecompressOptions) =>
  decompress(FIXTURES[name].format, bytes, options);

async function outcome(run: Promise<Uint8Array>): Promise<Uint8Array | LoaderErrorCode> {
  try {
    return await run;
  } catch (error) {
    assertInstanceOf(error, LoaderError, `${(error as Error).stack}`);
    assert(error.offset !== undefined && error.field !== undefined, error.message);
    return error.code;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

for (const name of NAMES) {
  describe(`decompress ${name}`, () => {
    const packed = fixture(name);

    it("gives back what the tool packed", async () => {
      assertEquals(await unpack(name, packed), SAMPLE);
      assertEquals(await unpack(name, packed, { maxSize: 4096, expectedSize: 4096 }), SAMPLE);
    });

    it("writes to the caller's buffer, and nothing behind its bound", async () => {
      const output = new Uint8Array(8192).fill(0xa5);
      const got = await unpack(name, packed, { output });
      assertEquals(got.buffer, output.buffer);
      assertEquals(got, SAMPLE);
      const exact = new Uint8Array(8192).fill(0xa5);
      await unpack(name, packed, { output: exact.subarray(0, 4096) });
      assert(exact.subarray(4096).every((byte) => byte === 0xa5));
    });

    it("refuses more than the bound, whoever sets it", async () => {
      for (
        const options of [
          { maxSize: 4095 },
          { maxSize: 0 },
          { expectedSize: 4095 },
          { expectedSize: 0 },
          { output: new Uint8Array(4095) },
          { maxSize: 4096, expectedSize: 4097 },
          { expectedSize: 4097 },
          { maxSize: 1 << 20, expectedSize: 0xffffffff },
        ]
      ) {
        const got = await outcome(unpack(name, packed, options));
        assertEquals(got, "COMPRESSED_SIZE", JSON.stringify(options));
      }
    });

    it("refuses every prefix", async () => {
      // A legacy frame has no end: its size word is what says that it is whole
      const options = name === "lz4Legacy" ? { expectedSize: 4096 } : {};
      for (let size = 0; size < packed.length; size++) {
        const got = await outcome(unpack(name, packed.subarray(0, size), options));
        assert(typeof got === "string", `${size} of ${packed.length} bytes gave ${got.length}`);
      }
    });

    it("refuses what follows", async () => {
      for (const tail of [[1], [0], [0, 0, 0, 0, 0xff], [0x42, 0x5a], Array(600).fill(0x61)]) {
        const bytes = Uint8Array.from([...packed, ...tail]);
        const got = await outcome(unpack(name, bytes));
        assert(typeof got === "string", `${tail} gave ${got.length}`);
      }
    });

    it("never gives other data for a flipped bit, nor less of it", async () => {
      for (let bit = 0; bit < 8 * packed.length; bit += bit < 320 ? 1 : 5) {
        const bytes = packed.slice();
        bytes[bit >> 3] ^= 1 << (bit & 7);
        const got = await outcome(unpack(name, bytes, { expectedSize: 4096 }));
        if (typeof got === "string") continue;
        if (WITHOUT_CHECKSUM.includes(name)) assertEquals(got.length, 4096);
        else assert(same(got, SAMPLE), `bit ${bit} of byte ${bit >> 3}`);
      }
    });
  });
}

describe("decompress", () => {
  it("says that there is nothing, in every format", async () => {
    for (const format of new Set(Object.values(FIXTURES).map(({ format }) => format))) {
      const error = await assertRejects(
        () => decompress(format, new Uint8Array(0), { offset: 0x100 }),
        LoaderError,
      );
      assertEquals([error.code, error.offset], ["TRUNCATED", 0x100]);
    }
  });

  it("tells offsets of the file", async () => {
    const packed = fixture("xz");
    packed[6] = 1;
    const run = () => decompress("xz", packed, { offset: 0x4000 });
    const error = await assertRejects(run, LoaderError);
    assertEquals([error.code, error.field, error.offset], [
      "COMPRESSED_CHECKSUM",
      "xz stream flags CRC32",
      0x4008,
    ]);
  });

  it("refuses sizes that are none", async () => {
    for (const size of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
      const error = await assertRejects(
        () => decompress("xz", fixture("xz"), { maxSize: size }),
        LoaderError,
      );
      assertEquals([error.code, error.field], ["INVALID_OPTION", "maxSize"]);
    }
  });
});

/** The tools that pack, reading standard input. */
const TOOLS: { readonly [K in CompressedFormat]: readonly string[][] } = {
  gzip: [["gzip", "-1c"], ["gzip", "-9c"]],
  bzip2: [["bzip2", "-1c"], ["bzip2", "-9c"]],
  lzma: [["xz", "--format=lzma", "-0c"], ["xz", "--format=lzma", "-6c"]],
  xz: [["xz", "-0c"], ["xz", "-6c", "--check=crc32"], ["xz", "-1c", "--block-size=100000"]],
  lzo: [["lzop", "-1c"], ["lzop", "-9c"]],
  "lz4-legacy": [["lz4", "-l1c"], ["lz4", "-l9c"]],
  lz4: [["lz4", "-1c"], ["lz4", "-9c", "-B4", "-BD", "-BX"]],
  zstd: [["zstd", "-1c"], ["zstd", "-19c", "--check"]],
};

/** What `lzma -d` calls corrupt, and lzop unpacks with a warning and exit code 2. */
const REFUSES_TWO: readonly string[] = ["lzma", "lzo"];

/** By files: Deno's execFileSync waits for ever on a child that writes while it is written to. */
function runTool(command: readonly string[], data: Uint8Array): Uint8Array | undefined {
  const work = mkdtempSync(join(tmpdir(), "compressed-test-"));
  try {
    writeFileSync(join(work, "data"), data);
    const line = `command -v ${command[0]} > tool || exit 0; ${command.join(" ")} < data > packed`;
    execFileSync("sh", ["-c", line], { cwd: work, stdio: "ignore" });
    if (readFileSync(join(work, "tool")).length === 0) return undefined;
    return new Uint8Array(readFileSync(join(work, "packed")));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Half a MiB that shrinks somewhat: lines of code, numbers, noise, runs. */
function mixture(): Uint8Array {
  const bytes = new Uint8Array(9 * 64 * 1024 + 17);
  for (let at = 0, round = 0; at < bytes.length; at += SAMPLE.length, round++) {
    const part = SAMPLE.subarray(0, bytes.length - at);
    bytes.set(part.map((byte, i) => i % 97 === 0 ? byte ^ (round * i) : byte), at);
  }
  return bytes;
}

describe("decompress, beside the tools", () => {
  for (const [format, commands] of Object.entries(TOOLS) as [CompressedFormat, string[][]][]) {
    for (const command of commands) {
      it(`unpacks ${command.join(" ")}`, async (test) => {
        for (const data of [mixture(), new Uint8Array(1), new Uint8Array(100_000).fill(7)]) {
          const packed = runTool(command, data);
          if (packed === undefined) return test.skip(`${command[0]} is not installed`);
          const got = await decompress(format, packed);
          assert(same(got, data), `${got.length} of ${data.length} bytes`);
        }
      });
    }

    const takesTwo = !REFUSES_TWO.includes(format);
    it(`${takesTwo ? "takes" : "refuses"} two ${format} files in a row, as the tool does`, async (test) => {
      const [one, two] = commands.map((command) => runTool(command, SAMPLE));
      if (!one || !two) return test.skip(`${commands[0][0]} is not installed`);
      const got = outcome(decompress(format, Uint8Array.from([...one, ...two])));
      if (takesTwo) assertEquals(await got, Uint8Array.from([...SAMPLE, ...SAMPLE]));
      else assertEquals(await got, "COMPRESSED_TRAILING");
    });

    it(`stops at the bound of a ${format} bomb`, async (test) => {
      const packed = runTool(commands[0], new Uint8Array(BOMB_SIZE));
      if (packed === undefined) return test.skip(`${commands[0][0]} is not installed`);
      for (const maxSize of [0, 1, 100_000, 1 << 20]) {
        const started = performance.now();
        assertEquals(await outcome(decompress(format, packed, { maxSize })), "COMPRESSED_SIZE");
        const ms = performance.now() - started;
        assert(ms < 2000, `${Math.round(ms)} ms for ${maxSize} bytes`);
      }
    });
  }
});
