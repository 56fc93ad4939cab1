/**
 * Checks who imports whom against the plan of the house: rooms on floors, arrows that point down,
 * no circles, no packages in the library.
 *
 * ```sh
 * deno run -A scripts/check_layers.ts
 * ```
 *
 * The imports are what `deno info` finds, type-only and literal dynamic ones included.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { denoCommand, ROOT, runStep } from "./steps.ts";

/** A room: a file, or a folder with everything in it. */
export interface Room {
  path: string;
  floor: number;
  /** What it may import besides files. Default: nothing. */
  outside?: readonly ("node:" | "packages")[];
  /** The files in it that do not import each other; `shared` ones are theirs to share. */
  apart?: { shared: readonly string[] };
}

/** A file of the library imports from its own room, or from rooms on lower floors. */
export const ROOMS: readonly Room[] = [
  { path: "mod.ts", floor: 7 },

  { path: "src/boot.ts", floor: 6 },
  { path: "src/loader.ts", floor: 6 },
  { path: "src/configurator.ts", floor: 6 },
  { path: "src/compressed/", floor: 6, outside: ["node:", "packages"] },
  { path: "src/files.ts", floor: 6, outside: ["node:"] },

  {
    path: "src/protocols/",
    floor: 5,
    apart: {
      shared: [
        ...["plan.ts", "layout_x86.ts", "elf_segments.ts", "bzimage_placement.ts"],
        ...["x86_guest.ts", "linux_x86.ts", "flat_guest.ts"],
      ],
    },
  },

  { path: "src/params/", floor: 4 },

  { path: "src/formats/", floor: 3 },
  { path: "src/cpu/", floor: 3 },
  { path: "src/memory/", floor: 3 },

  { path: "src/structs/", floor: 2 },
  { path: "src/source.ts", floor: 2 },

  // The ground: one room
  { path: "src/errors.ts", floor: 1 },
  { path: "src/limits.ts", floor: 1 },
  { path: "src/bytes.ts", floor: 1 },
  { path: "src/address.ts", floor: 1 },
];
/** On this floor, and no other, a room may import another one. */
export const GROUND = 1;

/** The folders around the library. They import it by its front doors: mod.ts and `exports`. */
export const AROUND: readonly { path: string; testsMayPassTheDoors: boolean }[] = [
  { path: "conformance/", testsMayPassTheDoors: true },
  { path: "scripts/", testsMayPassTheDoors: true },
  { path: "fuzz/", testsMayPassTheDoors: false },
];
/** What tests in src/ may import from around it. */
export const FOR_TESTS = "fuzz/arbitraries/";
/** What of the library is fuzzed beside its entry points, in one place. */
export const INSIDE = "fuzz/inside.ts";

const isTest = (file: string): boolean => /_(test|bench)\.ts$/.test(file);

/** Before an import that leads nowhere. */
const UNRESOLVED = "unresolved:";

/** A file's imports: a path relative to the root, or a specifier with a scheme. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Checks a graph.
 *
 * @param graph Every file and what it imports.
 * @param doors The files that `exports` names.
 * @returns A line for each offence: the file, the import and the rule. Empty if all is well.
 */
export function checkLayers(graph: Graph, doors: readonly string[]): string[] {
  const lines: string[] = [];
  for (const [file, imports] of graph) {
    const isAround = AROUND.some(({ path }) => file.startsWith(path));
    if (!isAround && !isTest(file) && roomOf(file) === undefined) {
      lines.push(`${file} is in no room of scripts/check_layers.ts`);
      continue;
    }
    for (const target of imports) {
      const rule = brokenRule(file, target, doors);
      if (rule !== undefined) lines.push(`${file} imports ${target}: ${rule}`);
    }
  }
  for (const [file, target] of foreignIn(graph, "mod.ts")) {
    const line = `${file} imports ${target}: `;
    if (!lines.some((one) => one.startsWith(line))) {
      lines.push(`${line}what mod.ts reaches is files of this repository only`);
    }
  }
  for (const circle of circles(graph)) {
    lines.push(`${circle[0]} imports ${circle[1]}: no circles (${circle.join(" -> ")})`);
  }
  return lines;
}

/** The rule that an import breaks, if it breaks one. */
function brokenRule(file: string, target: string, doors: readonly string[]): string | undefined {
  if (target.startsWith(UNRESOLVED)) return "it does not resolve";
  const around = AROUND.find(({ path }) => file.startsWith(path));
  if (around !== undefined) {
    if (!target.startsWith("src/") || doors.includes(target)) return undefined;
    if (file === INSIDE) return undefined;
    if (around.testsMayPassTheDoors && isTest(file)) return undefined;
    return `${around.path} uses the library by mod.ts and the entry points only`;
  }
  if (isTest(file)) {
    const isInside = target === "mod.ts" || target.startsWith("src/") ||
      target.startsWith(FOR_TESTS);
    if (isScheme(target) || isInside || target.startsWith("scripts/std/")) return undefined;
    return `a test in src/ imports src/, packages and ${FOR_TESTS} only`;
  }

  const room = roomOf(file)!;
  if (isScheme(target) || target.startsWith("scripts/std/")) {
    const kind = target.startsWith("node:") ? "node:" : "packages";
    if (room.outside?.includes(kind)) return undefined;
    return `${room.path} may not import ${kind === "node:" ? "node: modules" : kind}`;
  }
  if (isTest(target)) return "only tests import tests";
  const targetRoom = roomOf(target);
  if (targetRoom === undefined) return "the library does not import what is around it";
  if (targetRoom === room) return brokenInside(room, file, target);
  if (targetRoom.floor < room.floor) return undefined;
  if (targetRoom.floor === room.floor) {
    if (room.floor === GROUND) return undefined;
    return `the rooms of floor ${room.floor} do not import each other`;
  }
  return `floor ${room.floor} does not import floor ${targetRoom.floor}`;
}

/** The rule that an import inside a room breaks, if it breaks one. */
function brokenInside(room: Room, file: string, target: string): string | undefined {
  if (room.apart === undefined) return undefined;
  const { shared } = room.apart;
  if (shared.includes(target.slice(room.path.length))) return undefined;
  if (shared.includes(file.slice(room.path.length))) {
    return `what ${room.path} shares does not import who shares it`;
  }
  return `the files of ${room.path} import only ${shared.join(", ")} of each other`;
}

function roomOf(file: string): Room | undefined {
  return ROOMS.find(({ path }) => path.endsWith("/") ? file.startsWith(path) : file === path);
}

const isScheme = (target: string): boolean => /^[a-z]+:/.test(target);

/** Imports of anything but files, in what one file reaches. */
function foreignIn(graph: Graph, root: string): [string, string][] {
  const found: [string, string][] = [];
  const reached = new Set([root]);
  for (const file of reached) {
    for (const target of graph.get(file) ?? []) {
      if (isScheme(target)) found.push([file, target]);
      else reached.add(target);
    }
  }
  return found;
}

/** Circles of imports, each one as the files along it; one for each edge that closes any. */
function circles(graph: Graph): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (done.has(file)) return;
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file]);
      return;
    }
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

/** What `deno info --json` prints, as far as it is read here. */
interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: {
      specifier: string;
      code?: { specifier?: string };
      type?: { specifier?: string };
    }[];
  }[];
}

/**
 * Reads the graph of all TypeScript files of the repository.
 *
 * @returns The graph.
 * @throws {Error} If there is no Deno, or a file cannot be parsed.
 */
export async function readGraph(): Promise<Graph> {
  const deno = denoCommand();
  if (deno === undefined) throw new Error("Cannot read imports: deno is not on PATH");
  const files = sourceFiles();
  const work = mkdtempSync(join(tmpdir(), "layers-"));
  try {
    // One root that reaches them all, since `deno info` takes one
    const root = join(work, "root.ts");
    const urls = files.map((file) => pathToFileURL(join(ROOT, file)).href);
    writeFileSync(root, urls.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
    const args = ["info", "--quiet", "--json", "--config", join(ROOT, "deno.json"), root];
    const { code, stdout, output } = await runStep(deno, args, { timeoutMs: 120_000 });
    if (code !== 0) throw new Error(`Cannot read imports: deno info failed:\n${output}`);
    return graphOf(JSON.parse(stdout), new Set(files));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function sourceFiles(): string[] {
  const folders = ["src/", ...AROUND.map(({ path }) => path)];
  const files = folders.flatMap((folder) => {
    try {
      return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
        .map((name) => folder + name);
    } catch {
      return []; // not every folder has to be there
    }
  });
  const isSource = (file: string) => file.endsWith(".ts") && !file.startsWith("scripts/std/");
  return ["mod.ts", ...files.filter(isSource).sort()];
}

function graphOf(info: Info, files: ReadonlySet<string>): Graph {
  const base = pathToFileURL(ROOT + "/").href;
  const relative = (url: string) => url.startsWith(base) ? url.slice(base.length) : url;
  const missing = new Set<string>();
  for (const { specifier, error } of info.modules) {
    if (error === undefined) continue;
    const file = relative(specifier);
    if (files.has(file)) throw new Error(`Cannot read ${file}: ${error}`);
    missing.add(file);
  }
  const graph = new Map<string, string[]>();
  for (const { specifier, dependencies = [] } of info.modules) {
    const file = relative(specifier);
    if (!files.has(file)) continue;
    const targets = dependencies.flatMap(({ specifier, code, type }) => {
      const found = [code?.specifier, type?.specifier].filter((url) => url !== undefined);
      return found.length > 0 ? found.map(relative) : [UNRESOLVED + specifier];
    }).map((target) => missing.has(target) ? UNRESOLVED + target : target);
    graph.set(file, [...new Set(targets)]);
  }
  return graph;
}

/**
 * The files that `exports` in deno.json names.
 *
 * @returns Their paths, relative to the root.
 */
export function exportedFiles(): string[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  return Object.values(exports as Record<string, string>).map((path) => path.replace(/^\.\//, ""));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const graph = await readGraph();
  const lines = checkLayers(graph, exportedFiles());
  for (const line of lines) console.error(line);
  console.log(`${graph.size} files, ${lines.length} offences`);
  process.exit(lines.length === 0 ? 0 : 1);
}
