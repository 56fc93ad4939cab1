import fc from "fast-check";
import { FAMILIES, type Family } from "../arbitraries/families.ts";
import { type Library, property, Violation } from "../property.ts";
import * as real from "../../mod.ts";
import { allocationOf, countedLibrary, growthOf } from "../work.ts";

/** Linear work has an exponent of 1; sorting and what is constant keep it from being that exactly. */
const MAX_EXPONENT = 1.25;
/** Members of a family: each twice as large as the one before. */
const DOUBLINGS = 4;

/** A library that counts, for the one that is under test. */
function counted(library: Library): { library: Library; work: () => number } {
  if (library === real) return countedLibrary();
  // A test's broken copy counts for itself
  const { work = () => 0 } = library as unknown as { work?: () => number };
  return { library, work };
}

export default property({
  name: "linear",
  says:
    "work grows no faster than the input: edges taken and bytes allocated, for files made to hurt",
  // A fault may slow one family down and no other: all of them have their turn each time
  inputs: fc.record({ scale: fc.integer({ min: 4, max: 6 }) }),
  share: 1 / 300,
  check({ scale }, library) {
    for (const family of FAMILIES) check(family, scale, library);
  },
});

function check(family: Family, scale: number, library: Library): void {
  const { library: one, work } = counted(library);
  const points = Array.from({ length: DOUBLINGS }, (_, i) => {
    const n = Math.floor(family.first * scale / 4) * 2 ** i;
    const { size, run } = family.make(n);
    const before = work();
    const { error, bytes } = allocationOf(() => run(one));
    if (error) throw error;
    return { size, work: work() - before + bytes };
  });
  const exponent = growthOf(points);
  if (exponent <= (family.slack ?? MAX_EXPONENT)) return;
  const seen = points.map(({ size, work }) => `${size}: ${work}`).join(", ");
  throw new Violation(`${family.name} grows by ${exponent.toFixed(2)}`, seen);
}
