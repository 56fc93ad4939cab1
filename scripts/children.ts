/**
 * Child processes for the scripts: run one to its end, keep what it said, stop it when asked.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { accessSync, appendFileSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** How {@linkcode run} runs a child. */
export interface RunOptions {
  /** Working directory. */
  cwd?: string;
  /** Variables on top of the parent's; `LC_ALL` is `C` unless given, since output gets parsed. */
  env?: Record<string, string>;
  /** Stops the child: SIGTERM, and SIGKILL where that does not help. */
  signal?: AbortSignal;
  /** How long a child may take to obey SIGTERM, in milliseconds. Default: 5,000. */
  graceMs?: number;
  /** A file that all output is appended to. */
  logFile?: string;
}

/** What a child left behind. */
export interface RunResult {
  /** Exit code; 128 where a signal ended it. */
  code: number;
  /** Everything on standard output. */
  stdout: string;
  /** Everything on standard error. */
  stderr: string;
}

/**
 * Runs a command to its end.
 *
 * @param command The program: a path, or a name on PATH.
 * @param args Its arguments.
 * @param options Where and how.
 * @returns Its exit code and output. A non-zero code is a result, not an error.
 * @throws {Error} If it cannot be started.
 * @throws {unknown} The signal's reason, once an aborted child has ended.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [result] = await pipeline([[command, ...args]], options);
  return result;
}

/**
 * Runs commands side by side, each one's output being the next one's input.
 *
 * @param commands The commands, each with its arguments.
 * @param options Where and how, for all of them.
 * @returns A result each, in the same order; only the last one has a `stdout`.
 * @throws {Error} If one cannot be started.
 * @throws {unknown} The signal's reason, once the aborted children have ended.
 */
export async function pipeline(
  commands: readonly (readonly string[])[],
  options: RunOptions = {},
): Promise<RunResult[]> {
  options.signal?.throwIfAborted();
  const children = commands.map(([command, ...args]) =>
    spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: "C", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    })
  );
  let lastResort: ReturnType<typeof setTimeout> | undefined;
  const killAll = (signal: "SIGTERM" | "SIGKILL") => {
    for (const { pid, exitCode, signalCode } of children) {
      // Not child.kill(): Deno's sends nothing the second time
      if (pid === undefined || exitCode !== null || signalCode !== null) continue;
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended in this very moment
      }
    }
  };
  const stop = () => {
    killAll("SIGTERM");
    lastResort = setTimeout(() => killAll("SIGKILL"), options.graceMs ?? 5_000);
  };
  options.signal?.addEventListener("abort", stop, { once: true });

  const results = children.map((child, i) =>
    new Promise<RunResult>((resolve, reject) => {
      const said = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
      const keep = (stream: "stdout" | "stderr") => (chunk: Uint8Array) => {
        said[stream].push(chunk);
        if (options.logFile !== undefined) appendFileSync(options.logFile, chunk);
      };
      child.stderr.on("data", keep("stderr"));
      // A reader that ends early is told by its own exit code, not by the writer's EPIPE
      child.stdin.on("error", () => {});
      if (i === 0) child.stdin.end();
      if (i + 1 === children.length) child.stdout.on("data", keep("stdout"));
      else {
        child.stdout.pipe(children[i + 1].stdin);
        // Otherwise a writer whose reader has died waits for ever
        children[i + 1].on("exit", () => child.stdout.destroy());
      }
      child.on("error", (cause) => {
        stop();
        const [command] = commands[i];
        reject(new Error(`Cannot run ${command}: ${cause.message}`, { cause }));
      });
      child.on("close", (code) =>
        resolve({
          code: code ?? 128,
          stdout: Buffer.concat(said.stdout).toString(),
          stderr: Buffer.concat(said.stderr).toString(),
        }));
    })
  );
  try {
    const settled = await Promise.allSettled(results);
    options.signal?.throwIfAborted();
    return settled.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
  } finally {
    clearTimeout(lastResort);
    options.signal?.removeEventListener("abort", stop);
  }
}

/**
 * Finds a program the way a shell does.
 *
 * @param name The program's name.
 * @param path The directories to search, as in the variable PATH.
 * @returns Its path, or `undefined` if no directory has an executable file of that name.
 */
export function findOnPath(
  name: string,
  path: string = process.env.PATH ?? "",
): string | undefined {
  for (const directory of path.split(delimiter)) {
    if (directory === "") continue;
    const candidate = join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not here: on to the next directory
    }
  }
  return undefined;
}

/**
 * The end of what a program said, for an error message.
 *
 * @param text Its output.
 * @param count How many lines at most.
 * @returns The last lines that are not blank.
 */
export function lastLines(text: string, count: number): string[] {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-count);
}
