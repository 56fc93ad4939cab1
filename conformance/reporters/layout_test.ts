import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { PlanJson } from "../../mod.ts";
import { drawTogether, segmentsOf } from "./layout.ts";
import { renderPicture } from "./picture.ts";
import { PLAN } from "./samples.ts";

const crowded: PlanJson = {
  ...PLAN,
  memoryMap: Array.from({ length: 200 }, (_, i) => ({
    start: `0x${(0x2000000 + i * 0x1000).toString(16)}`,
    size: "0x1000",
    type: i % 2 ? "usable" : "reserved",
  })),
};

describe("segmentsOf", () => {
  const segments = segmentsOf(PLAN);

  it("has no gaps and no overlaps, from the first byte of RAM to the last", () => {
    let at = 0n;
    for (const { start, size } of segments) {
      assertEquals(start, at);
      at += size;
    }
    assertEquals(at, 0x180000000n);
  });

  it("has every placement, what is free, what is taken and the hole", () => {
    assertEquals(segments.map(({ name, kind }) => `${kind} ${name}`), [
      "free free RAM",
      "tables gdt",
      "free free RAM",
      "taken reserved",
      "taken RAM, in no entry",
      "taken reserved",
      "free free RAM",
      "kernel kernel segment 0",
      "zeros kernel bss 0",
      "free free RAM",
      "hole no RAM",
      "free free RAM",
      "initrd initrd",
      "free free RAM",
    ]);
  });

  it("has entries outside RAM, too", () => {
    const memoryMap = [{ start: "0x200000000", size: "0x1000", type: "nvs" }];
    assertEquals(segmentsOf({ ...PLAN, memoryMap }).at(-1)?.name, "nvs, no RAM");
  });
});

describe("drawTogether", () => {
  it("leaves a short list as it is", () => {
    assertEquals(drawTogether(segmentsOf(PLAN)), segmentsOf(PLAN));
  });

  it("makes one of many entries between two placements, and keeps the placements", () => {
    const all = segmentsOf(crowded);
    const drawn = drawTogether(all);
    assert(all.length > 200 && drawn.length < 20);
    assert(drawn.some(({ kind, name }) => kind === "many" && name === "103 taken, free between"));
    const placed = (list: typeof drawn) => list.filter(({ kind }) => kind === "kernel").length;
    assertEquals(placed(drawn), placed(all));
    assertEquals(drawn.reduce((sum, { size }) => sum + size, 0n), 0x180000000n);
  });
});

describe("renderPicture", () => {
  it("names every placement with its address and size", () => {
    const svg = renderPicture(PLAN).text;
    for (const { name, start } of PLAN.placements) {
      assert(svg.includes(`>${name}</text>`), name);
      assert(svg.includes(`>${start}</text>`), start);
    }
    assert(svg.includes("39.1 KiB") && svg.includes("NaN") === false);
  });

  it("draws the bar to scale: the hole is as long as it is", () => {
    const bars = [
      ...renderPicture(PLAN).text.matchAll(
        /class="bar k-(\w+)" .*? y="([\d.]+)" .*? height="([\d.]+)"/g,
      ),
    ];
    const [whole, hole] = ["free", "hole"].map((kind) => bars.find(([, one]) => one === kind)!);
    // 1 of 6 GiB
    assert(Math.abs(Number(hole[3]) - Number(whole[3]) / 6) < 0.2, `${hole[3]} of ${whole[3]}`);
  });

  it("grows with the number of segments and not with that of entries", () => {
    assert(renderPicture(crowded).text.length < 40_000);
  });

  it("says so if a plan has no memory", () => {
    const empty = { ...PLAN, ram: [], placements: [], memoryMap: [] };
    assert(renderPicture(empty).text.includes("no memory"));
  });
});
