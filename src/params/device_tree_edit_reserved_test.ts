import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import type { FdtNode, FdtTree } from "../formats/fdt.ts";
import { reservedRanges } from "./device_tree_edit.ts";

/** Big-endian 32-bit cells. */
const cells = (...values: number[]) =>
  Uint8Array.from(values.flatMap((value) => [24, 16, 8, 0].map((shift) => value >>> shift & 0xff)));
const text = (value: string) => new TextEncoder().encode(`${value}\0`);
const node = (
  name: string,
  properties: Record<string, Uint8Array> = {},
  children: FdtNode[] = [],
): FdtNode => ({
  name,
  properties: Object.entries(properties).map(([name, value]) => ({ name, value })),
  children,
});

/** A tree whose root has these cells and these children of /reserved-memory. */
function tree(addressCells: number, sizeCells: number, children: FdtNode[]): FdtTree {
  const root = node("", {
    "#address-cells": cells(addressCells),
    "#size-cells": cells(sizeCells),
  }, [node("reserved-memory", {}, children)]);
  return { bootCpuId: 0, reservations: [], root };
}

describe("reservedRanges", () => {
  it("takes the memory reservation block", () => {
    const block: FdtTree = {
      bootCpuId: 0,
      reservations: [{ start: 0x4000_0000n, size: 0x1000n }, { start: 1n << 40n, size: 1n }],
      root: node(""),
    };
    assertEquals(reservedRanges(block), [
      { name: "device tree memory reservation 0", start: 0x4000_0000n, size: 0x1000n },
      { name: "device tree memory reservation 1", start: 1n << 40n, size: 1n },
    ]);
  });

  it("takes nodes under /reserved-memory, with the root's cells and several ranges", () => {
    const nodes = [
      node("tfa@1", { reg: cells(1, 0x8000_0000, 0, 0x1000) }),
      node("two@2", { reg: cells(0, 0x10, 0, 1, 0, 0x20, 2, 0) }),
    ];
    assertEquals(reservedRanges(tree(2, 2, nodes)), [
      { name: "device tree node tfa@1", start: 0x1_8000_0000n, size: 0x1000n },
      { name: "device tree node two@2", start: 0x10n, size: 1n },
      { name: "device tree node two@2", start: 0x20n, size: 0x2_0000_0000n },
    ]);
    const narrow = [node("a", { reg: cells(0xffff_f000, 0x1000) })];
    assertEquals(reservedRanges(tree(1, 1, narrow)).map(({ start, size }) => [start, size]), [
      [0xffff_f000n, 0x1000n],
    ]);
  });

  it("lets the guest choose where a node without reg is, and leaves out what is off or empty", () => {
    const reg = cells(0, 0x10, 0, 1);
    const nodes = [
      node("cma", { size: cells(0, 0x1000) }),
      node("off", { reg, status: text("disabled") }),
      node("empty", { reg: cells(0, 0x10, 0, 0) }),
      node("on", { reg, status: text("okay") }),
      node("old", { reg: cells(0, 0x30, 0, 1), status: text("ok") }),
    ];
    assertEquals(reservedRanges(tree(2, 2, nodes)).map(({ name }) => name), [
      "device tree node on",
      "device tree node old",
    ]);
  });

  it("refuses a reg that does not hold whole ranges", () => {
    const nodes = [node("a", { reg: cells(0, 0x10, 0) })];
    assertEquals(refusal(() => reservedRanges(tree(2, 2, nodes))), {
      code: "FDT_VALUE",
      field: "/reserved-memory/a/reg",
    });
    assertEquals(refusal(() => reservedRanges(tree(3, 2, nodes))).code, "FDT_VALUE");
  });

  it("does not pass a node's escape codes on to a terminal", () => {
    const name = "a\x1b[2J\x85";
    const shown = "a\\x1b[2J\\x85";
    const named = reservedRanges(tree(2, 2, [node(name, { reg: cells(0, 0x10, 0, 1) })]));
    assertEquals(named.map((range) => range.name), [`device tree node ${shown}`]);
    const { field } = refusal(() => reservedRanges(tree(2, 2, [node(name, { reg: cells(1) })])));
    assertEquals(field, `/reserved-memory/${shown}/reg`);
  });

  it("finds none in a tree without", () => {
    assertEquals(reservedRanges({ bootCpuId: 0, reservations: [], root: node("") }), []);
  });
});
