import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { pattern } from "../fuzz/arbitraries/images.ts";
import { failingSource, refusal, shortSource, shrunkSource } from "../fuzz/arbitraries/machines.ts";
import { take } from "./bytes.ts";
import { type KernelSource, readBytes, readExactly, readHead, sourceOf } from "./source.ts";

const BYTES = pattern(100);

/** A source of 100 bytes whose reads return what they are told to. */
const returning = (count: number): KernelSource => ({ size: 100, readAt: () => count });

describe("sourceOf", () => {
  it("reads bytes without a copy, from any offset, and 0 bytes at the end", () => {
    const bytes = BYTES.slice();
    const source = sourceOf(bytes);
    bytes[10] = 0xaa;
    const target = new Uint8Array(4);
    assertEquals(source.size, 100);
    assertEquals(source.readAt(10, target), 4);
    assertEquals(target[0], 0xaa);
    assertEquals(source.readAt(98, target), 2);
    assertEquals(source.readAt(100, target), 0);
  });

  it("returns a source as it is", () => {
    const source = returning(1);
    assertEquals(sourceOf(source) === source, true);
  });

  it("throws a TypeError for what is neither bytes nor a source", () => {
    const readAt = () => 0;
    for (
      const wrong of [
        undefined,
        null,
        "kernel",
        [1, 2],
        {},
        { size: 1 },
        { size: -1, readAt },
        {
          size: 1.5,
          readAt,
        },
        { size: 2 ** 53, readAt },
        { size: 1n, readAt },
        new ArrayBuffer(8),
      ]
    ) {
      assertThrows(() => sourceOf(wrong as unknown as KernelSource, "initrd"), TypeError, "initrd");
    }
  });
});

describe("readExactly", () => {
  it("loops over short reads", () => {
    const target = new Uint8Array(50);
    readExactly(shortSource(BYTES, 7), 13, target, "x");
    assertEquals(target, BYTES.slice(13, 63));
  });

  it("asks for nothing when nothing is wanted", () => {
    readExactly(failingSource(BYTES, 0), 100, new Uint8Array(0), "x");
  });

  it("says where a source that ends too early ended", () => {
    const read = () => readExactly(shrunkSource(BYTES, 40), 10, new Uint8Array(50), "initrd");
    assertEquals(refusal(read), { code: "SOURCE_FAILED", field: "initrd", offset: 40 });
  });

  it("keeps what the source threw as the cause", () => {
    const error = assertThrows(() =>
      readExactly(failingSource(BYTES, 20), 10, new Uint8Array(50), "initrd")
    );
    assertEquals((error as Error & { code: string }).code, "SOURCE_FAILED");
    assertEquals(((error as Error).cause as Error).message, "disk on fire");
  });

  it("refuses counts that no read can have", () => {
    for (const count of [-1, 11, 1.5, NaN, Infinity, undefined, "4", 4n]) {
      const source = returning(count as number);
      assertEquals(
        refusal(() => readExactly(source, 5, new Uint8Array(10), "x")),
        { code: "SOURCE_FAILED", field: "x", offset: 5 },
      );
    }
  });

  it("does not ask beyond the source's size", () => {
    let asked = 0;
    const source = { size: 100, readAt: () => (asked++, 1) };
    assertEquals(refusal(() => readExactly(source, 96, new Uint8Array(5), "x")), {
      code: "TRUNCATED",
      field: "x",
      offset: 96,
    });
    assertEquals(asked, 0);
  });
});

describe("readBytes", () => {
  it("checks the size before it allocates", () => {
    // 2^53 - 1 bytes could not be allocated: a RangeError would come out
    const read = () => readBytes(returning(1), 0, Number.MAX_SAFE_INTEGER, "notes");
    assertEquals(refusal(read), { code: "TRUNCATED", field: "notes", offset: 0 });
  });
});

describe("readHead", () => {
  it("returns less than asked for where the source is smaller", () => {
    assertEquals(readHead(sourceOf(BYTES), 200, "x"), BYTES);
    assertEquals(readHead(sourceOf(BYTES), 3, "x"), BYTES.slice(0, 3));
    assertEquals(readHead(sourceOf(new Uint8Array(0)), 3, "x"), new Uint8Array(0));
  });
});

describe("take", () => {
  it("returns a view of exactly what is asked for, up to the end", () => {
    assertEquals(take(BYTES, 90, 10, "x"), BYTES.slice(90));
    assertEquals(take(BYTES, 100, 0, "x").length, 0);
  });

  it("does not clamp", () => {
    assertEquals(refusal(() => take(BYTES, 90, 11, "x")), {
      code: "TRUNCATED",
      field: "x",
      offset: 90,
    });
    assertEquals(refusal(() => take(BYTES, 101, 0, "x")).offset, 100);
    assertEquals(refusal(() => take(BYTES, -1, 4, "x")).offset, 0);
    assertEquals(refusal(() => take(BYTES, 4, -1, "x")).code, "TRUNCATED");
    assertEquals(refusal(() => take(BYTES, NaN, 1, "x")).code, "TRUNCATED");
  });
});
