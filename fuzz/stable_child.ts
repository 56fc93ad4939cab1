/**
 * The other side of properties/stable_runtimes.ts: reads cases, answers with a line for each.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import * as library from "../mod.ts";
import type { BootCase } from "./arbitraries/boots.ts";
import { decodeInput } from "./codec.ts";
import { digest } from "./digest.ts";

const [input, output] = process.argv.slice(2);
const cases = decodeInput(readFileSync(input, "utf8")) as BootCase[];
const lines = cases.map((boot) => {
  try {
    return digest(library, boot, (bytes) => bytes);
  } catch (error) {
    return String(error);
  }
});
writeFileSync(output, JSON.stringify(lines));
