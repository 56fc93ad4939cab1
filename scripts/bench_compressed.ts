/**
 * How fast kernels are decompressed, beside the command-line tools: `deno task bench:compressed`.
 *
 * The data is the vmlinux of a cached Debian kernel, packed by the tools themselves; xz and zstd are
 * what Debian shipped. Library and tool take turns; the figures are MB that come out per second of
 * CPU time and of wall time, the best of the turns. A tool that is not installed is skipped.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { type CompressedFormat, decompress, unwrapKernel } from "../src/compressed/mod.ts";
import { findOnPath } from "./children.ts";
import { cacheEntry } from "./debian_kernels.ts";
import { ROOT } from "./steps.ts";

interface Contest {
  readonly format: CompressedFormat;
  /** Packs, where Debian's own payload is not at hand. */
  readonly pack: readonly string[];
  readonly unpack: readonly string[];
  /** The ratio to the tool that is wanted. */
  readonly target: number;
}

const CONTESTS: readonly Contest[] = [
  { format: "gzip", pack: ["gzip", "-9c"], unpack: ["gzip", "-dc"], target: 0.8 },
  {
    format: "zstd",
    pack: ["zstd", "-19", "-T2", "-c"],
    unpack: ["zstd", "-dc", "--long=27"],
    target: 0.6,
  },
  { format: "bzip2", pack: ["bzip2", "-9c"], unpack: ["bzip2", "-dc"], target: 0.6 },
  { format: "lzo", pack: ["lzop", "-9c"], unpack: ["lzop", "-dc"], target: 0.4 },
  { format: "xz", pack: ["xz", "--x86", "--lzma2", "-c"], unpack: ["xz", "-dc"], target: 0.35 },
  {
    format: "lzma",
    pack: ["xz", "--format=lzma", "-c"],
    unpack: ["xz", "--format=lzma", "-dc"],
    target: 0.35,
  },
  { format: "lz4-legacy", pack: ["lz4", "-l9c"], unpack: ["lz4", "-dc"], target: 0.15 },
  { format: "lz4", pack: ["lz4", "-9c"], unpack: ["lz4", "-dc"], target: 0.15 },
];
/** The kernels with payloads of the formats that Debian uses. */
const SHIPPED: readonly string[] = ["debian-6.12", "debian-6.1"];

/** Seconds of the processor and of the clock. */
interface Time {
  readonly cpu: number;
  readonly wall: number;
}

interface Work {
  readonly packed: Uint8Array;
  readonly data: Uint8Array;
}

function shippedPayloads(cache: string): Promise<Map<CompressedFormat, Work>> {
  return SHIPPED.reduce(async (before, id) => {
    const found = await before;
    const { kernel } = cacheEntry(cache, id, "x86_64");
    if (kernel === undefined) return found;
    const file = new Uint8Array(readFileSync(kernel.path));
    const { layers, bytes } = await unwrapKernel(file);
    const { format, offset, size } = layers[1];
    const packed = file.subarray(offset, offset + size);
    return found.set(format as CompressedFormat, { packed, data: bytes! });
  }, Promise.resolve(new Map<CompressedFormat, Work>()));
}

const shell = (line: string, cwd: string) =>
  execFileSync("bash", ["-c", line], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

function timeTool(command: readonly string[], cwd: string): Time {
  const line = `TIMEFORMAT="%R %U %S"; { time ${command.join(" ")} packed > /dev/null; } 2>&1`;
  const said = shell(line, cwd).trim().split("\n").at(-1)!;
  const [wall, user, system] = said.split(" ").map(Number);
  return { wall, cpu: user + system };
}

async function timeLibrary(format: CompressedFormat, { packed, data }: Work): Promise<Time> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const result = await decompress(format, packed, { maxSize: data.length });
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (Buffer.compare(result, data) !== 0) throw new Error(`Cannot bench ${format}: wrong data`);
  return { wall, cpu: (user + system) / 1e6 };
}

async function contest(
  { format, pack, unpack, target }: Contest,
  shipped: ReadonlyMap<CompressedFormat, Work>,
  turns: number,
): Promise<boolean> {
  if (findOnPath(unpack[0]) === undefined) {
    console.log(`${format.padEnd(12)}skipped: ${unpack[0]} is not installed`);
    return true;
  }
  const directory = mkdtempSync(join(tmpdir(), "bench-compressed-"));
  try {
    let work = shipped.get(format);
    if (work === undefined) {
      const { data } = shipped.values().next().value!;
      writeFileSync(join(directory, "data"), data);
      shell(`${pack.join(" ")} < data > packed`, directory);
      work = { data, packed: new Uint8Array(readFileSync(join(directory, "packed"))) };
    }
    writeFileSync(join(directory, "packed"), work.packed);
    const [ours, tools]: [Time[], Time[]] = [[], []];
    for (let turn = 0; turn < turns; turn++) {
      ours.push(await timeLibrary(format, work));
      tools.push(timeTool(unpack, directory));
    }
    const megabytes = work.data.length / 1e6;
    const speed = (times: readonly Time[], of: keyof Time) =>
      megabytes / Math.min(...times.map((time) => time[of]));
    const [cpu, wall] = (["cpu", "wall"] as const).map((of) => ({
      ours: speed(ours, of),
      tool: speed(tools, of),
      ratio: speed(ours, of) / speed(tools, of),
    }));
    const first = megabytes / ours[0].wall;
    const column = ({ ours, tool, ratio }: typeof cpu) =>
      `${ours.toFixed(0).padStart(6)} ${tool.toFixed(0).padStart(6)} ${
        ratio.toFixed(2).padStart(6)
      }`;
    const isFast = cpu.ratio >= target;
    console.log(
      `${format.padEnd(12)}${column(cpu)}   ${column(wall)} ${first.toFixed(0).padStart(6)} ` +
        `${target.toFixed(2).padStart(8)}  ${isFast ? "ok" : "SLOW"}`,
    );
    return isFast;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const options = parseArgs(process.argv.slice(2), {
  string: ["turns", "cache", "filter"],
  default: { turns: "5", cache: join(ROOT, ".cache"), filter: "" },
});
const shipped = await shippedPayloads(options.cache);
if (shipped.size === 0) {
  console.error(
    "Cannot bench: no Debian kernel in the cache; deno run -A scripts/fetch_kernels.ts puts it there",
  );
  process.exit(1);
}
console.log("MB/s        CPU: ours   tool  ratio   wall: ours tool ratio  first   target");
let isAllFast = true;
for (const one of CONTESTS.filter(({ format }) => format.includes(options.filter))) {
  isAllFast = await contest(one, shipped, Number(options.turns)) && isAllFast;
}
process.exit(isAllFast ? 0 : 1);
