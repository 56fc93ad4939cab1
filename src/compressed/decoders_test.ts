import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fixture, type FixtureName, fromHex, sample } from "../../fuzz/arbitraries/compressed.ts";
import { FIXTURES } from "../../fuzz/arbitraries/compressed_fixtures.ts";
import { HAND_MADE } from "../../fuzz/arbitraries/hand_made_streams.ts";
import {
  PACKED_FAMILIES,
  SHA256_OF_NOTHING,
  xzBlocks,
} from "../../fuzz/arbitraries/packed_families.ts";
import { LoaderError } from "../errors.ts";
import { undoArm64, undoX86 } from "./bcj.ts";
import { crc32 } from "./checksums.ts";
import { type CompressedFormat, decompress } from "./decompress.ts";
import { decodeGzip } from "./gzip.ts";
import { nativeInflate, streamInflate } from "./inflate.ts";
import { PackedInput } from "./input.ts";
import { LzmaDecoder } from "./lzma_decoder.ts";
import { type NodeZlib, nodeZlib } from "./node_zlib.ts";
import { Output } from "./output.ts";

async function refusal(format: CompressedFormat, bytes: Uint8Array): Promise<unknown[]> {
  const error = await assertRejects(() => decompress(format, bytes), LoaderError);
  return [error.code, error.field, error.offset];
}

function bent(name: FixtureName, at: number, ...values: number[]): Uint8Array {
  const bytes = fixture(name);
  bytes.set(values, at < 0 ? bytes.length + at : at);
  return bytes;
}

const twice = (name: FixtureName): Uint8Array =>
  Uint8Array.from([...fixture(name), ...fixture(name)]);
const SAMPLE_TWICE = Uint8Array.from([...sample(), ...sample()]);

describe("gzip", () => {
  it("takes all header fields, and says which one is damaged", async () => {
    const body = fixture("gzip").subarray(17); // 10 bytes of header, "sample" and a zero
    // FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT
    const header = fromHex("1f8b08 1f 00000000 00 03 0200 aabb 6100 6200");
    const crc = crc32(header) & 0xffff;
    const packed = Uint8Array.from([...header, crc & 0xff, crc >> 8, ...body]);
    assertEquals(await decompress("gzip", packed), sample());
    packed[12] ^= 1;
    assertEquals(await refusal("gzip", packed), ["COMPRESSED_CHECKSUM", "gzip header CRC", 18]);
    const reserved = bent("gzip", 3, 0x20);
    assertEquals(await refusal("gzip", reserved), ["COMPRESSED_CORRUPT", "gzip flags", 3]);
    const extra = fromHex("1f8b08 04 00000000 00 03 ffff 00");
    assertEquals(await refusal("gzip", extra), ["TRUNCATED", "gzip extra field", 13]);
    const name = fromHex("1f8b08 08 00000000 00 03 61616161");
    assertEquals(await refusal("gzip", name), ["TRUNCATED", "gzip file name", 14]);
  });

  it("takes members in a row, each with its own checksums", async () => {
    const empty = fromHex("1f8b08 00 00000000 00 03 0300 00000000 00000000");
    const size = fixture("gzip").length;
    const packed = Uint8Array.from([...empty, ...twice("gzip"), ...empty]);
    assertEquals(await decompress("gzip", packed), SAMPLE_TWICE);
    const [first, second] = [empty.length + size, empty.length + 2 * size];
    for (const [at, field] of [[first, "CRC32"], [second, "CRC32"]] as const) {
      const damaged = packed.slice();
      damaged[at - 8] ^= 1;
      assertEquals(await refusal("gzip", damaged), [
        "COMPRESSED_CHECKSUM",
        `gzip ${field}`,
        at - 8,
      ]);
    }
    for (let end = first + 2; end < second; end++) {
      const [code, , offset] = await refusal("gzip", packed.subarray(0, end));
      assertEquals([code, offset], ["TRUNCATED", end]);
    }
    const bytes = { maxSize: 2 * sample().length - 1 };
    const error = await assertRejects(() => decompress("gzip", packed, bytes), LoaderError);
    assertEquals(error.code, "COMPRESSED_SIZE");
  });

  it("takes so many members, and no more", async () => {
    const empty = fromHex("1f8b08 00 00000000 00 03 0300 00000000 00000000");
    const many = new Uint8Array(empty.length * 4097);
    for (let i = 0; i < 4097; i++) many.set(empty, i * empty.length);
    assertEquals((await decompress("gzip", many.subarray(empty.length))).length, 0);
    const at = empty.length * 4096;
    assertEquals(await refusal("gzip", many), ["LIMIT_EXCEEDED", "gzip member count", at]);
  });
});

for (const [name, inflate] of [["native", nativeInflate()], ["stream", streamInflate]] as const) {
  describe(
    `decodeGzip, ${name}`,
    { skip: inflate === undefined && "this runtime has none" },
    () => {
      const refuse = async (packed: Uint8Array): Promise<unknown[]> => {
        const input = new PackedInput(packed, "gzip");
        const output = new Output(input, { maxSize: 1 << 20 });
        const run = async () => await decodeGzip(input, output, inflate);
        const error = await assertRejects(run, LoaderError);
        return [error.code, error.field, error.offset];
      };
      const size = fixture("gzip").length;

      it("tells a wrong checksum and a wrong size", async () => {
        const checksum = "COMPRESSED_CHECKSUM";
        assertEquals(await refuse(bent("gzip", -8, 0)), [checksum, "gzip CRC32", size - 8]);
        assertEquals(await refuse(bent("gzip", -1, 1)), [checksum, "gzip ISIZE", size - 4]);
      });

      // DecompressionStream differs from runtime to runtime: it refuses, and that is all
      const isExact = inflate !== streamInflate;

      it("tells a damaged stream", async () => {
        // Block type 3, RFC 1951, 3.2.3
        const got = await refuse(bent("gzip", 17, 0x07));
        if (isExact) assertEquals(got, ["COMPRESSED_CORRUPT", "gzip data", 17]);
      });

      it("tells a file that was cut off", async () => {
        for (let end = 0; end < size; end++) {
          const [code, , offset] = await refuse(fixture("gzip").subarray(0, end));
          if (isExact) assertEquals([code, offset], ["TRUNCATED", end]);
        }
      });

      it("refuses what follows", async () => {
        const packed = fixture("gzip");
        for (const tail of [[0], [1, 2, 3], packed.subarray(-4), [0x1f]]) {
          const got = await refuse(Uint8Array.from([...packed, ...tail]));
          if (isExact) assertEquals(got, ["COMPRESSED_TRAILING", "gzip end", size]);
        }
      });

      it("reads shared memory", async () => {
        const shared = new Uint8Array(new SharedArrayBuffer(size));
        shared.set(fixture("gzip"));
        const input = new PackedInput(shared, "gzip");
        const buffer = new Uint8Array(new SharedArrayBuffer(4096));
        const output = new Output(input, { maxSize: 4096, buffer });
        await decodeGzip(input, output, inflate);
        assertEquals(output.finish().slice(), sample());
      });
    },
  );
}

describe("nativeInflate", { skip: nativeInflate() === undefined && "none here" }, () => {
  it("lets zlib make no more than may still come", async () => {
    const process = (globalThis as unknown as { process: { getBuiltinModule: unknown } }).process;
    const { getBuiltinModule } = process;
    const bounds: number[] = [];
    const real = nodeZlib()!;
    const inflateRawSync: NodeZlib["inflateRawSync"] = (deflated, options) => {
      bounds.push(options.maxOutputLength);
      return real.inflateRawSync(deflated, options);
    };
    process.getBuiltinModule = () => ({ ...real, inflateRawSync });
    try {
      for (const [maxSize, wanted] of [[9000, [9000, 4904]], [5000, [5000, 904]], [9, [9]]]) {
        bounds.length = 0;
        const input = new PackedInput(twice("gzip"), "gzip");
        const output = new Output(input, { maxSize: maxSize as number });
        let code: string | undefined;
        try {
          await decodeGzip(input, output, nativeInflate());
        } catch (error) {
          code = (error as LoaderError).code;
        }
        assertEquals(bounds, wanted);
        assertEquals(code, maxSize === 9000 ? undefined : "COMPRESSED_SIZE");
      }
    } finally {
      process.getBuiltinModule = getBuiltinModule;
    }
  });
});

describe("bzip2", () => {
  it("takes selectors that nothing uses, as many as there may be", async () => {
    const selectors = PACKED_FAMILIES.find(({ name }) => name === "selectors that nothing uses")!;
    assertEquals(await decompress("bzip2", selectors.make(3)), fromHex("61 61 61"));
  });

  it("takes empty streams at next to no cost", async () => {
    const packed = fromHex("42 5a 68 39 17 72 45 38 50 90 00 00 00 00".repeat(4096));
    const started = performance.now();
    assertEquals(await decompress("bzip2", packed), new Uint8Array(0));
    const ms = performance.now() - started;
    assert(ms < 500, `${Math.round(ms)} ms`); // 2.9 s with a buffer for each
  });

  it("takes streams of growing and of shrinking blocks", async () => {
    for (const levels of [[0x31, 0x39], [0x39, 0x31]]) {
      const packed = Uint8Array.from(levels.flatMap((level) => [...bent("bzip2", 3, level)]));
      assertEquals(await decompress("bzip2", packed), SAMPLE_TWICE);
    }
  });

  it("takes streams in a row, as pbzip2 makes them", async () => {
    assertEquals(await decompress("bzip2", twice("bzip2")), SAMPLE_TWICE);
  });

  it("says where the damage is", async () => {
    assertEquals(await refusal("bzip2", bent("bzip2", 3, 0x30)), [
      "COMPRESSED_CORRUPT",
      "bzip2 block size",
      3,
    ]);
    assertEquals((await refusal("bzip2", bent("bzip2", 4, 0)))[1], "bzip2 block start");
    assertEquals(await refusal("bzip2", bent("bzip2", 10, 1)), [
      "COMPRESSED_CHECKSUM",
      "bzip2 block CRC",
      10,
    ]);
    // The randomised bit, after the block's magic and CRC
    assertEquals((await refusal("bzip2", bent("bzip2", 14, 0x80)))[0], "COMPRESSED_UNSUPPORTED");
  });
});

describe("decompress", () => {
  for (const name of Object.keys(FIXTURES) as FixtureName[]) {
    if (name === "lz4Legacy") continue; // has no end
    it(`calls every prefix of ${name} truncated`, async () => {
      const packed = fixture(name);
      const { format } = FIXTURES[name];
      for (let size = 0; size < packed.length; size++) {
        const got = await refusal(format, packed.subarray(0, size));
        assertEquals([got[0], got[2]], ["TRUNCATED", size], `${size}: ${got[1]}`);
      }
    });
  }
});

describe("lzma", () => {
  it("takes a size in the header, with the end marker and without", async () => {
    const packed = bent("lzma", 5, 0, 0x10, 0, 0, 0, 0, 0, 0);
    assertEquals(await decompress("lzma", packed), sample());
    const size = await refusal("lzma", bent("lzma", 5, 1, 0x10, 0, 0, 0, 0, 0, 0));
    assertEquals(size[1], "lzma end marker");
    assertEquals((await refusal("lzma", bent("lzma", 0, 225)))[1], "lzma properties");
  });

  it("makes its probabilities once, however often properties change", () => {
    const decoder = new LzmaDecoder(new PackedInput(new Uint8Array(1), "lzma"));
    const { Uint16Array: original } = globalThis;
    let made = 0;
    globalThis.Uint16Array = new Proxy(original, {
      construct: (target, args) => (made++, new target(...args as [number])),
    });
    try {
      for (let i = 0; i < 100; i++) decoder.setProperties(i % 2 === 0 ? 4 : 0, 0);
    } finally {
      globalThis.Uint16Array = original;
    }
    assertEquals(made, 1);
  });

  it("does not allocate what a dictionary size asks for", async () => {
    const packed = bent("lzma", 1, 0xff, 0xff, 0xff, 0xff);
    assertEquals(await decompress("lzma", packed), sample());
  });
});

describe("xz", () => {
  it("takes streams in a row and padding by fours", async () => {
    const [first, second] = [fixture("xz"), fixture("xzArm64")];
    const padded = Uint8Array.from([...first, 0, 0, 0, 0, ...second, 0, 0, 0, 0, 0, 0, 0, 0]);
    assertEquals(await decompress("xz", padded), SAMPLE_TWICE);
    const odd = Uint8Array.from([...first, 0, 0, 0]);
    assertEquals((await refusal("xz", odd))[0], "COMPRESSED_TRAILING");
  });

  it("verifies header, check, index and footer", async () => {
    const size = fixture("xz").length;
    const checksum = "COMPRESSED_CHECKSUM";
    assertEquals(await refusal("xz", bent("xz", 8, 0)), [checksum, "xz stream flags CRC32", 8]);
    assertEquals((await refusal("xz", bent("xz", 20, 0xff)))[1], "xz block header CRC32");
    assertEquals((await refusal("xz", bent("xz", -12, 0)))[1], "xz footer CRC32");
    assertEquals(await refusal("xz", bent("xz", -2, 0)), [
      "COMPRESSED_CORRUPT",
      "xz footer magic",
      size - 2,
    ]);
    assertEquals((await refusal("xz", bent("xz", -16, 0)))[1], "xz index CRC32");
    assertEquals((await refusal("xz", bent("xzArm64", -40, 0)))[0], checksum);
  });

  it("says where the number is that is wrong in its index and its filters", async () => {
    const said: [name: string, field: string, offset: number][] = [
      ["xz with another size in the index", "xz index uncompressed size", 43],
      ["xz with two dictionary sizes", "xz filter properties size", 15],
      ["xz with a dictionary of more", "xz dictionary size", 16],
      ["xz with a filter that starts between words", "xz filter start offset", 16],
    ];
    for (const [name, field, offset] of said) {
      const packed = HAND_MADE[name].make(fromHex("00010203040506"));
      assertEquals(await refusal("xz", packed), ["COMPRESSED_CORRUPT", field, offset]);
    }
  });

  it("verifies SHA-256 of shared memory, and says so where nothing can", async () => {
    const packed = fromHex( // printf a | xz -C sha256
      "fd377a585a00000ae1fb0ca1 0200210116000000742fe5a3 0100006100000000 ca978112ca1bbdcafac231b3" +
        "9a23dc4da786eff8147c4e72b9807785afee48bb 000131010f82dc91 189b4b9a01000000000a595a",
    );
    const output = new Uint8Array(new SharedArrayBuffer(16));
    assertEquals((await decompress("xz", packed, { output })).length, 1);
    const subtle = Object.getOwnPropertyDescriptor(crypto, "subtle");
    Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
    try {
      const [code, field] = await refusal("xz", packed);
      assertEquals([code, field], ["COMPRESSED_UNSUPPORTED", "xz block check"]);
    } finally {
      if (subtle === undefined) delete (crypto as { subtle?: unknown }).subtle;
      else Object.defineProperty(crypto, "subtle", subtle);
    }
  });

  it("makes so many digests, and no more", async () => {
    const blocks = (count: number) => xzBlocks(count, { check: 10, sum: SHA256_OF_NOTHING });
    assertEquals((await decompress("xz", blocks(4096))).length, 0);
    const at = 12 + 4096 * 48 + 16; // the stream's header, 4,096 blocks, the next one's data
    assertEquals(await refusal("xz", blocks(4097)), ["LIMIT_EXCEEDED", "xz block check", at]);
  });

  it("has one decoder for all streams", async () => {
    const streams = PACKED_FAMILIES.find(({ format, name }) =>
      format === "xz" && name === "streams of a byte"
    )!;
    const { Uint16Array: original } = globalThis;
    let made = 0;
    globalThis.Uint16Array = new Proxy(original, {
      construct: (target, args) => (made++, new target(...args as [number])),
    });
    try {
      assertEquals((await decompress("xz", streams.make(50))).length, 50);
    } finally {
      globalThis.Uint16Array = original;
    }
    assertEquals(made, 2); // an empty table, and the one
  });

  it("refuses filters that go on behind the header", async () => {
    // Two x86 filters; LZMA2's dictionary size would be the first byte of the CRC32
    const corrupt = "COMPRESSED_CORRUPT";
    const fields = [3, 2, 4, 4, 0, 0, 0, 0, 4, 0, 0x21, 1];
    let crc = 255;
    for (; (crc & 255) > 40; fields[4]++) crc = crc32(Uint8Array.from(fields));
    fields[4]--;
    const sealed = [...fields, ...[0, 8, 16, 24].map((shift) => crc >>> shift & 255)];
    const packed = Uint8Array.from([
      ...fixture("xz").subarray(0, 12),
      ...sealed,
      ...fixture("xz").subarray(24),
    ]);
    assertEquals(await refusal("xz", packed), [corrupt, "xz block header", 12]);
  });

  it("refuses a header that says another size than the data has", async () => {
    // The first block's header: at 14 the compressed size, at 16 the uncompressed one
    for (const [at, field] of [[14, "compressed size"], [16, "uncompressed size"]] as const) {
      for (const plus of [1, -1]) {
        const packed = bent("xzBlocks", at, fixture("xzBlocks")[at] + plus);
        const view = new DataView(packed.buffer);
        view.setUint32(24, crc32(packed.subarray(12, 24)), true);
        assertEquals(await refusal("xz", packed), ["COMPRESSED_CORRUPT", `xz ${field}`, 12]);
      }
    }
  });

  it("names a filter and a check that it does not know", async () => {
    const header = fixture("xzX86").slice(12, 24);
    header[2] = 0x03; // delta
    const packed = bent("xzX86", 12, ...header.subarray(0, 8));
    const view = new DataView(packed.buffer);
    view.setUint32(20, crc32(packed.subarray(12, 20)), true);
    assertEquals((await refusal("xz", packed))[0], "COMPRESSED_UNSUPPORTED");
    const check = bent("xz", 7, 2);
    new DataView(check.buffer).setUint32(8, crc32(check.subarray(6, 8)), true);
    assertEquals(await refusal("xz", check), ["COMPRESSED_UNSUPPORTED", "xz stream flags", 6]);
  });
});

describe("lzo", () => {
  it("says where the damage is", async () => {
    assertEquals((await refusal("lzo", bent("lzo", 9, 0, 0)))[0], "COMPRESSED_UNSUPPORTED");
    assertEquals((await refusal("lzo", bent("lzo", 25, 0xff)))[1], "lzo header checksum");
    assertEquals(await refusal("lzo", bent("lzo", -4, 0, 0, 0, 1)), [
      "TRUNCATED",
      "lzo compressed block size",
      fixture("lzo").length,
    ]);
  });
});

describe("lz4", () => {
  it("tells what follows from a frame that was cut off", async () => {
    for (const name of ["lz4", "lz4Legacy", "zstd"] as const) {
      const packed = fixture(name);
      const { format } = FIXTURES[name];
      for (const tail of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]) {
        const [code, , offset] = await refusal(format, Uint8Array.from([...packed, ...tail]));
        assertEquals([code, offset], ["COMPRESSED_TRAILING", packed.length], `${name} ${tail}`);
      }
    }
  });

  it("bounds blocks that are not compressed as the others", async () => {
    // LZ4 Frame Format: independent blocks of at most 64 KiB, no checksums
    const raw = (size: number) =>
      Uint8Array.from([
        ...[...fromHex("04224d18 60 40 82"), size & 255, size >> 8 & 255, size >> 16, 0x80],
        ...[...new Uint8Array(size), 0, 0, 0, 0],
      ]);
    assertEquals((await decompress("lz4", raw(0x1_0000))).length, 0x1_0000);
    const refused = ["COMPRESSED_CORRUPT", "lz4 block size", 7];
    assertEquals(await refusal("lz4", raw(0x1_0001)), refused);
  });

  it("refuses a legacy magic without a block", async () => {
    const magic = "02214c18";
    const field = "lz4-legacy block size";
    assertEquals(await refusal("lz4-legacy", fromHex(magic)), ["TRUNCATED", field, 4]);
    const more = await refusal("lz4-legacy", fromHex(magic.repeat(3)));
    assertEquals(more, ["COMPRESSED_CORRUPT", field, 4]);
    const last = Uint8Array.from([...fixture("lz4Legacy"), ...fromHex(magic)]);
    assertEquals(await refusal("lz4-legacy", last), ["TRUNCATED", field, last.length]);
  });

  it("takes frames in a row, and skips those to skip", async () => {
    const skippable = fromHex("50 2a 4d 18 02 00 00 00 00 00");
    const packed = Uint8Array.from([...fixture("lz4"), ...skippable, ...fixture("lz4Plain")]);
    assertEquals(await decompress("lz4", packed), SAMPLE_TWICE);
    const mixed = [...fixture("lz4Legacy"), ...skippable, ...fixture("lz4"), ...skippable];
    assertEquals(await decompress("lz4-legacy", Uint8Array.from(mixed)), SAMPLE_TWICE);
    const other = [...fixture("lz4"), ...fixture("lz4Legacy")];
    assertEquals(await decompress("lz4", Uint8Array.from(other)), SAMPLE_TWICE);
    const twiceLegacy = await decompress("lz4-legacy", twice("lz4Legacy"));
    assertEquals(twiceLegacy, SAMPLE_TWICE);
  });

  it("says where the damage is", async () => {
    assertEquals(await refusal("lz4", bent("lz4", 4, 0)), ["COMPRESSED_CORRUPT", "lz4 FLG", 4]);
    assertEquals((await refusal("lz4", bent("lz4", 14, 0)))[1], "lz4 header checksum");
    assertEquals((await refusal("lz4", bent("lz4", 30, 0)))[1], "lz4 block checksum");
    assertEquals((await refusal("lz4", bent("lz4", -1, 0)))[1], "lz4 content checksum");
  });

  it("refuses legacy blocks of no size, of too much, and matches from before the start", async () => {
    const corrupt = "COMPRESSED_CORRUPT";
    const field = "lz4-legacy block size";
    assertEquals(await refusal("lz4-legacy", fromHex("02214c18 00000000")), [corrupt, field, 4]);
    assertEquals(await refusal("lz4-legacy", fromHex("02214c18 ffffff7f 00")), [corrupt, field, 4]);
    // One literal, then a match from 2 back
    const match = fromHex("02214c18 09000000 10 61 0200 50 6161616161".slice(0, -2));
    assertEquals(await refusal("lz4-legacy", match), [corrupt, "lz4-legacy match offset", 10]);
  });
});

describe("undoX86, undoArm64", () => {
  it("make absolute targets relative", () => {
    // e8 call, target 0x1005 of the filtered data, at 0x10: 0x1005 - 0x15
    const x86 = Uint8Array.from([...Array(16).fill(0x90), ...fromHex("e8 05100000 9090909090")]);
    undoX86(x86, 0);
    assertEquals([...x86.subarray(16, 21)], [0xe8, 0xf0, 0x0f, 0, 0]);
    // 94 bl, target word 0x400 of the filtered data, at 8: 0x400 - 2
    const arm64 = fromHex("00000000 00000000 00040094");
    undoArm64(arm64, 0);
    assertEquals([...arm64.subarray(8)], [0xfe, 0x03, 0, 0x94]);
  });

  it("count from the start offset", () => {
    const bytes = fromHex("00040094");
    undoArm64(bytes, 0x1000);
    assertEquals([...bytes], [0, 0, 0, 0x94]);
  });
});
