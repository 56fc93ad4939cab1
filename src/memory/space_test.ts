import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { Space } from "./space.ts";

const RAM = [{ start: 0x1000n, size: 0x9000n }, { start: 0x2_0000n, size: 0x1_0000n }];
const at = (name: string, start: bigint, size: bigint) => ({ name, start, size });

function space(): Space {
  return new Space({ ram: RAM });
}

describe("Space.claim", () => {
  it("takes what is free, also up to the last byte and side by side", () => {
    const free = space();
    free.claim([at("a", 0x1000n, 0x1000n), at("b", 0x2000n, 0x8000n)]);
    free.claim([at("c", 0x2_ffffn, 1n)]);
    assertEquals(free.isFree(at("", 0x1000n, 1n)), false);
    assertEquals(free.isFree(at("", 0x2_fffen, 1n)), true);
  });

  it("refuses what is taken by a byte, names the one that comes too late first", () => {
    const taken = space();
    taken.claim([at("kernel", 0x3000n, 0x1000n)]);
    for (const start of [0x2001n, 0x3000n, 0x3fffn]) {
      assertEquals(refusal(() => taken.claim([at("initrd", start, 0x1000n)])), {
        code: "OVERLAP",
        between: ["initrd", "kernel"],
      });
    }
    taken.claim([at("before", 0x2000n, 0x1000n), at("after", 0x4000n, 0x1000n)]);
  });

  it("finds an overlap with something long that started far below", () => {
    const taken = space();
    taken.claim([at("long", 0x2_0000n, 0x1_0000n), at("a", 0x1000n, 1n), at("b", 0x2000n, 1n)]);
    assertEquals(refusal(() => taken.claim([at("late", 0x2_8000n, 1n)])).between, ["late", "long"]);
  });

  it("finds an overlap among things taken one by one in any order", () => {
    const taken = space();
    const starts = [0x8000n, 0x2000n, 0x6000n, 0x4000n];
    for (const start of starts) taken.claim([at(`at ${start}`, start, 0x1000n)]);
    for (const start of starts) {
      for (const late of [start - 1n, start + 0xfffn]) {
        assertEquals(refusal(() => taken.claim([at("late", late, 2n)])).between, [
          "late",
          `at ${start}`,
        ]);
      }
    }
  });

  it("gives two of its own that overlap the caller's code", () => {
    const segments = [at("segment 0", 0x1000n, 0x20n), at("segment 1", 0x1010n, 0x20n)];
    assertEquals(refusal(() => space().claim(segments, "ELF_SEGMENT_OVERLAP")), {
      code: "ELF_SEGMENT_OVERLAP",
      between: ["segment 1", "segment 0"],
    });
  });

  it("takes nothing if one of several cannot be", () => {
    const free = space();
    refusal(() => free.claim([at("a", 0x1000n, 0x10n), at("b", 0x2000n, 0x10n), at("c", 0n, 1n)]));
    refusal(() => free.claim([at("a", 0x1000n, 0x10n), at("b", 0x100fn, 0x10n)]));
    free.claim([at("all", 0x1000n, 0x9000n)]);
  });

  it("refuses what leaves RAM, is in a hole or spans it", () => {
    const wrong: [bigint, bigint][] = [
      [0xfffn, 2n],
      [0x9fffn, 2n],
      [0xa000n, 1n],
      [0x9000n, 0x2_0000n],
      [0x2_ffffn, 2n],
      [(1n << 64n) - 1n, 1n],
      [0x1000n, 1n << 64n],
    ];
    for (const [start, size] of wrong) {
      assertEquals(refusal(() => space().claim([at("kernel", start, size)])), {
        code: "OUTSIDE_RAM",
        between: ["kernel", "guest RAM"],
      });
    }
  });

  it("lets empty ranges be anywhere", () => {
    space().claim([at("empty", 0xdead_0000n, 0n), at("empty", 0x1000n, 0n)]);
  });
});

describe("Space.reserve", () => {
  it("takes ranges outside RAM and over each other", () => {
    const free = space();
    free.reserve([
      at("rom", 0n, 0x2000n),
      at("firmware", 0x1800n, 0x1000n),
      at("far", 1n << 63n, 5n),
    ]);
    assertEquals(free.isFree(at("", 0x27ffn, 1n)), false);
    assertEquals(free.isFree(at("", 0x2800n, 1n)), true);
    assertEquals(refusal(() => free.claim([at("kernel", 0x2000n, 1n)])).between, [
      "kernel",
      "firmware",
    ]);
  });

  it("refuses what lies over something placed", () => {
    const taken = space();
    taken.claim([at("kernel", 0x3000n, 0x1000n)]);
    assertEquals(refusal(() => taken.reserve([at("firmware", 0n, 0x3001n)])), {
      code: "OVERLAP",
      between: ["firmware", "kernel"],
    });
  });
});

describe("Space.allocate", () => {
  it("takes the lowest room, the highest with from high", () => {
    const free = space();
    assertEquals(free.allocate({ name: "a", size: 0x10n }), 0x1000n);
    assertEquals(free.allocate({ name: "b", size: 0x10n }), 0x1010n);
    assertEquals(free.allocate({ name: "c", size: 0x10n, from: "high" }), 0x2_fff0n);
    assertEquals(free.allocate({ name: "d", size: 0x10n, from: "high" }), 0x2_ffe0n);
  });

  it("aligns from either end", () => {
    const free = space();
    free.claim([at("odd", 0x1000n, 1n), at("odd end", 0x2_ffffn, 1n)]);
    assertEquals(free.allocate({ name: "a", size: 3n, align: 0x1000n }), 0x2000n);
    assertEquals(free.allocate({ name: "b", size: 3n, align: 0x1000n, from: "high" }), 0x2_f000n);
  });

  it("goes over holes and what is taken to where there is room", () => {
    const free = space();
    free.claim([at("middle", 0x2000n, 0x7fffn)]);
    assertEquals(free.allocate({ name: "big", size: 0x1001n }), 0x2_0000n);
    assertEquals(free.allocate({ name: "small", size: 0x1000n }), 0x1000n);
    assertEquals(free.allocate({ name: "one", size: 1n }), 0x9fffn);
  });

  it("keeps to min and max, both sharp", () => {
    const request = { name: "a", size: 0x10n, min: 0x2008n, max: 0x2018n };
    assertEquals(space().find(request), 0x2008n);
    assertEquals(space().find({ ...request, max: 0x2017n }), undefined);
    assertEquals(space().find({ ...request, from: "high" }), 0x2008n);
    assertEquals(space().find({ ...request, align: 0x10n }), undefined);
  });

  it("takes the preferred address if it is free and aligned", () => {
    const free = space();
    const request = { name: "a", size: 0x100n, align: 0x100n, preferred: 0x5000n };
    assertEquals(free.allocate(request), 0x5000n);
    assertEquals(free.allocate(request), 0x1000n, "taken");
    assertEquals(free.allocate({ ...request, preferred: 0x5101n }), 0x1100n, "unaligned");
    assertEquals(free.allocate({ ...request, preferred: 0x9f80n }), 0x1200n, "leaves RAM");
  });

  it("says what it wanted, what is free and what is in the way", () => {
    const full = space();
    full.claim([at("kernel", 0x2_0000n, 0x1_0000n)]);
    const allocate = () => full.allocate({ name: "initrd", size: 0x9001n, align: 0x1000n });
    assertEquals(refusal(allocate), { code: "NO_SPACE", between: ["initrd", "kernel"] });
    const { message } = assertThrows(allocate) as Error;
    assertStringIncludes(message, "initrd (0x9001 bytes, 36 KiB, aligned to 0x1000)");
    assertStringIncludes(message, "[0x1000..0xa000)");
    assertStringIncludes(message, "kernel takes [0x20000..0x30000)");
  });

  it("says where RAM is if none is where it looked", () => {
    const allocate = () => space().allocate({ name: "kernel", size: 1n, min: 0x100_0000n });
    assertEquals(refusal(allocate), { code: "NO_SPACE", between: ["kernel", "guest RAM"] });
    assertStringIncludes(
      (assertThrows(allocate) as Error).message,
      "[0x1000..0x30000), 100 KiB in all",
    );
  });

  it("finds no room for sizes near 2^64, and does not wrap", () => {
    const top = (1n << 64n) - 1n;
    for (const size of [0x1_0001n, 1n << 63n, top, 1n << 64n]) {
      assertEquals(refusal(() => space().allocate({ name: "a", size })).code, "NO_SPACE");
    }
    for (const min of [0x3_0000n, 1n << 63n, top, 1n << 65n]) {
      const request = { name: "a", size: 1n, min, align: 0x1000n };
      assertEquals(refusal(() => space().allocate(request)).code, "NO_SPACE");
    }
    const all = new Space({ ram: [{ start: 0n, size: 1n << 64n }] });
    assertEquals(all.allocate({ name: "a", size: 1n << 63n, from: "high" }), 1n << 63n);
    assertEquals(all.allocate({ name: "b", size: 1n << 63n }), 0n);
  });
});
