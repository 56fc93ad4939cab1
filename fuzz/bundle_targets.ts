/**
 * The targets for an engine that loads CommonJS, such as Jazzer.js: `<target>.js`, which exports
 * `fuzz(data)`, and a folder `<target>` of seeds beside.
 *
 * ```sh
 * npx tsx fuzz/bundle_targets.ts DIRECTORY
 * ```
 *
 * @module
 */
import { buildSync } from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { seedsOf, TARGETS } from "./guided/targets.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Writes the bundles and the seeds.
 *
 * @param directory Where to; it is made.
 * @returns The bundles' files.
 */
export function bundleTargets(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  // The repository's own package.json says that a .js file is an ES module
  writeFileSync(join(directory, "package.json"), '{ "type": "commonjs" }\n');
  return TARGETS.map((target) => {
    const name = target.name.replaceAll("-", "_");
    const file = join(directory, `${name}.js`);
    buildSync({
      absWorkingDir: ROOT,
      entryPoints: [target.entry],
      outfile: file,
      bundle: true,
      format: "cjs",
      platform: "node",
      target: "es2022",
      logLevel: "error",
    });
    mkdirSync(join(directory, name), { recursive: true });
    for (const [i, seed] of seedsOf(target).entries()) {
      writeFileSync(join(directory, name, `seed-${i}`), seed);
    }
    return file;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined) {
    console.error("Usage: npx tsx fuzz/bundle_targets.ts DIRECTORY");
    process.exit(2);
  }
  for (const file of bundleTargets(join(process.cwd(), directory))) console.log(file);
}
