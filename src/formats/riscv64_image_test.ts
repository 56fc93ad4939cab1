import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { pattern, poke } from "../../fuzz/arbitraries/images.ts";
import { failingSource, refusal } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { parseRiscv64Image } from "./image.ts";

/** boot-image-header.rst: an Image, and nothing of it from the library. */
function image(textOffset: bigint, imageSize: bigint, flags: bigint): Uint8Array {
  const file = pattern(4096);
  file.fill(0, 0, 64);
  poke(file, 0x08, 8, textOffset);
  poke(file, 0x10, 8, imageSize);
  poke(file, 0x18, 8, flags);
  poke(file, 0x20, 4, 2);
  poke(file, 0x38, 4, 0x05435352);
  return file;
}

const parse = (file: Uint8Array) => parseRiscv64Image(sourceOf(file));

describe("parseRiscv64Image", () => {
  it("reads text_offset, image_size and flags", () => {
    const { header, ...rest } = parse(image(0x20_0000n, 0x150_0000n, 0n));
    assertEquals(rest, {
      format: "riscv64-image",
      textOffset: 0x20_0000n,
      imageSize: 0x150_0000n,
      bigEndian: false,
      pageSize: undefined,
      anywhere: true,
    });
    assertEquals(header.version, 2);
    assertEquals(parse(image(0n, 1n, 3n)).bigEndian, true);
  });

  it("takes every bit, and leaves text_offset where there is no image_size", () => {
    const all = (1n << 64n) - 1n;
    assertEquals(parse(image(all, all, all)).textOffset, all);
    const none = parse(image(5n, 0n, 0n));
    assertEquals([none.textOffset, none.imageSize], [5n, undefined]);
  });

  it("refuses a short file and another magic2, whatever the old magic says", () => {
    const file = image(0n, 1n, 0n);
    assertEquals(refusal(() => parse(file.subarray(0, 63))).code, "TRUNCATED");
    poke(file, 0x30, 8, 0x5643534952n);
    poke(file, 0x38, 4, 0x644d5241);
    assertEquals(refusal(() => parse(file)), {
      code: "IMAGE_MAGIC",
      field: "magic2",
      offset: 0x38,
    });
    const failing = failingSource(file, 1);
    assertEquals(refusal(() => parseRiscv64Image(failing)).code, "SOURCE_FAILED");
  });
});
