import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { fixture, type FixtureName, fromHex, sample } from "../../fuzz/arbitraries/compressed.ts";
import { LoaderError } from "../errors.ts";
import { undoArm64, undoX86 } from "./bcj.ts";
import { crc32 } from "./checksums.ts";
import { type CompressedFormat, decompress } from "./decompress.ts";

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
});

describe("bzip2", () => {
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

describe("lzma", () => {
  it("takes a size in the header, with the end marker and without", async () => {
    const packed = bent("lzma", 5, 0, 0x10, 0, 0, 0, 0, 0, 0);
    assertEquals(await decompress("lzma", packed), sample());
    const size = await refusal("lzma", bent("lzma", 5, 1, 0x10, 0, 0, 0, 0, 0, 0));
    assertEquals(size[1], "lzma end marker");
    assertEquals((await refusal("lzma", bent("lzma", 0, 225)))[1], "lzma properties");
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
  it("takes frames in a row, and skips those to skip", async () => {
    const skippable = fromHex("50 2a 4d 18 02 00 00 00 00 00");
    const packed = Uint8Array.from([...fixture("lz4"), ...skippable, ...fixture("lz4Plain")]);
    assertEquals(await decompress("lz4", packed), SAMPLE_TWICE);
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
