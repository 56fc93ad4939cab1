import fc from "fast-check";
import type { FdtTree } from "../../mod.ts";
import type { Tree } from "../arbitraries/dtb.ts";
import { trees } from "../arbitraries/trees.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

type Mistake = readonly [
  what: string,
  code: string,
  field: string,
  make: (tree: Tree) => unknown,
];

const leaf = (name: string) => ({ name, properties: [], children: [] as unknown[] });
const withRoot = (tree: Tree, root: object) => ({ ...tree, root: { ...tree.root, ...root } });
const withCpu = (bootCpuId: number) => (tree: Tree) => ({ ...tree, bootCpuId });
const withReservation = (start: bigint, size: bigint) => (tree: Tree) => {
  return { ...tree, reservations: [...tree.reservations, { start, size }] };
};
const withProperties = (...names: readonly string[]) => (tree: Tree) => {
  const more = names.map((name) => ({ name, value: Uint8Array.of(0, 0, 0, 9) }));
  return withRoot(tree, { properties: [...tree.root.properties, ...more] });
};
const withNode = (...names: readonly string[]) => (tree: Tree) => {
  return withRoot(tree, { children: [...tree.root.children, ...names.map(leaf)] });
};

function deep(tree: Tree): unknown {
  const loop = leaf("loop");
  loop.children.push(loop);
  return withRoot(tree, { children: [loop] });
}

function large(tree: Tree): unknown {
  const value = new Uint8Array(1 << 20);
  const properties = ["first", "second", "third"].map((name) => ({ name, value }));
  return withRoot(tree, { properties, children: [] });
}

const [CPU, ENTRY] = ["fdt_header.boot_cpuid_phys", "fdt_reserve_entry"];
const [NODE, PROPERTY] = ["node name", "property name"];

/** What may be wrong with a tree, and what it is refused with. */
const MISTAKES: readonly Mistake[] = [
  ...[-1, 2 ** 32, 0.5, Infinity].map((
    id,
  ): Mistake => [`CPU ${id}`, "FDT_VALUE", CPU, withCpu(id)]),
  ["an empty reservation", "FDT_VALUE", ENTRY, withReservation(1n, 0n)],
  ["a reservation below 0", "FDT_VALUE", ENTRY, withReservation(-1n, 1n)],
  ["a reservation at 2^64", "FDT_VALUE", ENTRY, withReservation(1n << 64n, 1n)],
  ["a reservation of 2^64", "FDT_VALUE", ENTRY, withReservation(0n, 1n << 64n)],
  ["a node of no name's characters", "FDT_VALUE", NODE, withNode("a/b")],
  ["a node of two unit addresses", "FDT_VALUE", NODE, withNode("a@1@2")],
  ["two nodes of a name", "FDT_VALUE", NODE, withNode("twice", "twice")],
  [
    "a long node name",
    "LIMIT_EXCEEDED",
    `device tree bytes of a ${NODE}`,
    withNode("x".repeat(256)),
  ],
  ["a property of no name's characters", "FDT_VALUE", PROPERTY, withProperties("a@b")],
  ["two properties of a name", "FDT_VALUE", PROPERTY, withProperties("twice", "twice")],
  [
    ...["a long property name", "LIMIT_EXCEEDED", `device tree bytes of a ${PROPERTY}`] as const,
    withProperties("x".repeat(256)),
  ],
  ["a tree in itself", "LIMIT_EXCEEDED", "device tree nested nodes", deep],
  ["3 MiB", "FDT_TOO_BIG", "fdt_header.totalsize", large],
];

/** What version 17 takes: the structure block, the strings with each name once, all of it in blocks. */
function sizesOf(
  { reservations, root }: Tree,
): { structure: number; strings: number; total: number } {
  const names = new Set<string>();
  const up = (size: number, to: number) => Math.ceil(size / to) * to;
  const node = ({ name, properties, children }: Tree["root"]): number => {
    let size = 8 + up(name.length + 1, 4);
    for (const property of properties) {
      names.add(property.name);
      size += 12 + up(property.value.length, 4);
    }
    return children.reduce((sum, child) => sum + node(child), size);
  };
  const structure = node(root) + 4;
  const strings = [...names].reduce((sum, name) => sum + name.length + 1, 0);
  const total = 40 + 16 * (reservations.length + 1) + up(structure, 8) + up(strings, 8);
  return { structure, strings, total };
}

export default property({
  name: "write-fdt",
  says: "writeFdt lays a tree out as the specification says, or says what no tree may have",
  inputs: fc.record({ tree: trees, mistake: fc.option(fc.constantFrom(...MISTAKES)) }),
  check({ tree, mistake }, { writeFdt }) {
    if (mistake) {
      const [what, code, field, make] = mistake;
      const { refused } = judge(Infinity, () => writeFdt(make(tree) as FdtTree));
      if (refused?.code === code && refused.field === field) return;
      throw new Violation(`${what} is written, or another fault is told`, refused?.message);
    }
    const bytes = writeFdt(tree);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [total, structure, strings, reservations] = [4, 8, 12, 16].map((at) =>
      view.getUint32(at)
    );
    const faults: string[] = [];
    const sizes = sizesOf(tree);
    if (bytes.length !== sizes.total || total !== bytes.length) faults.push(`${total} bytes`);
    if (view.getUint32(32) !== sizes.strings) faults.push("the strings' size");
    if (view.getUint32(36) !== sizes.structure) faults.push("the structure's size");
    if ([structure, strings, reservations].some((at) => at % 8 !== 0)) {
      faults.push("a block's place");
    }
    if ([20, 24].map((at) => view.getUint32(at)).join() !== "17,16") faults.push("the version");
    requireNone("a tree is laid out another way", faults);
  },
});
