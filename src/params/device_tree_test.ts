import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { LoaderError } from "../errors.ts";
import type { FdtNode } from "../formats/fdt.ts";
import {
  addChild,
  decodeString,
  deleteProperty,
  encodeCells,
  encodeNumber,
  encodePhandle,
  encodeReg,
  encodeString,
  encodeStrings,
  ensureNode,
  findNode,
  getProperty,
  setProperty,
} from "./device_tree.ts";

describe("property encoders", () => {
  it("encodeCells writes 32-bit big-endian cells", () => {
    assertEquals(encodeCells([1, 0xfedc_ba98]), Uint8Array.of(0, 0, 0, 1, 0xfe, 0xdc, 0xba, 0x98));
    assertEquals(encodeCells([]).length, 0);
    for (const cell of [-1, 2 ** 32, 0.5, NaN]) assertValueError(() => encodeCells([cell]));
  });

  it("encodeNumber writes the most significant cell first and refuses what does not fit", () => {
    assertEquals(encodeNumber(0x89ab_cdefn, 1), Uint8Array.of(0x89, 0xab, 0xcd, 0xef));
    assertEquals(encodeNumber(0x1_8000_0002n, 2), Uint8Array.of(0, 0, 0, 1, 0x80, 0, 0, 2));
    assertEquals(encodeNumber((1n << 64n) - 1n, 2), new Uint8Array(8).fill(0xff));
    assertEquals(encodeNumber(0n, 0), new Uint8Array(0));
    assertValueError(() => encodeNumber(1n << 32n, 1));
    assertValueError(() => encodeNumber(1n << 64n, 2));
    assertValueError(() => encodeNumber(-1n, 2));
    assertValueError(() => encodeNumber(1n, 0));
  });

  it("encodeReg writes an address and a size for each range", () => {
    const ranges = [{ start: 1n, size: 2n }, { start: 3n, size: 4n }];
    assertEquals(
      encodeReg(ranges, { addressCells: 2, sizeCells: 1 }),
      encodeCells([0, 1, 2, 0, 3, 4]),
    );
    assertEquals(
      encodeReg(ranges, { addressCells: 1, sizeCells: 2 }),
      encodeCells([1, 0, 2, 3, 0, 4]),
    );
    const top = { start: (1n << 64n) - 1n, size: 2n };
    assertValueError(() => encodeReg([top], { addressCells: 2, sizeCells: 2 }));
  });

  it("encodeString and encodeStrings end each text with a NUL", () => {
    assertEquals(encodeString("a\u00e9"), Uint8Array.of(0x61, 0xc3, 0xa9, 0));
    assertEquals(encodeStrings(["a", "", "b"]), Uint8Array.of(0x61, 0, 0, 0x62, 0));
    for (const text of ["a\0", "\ud800", "\udc00a"]) assertValueError(() => encodeString(text));
    assertEquals(encodeString("\u{1f600}").length, 5);
  });

  it("encodePhandle refuses the numbers that are none", () => {
    assertEquals(encodePhandle(7), Uint8Array.of(0, 0, 0, 7));
    for (const none of [0, 0xffff_ffff, -1, 2 ** 32]) assertValueError(() => encodePhandle(none));
  });

  it("decodeString ends at a NUL or the end", () => {
    assertEquals(decodeString(Uint8Array.of(0x61, 0xe9, 0, 0x62)), "a\xe9");
    assertEquals(decodeString(Uint8Array.of(0x61)), "a");
    assertEquals(decodeString(new Uint8Array(0)), "");
  });
});

describe("properties", () => {
  it("getProperty finds the first of duplicates, setProperty replaces it in its place", () => {
    const node = example();
    assertEquals(getProperty(node, "a"), Uint8Array.of(1));
    assertEquals(getProperty(node, "none"), undefined);
    setProperty(node, "a", Uint8Array.of(9));
    setProperty(node, "new");
    assertEquals(node.properties, [
      { name: "a", value: Uint8Array.of(9) },
      { name: "b", value: Uint8Array.of(2) },
      { name: "new", value: new Uint8Array(0) },
    ]);
  });

  it("deleteProperty removes duplicates, too", () => {
    const node = example();
    deleteProperty(node, "a");
    deleteProperty(node, "none");
    assertEquals(node.properties.map(({ name }) => name), ["b"]);
  });
});

describe("findNode", () => {
  it("follows a path, where repeated slashes are one", () => {
    const root = example();
    assertStrictEquals(findNode(root, "/"), root);
    assertStrictEquals(findNode(root, "/soc/uart@2000"), root.children[2].children[1]);
    assertStrictEquals(findNode(root, "//soc//uart@2000/"), root.children[2].children[1]);
    assertEquals(findNode(root, "/soc/uart@3000"), undefined);
    assertEquals(findNode(root, "/none/uart@2000"), undefined);
  });

  it("takes the first node that fits, its unit address left out", () => {
    const root = example();
    assertStrictEquals(findNode(root, "/soc/uart"), root.children[2].children[0]);
    assertStrictEquals(findNode(root, "/twin"), root.children[0]);
    assertEquals(findNode(root, "/so"), undefined);
    assertEquals(findNode(root, "/soc/uart@"), undefined);
  });

  it("refuses a path without a slash in front", () => {
    for (const path of ["", "serial0", "soc/uart"]) {
      const error = assertThrows(() => findNode(example(), path), LoaderError);
      assertEquals([error.code, error.field], ["INVALID_OPTION", "path"]);
    }
  });
});

describe("ensureNode", () => {
  it("returns the node that is there", () => {
    const root = example();
    assertStrictEquals(ensureNode(root, "/soc/uart"), root.children[2].children[0]);
    assertEquals(root, example());
  });

  it("makes the nodes that are missing", () => {
    const root = example();
    const made = ensureNode(root, "/soc/bus/dev@1");
    assertEquals(made, { name: "dev@1", properties: [], children: [] });
    assertStrictEquals(findNode(root, "/soc/bus/dev"), made);
    assertEquals(root.children.length, 3);
  });
});

function assertValueError(fn: () => unknown): void {
  assertEquals(assertThrows(fn, LoaderError).code, "FDT_VALUE");
}

function example(): FdtNode {
  const root: FdtNode = {
    name: "",
    properties: [
      { name: "a", value: Uint8Array.of(1) },
      { name: "b", value: Uint8Array.of(2) },
      { name: "a", value: Uint8Array.of(3) },
    ],
    children: [],
  };
  addChild(root, "twin@1");
  addChild(root, "twin");
  const soc = addChild(root, "soc");
  addChild(soc, "uart@1000");
  addChild(soc, "uart@2000");
  return root;
}
