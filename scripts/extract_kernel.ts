/**
 * Takes the vmlinux or the Image out of a kernel file: out of a bzImage, an EFI zboot image, or
 * compressed data, nested in any way.
 *
 *     deno run -A scripts/extract_kernel.ts KERNEL OUTPUT [--max-size MIB] [--keep-bzimage]
 *
 * Prints what lies in what. The output appears whole or not at all.
 *
 * @module
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { LoaderError } from "../mod.ts";
import { bzImageChecksum, unwrapKernel, type UnwrappedKernel } from "../src/compressed/mod.ts";
import { openFile } from "../src/files.ts";

const USAGE = `Usage: deno run -A scripts/extract_kernel.ts KERNEL OUTPUT [options]

  --max-size MIB   more than this is an error (default: 1024)
  --keep-bzimage   leave a bzImage whole, and take it only out of what it is compressed in`;

const FAILED = 1;
const MISUSED = 2;
const DEFAULT_MAX_MIB = "1024";

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const options = parseArgs(args, {
    string: ["max-size"],
    boolean: ["keep-bzimage", "help"],
    default: { "max-size": DEFAULT_MAX_MIB },
    unknown: (arg, key) => {
      if (key !== undefined) unknown.push(arg);
      return key === undefined;
    },
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const [input, output, ...rest] = options._.map(String);
  const maxMib = Number(options["max-size"]);
  if (!(maxMib > 0)) unknown.push(`--max-size ${options["max-size"]}`);
  if (unknown.length > 0 || output === undefined || rest.length > 0) {
    const what = unknown.length > 0 ? `unknown: ${unknown.join(" ")}` : "KERNEL and OUTPUT wanted";
    console.error(`Cannot extract kernel: ${what}\n\n${USAGE}`);
    return MISUSED;
  }
  try {
    const maxSize = Math.floor(maxMib * 2 ** 20);
    await extract(input, output, maxSize, options["keep-bzimage"] ? "keep" : "extract");
    return 0;
  } catch (error) {
    const code = error instanceof LoaderError ? ` (${error.code})` : "";
    console.error(`${error instanceof Error ? error.message : String(error)}${code}`);
    return FAILED;
  }
}

async function extract(
  input: string,
  output: string,
  maxSize: number,
  bzImage: "extract" | "keep",
): Promise<void> {
  using file = openFile(input);
  const kernel = await unwrapKernel(file, { maxSize, bzImage });
  for (const { format, offset, size } of kernel.layers) {
    console.log(`${format.padEnd(14)}${size} bytes at ${offset}`);
  }
  if (kernel.layers[0].format === "bzimage") {
    const { state, stored, computed } = bzImageChecksum(file);
    const hex = (value: number | undefined) => `0x${(value ?? 0).toString(16).padStart(8, "0")}`;
    const told = {
      valid: `valid, ${hex(stored)}`,
      mismatch: `none, or not of this file: ${hex(stored)}, computed ${hex(computed)}`,
      truncated: "the file is shorter than its header says",
    };
    console.log(`bzImage CRC-32: ${told[state]}`);
  }
  if (kernel.size > maxSize) {
    throw new Error(
      `Cannot extract kernel: ${kernel.size} bytes, at most ${maxSize} are wanted (--max-size)`,
    );
  }
  write(output, bytesOf(kernel));
  console.log(`${output}: ${kernel.format}, ${kernel.size} bytes`);
}

function bytesOf(kernel: UnwrappedKernel): Uint8Array {
  if (kernel.bytes !== undefined) return kernel.bytes;
  const bytes = new Uint8Array(kernel.size);
  for (let done = 0; done < bytes.length;) {
    const count = kernel.readAt(done, bytes.subarray(done));
    if (count <= 0) throw new Error(`Cannot read kernel: it ends at ${done} of ${bytes.length}`);
    done += count;
  }
  return bytes;
}

/** Beside its place first: a reader never sees half of it. */
function write(path: string, bytes: Uint8Array): void {
  const draft = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(draft, bytes, { flag: "wx" });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

process.exit(await main(process.argv.slice(2)));
