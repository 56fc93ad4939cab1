import { describe, it } from "node:test";
import { assertEquals, assertNotEquals } from "@std/assert";
import { casesOfShard, selectionOf } from "./shard.ts";

describe("casesOfShard", () => {
  const all = Array.from({ length: 17 }, (_, i) => i);

  it("deals out every case once, whatever the count", () => {
    for (const count of [1, 2, 5, 17, 20]) {
      const shards = Array.from(
        { length: count },
        (_, i) => casesOfShard(all, { index: i + 1, count }),
      );
      assertEquals(shards.flat().sort((a, b) => a - b), all);
      const sizes = shards.map(({ length }) => length);
      assertEquals(Math.max(...sizes) - Math.min(...sizes) <= 1, true);
    }
  });

  it("deals in turns: neighbours go to different shards", () => {
    assertEquals(casesOfShard(all, { index: 2, count: 5 }), [1, 6, 11, 16]);
  });

  it("is everything without a shard", () => {
    assertEquals(casesOfShard(all, undefined), all);
  });
});

describe("selectionOf", () => {
  it("depends on the ids and their order", () => {
    assertEquals(selectionOf(["a", "b"]), selectionOf(["a", "b"]));
    assertNotEquals(selectionOf(["a", "b"]), selectionOf(["b", "a"]));
    assertNotEquals(selectionOf(["a", "b"]), selectionOf(["a"]));
  });
});
