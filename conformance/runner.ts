/** Runs cases, some at a time. */
import type { Case, CaseResult } from "./case.ts";
import { formatId } from "./case.ts";
import { execute, type ExecuteOptions } from "./execute.ts";

/** Told what happens. */
export interface Watcher {
  /** A case begins. */
  begin(id: string): void;
  /** A case has ended. */
  end(result: CaseResult): void;
}

/**
 * Runs cases.
 *
 * @param cases The cases, in the order in which they begin.
 * @param jobs How many run at a time.
 * @param options How.
 * @param watcher Told what happens.
 * @returns A result for each case that was begun, in the order of the cases.
 */
export async function runCases(
  cases: readonly Case[],
  jobs: number,
  options: ExecuteOptions,
  watcher: Watcher,
): Promise<CaseResult[]> {
  const results: (CaseResult | undefined)[] = cases.map(() => undefined);
  let next = 0;
  const worker = async () => {
    for (;;) {
      // A case that never waits would keep the others' output, and their time limits, waiting.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (next >= cases.length || options.signal.aborted) return;
      const index = next++;
      watcher.begin(formatId(cases[index].id));
      const result = await execute(cases[index], options);
      results[index] = result;
      watcher.end(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results.filter((result) => result !== undefined);
}
