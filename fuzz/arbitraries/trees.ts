/** Device trees of any names and properties. */
import fc from "fast-check";
import type { Node, Tree } from "./dtb.ts";
import { boundary, boundary32, sometimes } from "./numbers.ts";

/** A number as a cell. */
export const cell = (value: number): Uint8Array => Uint8Array.of(0, 0, 0, value);
/** A number of some cells. */
export const big = (value: bigint, cells: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes.slice(8 - 4 * cells);
};
/** A text and its NUL. */
export const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);
/** As many bytes as a name may have. */
const MAX_NAME = 255;
/** Characters of names, and some that look like them. */
const NAME_CHARS = [..."abzABZ059,._+-@*#?/~ "];

const name = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      "chosen",
      "memory@40000000",
      "memory",
      "cpus",
      "soc",
      "uart@9000000",
    ),
    weight: 4,
  },
  { arbitrary: fc.constantFrom("reserved-memory", "reserved-memory", "a", "x@1", "n"), weight: 4 },
  { arbitrary: fc.constantFrom(254, 255, 256).map((size) => "x".repeat(size)), weight: 1 },
  {
    arbitrary: fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((unit) => String.fromCharCode(unit)),
      maxLength: 12,
    }),
    weight: 1,
  },
  { arbitrary: fc.string({ unit: fc.constantFrom(...NAME_CHARS), maxLength: 6 }), weight: 1 },
);

const property = fc.oneof(
  fc.record({
    name: fc.constantFrom("phandle", "phandle", "linux,phandle", "interrupt-parent"),
    value: fc.oneof(
      fc.constantFrom(1, 2, 3, 4, 0).map(cell),
      fc.constantFrom(4, 4, 0, 5).map((size) => new Uint8Array(size).fill(255)),
    ),
  }),
  fc.record({
    name: fc.constantFrom("name", "name", "label", "a"),
    value: fc.oneof(
      fc.constantFrom("chosen", "memory", "a", "", "a\0").map(text),
      // Without the NUL, or nothing
      fc.constantFrom("chosen", "memory", "a", "").map((value) => text(value).slice(0, -1)),
    ),
  }),
  fc.record({
    name: fc.string({ unit: fc.constantFrom(...NAME_CHARS), maxLength: 4 }),
    value: fc.uint8Array({ maxLength: 17 }),
  }),
  fc.record({
    name: fc.constantFrom("#address-cells", "#size-cells"),
    value: fc.oneof(fc.constantFrom(1, 2, 0, 3, 255).map(cell), fc.uint8Array({ maxLength: 5 })),
  }),
  fc.record({
    name: fc.constantFrom("compatible", "device_type", "bootargs", "status", "stdout-path"),
    value: fc.constantFrom("memory", "okay", "disabled", "quiet", "").map(text),
  }),
  fc.record({
    name: fc.constantFrom("reg", "ranges", "linux,initrd-start", "p", "", "phandle", "no-map"),
    value: fc.uint8Array({ maxLength: 20 }),
  }),
  fc.record({
    name: fc.constantFrom("long", "long", "y".repeat(255), "y".repeat(256)),
    value: fc.constantFrom(7, 8, 9, 16).map((size) => new Uint8Array(size)),
  }),
  fc.record({
    name: fc.constant("reg"),
    value: fc.tuple(boundary, boundary).map(([a, b]) => {
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setBigUint64(0, a);
      new DataView(bytes.buffer).setBigUint64(8, b);
      return bytes;
    }),
  }),
);

/** Nodes of a few levels: a file of many is the linear property's. */
function nodes(levels: number): fc.Arbitrary<Node> {
  return fc.record({
    name,
    properties: fc.array(property, { maxLength: 4 }),
    children: levels === 0 ? fc.constant([]) : fc.array(nodes(levels - 1), { maxLength: 3 }),
  });
}

export const node: fc.Arbitrary<Node> = nodes(3);

/** Trees of any names, some of them twice. */
export const roughTrees: fc.Arbitrary<Tree> = fc.record({
  bootCpuId: boundary32,
  reservations: fc.array(
    fc.record({ start: boundary, size: boundary.map((size) => size || 1n) }),
    { maxLength: 3 },
  ),
  root: node.map((root) => ({ ...root, name: "" })),
});

/** Trees that a DTB can hold. */
export const trees: fc.Arbitrary<Tree> = roughTrees.map((tree) => {
  return { ...tree, root: mended(tree.root) };
});

/** Leaves out of a tree what it must not have. */
export function mended(node: Node, phandles: Set<string> = new Set()): Node {
  const properties = onlyFirst(node.properties).filter(({ name, value }) => {
    if (name === "name") return false;
    if (name === "linux,phandle" || name.length > MAX_NAME) return false;
    if (name !== "phandle") return /^[a-zA-Z0-9,._+*#?-]*$/.test(name);
    const number = value.join();
    if (phandles.has(number) || ["0,0,0,0", "255,255,255,255"].includes(number)) return false;
    phandles.add(number);
    return value.length === 4;
  });
  const children = onlyFirst(node.children)
    .filter(({ name }) => /^[a-zA-Z0-9,._+-]*(@[a-zA-Z0-9,._+-]*)?$/.test(name))
    .filter(({ name }) => name.length <= MAX_NAME)
    .map((child) => mended(child, phandles));
  return { ...node, properties, children };
}

function onlyFirst<T extends { name: string }>(items: T[]): T[] {
  return [...new Map(items.toReversed().map((item) => [item.name, item])).values()].toReversed();
}

/** A tree of one node in another, about as deep as is allowed. */
export const deepTrees: fc.Arbitrary<Tree> = fc.integer({ min: 62, max: 67 }).map((levels) => {
  let root: Node = { name: "n", properties: [], children: [] };
  for (let i = 1; i < levels; i++) root = { name: "n", properties: [], children: [root] };
  return { bootCpuId: 0, reservations: [], root: { ...root, name: "" } };
});

/** A node of about as many properties or children as are compared in pairs, two of one name or none. */
export const wideTrees: fc.Arbitrary<Tree> = fc.record({
  count: fc.integer({ min: 1, max: 14 }),
  double: sometimes(fc.nat(13)),
  isNodes: fc.boolean(),
}).map(({ count, double, isNodes }) => {
  const names = Array.from({ length: count }, (_, i) => `n${i}`);
  if (double !== undefined) names.push(names[double % count]);
  const root: Node = { name: "", properties: [], children: [] };
  for (const name of names) {
    if (isNodes) root.children.push({ name, properties: [], children: [] });
    else root.properties.push({ name, value: new Uint8Array(0) });
  }
  return { bootCpuId: 0, reservations: [], root };
});

/** Two nodes, or one, with phandles that are the same or not, or that no node may have. */
export const phandleTrees: fc.Arbitrary<Tree> = fc.record({
  numbers: fc.array(fc.constantFrom(1, 1, 2, 0, 0xffff_ffff, 0xffff_fffe), { maxLength: 3 }),
  isOneNode: fc.boolean(),
}).map(({ numbers, isOneNode }) => {
  const names = ["phandle", "linux,phandle"];
  const value = (number: number) => big(BigInt(number), 1);
  const root: Node = { name: "", properties: [], children: [] };
  numbers.forEach((number, i) => {
    if (isOneNode) {
      if (i < 2) root.properties.push({ name: names[i], value: value(number) });
    } else {
      const properties = [{ name: names[i % 2], value: value(number) }];
      root.children.push({ name: `n${i}`, properties, children: [] });
    }
  });
  return { bootCpuId: 0, reservations: [], root };
});

/** A node that tells its name as nodes did before version 16: right, or nearly. */
export const namedTrees: fc.Arbitrary<Tree> = fc.record({
  name: fc.constantFrom("memory@40000000", "a@1", "chosen"),
  told: fc.constantFrom("base", "base", "whole", "short", "bare", "long", "none"),
}).map(({ name, told }) => {
  const base = name.split("@")[0];
  const value = {
    ...{ base: text(base), whole: text(name), short: text(base).slice(0, -2) },
    ...{ bare: text(base).slice(0, -1), long: text(`${base}\0`), none: new Uint8Array(0) },
  }[told]!;
  const children = [{ name, properties: [{ name: "name", value }], children: [] }];
  return { bootCpuId: 0, reservations: [], root: { name: "", properties: [], children } };
});
