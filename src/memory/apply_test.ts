import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { pattern } from "../../fuzz/arbitraries/images.ts";
import {
  detach,
  dirtyRam,
  failingSource,
  refusal,
  shortSource,
  shrunkSource,
} from "../../fuzz/arbitraries/machines.ts";
import { type KernelSource, sourceOf } from "../source.ts";
import { applyPlacements } from "./apply.ts";
import { GuestMemory } from "./guest_memory.ts";
import type { Placement, PlacementContent } from "./placement.ts";

const RAM = [{ start: 0x1000n, size: 0x1000 }, { start: 0x2000n, size: 0x1000 }, {
  start: 0x8000n,
  size: 0x1000,
}];

const zeros: PlacementContent = { kind: "zeros" };
const file = (source: KernelSource, offset = 0): PlacementContent => ({
  kind: "source",
  source,
  offset,
});
const bytes = (of: Uint8Array): PlacementContent => ({ kind: "bytes", bytes: of });
const place = (
  start: bigint,
  size: bigint,
  content: PlacementContent,
  name = "thing",
): Placement => ({
  name,
  start,
  size,
  content,
});

describe("applyPlacements", () => {
  it("writes bytes, sources and zeros over regions that touch, and nothing else", () => {
    const dirty = dirtyRam(...RAM);
    const memory = GuestMemory.of(dirty.regions);
    const input = new Uint8Array(0x100);
    applyPlacements(memory, [
      place(0x1fe0n, 0x40n, bytes(input.slice(0, 0x40)), "bytes"),
      place(0x1f00n, 0x20n, file(sourceOf(input), 0xe0), "source"),
      place(0x8ff0n, 0x10n, zeros, "bss"),
      place(0x8000n, 0x10n, { kind: "claim" }, "claim"),
      place(0x1000n, 0n, zeros, "empty"),
    ]);
    assertEquals(dirty.changes(), [
      { start: 0x1f00n, end: 0x1f20n },
      { start: 0x1fe0n, end: 0x2000n },
      { start: 0x2000n, end: 0x2020n },
      { start: 0x8ff0n, end: 0x9000n },
    ]);
  });

  it("copies a source in order over regions, however short its reads are", () => {
    for (const most of [1, 7, 0x20, 1000]) {
      const memory = GuestMemory.of(dirtyRam(...RAM).regions);
      const source = shortSource(pattern(0x100), most);
      applyPlacements(memory, [place(0x1ff0n, 0x40n, file(source, 0x11))]);
      assertEquals(memory.read(0x1ff0n, 0x40), pattern(0x100).slice(0x11, 0x51));
    }
  });

  it("hands the guest's own memory to the source: no copy lies between", () => {
    const { regions } = dirtyRam(...RAM);
    const buffers: ArrayBufferLike[] = [];
    const source = {
      size: 0x20,
      readAt: (_: number, target: Uint8Array) => (buffers.push(target.buffer), target.length),
    };
    applyPlacements(GuestMemory.of(regions), [place(0x1ff0n, 0x20n, file(source))]);
    assertEquals(buffers.length, 2);
    assertEquals(buffers[0] === regions[0].bytes.buffer, true);
    assertEquals(buffers[1] === regions[1].bytes.buffer, true);
  });

  it("leaves zeros alone in memory that the caller says is fresh, and still writes the rest", () => {
    const dirty = dirtyRam(...RAM);
    const placements = [
      place(0x1000n, 0x100n, zeros),
      place(0x1800n, 4n, bytes(new Uint8Array(4))),
      place(0x1900n, 4n, file(sourceOf(new Uint8Array(4)))),
    ];
    const memory = GuestMemory.of(dirty.regions);
    applyPlacements(memory, placements, { fresh: true });
    assertEquals(dirty.changes(), [
      { start: 0x1800n, end: 0x1804n },
      { start: 0x1900n, end: 0x1904n },
    ]);
    applyPlacements(memory, placements, { fresh: false });
    assertEquals(dirty.changes()[0], { start: 0x1000n, end: 0x1100n });
  });

  it("does not take a word for yes", () => {
    const dirty = dirtyRam(...RAM);
    const fresh = "no" as unknown as boolean;
    const apply = () =>
      applyPlacements(GuestMemory.of(dirty.regions), [place(0x1000n, 1n, zeros)], { fresh });
    assertThrows(apply, TypeError, "fresh");
    assertEquals(dirty.changes(), []);
  });
});

describe("applyPlacements with placements that cannot be", () => {
  const good = place(0x1000n, 0x10n, zeros, "good");
  const small = sourceOf(new Uint8Array(0x10));
  const unknown = (kind: string) => ({ kind }) as unknown as PlacementContent;
  const cases: [string, Placement, string, string[]][] = [
    ["overlap", place(0x100fn, 1n, zeros, "bad"), "OVERLAP", ["bad", "good"]],
    ["same place", place(0x1000n, 0x10n, bytes(new Uint8Array(0x10)), "bad"), "OVERLAP", [
      "bad",
      "good",
    ]],
    ["in a hole", place(0x3000n, 1n, zeros, "bad"), "OUTSIDE_RAM", ["bad", "guest RAM"]],
    ["into a hole", place(0x2fffn, 2n, zeros, "bad"), "OUTSIDE_RAM", ["bad", "guest RAM"]],
    ["past RAM", place(0x8fffn, 2n, { kind: "claim" }, "bad"), "OUTSIDE_RAM", ["bad", "guest RAM"]],
    ["past 2^64", place((1n << 64n) - 1n, 2n, zeros, "bad"), "OUTSIDE_RAM", ["bad", "guest RAM"]],
    ["below 0", place(-1n, 2n, zeros, "bad"), "OUTSIDE_RAM", ["bad", "guest RAM"]],
    ["negative size", place(0x1800n, -1n, zeros, "bad"), "INVALID_PLAN", ["bad"]],
    ["too few bytes", place(0x1800n, 4n, bytes(new Uint8Array(3)), "bad"), "INVALID_PLAN", ["bad"]],
    ["too many bytes", place(0x1800n, 4n, bytes(new Uint8Array(5)), "bad"), "INVALID_PLAN", [
      "bad",
    ]],
    ["small source", place(0x1800n, 0x10n, file(small, 1), "bad"), "INVALID_PLAN", ["bad"]],
    ["offset past source", place(0x1800n, 0n, file(small, 0x11), "bad"), "INVALID_PLAN", ["bad"]],
    ["negative offset", place(0x1800n, 1n, file(small, -1), "bad"), "INVALID_PLAN", ["bad"]],
    ["offset of 1.5", place(0x1800n, 1n, file(small, 1.5), "bad"), "INVALID_PLAN", ["bad"]],
    ["unknown kind", place(0x1800n, 1n, unknown("map"), "bad"), "INVALID_PLAN", ["bad"]],
  ];
  for (const [what, bad, code, between] of cases) {
    it(`writes nothing: ${what}`, () => {
      const dirty = dirtyRam(...RAM);
      const memory = GuestMemory.of(dirty.regions);
      const source = place(0x2800n, 0x10n, file(small), "source");
      assertEquals(refusal(() => applyPlacements(memory, [good, source, bad])), { code, between });
      assertEquals(dirty.changes(), []);
    });
  }

  it("writes nothing: a region's buffer is gone", () => {
    const dirty = dirtyRam(...RAM);
    const memory = GuestMemory.of(dirty.regions);
    const lost = dirty.regions.pop()!;
    detach(lost.bytes);
    const placements = [good, place(0x8000n, 4n, { kind: "claim" })];
    assertEquals(refusal(() => applyPlacements(memory, placements)).code, "INVALID_MEMORY");
    assertEquals(dirty.changes(), []);
  });
});

describe("applyPlacements with a source that fails", () => {
  const input = new Uint8Array(0x40);
  const sources: [string, KernelSource][] = [
    ["ends early", shrunkSource(input, 0x28)],
    ["throws", failingSource(input, 0x28)],
    ["returns nonsense", { size: 0x40, readAt: () => -1 }],
  ];
  for (const [what, source] of sources) {
    it(`has a code of its own and touches planned ranges only: ${what}`, () => {
      const dirty = dirtyRam(...RAM);
      const memory = GuestMemory.of(dirty.regions);
      const placements = [
        place(0x1100n, 0x10n, bytes(new Uint8Array(0x10)), "zero page"),
        place(0x1fe0n, 0x40n, file(source), "initrd"), // 0x20 in each region
        place(0x2800n, 0x10n, zeros, "bss"),
      ];
      const error = assertThrows(() => applyPlacements(memory, placements)) as Error;
      const { code, field, between } = refusal(() => applyPlacements(memory, placements));
      assertEquals([code, field, between], ["PARTIALLY_APPLIED", "initrd", ["initrd"]]);
      assertEquals((error.cause as { code: string }).code, "SOURCE_FAILED");
      for (const { start, end } of dirty.changes()) {
        assertEquals(start >= 0x1fe0n && end <= 0x2020n, true, `changed [${start}..${end})`);
      }
    });
  }

  it("says how far into the source it was", () => {
    const memory = GuestMemory.of(dirtyRam(...RAM).regions);
    const placement = place(0x1fe0n, 0x40n, file(failingSource(input, 0x28)), "initrd");
    // The second region's part starts at 0x20.
    assertEquals(refusal(() => applyPlacements(memory, [placement])).offset, 0x20);
  });
});
