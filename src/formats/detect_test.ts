import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { arm64Image, bzImage, elfImage, poke } from "../../fuzz/arbitraries/images.ts";
import { failingSource, refusal } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { detectKernel, type KernelFormat } from "./detect.ts";

/** 1 KiB that starts with some bytes. */
function starting(...head: number[]): Uint8Array {
  const bytes = new Uint8Array(1024);
  bytes.set(head);
  return bytes;
}

const detect = (bytes: Uint8Array) => detectKernel(sourceOf(bytes));

describe("detectKernel", () => {
  it("knows what can be booted", () => {
    assertEquals(detect(elfImage()), "elf");
    assertEquals(detect(bzImage()), "bzimage");
    assertEquals(detect(arm64Image()), "arm64-image");
    const riscv = new Uint8Array(64);
    riscv.set([0x52, 0x53, 0x43, 0x05], 0x38); // "RSC\x05"
    assertEquals(detect(riscv), "riscv64-image");
  });

  it("knows a bzImage and an arm64 Image that are EFI programs as well", () => {
    const bz = bzImage();
    bz.set([0x4d, 0x5a]); // "MZ"
    assertEquals(detect(bz), "bzimage");
    const image = arm64Image();
    image.set([0x4d, 0x5a]);
    assertEquals(detect(image), "arm64-image");
  });

  it("knows an EFI zboot image by both of its magics", () => {
    const zboot = starting(0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67); // "MZ\0\0zimg"
    assertEquals(detect(zboot), "efi-zboot");
    const noZimg = starting(0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x68);
    assertEquals(refusal(() => detect(noZimg)).code, "UNKNOWN_FORMAT");
  });

  it("knows every compression that Linux uses", () => {
    const magics: [KernelFormat, number[]][] = [
      ["gzip", [0x1f, 0x8b, 0x08]],
      ["bzip2", [0x42, 0x5a, 0x68]],
      ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
      ["lzma", [0x5d, 0x00, 0x00]],
      ["lzo", [0x89, 0x4c, 0x5a]],
      ["lz4-legacy", [0x02, 0x21, 0x4c, 0x18]],
      ["lz4", [0x04, 0x22, 0x4d, 0x18]],
      ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
    ];
    for (const [format, magic] of magics) {
      assertEquals(detect(starting(...magic)), format);
      assertEquals(detect(Uint8Array.from(magic)), format, "the magic alone");
      if (format === "lzma") continue; // its zeros are not told apart from what is not there
      const short = Uint8Array.from(magic.slice(0, -1));
      assertEquals(refusal(() => detect(short)).code, "UNKNOWN_FORMAT");
    }
  });

  it("says what a file looks like that is no kernel", () => {
    const files: [string, number[]][] = [
      ["JPEG", [0xff, 0xd8, 0xff, 0xe0]],
      ["PNG", [0x89, 0x50, 0x4e, 0x47]],
      ["cpio", [0x30, 0x37, 0x30, 0x37, 0x30, 0x31]],
      ["qcow2", [0x51, 0x46, 0x49, 0xfb]],
      ["device tree", [0xd0, 0x0d, 0xfe, 0xed]],
      ["script", [0x23, 0x21, 0x2f]],
    ];
    for (const [what, head] of files) {
      const error = assertThrows(() => detect(starting(...head)));
      assertStringIncludes((error as Error).message, what);
      assertStringIncludes((error as Error).message, "bzImage");
      assertEquals(refusal(() => detect(starting(...head))), {
        code: "UNKNOWN_FORMAT",
        field: "magic",
        offset: 0,
      });
    }
  });

  it("says that an empty file is empty", () => {
    const error = assertThrows(() => detect(new Uint8Array(0)));
    assertStringIncludes((error as Error).message, "empty");
  });

  it("recognises nothing in a boot sector without HdrS", () => {
    const sector = new Uint8Array(512);
    poke(sector, 0x1fe, 2, 0xaa55);
    assertStringIncludes((assertThrows(() => detect(sector)) as Error).message, "boot sector");
  });

  it("recognises nothing in files that end inside their magic", () => {
    for (
      const [file, end] of [[bzImage(), 0x206], [arm64Image(), 0x3c], [elfImage(), 4]] as const
    ) {
      detect(file.subarray(0, end));
      for (const size of [0, 1, 2, 3, end - 3, end - 2, end - 1]) {
        const part = file.subarray(0, size);
        assertEquals(refusal(() => detect(part)).code, "UNKNOWN_FORMAT", `${size} bytes`);
      }
    }
  });

  it("reads no more than the head of a file that fails after it", () => {
    assertEquals(detectKernel(failingSource(bzImage(), 0x206)), "bzimage");
    assertEquals(refusal(() => detectKernel(failingSource(bzImage(), 0x100))), {
      code: "SOURCE_FAILED",
      field: "kernel",
      offset: 0,
    });
  });
});
