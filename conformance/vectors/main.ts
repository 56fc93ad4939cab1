/**
 * `deno task vectors`: puts the differential cases to this library and compares its answers with
 * linux-loader's. Exit code 1 if a difference is unexplained.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { OWN_FILES } from "./cases.ts";
import { DIVERGENCES, SOURCE_INDEPENDENT } from "./divergences.ts";
import { runVectors, type Tally } from "./run.ts";

const USAGE = `Usage: deno task vectors [options]

  --bases FILE     the base inputs (gzip, one JSON object a line)
  --cases FILE     the cases
  --verdicts FILE  linux-loader's answers
  --show N         how many unexplained cases are shown (default: 5)`;

const MISUSED = 2;

function main(args: readonly string[]): number {
  const text = { type: "string" } as const;
  const options = { bases: text, cases: text, verdicts: text, show: text } as const;
  let values: { [K in keyof typeof options]?: string } & { help?: boolean };
  try {
    values = parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return MISUSED;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { bases, cases, verdicts } = OWN_FILES;
  const tally = runVectors({
    bases: values.bases ?? bases,
    cases: values.cases ?? cases,
    verdicts: values.verdicts ?? verdicts,
  });
  report(tally, Number(values.show ?? 5));
  return tally.unexplained.length === 0 ? 0 : 1;
}

function report({ agree, divergences, unexplained }: Tally, show: number): void {
  console.log(`agree ${agree}`);
  for (const { name, reason } of [...DIVERGENCES, SOURCE_INDEPENDENT]) {
    console.log(`${name} ${divergences.get(name)}: ${reason}`);
  }
  console.log(`unexplained ${unexplained.length}`);
  for (const { id, differences } of unexplained.slice(0, show)) {
    console.log(`  ${id}`);
    for (const difference of differences) console.log(`    ${difference}`);
  }
}

process.exitCode = main(process.argv.slice(2));
