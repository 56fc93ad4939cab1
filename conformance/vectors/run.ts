/** Runs the vectors and counts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFile } from "../../src/files.ts";
import { readVectors, type VectorFiles } from "./cases.ts";
import { compare, type WithFile } from "./compare.ts";
import { DIVERGENCES, SOURCE_INDEPENDENT } from "./divergences.ts";

/** What came of a run. */
export interface Tally {
  /** Cases that both answer alike in every field. */
  agree: number;
  /** Cases in which a divergence plays a part, by its name. */
  readonly divergences: Map<string, number>;
  /** Cases in which something differs that no divergence explains. */
  readonly unexplained: { readonly id: string; readonly differences: readonly string[] }[];
}

/**
 * Runs all cases.
 *
 * @param files Where they are.
 * @returns What came of them.
 */
export function runVectors(files: VectorFiles): Tally {
  const divergences = new Map([...DIVERGENCES, SOURCE_INDEPENDENT].map(({ name }) => [name, 0]));
  const tally: Tally = { agree: 0, divergences, unexplained: [] };
  const directory = mkdtempSync(join(tmpdir(), "vectors-"));
  const path = join(directory, "input");
  const withFile: WithFile = (input, use) => {
    writeFileSync(path, input);
    using file = openFile(path);
    return use(file);
  };
  try {
    for (const vector of readVectors(files)) {
      const { divergences: names, unexplained } = compare(vector, withFile);
      if (unexplained.length > 0) {
        tally.unexplained.push({ id: vector.case.id, differences: unexplained });
      } else if (names.length === 0) {
        tally.agree++;
      }
      for (const name of names) divergences.set(name, divergences.get(name)! + 1);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return tally;
}
