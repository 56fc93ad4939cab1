/** What a guest sees that QEMU's own -kernel loads, beside what it sees of ours: every difference needs a reason. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BootCase,
  type Difference,
  type Explanation,
  formatId,
  type Mismatch,
  type OracleCase,
  type Verdict,
} from "./case.ts";
import { confirmedAccelerator, judgeAccelerator } from "./drivers/accelerator.ts";
import { type GuestExit, runGuest } from "./drivers/guest_process.ts";
import { ownLoaderCommand } from "./drivers/qemu.ts";
import { bytesOf } from "./matchers/content.ts";

/** What two boots have in common, and where they part. */
export interface Comparison {
  /** How many facts are the same. */
  readonly same: number;
  /** Those that differ for a reason. */
  readonly differences: readonly Difference[];
  /** Those that differ without one. */
  readonly unexplained: readonly Mismatch[];
}

const FACT = /^PROBE ([^=]+)=(.*?)\r?$/gm;

/**
 * Reads a probe's report. The memory map, whose entries cannot be compared one by one, becomes two
 * facts: what of it is usable, and what is not.
 *
 * @param serial What the probe printed.
 * @returns Its facts by name.
 */
export function factsOf(serial: string): Map<string, string> {
  const facts = new Map([...serial.matchAll(FACT)].map(([, name, value]) => [name, value]));
  const map: { start: bigint; end: bigint; usable: boolean }[] = [];
  for (const [name, value] of facts) {
    if (!/^memmap\[\d+\]$/.test(name)) continue;
    facts.delete(name);
    const [start, size, type] = value.split(" ").map(BigInt);
    if (size > 0n) map.push({ start, end: start + size, usable: type === 1n });
  }
  if (map.length === 0) return facts;
  for (const usable of [true, false]) {
    const ranges = map.filter((entry) => entry.usable === usable)
      .sort((a, b) => a.start < b.start ? -1 : 1)
      .reduce<{ start: bigint; end: bigint }[]>((merged, { start, end }) => {
        const last = merged.at(-1);
        if (last === undefined || last.end < start) return [...merged, { start, end }];
        return [...merged.slice(0, -1), { start: last.start, end }];
      }, []);
    facts.set(
      usable ? "memory map, usable" : "memory map, not usable",
      ranges.map(({ start, end }) => `0x${start.toString(16)}..0x${end.toString(16)}`).join(" "),
    );
  }
  return facts;
}

/**
 * Compares two reports.
 *
 * @param ours Of the guest that this library's plan booted.
 * @param theirs Of the one that QEMU loaded.
 * @param explanations Why facts may differ; the first that fits counts.
 * @returns What is the same and what is not.
 */
export function compareReports(
  ours: string,
  theirs: string,
  explanations: readonly Explanation[],
): Comparison {
  const [here, there] = [factsOf(ours), factsOf(theirs)];
  let same = 0;
  const differences: Difference[] = [];
  const unexplained: Mismatch[] = [];
  for (const fact of new Set([...here.keys(), ...there.keys()])) {
    const [a = "", b = ""] = [here.get(fact), there.get(fact)];
    const isSame = here.has(fact) && there.has(fact) && a === b;
    const why = explanations.find(({ facts, holds }) =>
      facts.test(fact) && (holds?.(a, b) ?? true)
    );
    if (isSame) same++;
    else if (why !== undefined) differences.push({ fact, ours: a, theirs: b, reason: why.reason });
    else {unexplained.push({
        what: `PROBE ${fact}, unexplained`,
        expected: `${b} (QEMU)`,
        actual: a,
      });}
  }
  return { same, differences, unexplained };
}

/** How a case is run. */
export interface OracleOptions {
  /** Where artifacts go. */
  readonly artifactsDir: string;
  /** Whether those of green cases are kept, too. */
  readonly keep: boolean;
  /** Overrides the case's own limit, in seconds. */
  readonly timeout?: number;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/**
 * Runs a case: our boot, then QEMU's own of the same kernel, command line and initrd.
 *
 * @param test The case.
 * @param options How.
 * @param boot Boots ours.
 * @returns What came of it; if our own boot is not green, what came of that.
 */
export async function runOracle(
  test: OracleCase,
  options: OracleOptions,
  boot: (test: BootCase) => Promise<Verdict>,
): Promise<Verdict> {
  const ours = await boot(test.boot);
  if (ours.outcome !== "pass") return ours;
  const directory = makeDirectory(test, options.artifactsDir);
  let isKept = true;
  try {
    const command = await commandOf(test, directory);
    const timeout = options.timeout ?? test.boot.timeout;
    const exit = await runGuest(command, { timeout, signal: options.signal });
    const accelerator = confirmedAccelerator(directory);
    const { same, differences, unexplained } = compareReports(
      ours.serial ?? "",
      exit.serial,
      test.explanations,
    );
    const mismatches = [
      ...judgeAccelerator("tcg", accelerator),
      ...ended(exit),
      ...unexplained,
    ];
    isKept = mismatches.length > 0 || options.keep;
    if (isKept) writeFileSync(join(directory, "serial.log"), exit.serial);
    const verdict = { ...ours, differences, sameFacts: same };
    if (options.signal.aborted) return { ...verdict, outcome: "broken", reason: "interrupted" };
    if (mismatches.length === 0) return verdict;
    return {
      ...verdict,
      outcome: exit.timedOut ? "timeout" : "fail",
      reason: `${mismatches.length} of what QEMU's own loader shows has no explanation`,
      mismatches,
      artifacts: directory,
      serialTail: exit.serial.trimEnd().split("\n").slice(-15),
    };
  } finally {
    if (!isKept || options.signal.aborted) rmSync(directory, { recursive: true, force: true });
  }
}

/** Without this a guest that said nothing would differ in what may differ, and no more. */
function ended({ serial, stderr }: GuestExit): Mismatch[] {
  const end = factsOf(serial).get("end");
  if (end === "1") return [];
  const actual = stderr.trim() || `${serial.length} bytes on the serial port`;
  return [{ what: "the guest that QEMU loads", expected: "a whole report", actual }];
}

function makeDirectory(test: OracleCase, artifactsDir: string): string {
  mkdirSync(artifactsDir, { recursive: true });
  return mkdtempSync(join(artifactsDir, `${formatId(test.id).replaceAll("/", "_")}-qemu-`));
}

async function commandOf({ boot }: OracleCase, directory: string): Promise<string[]> {
  const { kernel, options } = await boot.layout(() => {
    throw new Error("Cannot use a kernel here: none is named as a need");
  });
  const write = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(directory, name), bytes);
    return join(directory, name);
  };
  return ownLoaderCommand({
    machine: boot.machine,
    accelerator: "tcg",
    ramSize: boot.ramSize,
    kernel: kernel instanceof Uint8Array ? write("kernel", kernel) : kernel.path,
    initrd: options.initrd && write("initrd", bytesOf(options.initrd)),
    cmdline: String(options.cmdline ?? ""),
    exceptionLevel: options.exceptionLevel,
    directory,
  });
}
