/**
 * Compares what the library makes of device trees with what `dtc` makes of them: other people's
 * trees, and the same damaged.
 *
 *     deno run -A scripts/compare_dtbs.ts FILE|DIRECTORY... [--damaged N] [--seed N]
 *
 * For each .dtb and .dtbo: both take it or neither; read and written, it is the same to dtc; with
 * `/chosen`, memory and a reservation set, all else is. Debian has some 2,000 trees in the
 * linux-image packages of arm64, armhf and riscv64 (`apt-get download`, `dpkg-deb -x`).
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import {
  addReservedMemory,
  type FdtTree,
  LoaderError,
  parseFdt,
  setChosen,
  setMemory,
  writeFdt,
} from "../mod.ts";

const USAGE = `Usage: deno run -A scripts/compare_dtbs.ts FILE|DIRECTORY... [options]

  --damaged N   compare N damaged copies of each file, too (default: 0)
  --seed N      which damages (default: 1)`;

const FAILED = 1;
const MISUSED = 2;
/** dtc does not end on some damaged trees. */
const TIMEOUT_MS = 10_000;
const MAX_OUTPUT = 64 << 20;
/** dtc's exit code is none: a signal, or the time limit. PORTING.md has these among its differences. */
const DIED = "dtc dies";
/** What the edits change, in the text of a tree: blocks and lines of the root. */
const EDITED = /^\t(chosen|memory(@[0-9a-f,]+)?|reserved-memory) \{$/;
/** Written where the root does not say them. */
const CELLS = ["\t#address-cells = ", "\t#size-cells = "];
const CHOSEN = /^\t\t(bootargs|linux,initrd-(start|end)|stdout-path|kaslr-seed) = /;
const MEMORY = { start: 0x1000_0000n, size: 0x2000_0000n };
const RESERVED = { name: "compare-dtbs", start: 0x2fff_0000n, size: 0x1000n };

const counts: Record<string, number> = {};
const differences: string[] = [];

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

function main(args: string[]): number {
  const options = parseArgs(args, {
    string: ["damaged", "seed"],
    boolean: ["help"],
    default: { damaged: "0", seed: "1" },
  });
  const paths = options._.map(String);
  const [damaged, seed] = [Number(options.damaged), Number(options.seed)];
  if (options.help || paths.length === 0 || !(damaged >= 0) || !Number.isInteger(seed)) {
    console.error(USAGE);
    return options.help ? 0 : MISUSED;
  }
  if (spawnSync("dtc", ["--version"]).status !== 0) {
    console.error("Cannot compare: dtc is not installed");
    return FAILED;
  }
  const random = randomOf(seed);
  for (const path of paths.flatMap(treesIn)) {
    const file = new Uint8Array(readFileSync(path));
    compare(path, file, "whole");
    for (let i = 0; i < damaged; i++) {
      compare(`${path}, damage ${i}`, damage(file, random), "damaged");
    }
  }
  for (const [what, number] of Object.entries(counts).sort()) console.log(`${number}\t${what}`);
  for (const line of differences.slice(0, 50)) console.log(`DIFFERS ${line}`);
  console.log(`${differences.length} differences`);
  return differences.length > 0 || counts["whole: taken by both"] === undefined ? FAILED : 0;
}

function treesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) return treesIn(inside);
    return entry.isFile() && /\.dtbo?$/.test(entry.name) ? [inside] : [];
  }).sort();
}

/** What dtc makes of a tree, or nothing if it refuses. */
function dtc(input: Uint8Array, ...args: string[]): Uint8Array | typeof DIED | undefined {
  const options = { input, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT };
  const { status, stdout } = spawnSync("dtc", ["-q", "-I", "dtb", ...args], options);
  if (status === null) return DIED;
  return status === 0 ? stdout : undefined;
}

function compare(what: string, file: Uint8Array, kind: string): void {
  const wanted = dtc(file, "-O", "dtb");
  let tree: FdtTree | undefined;
  let refusal = "";
  try {
    tree = parseFdt(file);
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error;
    refusal = `${error.code}: ${error.message}`;
  }
  if (wanted === DIED) return count(`${kind}: ${DIED}`);
  if (tree === undefined || wanted === undefined) {
    if (tree === undefined && wanted === undefined) return count(`${kind}: refused by both`);
    if (/^(LIMIT_EXCEEDED|FDT_TOO_BIG)/.test(refusal)) return count(`${kind}: over a cap`);
    differences.push(`${what}: ${tree ? "dtc refuses" : `dtc takes, here ${refusal}`}`);
    return;
  }
  count(`${kind}: taken by both`);
  if (!isSame(dtc(writeFdt(tree), "-O", "dtb"), wanted)) differences.push(`${what}: written again`);
  else count(`${kind}: the same when written again`);
  if (kind === "whole") compareEdited(what, file, tree);
}

/** Each edit leaves everything else as it was: by the text that dtc prints, sorted. */
function compareEdited(what: string, file: Uint8Array, tree: FdtTree): void {
  try {
    setMemory(tree, [MEMORY]);
    setChosen(tree, { bootargs: "quiet", initrd: MEMORY, kaslrSeed: 1n, stdoutPath: "serial0" });
    addReservedMemory(tree, [RESERVED]);
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error;
    return count(`edits: refused, ${error.message.replace(/[0-9a-f]{8,}/g, "N")}`);
  }
  const before = textOf(dtc(file, "-O", "dts", "-s"));
  const after = textOf(dtc(writeFdt(tree), "-O", "dts", "-s"));
  const added = CELLS.filter((line) => !before?.includes(`\n${line}`));
  if (before === undefined || after === undefined || rest(before) !== rest(after, added)) {
    differences.push(`${what}: an edit changes something else`);
    return;
  }
  const parts = [...reservationsIn(before), ...chosenIn(before)];
  const still = [...reservationsIn(after), ...chosenIn(after)];
  const lost = parts.filter((part) => !still.includes(part));
  if (lost.length > 0) differences.push(`${what}: an edit removes ${lost[0]}`);
  else count("edits: everything else stays");
}

function textOf(bytes: ReturnType<typeof dtc>): string | undefined {
  return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : undefined;
}

/** The text without what the edits change. */
function rest(text: string, added: readonly string[] = []): string {
  let isEdited = false;
  return text.split("\n").filter((line) => {
    if (EDITED.test(line)) isEdited = true;
    const stays = !isEdited && !added.some((start) => line.startsWith(start)) && line !== "";
    if (line === "\t};") isEdited = false;
    return stays;
  }).join("\n");
}

const blockOf = (text: string, name: string): string =>
  new RegExp(`^\\t${name} \\{\\n([^]*?)^\\t\\};$`, "m").exec(text)?.[1] ?? "";

/** The children of /reserved-memory. */
function reservationsIn(text: string): string[] {
  return blockOf(text, "reserved-memory").match(/^\t\t\S+ \{\n[^]*?^\t\t\};$/gm) ?? [];
}

/** The lines of /chosen that are not set. */
function chosenIn(text: string): string[] {
  return blockOf(text, "chosen").split("\n").filter((line) => !CHOSEN.test(line));
}

function isSame(a: ReturnType<typeof dtc>, b: Uint8Array): boolean {
  return a instanceof Uint8Array && a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Numbers below a limit, the same for a seed (TAOCP vol. 2, 3.3.4). */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

/** A copy with one to three of: a bit, a word, a piece over another one, a cut. */
function damage(file: Uint8Array, random: (limit: number) => number): Uint8Array {
  let bytes = file.slice();
  for (let times = 1 + random(3); times > 0 && bytes.length >= 64; times--) {
    const view = new DataView(bytes.buffer);
    // The header, the structure's words, the strings: where is chance
    const at = random(4) === 0 ? random(64) : random(bytes.length);
    const word = Math.min(at & ~3, bytes.length - 4);
    switch (random(5)) {
      case 0:
        bytes[at] ^= 1 << random(8);
        break;
      case 1:
        view.setUint32(word, [0, 1, 2, 3, 4, 9, 0xffff_ffff, bytes.length][random(8)]);
        break;
      case 2:
        view.setUint32(word, view.getUint32(word) + [-4, -1, 1, 4, 8][random(5)]);
        break;
      case 3:
        bytes.copyWithin(word, random(bytes.length) & ~3, word + 4 * random(32));
        break;
      default:
        bytes = bytes.slice(0, random(bytes.length));
        if (bytes.length >= 8) new DataView(bytes.buffer).setUint32(4, bytes.length);
    }
  }
  return bytes;
}

process.exit(main(process.argv.slice(2)));
