import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { fixture, fromHex, sample } from "../../fuzz/arbitraries/compressed.ts";
import { LoaderError } from "../errors.ts";
import { MAX_FRAMES } from "../limits.ts";
import { PackedInput } from "./input.ts";
import { Output } from "./output.ts";
import { decodeZstd } from "./zstd.ts";
import { nativeEngine, wasmEngine, type ZstdEngine } from "./zstd_engine.ts";

const native = nativeEngine();
const ENGINES: readonly [string, ZstdEngine | undefined][] = [
  ["native", native],
  ["WebAssembly", await wasmEngine()],
];

for (const [name, engine] of ENGINES) {
  describe(`decodeZstd, ${name}`, { skip: engine === undefined && "this runtime has none" }, () => {
    async function decode(packed: Uint8Array, maxSize = 1 << 20): Promise<Uint8Array> {
      const input = new PackedInput(packed, "zstd");
      const output = new Output(input, { maxSize });
      await decodeZstd(input, output, engine);
      return output.finish();
    }
    const refusal = async (packed: Uint8Array, maxSize?: number) => {
      const error = await assertRejects(() => decode(packed, maxSize), LoaderError);
      return [error.code, error.field, error.offset];
    };

    it("unpacks frames in a row, and skips those to skip", async () => {
      const skippable = fromHex("53 2a 4d 18 03 00 00 00 01 02 03");
      const packed = Uint8Array.from([...fixture("zstd"), ...skippable, ...fixture("zstdSize")]);
      const data = await decode(packed);
      assertEquals(data, Uint8Array.from([...sample(), ...sample()]));
    });

    it("stops at the bound, with a size in the frame and without", async () => {
      for (const packed of [fixture("zstd"), fixture("zstdSize")]) {
        assertEquals((await refusal(packed, 4095))[0], "COMPRESSED_SIZE");
        assertEquals((await decode(packed, 4096)).length, 4096);
      }
    });

    it("counts runs before it makes them", async () => {
      // No size; a window of 128 KiB (0x38), then runs of 128 KiB: 4 bytes each
      const runs = "020010 61".repeat(100_000);
      const bomb = fromHex(`28b52ffd 00 38 ${runs} 030000 61`);
      assertEquals((await refusal(bomb, 1 << 20))[0], "COMPRESSED_SIZE");
    });

    it("finds damage in a block and in the checksum", async () => {
      const packed = fixture("zstd");
      packed[packed.length - 1] ^= 1;
      assertEquals(await refusal(packed), ["COMPRESSED_CORRUPT", "zstd frame", 0]);
      const block = fixture("zstd");
      block[40] ^= 0x10;
      assertEquals(await refusal(block), ["COMPRESSED_CORRUPT", "zstd frame", 0]);
    });

    it("refuses what it cannot unpack, and says where that stands", async () => {
      const unsupported = "COMPRESSED_UNSUPPORTED";
      // A window of 256 MiB; a dictionary; a reserved bit; a reserved block type
      assertEquals(await refusal(fromHex("28b52ffd 00 90 010000")), [
        unsupported,
        "zstd window",
        5,
      ]);
      const dictionary = await refusal(fromHex("28b52ffd 21 07 00 010000"));
      assertEquals(dictionary, [unsupported, "zstd dictionary id", 5]);
      const corrupt = "COMPRESSED_CORRUPT";
      const descriptor = await refusal(fromHex("28b52ffd 08 38 010000"));
      assertEquals(descriptor, [corrupt, "zstd frame header descriptor", 4]);
      assertEquals(await refusal(fromHex("28b52ffd 00 38 070000")), [
        corrupt,
        "zstd block header",
        6,
      ]);
    });

    it("refuses frames without number", async () => {
      const frame = "28b52ffd 20 00 010000"; // nothing in it
      assertEquals(await decode(fromHex(frame.repeat(MAX_FRAMES))), new Uint8Array(0));
      const at = 9 * MAX_FRAMES;
      const got = await refusal(fromHex(frame.repeat(MAX_FRAMES + 1)));
      assertEquals(got, ["LIMIT_EXCEEDED", "zstd frame count", at]);
    });

    it("unpacks compressed blocks that hold nothing to nothing", async () => {
      const frame = (blocks: number) =>
        fromHex(`28b52ffd 00 38 ${"140000 0000".repeat(blocks)} 010000`);
      // As many as may come to more than the bound
      for (const blocks of [1, 100]) assertEquals(await decode(frame(blocks)), new Uint8Array(0));
      const damaged = frame(100);
      damaged[9] = 0xff; // literals that are not there
      const [code] = await refusal(damaged);
      assertEquals(["COMPRESSED_CORRUPT", "COMPRESSED_SIZE"].includes(code as string), true);
    });

    it("unpacks an empty frame to nothing", async () => {
      assertEquals(await decode(fromHex("28b52ffd 00 38 010000")), new Uint8Array(0));
    });
  });
}
