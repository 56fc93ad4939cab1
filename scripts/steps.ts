/**
 * Steps of a gate: run a command in a process group of its own under a hard timeout, keep what it
 * says, and count outcomes.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { findOnPath } from "./children.ts";

/** The repository's root. */
export const ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** Output beyond this is forgotten, the oldest first: a runaway child must not take the memory. */
const MAX_OUTPUT = 1 << 23;
/** Of a line that does not end, no more than this is kept. */
const MAX_LINE = 1 << 16;
/** How long a process group may take to obey SIGTERM. */
const GRACE_MS = 3_000;

/** How {@linkcode runStep} runs a command. */
export interface StepOptions {
  /** Where it runs. Default: the repository's root. */
  cwd?: string;
  /** Variables on top of this process's own. */
  env?: Record<string, string>;
  /** When the whole process group is killed, in milliseconds. */
  timeoutMs: number;
  /** How long it may take to obey SIGTERM before SIGKILL follows. Default: 3,000. */
  graceMs?: number;
  /** Is told each line that the command writes, as it comes, without colours. */
  onLine?: (line: string) => void;
}

/** What a command left behind. */
export interface StepResult {
  /** Exit code; 128 where a signal ended it, 127 where it could not be started. */
  code: number;
  /** Standard output and standard error, as they came. */
  output: string;
  /** Standard output alone. */
  stdout: string;
  /** How long it took, in milliseconds. */
  ms: number;
  /** Whether the timeout ended it. */
  timedOut: boolean;
}

/** Outcomes, counted. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a check found. */
export interface Finding {
  outcome: keyof Counts;
  /** What is wrong, or why it was skipped. */
  output?: string;
}

/** Process groups that run now, by the number of their first process. */
const groups = new Set<number>();

/**
 * Runs a command, by default in the repository's root, to its end or to the timeout's.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param options How.
 * @returns What it left behind; never rejects.
 */
export async function runStep(
  command: string,
  args: readonly string[],
  options: StepOptions,
): Promise<StepResult> {
  stopWithParent();
  const start = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...plainIfPiped(), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  if (child.pid !== undefined) groups.add(child.pid);

  let output = "";
  let stdout = "";
  const keep = (said: string, text: string): string =>
    said.length + text.length > MAX_OUTPUT ? (said + text).slice(-MAX_OUTPUT / 2) : said + text;
  const [outLines, errorLines] = [lineReader(options.onLine), lineReader(options.onLine)];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = keep(output, text);
    stdout = keep(stdout, text);
    outLines(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = keep(output, text);
    errorLines(text);
  });
  let timedOut = false;
  const timer = setTimeout(async () => {
    timedOut = true;
    if (child.pid !== undefined) await stopGroup(child.pid, options.graceMs ?? GRACE_MS);
    // A process that left the group may hold the pipes for ever
    child.stdout.destroy();
    child.stderr.destroy();
  }, options.timeoutMs);
  const code = await new Promise<number>((resolve) => {
    child.on("error", (error) => {
      output += `Cannot run ${command}: ${error.message}\n`;
      resolve(127);
    });
    child.on("close", (code) => resolve(code ?? 128));
  });
  clearTimeout(timer);
  if (child.pid !== undefined) groups.delete(child.pid);
  return { code, output, stdout, ms: performance.now() - start, timedOut };
}

/**
 * Runs a command that ends with exit code 0 if all is well.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param timeoutMs When it is killed, in milliseconds.
 * @returns What it found.
 */
export async function checkCommand(
  command: string,
  args: readonly string[],
  timeoutMs = 300_000,
): Promise<Finding> {
  const { code, output, timedOut, ms } = await runStep(command, args, { timeoutMs });
  if (code === 0 && !timedOut) return { outcome: "passed", output };
  const how = timedOut ? `stopped after ${seconds(ms)}` : `exit code ${code}`;
  const call = [command, ...args].join(" ");
  const shown = call.length > 200 ? `${call.slice(0, 200)} …` : call;
  return { outcome: "failed", output: `${output.trimEnd()}\n${how}: ${shown}` };
}

/**
 * A finding from lines about what is wrong.
 *
 * @param lines A line each; none if all is well.
 * @returns The finding.
 */
export function findingOf(lines: readonly string[]): Finding {
  if (lines.length === 0) return { outcome: "passed" };
  return { outcome: "failed", output: lines.join("\n") };
}

/**
 * The command that runs Deno: the running one, else the one that `deno task test` passes on in
 * `DENO_EXEC`, else the one on PATH.
 *
 * @returns Its path, or `undefined` if there is none.
 */
export function denoCommand(): string | undefined {
  return "deno" in process.versions
    ? process.execPath
    : process.env.DENO_EXEC ?? findOnPath("deno");
}

/**
 * The closing line of everything that counts.
 *
 * @param counts The outcomes.
 * @returns The line.
 */
export function countsLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/**
 * A duration for people.
 *
 * @param ms Milliseconds.
 * @returns Seconds, with one decimal.
 */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Cuts what comes in pieces into lines; the last one counts only if it is ended. */
function lineReader(onLine: StepOptions["onLine"]): (text: string) => void {
  if (onLine === undefined) return () => {};
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(-MAX_LINE);
    for (const line of lines) onLine(stripVTControlCharacters(line));
  };
}

/** No colours into pipes: Deno writes them there too. */
function plainIfPiped(): Record<string, string> {
  return process.stdout.isTTY ? {} : { NO_COLOR: "1" };
}

function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended
  }
}

async function stopGroup(pid: number, graceMs: number): Promise<void> {
  signalGroup(pid, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while (groups.has(pid) && performance.now() < deadline) await sleep(50);
  signalGroup(pid, "SIGKILL");
}

let isWatching = false;

/** A group of its own does not get the terminal's Ctrl-C, so it is passed on. */
function stopWithParent(): void {
  if (isWatching) return;
  isWatching = true;
  process.on("exit", () => {
    for (const pid of groups) signalGroup(pid, "SIGKILL");
  });
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    process.on(signal, async () => {
      for (const pid of groups) signalGroup(pid, "SIGTERM");
      const deadline = performance.now() + GRACE_MS;
      while (groups.size > 0 && performance.now() < deadline) await sleep(50);
      process.exit(code);
    });
  }
}
