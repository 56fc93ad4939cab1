import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { LoaderError, type LoaderErrorCode } from "../errors.ts";
import { MAX_FDT_DEPTH, MAX_FDT_NAME, MAX_FDT_NODES, MAX_FDT_SIZE } from "../limits.ts";
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER,
  FDT_NOP,
  FDT_PROP,
  type FdtHeader,
} from "../structs/fdt.ts";
import { parseFdt } from "./fdt.ts";

const dtc = spawnSync("dtc", ["--version"]);
const skip = dtc.status === 0 ? false : "dtc is not installed";

const GOLDEN = hex(`
  d0 0d fe ed              // 0x00 magic
  00 00 00 a8              // 0x04 totalsize
  00 00 00 48              // 0x08 off_dt_struct
  00 00 00 90              // 0x0c off_dt_strings
  00 00 00 28              // 0x10 off_mem_rsvmap
  00 00 00 11              // 0x14 version 17
  00 00 00 10              // 0x18 last_comp_version 16
  00 00 00 02              // 0x1c boot_cpuid_phys
  00 00 00 14              // 0x20 size_dt_strings
  00 00 00 48              // 0x24 size_dt_struct
  00 00 00 01 00 00 00 00  // 0x28 reservation: address 0x1_0000_0000
  00 00 00 00 00 00 10 00  // 0x30              size 0x1000
  00 00 00 00 00 00 00 00  // 0x38 its end
  00 00 00 00 00 00 00 00  // 0x40
  00 00 00 01 00 00 00 00  // 0x48 begin ""
  00 00 00 03 00 00 00 05  // 0x50 property, 5 bytes
  00 00 00 00              // 0x58   "compatible"
  61 62 63 64 00 00 00 00  // 0x5c   "abcd", padding
  00 00 00 04              // 0x64 nop
  00 00 00 01 63 70 75 40  // 0x68 begin "cpu@2"
  32 00 00 00              // 0x70
  00 00 00 03 00 00 00 00  // 0x74 property, no bytes
  00 00 00 0b              // 0x7c   "dma-cohe"
  00 00 00 02 00 00 00 02  // 0x80 end, end
  00 00 00 09              // 0x88 the end
  00 00 00 00              // 0x8c
  63 6f 6d 70 61 74 69 62  // 0x90 "compatible"
  6c 65 00 64 6d 61 2d 63  //      "dma-cohe"
  6f 68 65 00 00 00 00 00  // 0xa0
`);

describe("parseFdt", () => {
  it("reads reservations, nodes and properties, and passes over NOPs", () => {
    assertEquals(parseFdt(GOLDEN), {
      bootCpuId: 2,
      reservations: [{ start: 0x1_0000_0000n, size: 0x1000n }],
      root: {
        name: "",
        properties: [{ name: "compatible", value: hex("61 62 63 64 00") }],
        children: [
          {
            name: "cpu@2",
            properties: [{ name: "dma-cohe", value: new Uint8Array(0) }],
            children: [],
          },
        ],
      },
    });
  });

  it("copies its input, also that of a view with more around it", () => {
    const around = new Uint8Array(GOLDEN.length + 20);
    around.set(GOLDEN, 7);
    const tree = parseFdt(around.subarray(7));
    const buffer = Buffer.from(GOLDEN);
    const fromBuffer = parseFdt(buffer);
    around.fill(0xff);
    buffer.fill(0xff);
    assertEquals(tree, parseFdt(GOLDEN));
    assertEquals(fromBuffer, parseFdt(GOLDEN));
  });

  it("does not look at bytes past totalsize", () => {
    assertEquals(parseFdt(concat(GOLDEN, hex("ff ff ff"))), parseFdt(GOLDEN));
  });

  it("reports every truncation as TRUNCATED with an offset in the input", () => {
    for (let size = 0; size < GOLDEN.length; size++) {
      const error = assertFails(GOLDEN.subarray(0, size), "TRUNCATED");
      assert(error.offset! <= size, `offset ${error.offset} of ${size}`);
    }
  });

  it("throws only LoaderError, with an offset, whatever a byte holds", () => {
    for (let at = 0; at < GOLDEN.length; at++) {
      for (const value of [0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff]) {
        const bytes = GOLDEN.slice();
        bytes[at] = value;
        try {
          parseFdt(bytes);
        } catch (error) {
          assert(error instanceof LoaderError, `${error}`);
          assert(error.field !== undefined && error.offset! <= bytes.length);
        }
      }
    }
  });

  it("throws only LoaderError when the blob is cut and says so", () => {
    for (let size = 40; size < 0x8c; size++) {
      const bytes = GOLDEN.slice(0, size);
      FDT_HEADER.write(bytes, {
        totalsize: size,
        off_dt_strings: size,
        size_dt_strings: 0,
        size_dt_struct: Math.max(size - 0x48, 0),
      });
      assertFails(bytes, "FDT_STRUCTURE");
    }
  });
});

describe("parseFdt, header", () => {
  it("reads version 16, whose header ends at 36", () => {
    const body = concat(new Uint8Array(16), node("", property(0, "00 00 00 01")), u32(FDT_END));
    const strings = hex("61 00");
    const bytes = concat(new Uint8Array(40), body, strings);
    FDT_HEADER.write(bytes, {
      magic: 0xd00dfeed,
      totalsize: bytes.length,
      off_dt_struct: 56,
      off_dt_strings: 40 + body.length,
      off_mem_rsvmap: 40,
      version: 16,
      last_comp_version: 16,
      size_dt_strings: 2,
      size_dt_struct: 0xffff_ffff,
    });
    assertEquals(parseFdt(bytes).root.properties, [{ name: "a", value: hex("00 00 00 01") }]);
    assertFails(bytes.subarray(0, 35), "TRUNCATED", 0);
    FDT_HEADER.write(bytes, { totalsize: 35 });
    assertFails(bytes, "FDT_STRUCTURE", 0x04);
  });

  it("reads versions before 16: paths for names, long values at multiples of 8", () => {
    const structure = concat(
      u32(FDT_BEGIN_NODE, 0x2f00_0000),
      propertyHeader(8, 0),
      u32(0), // padding: the value lies at 24
      u32(1, 2),
      propertyHeader(4, 0),
      u32(3),
    );
    const inside = node("/cpus", node("/cpus/cpu@0"));
    const bytes = blob({
      structure: concat(structure.subarray(0, 32), inside, u32(FDT_END_NODE, FDT_END)),
      header: { version: 3, last_comp_version: 3, boot_cpuid_phys: 7 },
    });
    const { bootCpuId, root } = parseFdt(bytes);
    assertEquals(bootCpuId, 7);
    assertEquals(root.properties, [{ name: "a", value: u32(1, 2) }]);
    assertEquals([root.name, root.children[0].name], ["", "cpus"]);
    assertEquals(root.children[0].children[0].name, "cpu@0");
    for (const version of [0, 1]) { // their header ends before the boot CPU
      FDT_HEADER.write(bytes, { version });
      assertEquals(parseFdt(bytes).bootCpuId, 0);
    }
  });

  it("takes strings up to the end before version 3, which has no size of them", () => {
    const header = { version: 2, size_dt_strings: 0 };
    const structure = concat(node("/", property(0, "01")), u32(FDT_END));
    assertEquals(parseFdt(blob({ header, structure })).root.properties[0].name, "a");
    assertFails(blob({ header: { ...header, version: 3 }, structure }), "FDT_STRUCTURE");
  });

  const taken: [string, Partial<FdtHeader>][] = [
    ["a later version", { version: 18, last_comp_version: 17 }],
    ["whatever last_comp_version says", { last_comp_version: 0xffff_ffff }],
    ["a size_dt_struct that is too small", { size_dt_struct: 0 }],
    ["reservations over the header, misaligned", { off_mem_rsvmap: 41 }],
    ["an off_dt_strings at the end", { off_dt_strings: 72, size_dt_strings: 0 }],
  ];
  for (const [what, header] of taken) {
    it(`takes ${what}, as dtc does`, () => {
      const bytes = blob({ structure: concat(node(""), u32(FDT_END)), strings: "", header });
      assertEquals(parseFdt(bytes).root, { name: "", properties: [], children: [] });
      if (!skip) assertEquals(dtcTakes(bytes), true);
    });
  }

  const refusals: [string, Partial<FdtHeader>, LoaderErrorCode, number][] = [
    ["another magic", { magic: 0xedfe0dd0 }, "FDT_MAGIC", 0x00],
    ["a totalsize below the header's", { totalsize: 39 }, "FDT_STRUCTURE", 0x04],
    ["a totalsize above the cap", { totalsize: MAX_FDT_SIZE + 1 }, "FDT_TOO_BIG", 0x04],
    ["a totalsize of 2^32 - 1", { totalsize: 0xffff_ffff }, "FDT_TOO_BIG", 0x04],
    ["a totalsize above the file's", { totalsize: 0x1000 }, "TRUNCATED", 0],
    ["off_mem_rsvmap at the end", { off_mem_rsvmap: 78 }, "FDT_STRUCTURE", 0x10],
    ["off_mem_rsvmap past the end", { off_mem_rsvmap: 0xffff_fff8 }, "FDT_STRUCTURE", 0x10],
    ["off_dt_struct at the end", { off_dt_struct: 78, size_dt_struct: 0 }, "FDT_STRUCTURE", 0x08],
    ["off_dt_struct past the end", { off_dt_struct: 0xffff_fffc }, "FDT_STRUCTURE", 0x08],
    ["off_dt_strings past the end", { off_dt_strings: 79 }, "FDT_STRUCTURE", 0x0c],
    ["size_dt_strings past the end", { size_dt_strings: 0xffff_ffff }, "FDT_STRUCTURE", 0x20],
    ["size_dt_struct past the end", { size_dt_struct: 0xffff_ffff }, "FDT_STRUCTURE", 0x24],
  ];
  for (const [what, header, code, offset] of refusals) {
    it(`refuses ${what} with ${code}`, () => {
      const bytes = blob({ header });
      assertFails(bytes, code, offset);
      if (!skip && code === "FDT_STRUCTURE") assertEquals(dtcTakes(bytes), false);
    });
  }

  it("refuses a memory reservation block without an end", () => {
    const reservations = concat(u32(0, 1, 0, 1), u32(0, 2, 0, 1));
    const structure = concat(node(""), u32(FDT_END));
    // Everything that follows, taken as entries, has a size as well.
    const bytes = blob({ reservations, structure, strings: "ff ff ff ff" });
    const error = assertFails(bytes, "FDT_STRUCTURE");
    assertEquals([error.field, error.offset], ["fdt_reserve_entry", 88]);
  });

  it("ends the memory reservation block where a size is 0", () => {
    const reservations = concat(u32(0, 1, 0, 1), u32(0, 2, 0, 0), u32(0, 3, 0, 3), u32(0, 0, 0, 0));
    assertEquals(parseFdt(blob({ reservations })).reservations, [{ start: 1n, size: 1n }]);
  });
});

/** Structure block, strings block, what parseFdt says of it; offsets count from the block (56). */
interface StructureCase {
  what: string;
  structure: Uint8Array;
  strings?: string;
  header?: Partial<FdtHeader>;
  refused?: { code?: LoaderErrorCode; at: number };
  /** Why dtc's answer is another. */
  dtcDiffers?: string;
}

/** "linux,phandle" at 0, "phandle" at 6. */
const PHANDLE = ascii("linux,phandle\0");

const CASES: StructureCase[] = [
  { what: "an empty root", structure: concat(node(""), u32(FDT_END)) },
  { what: "a root with a name", structure: concat(node("foo"), u32(FDT_END)) },
  { what: "an end past size_dt_struct", structure: tree(), header: { size_dt_struct: 4 } },
  {
    what: "NOPs in a node",
    structure: concat(
      node("", u32(FDT_NOP), property(0, "00"), u32(FDT_NOP), node("x")),
      u32(FDT_END),
    ),
  },
  { what: "a property after a child", structure: tree(node("x"), property(0, "00")) },
  { what: "a child without a name", structure: tree(node("")) },
  { what: "a name of every kind of character", structure: tree(node("aZ09,._+-@aZ09,._+-")) },
  { what: "a name with a slash", structure: tree(node("a/b")), refused: value(8) },
  { what: "a name that is not ASCII", structure: tree(node("\xe9")), refused: value(8) },
  {
    what: "a node name of a property's characters",
    structure: tree(node("#a")),
    refused: value(8),
  },
  { what: "a name with two @", structure: tree(node("a@1@2")), refused: value(8) },
  { what: "a root with a bad name", structure: concat(node("/"), u32(FDT_END)), refused: value(0) },
  {
    what: "duplicate nodes",
    structure: tree(node("chosen"), node("b"), node("chosen")),
    refused: value(0),
  },
  {
    what: "many nodes, the last a duplicate",
    structure: tree(...[..."abcdefghija"].map((name) => node(name))),
    refused: value(0),
  },
  { what: "nodes that differ in the unit address", structure: tree(node("a"), node("a@1")) },
  { what: "nodes of one name in two", structure: tree(node("a", node("b")), node("c", node("b"))) },
  {
    what: "duplicate properties",
    structure: tree(node("x", property(0, "01"), property(0, "02"))),
    refused: value(8),
  },
  { what: "a node of a property's name", structure: tree(property(0, "01"), node("a")) },
  {
    what: "a property name of every kind of character",
    structure: tree(property(0, "")),
    strings: ascii("aZ09,._+*#?-\0"),
  },
  ...["@", "/", " ", "~", "\xe9", "\x7f"].map((char): StructureCase => ({
    what: `${JSON.stringify(char)} in a property name`,
    structure: tree(property(0, "")),
    strings: ascii(`a${char}\0`),
    refused: value(0),
  })),
  ...([
    ["a name property that is right", "6100"],
    ["a name property with the unit address", "61403100", true],
    ["a name property of another name", "6200", true],
    ["a name property without NUL", "61", true],
    ["a name property with two NULs", "610000", true],
    ["a name property of no bytes", "", true],
  ] as const).map(([what, bytes, isWrong = false]): StructureCase => ({
    what,
    structure: tree(node("a@1", property(0, bytes))),
    strings: ascii("name\0"),
    ...isWrong && { refused: value(8) },
  })),
  ...([
    ["00000001"],
    ["fffffffe"],
    ["00000000", true],
    ["ffffffff", true],
    ["000001", true],
    ["0000000000000001", true],
    ["", true],
  ] as const).flatMap(([bytes, isWrong = false]) =>
    [0, 6].map((at): StructureCase => ({
      what: `a ${at === 0 ? "linux,phandle" : "phandle"} of <${bytes}>`,
      structure: tree(node("a", property(at, bytes))),
      strings: PHANDLE,
      ...isWrong && { refused: value(8) },
    }))
  ),
  {
    what: "both phandles, the same",
    structure: tree(node("a", property(0, "00000007"), property(6, "00000007"))),
    strings: PHANDLE,
  },
  {
    what: "both phandles, not the same",
    structure: tree(node("a", property(0, "00000007"), property(6, "00000008"))),
    strings: PHANDLE,
    refused: value(8),
  },
  {
    what: "two nodes with one phandle",
    structure: tree(node("a", property(0, "00000007")), node("b", property(6, "00000007"))),
    strings: PHANDLE,
    refused: value(8 + 28),
  },
  {
    what: "a node with the root's phandle",
    structure: tree(property(6, "00000007"), node("b", property(6, "00000007"))),
    strings: PHANDLE,
    refused: value(0),
  },
  {
    what: "a property name inside another",
    structure: tree(property(1, "01")),
    strings: "61 62 00",
  },
  { what: "words after the end", structure: concat(tree(), u32(7, 7)) },
  { what: "a NOP first", structure: concat(u32(FDT_NOP), tree()), refused: { at: 0 } },
  {
    what: "a NOP before the end",
    structure: concat(node(""), u32(FDT_NOP, FDT_END)),
    refused: { at: 12 },
  },
  { what: "no end", structure: concat(node("")), refused: { at: 12 }, strings: "00 00 00 00" },
  { what: "an end in a node", structure: u32(FDT_BEGIN_NODE, 0, FDT_END), refused: { at: 8 } },
  {
    what: "a second root",
    structure: concat(node(""), node(""), u32(FDT_END)),
    refused: { at: 12 },
  },
  {
    what: "one end of a node too many",
    structure: concat(node(""), u32(FDT_END_NODE, FDT_END)),
    refused: { at: 12 },
  },
  {
    what: "a property before the root",
    structure: concat(property(0, "00"), tree()),
    refused: { at: 0 },
  },
  { what: "an unknown token", structure: tree(u32(5)), refused: { at: 8 } },
  { what: "a token of 2^32 - 1", structure: tree(u32(0xffff_ffff)), refused: { at: 8 } },
  {
    what: "a node name without an end",
    structure: concat(u32(FDT_BEGIN_NODE, 0x61616161)),
    strings: "61",
    refused: { at: 4 },
  },
  {
    what: "a property of 2^32 - 1 bytes",
    structure: tree(propertyHeader(0xffff_ffff, 0)),
    refused: { at: 12 },
  },
  {
    what: "a property of 2^32 - 4 bytes",
    structure: tree(propertyHeader(0xffff_fffc, 0)),
    refused: { at: 12 },
  },
  {
    what: "a property of 2^31 bytes",
    structure: tree(propertyHeader(0x8000_0000, 0)),
    refused: { at: 12 },
  },
  {
    what: "a property that ends with the block, its padding missing",
    structure: concat(u32(FDT_BEGIN_NODE, 0), propertyHeader(1, 0), hex("01")),
    strings: "00",
    refused: { at: 20 },
  },
  {
    what: "a nameoff at the end of the strings",
    structure: tree(property(2, "00")),
    refused: { at: 16 },
  },
  {
    what: "a nameoff of 2^32 - 1",
    structure: tree(property(0xffff_ffff, "00")),
    refused: { at: 16 },
  },
  {
    what: "a property name without an end",
    structure: tree(property(1, "00")),
    strings: "61 62 63",
    refused: { at: 8 + 16 + 8 + 1 },
  },
  {
    what: "a node name above the cap",
    structure: tree(node("x".repeat(MAX_FDT_NAME + 1))),
    refused: { code: "LIMIT_EXCEEDED", at: 12 },
    dtcDiffers: "it has no cap",
  },
  { what: "a node name of the cap", structure: tree(node("x".repeat(MAX_FDT_NAME))) },
  {
    what: "a property name above the cap",
    structure: tree(property(0, "00")),
    strings: "61".repeat(MAX_FDT_NAME + 1) + "00",
    refused: { code: "LIMIT_EXCEEDED", at: 8 + 16 + 8 },
    dtcDiffers: "it has no cap",
  },
  { what: "nodes nested to the cap", structure: nested(MAX_FDT_DEPTH) },
  {
    what: "nodes nested deeper than the cap",
    structure: nested(MAX_FDT_DEPTH + 1),
    refused: { code: "LIMIT_EXCEEDED", at: 8 * MAX_FDT_DEPTH },
    dtcDiffers: "it has no cap",
  },
];

describe("parseFdt, structure block", () => {
  for (const { what, structure, strings, header, refused } of CASES) {
    it(`${refused ? "refuses" : "accepts"} ${what}`, () => {
      const bytes = blob({ structure, strings, header });
      if (!refused) parseFdt(bytes);
      else assertFails(bytes, refused.code ?? "FDT_STRUCTURE", 56 + refused.at);
    });
  }

  it("keeps properties after a child with the node's others", () => {
    const structure = tree(property(0, "01"), node("x"), property(1, "02"));
    assertEquals(
      parseFdt(blob({ structure, strings: "61 62 00" })).root.properties.map(({ value }) =>
        value[0]
      ),
      [1, 2],
    );
  });

  it("refuses 100,000 nested nodes without recursion", () => {
    assertFails(blob({ structure: nested(100_000) }), "LIMIT_EXCEEDED", 56 + 8 * MAX_FDT_DEPTH);
  });

  it("refuses more nodes than the cap", () => {
    const begins = concat(u32(FDT_BEGIN_NODE, 0), repeat(node(""), MAX_FDT_NODES));
    const structure = concat(begins, u32(FDT_END_NODE, FDT_END));
    assertFails(blob({ structure }), "LIMIT_EXCEEDED", 56 + 8 + 12 * (MAX_FDT_NODES - 1));
  });

  it("refuses more properties than the cap", () => {
    const structure = tree(repeat(property(0, ""), 131_073));
    assertFails(blob({ structure }), "LIMIT_EXCEEDED", 56 + 8 + 12 * 131_072);
  });

  it("takes a 2 MiB flood of NOPs, properties or long names in linear time", () => {
    const nops = tree(repeat(u32(FDT_NOP), 520_000));
    // Names that start at places of their own and differ in their length, in nodes of their own
    const properties = concat(...Array.from({ length: 200 }, (_, i) => propertyHeader(0, i)));
    const ones = concat(...Array.from({ length: 600 }, (_, i) => node(`n${i}`, properties)));
    const long = blob({ structure: tree(ones), strings: `${"61".repeat(254)}00` });
    const wide = repeat(node("n00000"), 60_000);
    for (let i = 0; i < 60_000; i++) {
      wide.set(new TextEncoder().encode(`${i}`.padStart(5, "0")), 16 * i + 5);
    }
    const doubles = tree(repeat(property(0, ""), 131_072));
    const start = performance.now();
    parseFdt(blob({ structure: nops }));
    assertEquals(parseFdt(blob({ structure: tree(wide) })).root.children.length, 60_000);
    assertEquals(parseFdt(long).root.children[599].properties.length, 200);
    assertFails(blob({ structure: doubles }), "FDT_VALUE", 56);
    const elapsed = performance.now() - start;
    assert(elapsed < 5_000, `${elapsed} ms`); // some 100 ms; quadratic would be minutes
  });

  it("agrees with dtc on what is a tree", { skip }, () => {
    for (const { what, structure, strings, header, refused, dtcDiffers } of CASES) {
      const isTaken = !refused || dtcDiffers !== undefined;
      assertEquals(dtcTakes(blob({ structure, strings, header })), isTaken, what);
    }
  });

  it("reads what dtc compiles", { skip }, () => {
    const input = `/dts-v1/; /memreserve/ 0x10000000 0x4000;
      / { #address-cells = <2>; compatible = "a", "b"; x: memory@40000000 { reg = <0 0x40000000>; };
          chosen { stdout-path = &x; flag; }; };`;
    for (const version of [16, 17]) {
      const args = ["-q", "-I", "dts", "-O", "dtb", "-V", `${version}`, "-b", "5", "-p", "64"];
      const { stdout } = spawnSync("dtc", args, { input });
      const { bootCpuId, reservations, root } = parseFdt(stdout);
      assertEquals(bootCpuId, 5);
      assertEquals(reservations, [{ start: 0x1000_0000n, size: 0x4000n }]);
      assertEquals(root.properties, [
        { name: "#address-cells", value: hex("00 00 00 02") },
        { name: "compatible", value: hex("61 00 62 00") },
      ]);
      assertEquals(root.children.map(({ name }) => name), ["memory@40000000", "chosen"]);
      assertEquals(root.children[1].properties, [
        { name: "stdout-path", value: new TextEncoder().encode("/memory@40000000\0") },
        { name: "flag", value: new Uint8Array(0) },
      ]);
    }
  });
});

function dtcTakes(input: Uint8Array): boolean {
  return spawnSync("dtc", ["-q", "-I", "dtb", "-O", "dtb"], { input }).status === 0;
}

/** Refused for what it says; the node's token lies at an offset. */
function value(at: number): StructureCase["refused"] {
  return { code: "FDT_VALUE", at };
}

function ascii(text: string): string {
  return [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function assertFails(bytes: Uint8Array, code: LoaderErrorCode, offset?: number): LoaderError {
  const error = assertThrows(() => parseFdt(bytes), LoaderError);
  assertEquals(error.code, code, error.message);
  assert(error.field !== undefined && error.offset !== undefined, error.message);
  if (offset !== undefined) assertEquals(error.offset, offset, error.message);
  return error;
}

/** A device tree: header (40), reservations (16, only the end), structure, strings ("a"). */
function blob(parts: {
  header?: Partial<FdtHeader>;
  reservations?: Uint8Array;
  structure?: Uint8Array;
  strings?: string;
}): Uint8Array {
  const { reservations = new Uint8Array(16), structure = tree() } = parts;
  const strings = hex(parts.strings ?? "61 00");
  const structAt = 40 + reservations.length;
  const stringsAt = structAt + structure.length;
  const header = FDT_HEADER.encode({
    magic: 0xd00dfeed,
    totalsize: stringsAt + strings.length,
    off_dt_struct: structAt,
    off_dt_strings: stringsAt,
    off_mem_rsvmap: 40,
    version: 17,
    last_comp_version: 16,
    boot_cpuid_phys: 0,
    size_dt_strings: strings.length,
    size_dt_struct: structure.length,
    ...parts.header,
  });
  return concat(header, reservations, structure, strings);
}

/** A structure block: the root with something in it (at 8), and the end. */
function tree(...inside: Uint8Array[]): Uint8Array {
  return concat(node("", ...inside), u32(FDT_END));
}

function node(name: string, ...inside: Uint8Array[]): Uint8Array {
  const padded = new Uint8Array((name.length + 4) & -4);
  for (let i = 0; i < name.length; i++) padded[i] = name.charCodeAt(i);
  return concat(u32(FDT_BEGIN_NODE), padded, ...inside, u32(FDT_END_NODE));
}

function nested(depth: number): Uint8Array {
  const begins = repeat(u32(FDT_BEGIN_NODE, 0), depth);
  return concat(begins, repeat(u32(FDT_END_NODE), depth), u32(FDT_END));
}

function property(nameOffset: number, value: string): Uint8Array {
  const bytes = hex(value);
  const padded = new Uint8Array((bytes.length + 3) & -4);
  padded.set(bytes);
  return concat(propertyHeader(bytes.length, nameOffset), padded);
}

function propertyHeader(size: number, nameOffset: number): Uint8Array {
  return u32(FDT_PROP, size, nameOffset);
}

function u32(...words: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  words.forEach((word, index) => new DataView(bytes.buffer).setUint32(4 * index, word));
  return bytes;
}

function repeat(part: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(part.length * count);
  for (let i = 0; i < count; i++) bytes.set(part, i * part.length);
  return bytes;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Bytes from hexadecimal text with comments. */
function hex(text: string): Uint8Array {
  const digits = text.replace(/\/\/.*/g, "").replace(/\s+/g, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
