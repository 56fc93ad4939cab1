import fc from "fast-check";
import type { FdtTree } from "../../mod.ts";
import { judge } from "../judge.ts";
import { requireSaid, type Said } from "../model/said.ts";
import { type Library, property, Violation } from "../property.ts";

/** limits.ts: nodes of a tree, the root among them, and properties of all of them together. */
const MAX_NODES = 65_536;
const MAX_PROPERTIES = 131_072;
/** Two tokens and a name of 8 bytes; a token, a length and a name's offset. */
const [NODE_SIZE, PROPERTY_SIZE] = [16, 12];
/** A header, an empty list of reservations, the root's token and name. */
const FIRST_NODE = 40 + 16 + 8;

/** A DTB of a root and nodes in it, each with properties of no bytes; and the first of what is too much. */
function made(nodes: number, properties: number): { file: Uint8Array; excess?: Said } {
  const row = NODE_SIZE + PROPERTY_SIZE * properties;
  const names = Array.from({ length: properties }, (_, i) => `p${i}\0`.padStart(8, "p")).join("");
  const stringsAt = FIRST_NODE + row * (nodes - 1) + 8;
  const file = new Uint8Array(stringsAt + names.length);
  const view = new DataView(file.buffer);
  let at = 0;
  const word = (value: number) => {
    view.setUint32(at, value);
    at += 4;
  };
  const text = (value: string) => {
    for (let i = 0; i < value.length; i++) file[at++] = value.charCodeAt(i);
  };
  const header = [0xd00dfeed, file.length, 56, stringsAt, 40, 17, 16, 0, names.length];
  [...header, stringsAt - 56, 0, 0, 0, 0, 1, 0].forEach(word);
  for (let i = 1; i < nodes; i++) {
    word(1);
    text(`n${i}`.padStart(7, "n") + "\0");
    for (let j = 0; j < properties; j++) [3, 0, 8 * j].forEach(word);
    word(2);
  }
  [2, 9].forEach(word);
  text(names);
  const excess = (what: string, offset: number) => {
    return { file, excess: { code: "LIMIT_EXCEEDED", field: `device tree ${what}`, offset } };
  };
  if (nodes > MAX_NODES) return excess("nodes", FIRST_NODE + row * (MAX_NODES - 1));
  if (properties * (nodes - 1) <= MAX_PROPERTIES) return { file };
  const [whole, rest] = [Math.floor(MAX_PROPERTIES / properties), MAX_PROPERTIES % properties];
  return excess("properties", FIRST_NODE + row * whole + 12 + PROPERTY_SIZE * rest);
}

/** One node more than can be read is not written. */
function requireRefused({ writeFdt }: Library, tree: FdtTree, size: number): void {
  const { root } = tree;
  const children = [...root.children, { name: "one-more", properties: [], children: [] }];
  const { refused } = judge(size, () => writeFdt({ ...tree, root: { ...root, children } }));
  if (refused?.code === "LIMIT_EXCEEDED") return;
  throw new Violation("too many nodes are written", refused?.message);
}

export default property({
  name: "limits-fdt",
  says: "a tree has as many nodes and properties as are allowed, and no more, read and written",
  inputs: fc.constantFrom([65_536, 0], [65_537, 0], [4098, 32]),
  share: 0.03,
  check([nodes, properties], library) {
    const { file, excess } = made(nodes, properties);
    const { value, refused } = judge(file.length, () => library.parseFdt(file));
    const count = value?.root.children.length;
    requireSaid({ value: count, refused } as Parameters<typeof requireSaid>[0], {
      ...excess ? { refused: excess } : { value: nodes - 1 },
    });
    if (value) requireRefused(library, value, file.length);
  },
});
