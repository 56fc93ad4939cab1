/**
 * A build of the library that says which way it goes: esbuild makes one script of a target and all
 * that it imports, acorn and magic-string put a counter on every edge and a look at every comparison.
 *
 * @module
 */
import { parse } from "acorn";
import { buildSync } from "esbuild";
import MagicString from "magic-string";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyRepository, type Patch, patchFiles, ROOT } from "../repository_copy.ts";

/** Counters of edges: a power of two. */
export const MAP_SIZE = 1 << 14;

/** What an instrumented script calls. */
export interface Hooks {
  /** Edges: `counters[edge]` saturates at 255. */
  readonly counters: Uint8Array;
  /** Every edge that was taken, all in all: the work. */
  work: number;
  /** Whether comparisons are looked at. */
  isTracing: boolean;
  /** Called with both sides of a comparison that did not hold. */
  onCompare: (left: unknown, right: unknown) => void;
}

/** An instrumented build. */
export interface Build {
  readonly hooks: Hooks;
  /** What the entry exports. */
  readonly exports: Readonly<Record<string, unknown>>;
  /** How many places are counted. */
  readonly blocks: number;
}

/**
 * Builds a script.
 *
 * @param entry The module, from the root on.
 * @param patches Faults to build in.
 * @returns What it exports, and its hooks.
 */
export function build(entry: string, patches: readonly Patch[] = []): Build {
  const { code, blocks } = instrument(bundle(entry, patches));
  const hooks: Hooks = {
    counters: new Uint8Array(MAP_SIZE),
    work: 0,
    isTracing: false,
    onCompare: () => {},
  };
  const run = new Function("__hooks", `${code}\nreturn __exports;`);
  return { hooks, exports: run(hooks), blocks };
}

function bundle(entry: string, patches: readonly Patch[]): string {
  if (patches.length === 0) return bundleIn(ROOT, entry);
  const copy = mkdtempSync(join(tmpdir(), "fuzz-build-"));
  try {
    copyRepository(copy);
    patchFiles(copy, patches);
    return bundleIn(copy, entry);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function bundleIn(root: string, entry: string): string {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "__exports",
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
  });
  return outputFiles[0].text;
}

/** As much of acorn's nodes as is looked at. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  // deno-lint-ignore no-explicit-any
  readonly [key: string]: any;
}

/** What runs before the script: edges as AFL counts them, and comparisons. */
const PROLOGUE = `
var __c = __hooks.counters, __p = 0, __sw;
function __e(id) { __hooks.work++; var i = (id ^ __p) & ${
  MAP_SIZE - 1
}; if (__c[i] !== 255) __c[i]++; __p = id >> 1; }
function __k(a, b) { if (__hooks.isTracing && a !== b) __hooks.onCompare(a, b); }
function __eq(a, b) { __k(a, b); return a === b; }
function __ne(a, b) { __k(a, b); return a !== b; }
function __lt(a, b) { __k(a, b); return a < b; }
function __le(a, b) { __k(a, b); return a <= b; }
function __gt(a, b) { __k(a, b); return a > b; }
function __ge(a, b) { __k(a, b); return a >= b; }
function __s(a) { return __sw = a; }
function __v(b) { __k(__sw, b); return b; }
`;

const COMPARE: Readonly<Record<string, string>> = {
  "===": "__eq",
  "!==": "__ne",
  "<": "__lt",
  "<=": "__le",
  ">": "__gt",
  ">=": "__ge",
};

/**
 * Where a script is what judges the library, not the library: esbuild names each module in a comment.
 * Edges of the model would keep the loop from those that matter.
 */
function judgesIn(source: string): [number, number][] {
  const heads = [...source.matchAll(/^ *\/\/ ([\w@.-]+\/[\w@./-]+|\w+\.ts)$/gm)];
  return heads.flatMap(({ 1: file, index }, i) => {
    const isJudge = file.startsWith("fuzz/") && !file.startsWith("fuzz/targets/");
    return isJudge ? [[index, heads[i + 1]?.index ?? source.length]] : [];
  });
}

/**
 * Puts counters and looks into a script, but for what judges the library.
 *
 * @param source The script.
 * @returns The script, and how many counters it has.
 */
export function instrument(source: string): { code: string; blocks: number } {
  const out = new MagicString(source);
  const judges = judgesIn(source);
  let blocks = 0;
  /** Spread over the map, the same for the same script. */
  const edge = () => `__e(${Math.imul(++blocks, 0x9e3779b1) >>> 16});`;
  const expression = () => `__e(${Math.imul(++blocks, 0x9e3779b1) >>> 16}), `;
  const statement = (node: Node | null | undefined) => {
    if (!node) return;
    if (node.type === "BlockStatement") out.appendRight(node.start + 1, edge());
    else {
      out.appendRight(node.start, `{ ${edge()} `);
      out.appendLeft(node.end, " }");
    }
  };
  const wrapped = (node: Node) => {
    out.appendRight(node.start, `(${expression()}`);
    out.appendLeft(node.end, ")");
  };
  const visit = (node: Node): void => {
    if (judges.some(([start, end]) => node.start >= start && node.end <= end)) return;
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
        statement(node.body);
        break;
      case "ArrowFunctionExpression":
        if (node.body.type === "BlockStatement") statement(node.body);
        else wrapped(node.body);
        break;
      case "IfStatement":
        statement(node.consequent);
        statement(node.alternate);
        break;
      case "ForStatement":
      case "ForOfStatement":
      case "ForInStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        statement(node.body);
        break;
      case "SwitchStatement":
        out.appendRight(node.discriminant.start, "__s(");
        out.appendLeft(node.discriminant.end, ")");
        for (const one of node.cases as Node[]) {
          if (one.test) {
            out.appendRight(one.test.start, "__v(");
            out.appendLeft(one.test.end, ")");
          }
          const first = (one.consequent as Node[])[0];
          if (first) out.appendRight(first.start, edge());
        }
        break;
      case "ConditionalExpression":
        wrapped(node.consequent);
        wrapped(node.alternate);
        break;
      case "LogicalExpression":
        wrapped(node.right);
        break;
      case "BinaryExpression": {
        const name = COMPARE[node.operator];
        if (name === undefined) break;
        // The operator lies between the sides, and so may brackets and comments
        out.appendRight(node.start, `${name}(`);
        const between = source.slice(node.left.end, node.right.start);
        const at = node.left.end + between.indexOf(node.operator);
        out.overwrite(at, at + node.operator.length, ",");
        out.appendLeft(node.end, ")");
        break;
      }
    }
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) value.forEach((item) => isNode(item) && visit(item));
      else if (isNode(value)) visit(value);
    }
  };
  visit(parse(source, { ecmaVersion: "latest", sourceType: "script" }) as unknown as Node);
  return { code: PROLOGUE + out.toString(), blocks };
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string" &&
    typeof (value as Node).start === "number";
}
