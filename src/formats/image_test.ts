import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { arm64Image } from "../../fuzz/arbitraries/images.ts";
import { failingSource, refusal } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { parseArm64Image } from "./image.ts";

const parse = (bytes: Uint8Array) => parseArm64Image(sourceOf(bytes));

describe("parseArm64Image", () => {
  it("reads text_offset, image_size and flags", () => {
    const image = parse(arm64Image({ text_offset: 0x80000, image_size: 0x1850000, flags: 0b1010 }));
    assertEquals({ ...image, header: undefined }, {
      format: "arm64-image",
      header: undefined,
      textOffset: 0x80000n,
      imageSize: 0x1850000n,
      bigEndian: false,
      pageSize: 4096,
      anywhere: true,
    });
    assertEquals(image.header.magic, 0x644d5241);
  });

  it("takes every bit of its 64-bit fields", () => {
    const all = (1n << 64n) - 1n;
    const image = parse(arm64Image({ text_offset: all, image_size: all, flags: all }));
    assertEquals(image.textOffset, all);
    assertEquals(image.imageSize, all);
    assertEquals(image.header.flags, all);
  });

  it("fills in text_offset 0x80000 where image_size is 0, as before Linux 3.17", () => {
    const image = parse(arm64Image({ text_offset: 0x1234, image_size: 0 }));
    assertEquals(image.textOffset, 0x80000n);
    assertEquals(image.imageSize, undefined);
    assertEquals(image.header.text_offset, 0x1234n);
  });

  it("reads the flags bit by bit", () => {
    const sizes = [undefined, 4096, 16384, 65536];
    for (let flags = 0; flags < 16; flags++) {
      const { bigEndian, pageSize, anywhere } = parse(arm64Image({ flags }));
      assertEquals(bigEndian, flags % 2 === 1);
      assertEquals(pageSize, sizes[Math.floor(flags / 2) % 4]);
      assertEquals(anywhere, flags >= 8);
    }
    // Reserved bits mean nothing yet.
    assertEquals(parse(arm64Image({ flags: 0xffff_ffff_ffff_fff0n })).anywhere, false);
  });

  it("refuses another magic", () => {
    assertEquals(refusal(() => parse(arm64Image({ magic: 0x05435352 }))), {
      code: "IMAGE_MAGIC",
      field: "magic",
      offset: 0x38,
    });
  });

  it("is TRUNCATED at every length below 64", () => {
    const file = arm64Image();
    for (let size = 0; size < 64; size++) {
      assertEquals(refusal(() => parse(file.slice(0, size))), {
        code: "TRUNCATED",
        field: "arm64_image_header",
        offset: 0,
      });
    }
    parse(file.slice(0, 64));
  });

  it("passes on that its source failed", () => {
    assertEquals(
      refusal(() => parseArm64Image(failingSource(arm64Image(), 1))).code,
      "SOURCE_FAILED",
    );
  });
});
