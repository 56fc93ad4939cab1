/** Device trees that an arm64 or riscv64 boot can use, or nearly so. */
import fc from "fast-check";
import type { Node, Tree } from "./dtb.ts";
import { sometimes } from "./numbers.ts";
import { big, cell, mended, node, text } from "./trees.ts";

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
