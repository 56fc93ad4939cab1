/** DTBs: valid ones, and bent ones. */
import fc from "fast-check";
import { bootTrees } from "./boot_trees.ts";
import { dtb } from "./dtb.ts";
import { bends, bent, type Place, sometimes } from "./numbers.ts";
import { deepTrees, namedTrees, phandleTrees, roughTrees, trees, wideTrees } from "./trees.ts";

/** The header's ten words, the reservations, and the first words of the structure block. */
const PLACES: readonly Place[] = [
  ...Array.from({ length: 10 }, (_, i): Place => [4 * i, 4]),
  ...Array.from({ length: 30 }, (_, i): Place => [40 + 4 * i, 4]),
  [40, 8],
  [48, 8],
];

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
