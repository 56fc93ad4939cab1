import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { elfImage } from "./arbitraries/images.ts";
import { allocationOf, countedLibrary, growthOf, thingsIn } from "./work.ts";

describe("allocationOf", () => {
  it("counts bytes that are made, not views of them", () => {
    const { bytes, value } = allocationOf(() => {
      const made = new Uint8Array(1000);
      const view = new Uint8Array(made.buffer, 10, 20);
      return [made.subarray(1), view, made.slice(0, 100), new Uint8Array([1, 2, 3])].length;
    });
    assertEquals([bytes, value], [1103, 4]);
    assertEquals(allocationOf(() => new ArrayBuffer(64)).bytes, 64);
  });

  it("puts everything back, also after an error", () => {
    const before = [globalThis.Uint8Array, Uint8Array.prototype.slice];
    const { error } = allocationOf(() => {
      throw new Error("x");
    });
    assertEquals((error as Error).message, "x");
    assertEquals(before[0] === globalThis.Uint8Array, true);
    assertEquals(before[1] === Uint8Array.prototype.slice, true);
    assertEquals(new Uint8Array(1) instanceof Uint8Array, true);
  });
});

describe("growthOf", () => {
  it("is the exponent", () => {
    const points = (power: number) =>
      [10, 20, 40, 80].map((size) => ({ size, work: 3 * size ** power }));
    for (const power of [0, 1, 2]) {
      assertEquals(Math.abs(growthOf(points(power)) - power) < 1e-9, true);
    }
  });
});

describe("thingsIn", () => {
  it("counts what is shared once, and bytes as one", () => {
    const shared = { a: 1 };
    assertEquals(thingsIn([shared, shared, new Uint8Array(100)]), 5);
    assertEquals(thingsIn(5), 1);
  });
});

describe("countedLibrary", () => {
  it("works as the library does, and counts the same work for the same input", () => {
    const { library, work } = countedLibrary();
    const file = elfImage();
    const source = { size: file.length, readAt: read };
    function read(offset: number, target: Uint8Array) {
      const part = file.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    }
    const counts = [0, 1].map(() => {
      const before = work();
      assertEquals(library.parseElf(source).segments.length, 1);
      return work() - before;
    });
    assertEquals(counts[0] > 0, true);
    assertEquals(counts[0], counts[1]);
  });
});
