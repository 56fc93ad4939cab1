import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { LoaderError, type LoaderErrorCode } from "../errors.ts";
import { MAX_FDT_DEPTH, MAX_FDT_NAME, MAX_FDT_SIZE } from "../limits.ts";
import { type FdtNode, type FdtTree, parseFdt } from "./fdt.ts";
import { writeFdt } from "./fdt_write.ts";

const dtc = spawnSync("dtc", ["--version"]);
const skip = dtc.status === 0 ? false : "dtc is not installed";

const EXAMPLE: FdtTree = {
  bootCpuId: 0x102,
  reservations: [{ start: 0x1_0000_0000n, size: 0x1000n }, {
    start: 0n,
    size: 0xffffffffffffffffn,
  }],
  root: node("", { compatible: "61 62 00", "#address-cells": "00 00 00 02" }, [
    node("cpus", {}, [
      node("cpu@0", { reg: "00", compatible: "63 00" }),
      node("cpu@1", { reg: "01 02 03 04 05" }),
    ]),
    node("chosen", { empty: "", phandle: "00 00 00 01" }),
  ]),
};

describe("writeFdt", () => {
  it("writes version 17 with aligned blocks and each string once", () => {
    const tree: FdtTree = {
      bootCpuId: 3,
      reservations: [{ start: 0x4000_0000n, size: 0x1000n }],
      root: node("", { a: "01" }, [node("cpu", { bc: "", a: "01 02 03 04" })]),
    };
    assertEquals(
      writeFdt(tree),
      hex(`
        d0 0d fe ed              // 0x00 magic
        00 00 00 98              // 0x04 totalsize
        00 00 00 48              // 0x08 off_dt_struct
        00 00 00 90              // 0x0c off_dt_strings
        00 00 00 28              // 0x10 off_mem_rsvmap
        00 00 00 11              // 0x14 version 17
        00 00 00 10              // 0x18 last_comp_version 16
        00 00 00 03              // 0x1c boot_cpuid_phys
        00 00 00 05              // 0x20 size_dt_strings
        00 00 00 48              // 0x24 size_dt_struct
        00 00 00 00 40 00 00 00  // 0x28 reservation: address
        00 00 00 00 00 00 10 00  // 0x30              size
        00 00 00 00 00 00 00 00  // 0x38 its end
        00 00 00 00 00 00 00 00  // 0x40
        00 00 00 01 00 00 00 00  // 0x48 begin ""
        00 00 00 03 00 00 00 01  // 0x50 property, 1 byte
        00 00 00 00 01 00 00 00  // 0x58   "a", 01, padding
        00 00 00 01 63 70 75 00  // 0x60 begin "cpu"
        00 00 00 03 00 00 00 00  // 0x68 property, no bytes
        00 00 00 02              // 0x70   "bc"
        00 00 00 03 00 00 00 04  // 0x74 property, 4 bytes
        00 00 00 00 01 02 03 04  // 0x7c   "a"
        00 00 00 02 00 00 00 02  // 0x84 end, end
        00 00 00 09              // 0x8c the end
        61 00 62 63 00 00 00 00  // 0x90 "a", "bc", padding
      `),
    );
  });

  it("writes what parseFdt reads back as the same tree", () => {
    assertEquals(parseFdt(writeFdt(EXAMPLE)), EXAMPLE);
  });

  it("writes the same bytes for the same tree", () => {
    const bytes = writeFdt(EXAMPLE);
    assertEquals(writeFdt(EXAMPLE), bytes);
    assertEquals(writeFdt(parseFdt(bytes)), bytes);
  });

  it("writes a node as often as it is in the tree", () => {
    const twin = node("twin", { a: "01" });
    const tree = { ...EXAMPLE, root: node("", {}, [twin, node("other", {}, [twin])]) };
    assertEquals(parseFdt(writeFdt(tree)), tree);
  });

  const names: [string, string][] = [
    ["NUL", "a\0b"],
    ["slash", "a/b"],
    ["character above 0x7f", "é"],
    ["character above 0xff", "a\u0141"],
  ];
  for (const [what, name] of names) {
    it(`refuses a ${what} in a name`, () => {
      assertFails({ ...EXAMPLE, root: node("", {}, [node(name)]) }, "FDT_VALUE", "node name");
      assertFails({ ...EXAMPLE, root: node("", { [name]: "" }) }, "FDT_VALUE", "property name");
    });
  }

  it("refuses duplicates and phandles that are not one node's, as parseFdt does", () => {
    const phandle = { phandle: "00 00 00 01" };
    const properties = [{ name: "a", value: hex("") }, { name: "a", value: hex("") }];
    const roots: [FdtNode, string][] = [
      [node("", {}, [node("a"), node("a")]), "node name"],
      [{ name: "", properties, children: [] }, "property name"],
      [node("", phandle, [node("a", phandle)]), "phandle"],
      [node("", {}, [node("a", { "linux,phandle": "" })]), "linux,phandle"],
      [node("", {}, [node("a@1", { name: "61 40 31 00" })]), "name"],
    ];
    for (const [root, field] of roots) assertFails({ ...EXAMPLE, root }, "FDT_VALUE", field);
  });

  it("refuses a name above the cap and takes one of it", () => {
    const long = "x".repeat(MAX_FDT_NAME);
    const tree = { ...EXAMPLE, root: node("", { [long]: "" }, [node(long)]) };
    assertEquals(parseFdt(writeFdt(tree)), tree);
    assertFails({ ...EXAMPLE, root: node("", { [`${long}x`]: "" }) }, "LIMIT_EXCEEDED");
    assertFails({ ...EXAMPLE, root: node(`${long}x`) }, "LIMIT_EXCEEDED");
  });

  it("refuses nodes nested deeper than the cap and takes those of it", () => {
    const nested = (depth: number): FdtTree => {
      let root = node("");
      for (let i = 1; i < depth; i++) root = node("", {}, [root]);
      return { bootCpuId: 0, reservations: [], root };
    };
    assertEquals(parseFdt(writeFdt(nested(MAX_FDT_DEPTH))), nested(MAX_FDT_DEPTH));
    assertFails(nested(MAX_FDT_DEPTH + 1), "LIMIT_EXCEEDED");
    assertFails(nested(100_000), "LIMIT_EXCEEDED");
  });

  it("refuses a tree that contains itself", () => {
    const root = node("");
    root.children.push(root);
    assertFails({ bootCpuId: 0, reservations: [], root }, "LIMIT_EXCEEDED");
  });

  it("refuses more nodes or properties than the caps", () => {
    const properties = Array.from({ length: 131_073 }, () => ({ name: "", value: hex("") }));
    const tooMany = { ...EXAMPLE, root: { name: "", properties, children: [] } };
    assertFails(tooMany, "LIMIT_EXCEEDED", "device tree properties");
    const children = Array.from({ length: 65_536 }, (_, i) => node(`n${i}`));
    const tooWide = { ...EXAMPLE, root: { name: "", properties: [], children } };
    assertFails(tooWide, "LIMIT_EXCEEDED", "device tree nodes");
  });

  it("takes 2 MiB and refuses more", () => {
    const tree = (size: number): FdtTree => ({
      bootCpuId: 0,
      reservations: [],
      root: { name: "", properties: [{ name: "a", value: new Uint8Array(size) }], children: [] },
    });
    const overhead = writeFdt(tree(0)).length;
    assertEquals(writeFdt(tree(MAX_FDT_SIZE - overhead)).length, MAX_FDT_SIZE);
    assertFails(tree(MAX_FDT_SIZE - overhead + 8), "FDT_TOO_BIG", "fdt_header.totalsize");
    const reservations = Array.from({ length: MAX_FDT_SIZE / 16 }, () => ({ start: 0n, size: 1n }));
    assertFails({ ...EXAMPLE, reservations }, "FDT_TOO_BIG");
  });

  it("refuses an empty reservation, which would end the block, and one outside 64 bits", () => {
    for (
      const [start, size] of [[1n, 0n], [-1n, 1n], [0n, -1n], [1n << 64n, 1n], [0n, 1n << 64n]]
    ) {
      const reservations = [{ start, size }];
      assertFails({ ...EXAMPLE, reservations }, "FDT_VALUE", "fdt_reserve_entry");
    }
  });

  it("refuses a boot CPU outside 32 bits", () => {
    for (const bootCpuId of [-1, 0.5, 2 ** 32, NaN]) {
      assertFails({ ...EXAMPLE, bootCpuId }, "FDT_VALUE", "fdt_header.boot_cpuid_phys");
    }
  });

  it("writes what dtc reads, and reads what dtc makes of it", { skip }, () => {
    const source = run(["-I", "dtb", "-O", "dts"], writeFdt(EXAMPLE));
    assertEquals(parseFdt(run(["-I", "dts", "-O", "dtb", "-b", "258"], source)), EXAMPLE);
  });
});

function assertFails(tree: FdtTree, code: LoaderErrorCode, field?: string): void {
  const error = assertThrows(() => writeFdt(tree), LoaderError);
  assertEquals(error.code, code, error.message);
  if (field !== undefined) assertEquals(error.field, field);
}

function run(args: string[], input: Uint8Array): Uint8Array {
  const { status, stdout, stderr } = spawnSync("dtc", ["-q", ...args], { input });
  assertEquals(status, 0, `${stderr}`);
  return stdout;
}

function node(
  name: string,
  properties: Record<string, string> = {},
  children: FdtNode[] = [],
): FdtNode {
  return {
    name,
    properties: Object.entries(properties).map(([name, value]) => ({ name, value: hex(value) })),
    children,
  };
}

/** Bytes from hexadecimal text with comments. */
function hex(text: string): Uint8Array {
  const digits = text.replace(/\/\/.*/g, "").replace(/\s+/g, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
