/**
 * Has Stryker's instrumenter make mutants. In Node: Deno does not load packages from beside its own.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";

/** A mutant as Stryker gives it: lines and columns from 0 on. */
export interface StrykerMutant {
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
}

/** What this is asked for, as JSON. */
export interface StrykerRequest {
  /** Where Stryker is installed. */
  readonly directory: string;
  readonly files: readonly { readonly name: string; readonly path: string }[];
  readonly output: string;
}

const { directory, files, output } = JSON.parse(process.argv[2]) as StrykerRequest;
const load = (path: string) => import(pathToFileURL(`${directory}/node_modules/${path}`).href);
const { createInstrumenter } = await load("@stryker-mutator/instrumenter/dist/src/index.js");
const { createInjector } = await load("typed-inject/dist/src/index.js");

/** Says nothing, and that no level is wanted. */
const silent = new Proxy({}, { get: (_, name) => () => !String(name).startsWith("is") });
const instrumenter = createInjector()
  .provideValue("logger", silent)
  .provideValue("getLogger", () => silent)
  .provideValue("options", {})
  .provideValue("fileDescriptions", {})
  .injectFunction(createInstrumenter);
const inputs = files.map(({ name, path }) => {
  return { name, content: readFileSync(path, "utf8"), mutate: true };
});
const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: true };
const { mutants } = await instrumenter.instrument(inputs, options);
writeFileSync(output, JSON.stringify(mutants));
