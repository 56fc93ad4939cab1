import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import type { AddressRange } from "../address.ts";
import { LoaderError } from "../errors.ts";
import { type FdtNode, type FdtTree, parseFdt } from "../formats/fdt.ts";
import { writeFdt } from "../formats/fdt_write.ts";
import { addChild, encodeCells, encodeString, findNode, getProperty } from "./device_tree.ts";
import {
  addReservedMemory,
  type Chosen,
  reserve,
  rootCells,
  setChosen,
  setMemory,
} from "./device_tree_edit.ts";

const FULL: Required<Chosen> = {
  bootargs: "console=ttyS0",
  initrd: { start: 0x4800_0000n, size: 0x1234n },
  stdoutPath: "serial0:115200n8",
  kaslrSeed: 0x0123_4567_89ab_cdefn,
  rngSeed: Uint8Array.of(1, 2, 3),
};

describe("setChosen", () => {
  it("writes each property, initrd addresses in 64 bits and the end exclusive", () => {
    const tree = emptyTree(1, 1);
    setChosen(tree, FULL);
    assertEquals(findNode(tree.root, "/chosen")?.properties, [
      { name: "bootargs", value: new TextEncoder().encode("console=ttyS0\0") },
      { name: "linux,initrd-start", value: Uint8Array.of(0, 0, 0, 0, 0x48, 0, 0, 0) },
      { name: "linux,initrd-end", value: Uint8Array.of(0, 0, 0, 0, 0x48, 0, 0x12, 0x34) },
      { name: "stdout-path", value: new TextEncoder().encode("serial0:115200n8\0") },
      {
        name: "kaslr-seed",
        value: Uint8Array.of(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef),
      },
      { name: "rng-seed", value: Uint8Array.of(1, 2, 3) },
    ]);
  });

  it("leaves what is not given and removes what is null", () => {
    const tree = emptyTree();
    setChosen(tree, FULL);
    setChosen(tree, {});
    assertEquals(findNode(tree.root, "/chosen")?.properties.length, 6);
    setChosen(tree, { initrd: null, bootargs: "" });
    const names = findNode(tree.root, "/chosen")?.properties.map(({ name }) => name);
    assertEquals(names, ["bootargs", "stdout-path", "kaslr-seed", "rng-seed"]);
    const nulls = {
      bootargs: null,
      initrd: null,
      stdoutPath: null,
      kaslrSeed: null,
      rngSeed: null,
    };
    setChosen(tree, nulls);
    assertEquals(findNode(tree.root, "/chosen")?.properties, []);
  });

  it("takes as much room whatever the addresses", () => {
    const size = (initrd: AddressRange): number => {
      const tree = emptyTree();
      setChosen(tree, { initrd });
      return writeFdt(tree).length;
    };
    assertEquals(
      size({ start: 0n, size: 0n }),
      size({ start: 0xffff_ffff_ffff_0000n, size: 0xffffn }),
    );
  });

  it("sets the first of duplicates, the one that Linux reads", () => {
    const tree = emptyTree();
    addChild(tree.root, "chosen@0");
    addChild(tree.root, "chosen", { bootargs: encodeString("evil") });
    const parsed = parseFdt(writeFdt(tree));
    setChosen(parsed, { bootargs: "mine" });
    const [first, second] = parsed.root.children;
    assertEquals(getProperty(first, "bootargs"), encodeString("mine"));
    assertEquals(getProperty(second, "bootargs"), encodeString("evil"));
  });

  it("removes duplicates of a property that it sets", () => {
    const tree = emptyTree();
    const bootargs = { name: "bootargs", value: encodeString("old") };
    addChild(tree.root, "chosen").properties.push(bootargs, bootargs);
    setChosen(tree, { bootargs: "new" });
    assertEquals(findNode(tree.root, "/chosen")?.properties, [
      { name: "bootargs", value: encodeString("new") },
    ]);
  });

  const refusals: [string, Chosen, string][] = [
    ["an initrd past 2^64", { initrd: { start: 1n << 63n, size: 1n << 63n } }, "linux,initrd-end"],
    ["an initrd below 0", { initrd: { start: -1n, size: 2n } }, "linux,initrd-start"],
    ["a seed of 65 bits", { kaslrSeed: 1n << 64n }, "kaslr-seed"],
    ["a NUL in bootargs", { bootargs: "a\0b" }, "bootargs"],
    ["half a surrogate pair", { stdoutPath: "\ud800" }, "stdout-path"],
  ];
  for (const [what, chosen, property] of refusals) {
    it(`refuses ${what} and changes nothing`, () => {
      const tree = emptyTree();
      assertRefused(tree, () => setChosen(tree, { ...FULL, ...chosen }), `/chosen/${property}`);
    });
  }
});

describe("setMemory", () => {
  it("replaces every memory node where the first one was", () => {
    const tree = emptyTree();
    addChild(tree.root, "cpus");
    addChild(tree.root, "memory@0", { device_type: encodeString("memory") });
    addChild(tree.root, "memory-controller@5");
    addChild(tree.root, "ram", { device_type: encodeString("memory") });
    addChild(tree.root, "memory");
    addChild(addChild(tree.root, "soc"), "memory@1");
    setMemory(tree, [
      { start: 0x4000_0000n, size: 0x2000_0000n },
      { start: 0x1_0000_0000n, size: 0x80_0000_0000n },
    ]);
    assertEquals(tree.root.children.map(({ name }) => name), [
      "cpus",
      "memory@40000000",
      "memory@100000000",
      "memory-controller@5",
      "soc",
    ]);
    assertEquals(findNode(tree.root, "/soc/memory@1")?.properties, []);
    assertEquals(tree.root.children[2].properties, [
      { name: "device_type", value: encodeString("memory") },
      { name: "reg", value: encodeCells([1, 0, 0x80, 0]) },
    ]);
  });

  it("honours the root's cells", () => {
    const range = { start: 0x8000_0000n, size: 0x1000n };
    const expected: [number, number, number[]][] = [
      [1, 1, [0x8000_0000, 0x1000]],
      [1, 2, [0x8000_0000, 0, 0x1000]],
      [2, 1, [0, 0x8000_0000, 0x1000]],
      [2, 2, [0, 0x8000_0000, 0, 0x1000]],
    ];
    for (const [addressCells, sizeCells, cells] of expected) {
      const tree = emptyTree(addressCells, sizeCells);
      setMemory(tree, [range]);
      assertEquals(getProperty(tree.root.children[0], "reg"), encodeCells(cells));
    }
  });

  it("takes the specification's default cells and writes them, as Linux takes others", () => {
    const tree: FdtTree = { bootCpuId: 0, reservations: [], root: node() };
    assertEquals(rootCells(tree.root), { addressCells: 2, sizeCells: 1 });
    setMemory(tree, [{ start: 0x1_0000_0000n, size: 0x1000n }]);
    assertEquals(tree.root.properties, [
      { name: "#address-cells", value: encodeCells([2]) },
      { name: "#size-cells", value: encodeCells([1]) },
    ]);
    assertEquals(getProperty(tree.root.children[0], "reg"), encodeCells([1, 0, 0x1000]));
  });

  it("with no range removes the memory nodes", () => {
    const tree = emptyTree();
    addChild(tree.root, "memory@0");
    setMemory(tree, []);
    assertEquals(tree.root.children, []);
  });

  const refusals: [string, number, number, AddressRange[]][] = [
    ["an address above one cell", 1, 1, [{ start: 1n << 32n, size: 1n }]],
    ["a size above one cell", 2, 1, [{ start: 0n, size: 1n << 32n }]],
    ["a range past 2^64", 2, 2, [{ start: (1n << 64n) - 1n, size: 2n }]],
    ["an empty range", 2, 2, [{ start: 0n, size: 0n }]],
    ["two ranges that start at one address", 2, 2, [
      { start: 0n, size: 1n },
      { start: 0n, size: 2n },
    ]],
  ];
  for (const [what, addressCells, sizeCells, ranges] of refusals) {
    it(`refuses ${what} and changes nothing`, () => {
      const tree = emptyTree(addressCells, sizeCells);
      addChild(tree.root, "memory@0");
      const field = `/memory@${ranges[0].start.toString(16)}/reg`;
      assertRefused(tree, () => setMemory(tree, ranges), field);
    });
  }

  it("refuses a root whose cells are neither 1 nor 2", () => {
    for (const cells of [[0], [3], [0x100], [0x0100_0001], [1, 1], []]) {
      const tree = emptyTree();
      tree.root.properties[1].value = encodeCells(cells);
      assertRefused(tree, () => setMemory(tree, []), "/#size-cells");
    }
  });
});

describe("addReservedMemory", () => {
  const FIRMWARE = { name: "firmware", start: 0x5000_0000n, size: 0x20_0000n };

  it("makes /reserved-memory with the root's cells and a child for each range", () => {
    const tree = emptyTree(2, 1);
    addReservedMemory(tree, [FIRMWARE, { name: "log", start: 0n, size: 0x1000n, noMap: false }]);
    assertEquals(findNode(tree.root, "/reserved-memory"), {
      name: "reserved-memory",
      properties: [
        { name: "#address-cells", value: encodeCells([2]) },
        { name: "#size-cells", value: encodeCells([1]) },
        { name: "ranges", value: new Uint8Array(0) },
      ],
      children: [
        {
          name: "firmware@50000000",
          properties: [
            { name: "reg", value: encodeCells([0, 0x5000_0000, 0x20_0000]) },
            { name: "no-map", value: new Uint8Array(0) },
          ],
          children: [],
        },
        {
          name: "log@0",
          properties: [{ name: "reg", value: encodeCells([0, 0, 0x1000]) }],
          children: [],
        },
      ],
    });
  });

  it("adds to what is there", () => {
    const tree = emptyTree();
    addReservedMemory(tree, [FIRMWARE]);
    addReservedMemory(tree, [{ ...FIRMWARE, name: "other" }]);
    const children = findNode(tree.root, "/reserved-memory")?.children;
    assertEquals(children?.map(({ name }) => name), ["firmware@50000000", "other@50000000"]);
    assertEquals(tree.root.children.length, 1);
  });

  it("leaves the tree as it is without ranges", () => {
    const tree = emptyTree();
    addReservedMemory(tree, []);
    assertEquals(tree, emptyTree());
  });

  it("sets the cells of a /reserved-memory that has no children yet", () => {
    const tree = emptyTree();
    addChild(tree.root, "reserved-memory", { "#size-cells": encodeCells([1]) });
    addReservedMemory(tree, [FIRMWARE]);
    assertEquals(rootCells(findNode(tree.root, "/reserved-memory")!), rootCells(tree.root));
  });

  it("refuses a /reserved-memory with other cells than the root's", () => {
    const tree = emptyTree(2, 2);
    addChild(addChild(tree.root, "reserved-memory", { ranges: new Uint8Array(0) }), "x@0");
    assertRefused(tree, () => addReservedMemory(tree, [FIRMWARE]), "/reserved-memory");
  });

  it("refuses a /reserved-memory that translates addresses", () => {
    const tree = emptyTree(2, 2);
    addChild(tree.root, "reserved-memory", { ranges: encodeCells([0, 0, 0, 0, 0, 1]) });
    assertRefused(tree, () => addReservedMemory(tree, [FIRMWARE]), "/reserved-memory/ranges");
  });

  const refusals: [string, Partial<typeof FIRMWARE>, string][] = [
    ["an empty name", { name: "" }, " node name"],
    ["a name with a slash", { name: "a/b" }, " node name"],
    ["a name of 32", { name: "x".repeat(32) }, " node name"],
    ["an empty range", { size: 0n }, "/firmware@50000000/reg"],
    ["a size above one cell", { size: 1n << 32n }, "/firmware@50000000/reg"],
    ["a name that is taken", { name: "taken" }, "/taken@50000000"],
  ];
  for (const [what, change, field] of refusals) {
    it(`refuses ${what} and changes nothing`, () => {
      const tree = emptyTree(2, 1);
      addReservedMemory(tree, [{ ...FIRMWARE, name: "taken" }]);
      const entry = { ...FIRMWARE, ...change };
      const fn = () => addReservedMemory(tree, [{ ...FIRMWARE, name: "fine" }, entry]);
      assertRefused(tree, fn, `/reserved-memory${field}`);
    });
  }
});

describe("reserve", () => {
  it("adds an entry to the memory reservation block", () => {
    const tree = emptyTree();
    reserve(tree, { start: 0x1000n, size: 0x2000n });
    assertEquals(parseFdt(writeFdt(tree)).reservations, [{ start: 0x1000n, size: 0x2000n }]);
  });

  it("refuses an empty range and one past 2^64", () => {
    const tree = emptyTree();
    for (const [start, size] of [[0n, 0n], [1n, -1n], [-1n, 2n], [1n << 63n, (1n << 63n) + 1n]]) {
      assertRefused(tree, () => reserve(tree, { start, size }), "fdt_reserve_entry");
    }
  });
});

/** Checks that an edit is refused with FDT_VALUE and leaves the tree as it was. */
function assertRefused(tree: FdtTree, fn: () => void, field: string): void {
  const before = structuredClone(tree);
  const error = assertThrows(fn, LoaderError);
  assertEquals([error.code, error.field], ["FDT_VALUE", field], error.message);
  assertEquals(tree, before);
}

function emptyTree(addressCells = 2, sizeCells = 2): FdtTree {
  const root = node();
  root.properties.push(
    { name: "#address-cells", value: encodeCells([addressCells]) },
    { name: "#size-cells", value: encodeCells([sizeCells]) },
  );
  return { bootCpuId: 0, reservations: [], root };
}

function node(): FdtNode {
  return { name: "", properties: [], children: [] };
}
