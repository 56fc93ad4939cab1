/** Device trees: as trees, as valid DTBs, and as bent ones. */
import fc from "fast-check";
import { bends, bent, boundary, boundary32, type Place, sometimes } from "./numbers.ts";

/** A node, in the library's shape. */
export interface Node {
  name: string;
  properties: { name: string; value: Uint8Array }[];
  children: Node[];
}

/** A tree, in the library's shape. */
export interface Tree {
  bootCpuId: number;
  reservations: { start: bigint; size: bigint }[];
  root: Node;
}

const cell = (value: number) => Uint8Array.of(0, 0, 0, value);
const text = (value: string) => new TextEncoder().encode(`${value}\0`);
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

const node = nodes(3);

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
function mended(node: Node, phandles: Set<string> = new Set()): Node {
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

const big = (value: bigint, cells: number) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes.slice(8 - 4 * cells);
};

/** What a tree may hold that a boot replaces: memory, and what the machine's last kernel was told. */
const stale = fc.constantFrom<Node>(
  {
    name: "memory@80000000",
    properties: [{ name: "device_type", value: text("memory") }],
    children: [],
  },
  { name: "memory", properties: [{ name: "reg", value: new Uint8Array(16) }], children: [] },
  {
    name: "ram",
    properties: [{ name: "device_type", value: text("memory") }],
    children: [],
  },
  {
    name: "chosen",
    properties: [
      { name: "linux,initrd-start", value: big(0x1234n, 1) },
      { name: "bootargs", value: text("old") },
      { name: "linux,initrd-end", value: big(0x2234n, 2) },
      { name: "bootargs", value: text("older") },
      { name: "kaslr-seed", value: big(1n, 2) },
    ],
    children: [],
  },
);

/** A child of /reserved-memory. */
interface ReservedNode {
  readonly name: string;
  /** Its `reg`, if it has one, and bytes too many or too few. */
  readonly ranges?: readonly { start: bigint; size: bigint }[];
  readonly extra: number;
  readonly status?: Uint8Array;
}

const latin1 = (value: string) => Uint8Array.from(value, (char) => char.charCodeAt(0));

const reservedNode: fc.Arbitrary<ReservedNode> = fc.record({
  name: fc.constantFrom("r", "r", "firmware-", ""),
  ranges: fc.option(
    fc.array(
      fc.record({
        start: fc.constantFrom(0x40000000n, 0x40200000n, 0x40400000n, 0x60000000n, 0xffff_f000n),
        size: fc.constantFrom(0x1000n, 0x10000n, 0n, 0x1fffn),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    { freq: 8, nil: undefined },
  ),
  extra: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, -1, -4, -8, -16, 1, 4),
  status: sometimes(
    fc.constantFrom("okay\0", "ok\0", "okay\0no\0", "disabled\0", "okay", "okayish\0", "\0", "")
      .map(latin1),
    1,
  ),
});

/** What /reserved-memory is called, and whether it counts cells as the root does. */
const reservedParent = fc.record({
  name: fc.constantFrom(...Array<string>(9).fill("reserved-memory"), "reserved-memory@0"),
  counts: fc.constantFrom("own" as const, "own" as const, "swapped" as const, "none" as const),
});

/** Trees that an arm64 or riscv64 boot can use: cells of the root are right, nothing odd reserved. */
export const bootTrees: fc.Arbitrary<Tree> = fc.record({
  cells: fc.constantFrom<[number, number]>([2, 2], [2, 2], [1, 1], [2, 1], [1, 2]),
  children: fc.array(node, { maxLength: 3 }),
  reserved: fc.array(
    fc.record({
      start: fc.constantFrom(0x40000000n, 0x40200000n, 0x1000n, 0x40400000n),
      size: fc.constantFrom(1n, 0x1000n, 0x200000n),
    }),
    { maxLength: 2 },
  ),
  stale: fc.array(stale, { maxLength: 2 }),
  nodes: fc.array(reservedNode, { maxLength: 2 }),
  parent: reservedParent,
}).map(({ cells, children, reserved, stale, nodes, parent }) => ({
  bootCpuId: 0,
  reservations: reserved,
  root: {
    name: "",
    properties: [
      { name: "#address-cells", value: cell(cells[0]) },
      { name: "#size-cells", value: cell(cells[1]) },
    ],
    children: mended({
      name: "",
      properties: [],
      children: [
        ...children.filter(({ name }) => name !== "reserved-memory"),
        ...stale,
        ...nodes.length === 0 ? [] : [reservedMemory(nodes, cells, parent)],
      ],
    }).children,
  },
}));

function reservedMemory(
  nodes: readonly ReservedNode[],
  cells: [number, number],
  { name, counts }: { name: string; counts: "own" | "swapped" | "none" },
): Node {
  const [address, length] = counts === "swapped" ? cells.toReversed() : cells;
  const own = [
    { name: "#address-cells", value: cell(address) },
    { name: "#size-cells", value: cell(length) },
  ];
  return {
    name,
    properties: [
      ...counts === "none" ? [] : own,
      { name: "ranges", value: new Uint8Array(0) },
    ],
    children: nodes.map(({ name, ranges, extra, status }, i) => {
      const reg = ranges?.flatMap(({ start, size }) => {
        return [...big(start, cells[0]), ...big(size, cells[1])];
      });
      const whole = reg && [...reg, ...Array<number>(Math.max(extra, 0)).fill(0)];
      const value = whole && Uint8Array.from(whole.slice(0, Math.max(0, whole.length + extra)));
      return {
        name: `${name}${i}${ranges?.length ? `@${ranges[0].start.toString(16)}` : ""}`,
        properties: [
          ...value ? [{ name: "reg", value }] : [],
          ...status === undefined ? [] : [{ name: "status", value: status }],
        ],
        children: [],
      };
    }),
  };
}

/**
 * Writes a DTB: Devicetree Specification v0.4, chapter 5, as plainly as can be. No bounds are checked.
 *
 * @param tree The tree.
 * @param nops FDT_NOPs before every token but the first and the last, where dtc wants none.
 * @param version The version: before 16, nodes tell their path, and long values are aligned to 8.
 * @param gap Bytes before the structure block.
 * @param isLate Whether a node's last property follows its children.
 * @returns The file.
 */
export function dtb(
  { bootCpuId, reservations, root }: Tree,
  nops = 0,
  version = 17,
  gap = 0,
  isLate = false,
): Uint8Array {
  const structure: number[] = [];
  const strings: number[] = [];
  const offsets = new Map<string, number>();
  const word = (value: number) =>
    structure.push(value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
  const pad = () => {
    while (structure.length % 4 !== 0) structure.push(0);
  };
  const token = (value: number, before = nops) => {
    for (let i = 0; i < before; i++) word(4);
    word(value);
  };
  const chars = (text: string) => [...text].map((char) => char.charCodeAt(0));
  const write = (node: Node, parent: string) => {
    token(1, node === root ? 0 : nops);
    const path = version < 16 ? `${parent}/${node.name}` : node.name;
    structure.push(...chars(path), 0);
    pad();
    const writeProperty = ({ name, value }: Node["properties"][number]) => {
      if (!offsets.has(name)) {
        offsets.set(name, strings.length);
        strings.push(...chars(name), 0);
      }
      token(3);
      word(value.length);
      word(offsets.get(name)!);
      if (version < 16 && value.length >= 8 && structure.length % 8 !== 0) word(0);
      for (const byte of value) structure.push(byte);
      pad();
    };
    const late = isLate ? node.properties.slice(-1) : [];
    node.properties.slice(0, node.properties.length - late.length).forEach(writeProperty);
    node.children.forEach((child) => write(child, node === root ? "" : path));
    late.forEach(writeProperty);
    token(2);
  };
  write(root, "");
  token(9, 0);
  const reserved = 16 * (reservations.length + 1);
  const structureAt = 40 + reserved + gap;
  const bytes = new Uint8Array(structureAt + structure.length + strings.length);
  const view = new DataView(bytes.buffer);
  const stringsAt = structureAt + structure.length;
  [
    0xd00dfeed,
    bytes.length,
    structureAt,
    stringsAt,
    40,
    version,
    Math.min(version, 16),
    bootCpuId,
    strings.length,
    structure.length,
  ].forEach((value, i) => view.setUint32(4 * i, value));
  reservations.forEach(({ start, size }, i) => {
    view.setBigUint64(40 + 16 * i, start);
    view.setBigUint64(48 + 16 * i, size);
  });
  bytes.set(structure, structureAt);
  bytes.set(strings, stringsAt);
  return bytes;
}

/** The header's ten words, the reservations, and the first words of the structure block. */
const PLACES: readonly Place[] = [
  ...Array.from({ length: 10 }, (_, i): Place => [4 * i, 4]),
  ...Array.from({ length: 30 }, (_, i): Place => [40 + 4 * i, 4]),
  [40, 8],
  [48, 8],
];

/** A tree of one node in another, about as deep as is allowed. */
const deepTrees: fc.Arbitrary<Tree> = fc.integer({ min: 62, max: 67 }).map((levels) => {
  let root: Node = { name: "n", properties: [], children: [] };
  for (let i = 1; i < levels; i++) root = { name: "n", properties: [], children: [root] };
  return { bootCpuId: 0, reservations: [], root: { ...root, name: "" } };
});

/** A node of about as many properties or children as are compared in pairs, two of one name or none. */
const wideTrees: fc.Arbitrary<Tree> = fc.record({
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
const phandleTrees: fc.Arbitrary<Tree> = fc.record({
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
const namedTrees: fc.Arbitrary<Tree> = fc.record({
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

/** DTBs, a third of them as they should be. */
export const dtbFiles: fc.Arbitrary<Uint8Array> = fc.record({
  tree: fc.oneof(
    { arbitrary: trees, weight: 12 },
    { arbitrary: roughTrees, weight: 4 },
    { arbitrary: deepTrees, weight: 1 },
    { arbitrary: wideTrees, weight: 1 },
    { arbitrary: phandleTrees, weight: 1 },
    { arbitrary: namedTrees, weight: 1 },
  ),
  gap: fc.constantFrom(0, 0, 4, 8),
  isLate: fc.nat(7).map((n) => n === 7),
  // A block that starts or ends where the tree does, or a byte beside
  edge: sometimes(
    fc.record({ word: fc.constantFrom(2, 3, 4, 8, 9), plus: fc.constantFrom(-1, 0, 1) }),
    7,
  ),
  // The last name starts where the strings end
  isCut: fc.nat(15).map((n) => n === 15),
  nops: fc.constantFrom(0, 0, 0, 1, 3),
  version: fc.constantFrom(17, 17, 17, 17, 16, 3, 2, 1),
  total: sometimes(
    fc.constantFrom(0, 27, 28, 31, 32, 35, 36, 39, 40, 2 << 20, 2 << 20, (2 << 20) + 1),
    9,
  ),
  bends: bends(PLACES, true),
}).map(({ tree, nops, version, gap, isLate, edge, isCut, bends, total }) => {
  const whole = dtb(tree, nops, version, gap, isLate);
  if (edge) {
    const view = new DataView(whole.buffer);
    const start = new Map([[8, 12], [9, 8]]).get(edge.word);
    const most = whole.length - (start === undefined ? 0 : view.getUint32(start));
    view.setUint32(4 * edge.word, most + edge.plus);
  }
  if (isCut) {
    const view = new DataView(whole.buffer);
    const strings = whole.subarray(view.getUint32(12));
    view.setUint32(32, strings.lastIndexOf(0, -2) + 1);
  }
  const file = bent(whole, bends);
  if (total !== undefined && file.length >= 8) new DataView(file.buffer).setUint32(4, total);
  return file;
});

/** DTBs for a boot: most can be used. */
export const bootDtbs: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: bootTrees.map((tree) => dtb(tree)), weight: 6 },
  { arbitrary: dtbFiles, weight: 1 },
);
