import fc from "fast-check";
import { texts } from "../arbitraries/cmdlines.ts";
import { boundary, boundary32 } from "../arbitraries/numbers.ts";
import type { Node } from "../arbitraries/dtb.ts";
import { roughTrees } from "../arbitraries/trees.ts";
import { encodeInput } from "../codec.ts";
import { sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { childOf } from "../model/fdt.ts";
import { property, Violation } from "../property.ts";

const TOP = 1n << 64n;
const wide = fc.oneof(
  { arbitrary: boundary, weight: 6 },
  { arbitrary: fc.constantFrom(-1n, TOP, TOP + 1n), weight: 1 },
);
const cell = fc.oneof(
  { arbitrary: boundary32, weight: 6 },
  { arbitrary: fc.constantFrom(-1, 0.5, 2 ** 32, 2 ** 53), weight: 1 },
);
const count = fc.constantFrom(1, 2);
const name = fc.constantFrom("chosen", "cpus", "cpu", "memory", "a", "", "cpu@1", "cpu@");

/** Devicetree Specification v0.4, 2.2.4: most significant byte first; undefined if it does not fit. */
function cells(value: bigint, count: number): number[] | undefined {
  if (value < 0n || value >= 1n << BigInt(32 * count)) return undefined;
  return Array.from(
    { length: 4 * count },
    (_, i) => Number(value >> BigInt(8 * (4 * count - 1 - i)) & 255n),
  );
}

/** All of some parts; undefined if one of them is. */
function all(...parts: readonly (number[] | undefined)[]): number[] | undefined {
  return parts.includes(undefined) ? undefined : parts.flatMap((part) => part!);
}

const whole = (value: number) => Number.isInteger(value) ? cells(BigInt(value), 1) : undefined;
const text = (value: string) =>
  /[\0\p{Surrogate}]/u.test(value) ? undefined : [...new TextEncoder().encode(value), 0];

/** The node at a path, by libfdt's rules. */
function found(root: Node, names: readonly string[]): Node | undefined {
  return names.filter((name) => name !== "").reduce<Node | undefined>((node, name) => {
    return node &&
      (name.includes("@")
        ? node.children.find((child) => child.name === name)
        : childOf(node, name));
  }, root);
}

export default property({
  name: "model-values",
  says: "values, properties and paths of device trees are what the plain model has",
  inputs: fc.record({
    cells: fc.array(cell, { maxLength: 3 }),
    number: wide,
    ranges: fc.array(fc.record({ start: wide, size: wide }), { maxLength: 2 }),
    addressCells: count,
    sizeCells: count,
    texts: fc.array(texts, { maxLength: 3 }),
    phandle: fc.oneof(cell, fc.constantFrom(0, 0xffff_ffff, 0xffff_fffe, 1)),
    raw: fc.uint8Array({ maxLength: 6 }),
    tree: roughTrees,
    path: fc.array(name, { maxLength: 3 }),
    slash: fc.constantFrom("/", "/", "/", "//", ""),
  }),
  check(input, library) {
    const { number, ranges, addressCells, sizeCells, phandle, raw, tree, path } = input;
    const counts = { addressCells, sizeCells };
    const same = (what: string, run: () => Uint8Array, wanted: number[] | undefined) => {
      const { value, refused } = judge(Infinity, run);
      if ((value === undefined) !== (wanted === undefined)) {
        throw new Violation(`${what} is${refused ? "" : " not"} refused`, refused?.message);
      }
      if (value && !sameBytes(value, Uint8Array.from(wanted!))) {
        throw new Violation(`other ${what}`);
      }
    };
    const fits = ({ start, size }: typeof ranges[0]) => start + size <= TOP;
    same("cells", () => library.encodeCells(input.cells), all(...input.cells.map(whole)));
    same("number", () => library.encodeNumber(number, sizeCells), cells(number, sizeCells));
    same(
      "reg",
      () => library.encodeReg(ranges, counts),
      ranges.every(fits)
        ? all(...ranges.flatMap(({ start, size }) => {
          return [cells(start, addressCells), cells(size, sizeCells)];
        }))
        : undefined,
    );
    same("strings", () => library.encodeStrings(input.texts), all(...input.texts.map(text)));
    for (const one of input.texts) same("string", () => library.encodeString(one), text(one));
    const isNone = phandle === 0 || phandle === 0xffff_ffff;
    same("phandle", () => library.encodePhandle(phandle), isNone ? undefined : whole(phandle));
    const end = raw.indexOf(0);
    const latin = String.fromCharCode(...end < 0 ? raw : raw.slice(0, end));
    if (library.decodeString(raw) !== latin) throw new Violation("another string");

    const at = `${input.slash}${path.join("/")}`;
    const node = judge(Infinity, () => library.findNode(tree.root, at));
    if ((node.refused !== undefined) !== !at.startsWith("/")) throw new Violation("a path", at);
    if (node.refused) return;
    const wanted = found(tree.root, path);
    if (node.value !== wanted) throw new Violation("another node", at);
    const made = library.ensureNode(tree.root, at);
    if (wanted ? made !== wanted : found(tree.root, path) !== made) {
      throw new Violation("another node is made", at);
    }
    const before = made.properties.map((one) => ({ ...one }));
    for (const name of [before[0]?.name ?? "new", "new"]) {
      library.setProperty(made, name, raw);
      const first = made.properties.findIndex((one) => one.name === name);
      const was = before.findIndex((one) => one.name === name);
      if (library.getProperty(made, name) !== raw || was >= 0 && first !== was) {
        throw new Violation("a property is not set");
      }
      library.deleteProperty(made, name);
      const rest = before.filter((one) => one.name !== name);
      if (encodeInput(made.properties) !== encodeInput(rest)) {
        throw new Violation("properties left");
      }
      made.properties = before.map((one) => ({ ...one }));
    }
  },
});
