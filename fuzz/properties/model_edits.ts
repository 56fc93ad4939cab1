import fc from "fast-check";
import { texts } from "../arbitraries/cmdlines.ts";
import { boundary, sometimes } from "../arbitraries/numbers.ts";
import { bootTrees } from "../arbitraries/boot_trees.ts";
import type { Tree } from "../arbitraries/dtb.ts";
import { roughTrees } from "../arbitraries/trees.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { choose, keep, keepBlock, NoEdit, remember } from "../model/edits.ts";
import { property, Violation } from "../property.ts";

/** A value, null for none, undefined for what was there. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(
    { arbitrary, weight: 2 },
    { arbitrary: fc.constantFrom(null, undefined), weight: 1 },
  );
const line = fc.oneof({ arbitrary: fc.constantFrom("quiet", ""), weight: 3 }, texts);
const near = fc.constantFrom(0x4000_0000n, 0x8000_0000n, 0x1_0000_0000n, 0n);
const range = fc.record({
  start: fc.oneof({ arbitrary: near, weight: 4 }, { arbitrary: boundary, weight: 1 }),
  size: fc.oneof(
    { arbitrary: fc.constantFrom(0x1000n, 0x4000_0000n), weight: 6 },
    { arbitrary: fc.oneof(boundary, fc.constantFrom(0n, 1n << 32n)), weight: 1 },
  ),
});

/** Does the same to a tree twice: as the library does it, and as the model does. */
function compare(
  what: string,
  tree: Tree,
  edit: (tree: Tree) => void,
  plain: (tree: Tree) => void,
): void {
  const [mine, before] = [structuredClone(tree), encodeInput(tree)];
  const { refused } = judge(Infinity, () => edit(tree));
  try {
    plain(mine);
  } catch (error) {
    if (!(error instanceof NoEdit)) throw error;
    if (!refused) throw new Violation(`${what}: an edit is not refused`);
    if (encodeInput(tree) !== before) throw new Violation(`${what}: changed before it was refused`);
    return;
  }
  if (refused) throw new Violation(`${what}: an edit is refused`, refused.message);
  if (encodeInput(tree) !== encodeInput(mine)) throw new Violation(`${what}: another tree`);
}

export default property({
  name: "model-edits",
  says: "setChosen, setMemory and addReservedMemory leave the tree that the plain model does",
  inputs: fc.record({
    tree: fc.oneof({ arbitrary: bootTrees, weight: 4 }, { arbitrary: roughTrees, weight: 2 }),
    chosen: fc.record({
      bootargs: maybe(line),
      initrd: maybe(range),
      stdoutPath: maybe(line),
      kaslrSeed: maybe(fc.oneof(boundary, fc.constantFrom(-1n, 1n << 64n))),
      rngSeed: maybe(fc.uint8Array({ maxLength: 9 })),
    }),
    memory: fc.array(range, { maxLength: 3 }),
    reserved: fc.array(
      fc.record({
        range,
        name: fc.constantFrom("r0", "r1", "firmware", "a b", "", "x".repeat(32)),
        noMap: fc.option(fc.boolean(), { nil: undefined }),
      }).map(({ range, ...rest }) => ({ ...range, ...rest })),
      { maxLength: 3 },
    ),
    blocks: fc.array(range, { maxLength: 2 }),
    // Names that begin as another one does, and come before it; what is memory by its type
    others: fc.array(
      fc.record({
        name: fc.constantFrom("chosen2", "chosen-x", "chosen@0", "reserved-memory2", "memory2"),
        type: fc.constantFrom(undefined, "memory\0", "memory", "memory\0x", "memor\0", ""),
      }),
      { maxLength: 2 },
    ),
    // A count of cells is 1 or 2, in four bytes
    cells: sometimes(
      fc.record({
        name: fc.constantFrom("#address-cells", "#size-cells"),
        value: fc.constantFrom(
          ...[[0, 0, 0, 1, 0, 0, 0, 2], [0, 0, 0, 0, 1], [2], [], [0, 0, 0, 0], [0, 0, 0, 3]],
          ...[[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 2]],
        ).map((bytes) => Uint8Array.from(bytes)),
      }),
      5,
    ),
  }),
  check(input, { setChosen, setMemory, addReservedMemory, reserve }) {
    const { tree, memory, reserved, others } = input;
    // The caller's own: they are changed in the end
    const { chosen, blocks } = structuredClone({ chosen: input.chosen, blocks: input.blocks });
    const own = structuredClone(tree);
    const named = others.map(({ name, type }) => {
      const value = new TextEncoder().encode(type);
      return {
        name,
        properties: type === undefined ? [] : [{ name: "device_type", value }],
        children: [],
      };
    });
    own.root.children.unshift(...named);
    if (input.cells) own.root.properties.unshift(input.cells);
    compare("/chosen", own, (tree) => setChosen(tree, chosen), (tree) => choose(tree, chosen));
    compare("/memory", own, (tree) => setMemory(tree, memory), (tree) => remember(tree, memory));
    compare(
      "/reserved-memory",
      own,
      (tree) => addReservedMemory(tree, reserved),
      (tree) => keep(tree, reserved),
    );
    for (const block of blocks) {
      compare("a block", own, (tree) => reserve(tree, block), (tree) => keepBlock(tree, block));
    }
    const after = encodeInput(own);
    chosen.rngSeed?.fill(0xff);
    for (const block of blocks) block.size = 1n;
    if (encodeInput(own) !== after) throw new Violation("the tree holds what is the caller's");
  },
});
