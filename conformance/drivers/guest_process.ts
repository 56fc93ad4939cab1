/** A guest's process: what it prints, a hard time limit, and nothing left behind whatever happens. */
import { spawn } from "node:child_process";

/** What is known of a guest once it has ended. */
export interface GuestExit {
  /** Everything on standard output: the serial port. */
  readonly serial: string;
  /** The end of standard error. */
  readonly stderr: string;
  /** Exit code; 0 never proves anything. */
  readonly code: number;
  /** Whether the time limit ended it. */
  readonly timedOut: boolean;
  /** How long it ran, in milliseconds. */
  readonly ms: number;
}

/** How a guest is run. */
export interface GuestOptions {
  /** Hard limit in seconds. */
  readonly timeout: number;
  /** Ends the guest, which is then done, not timed out. */
  readonly isDone?: (serial: string) => boolean;
  /** Ends the guest because the whole run ends. */
  readonly signal?: AbortSignal;
}

/**
 * A shell that runs the guest and watches its own standard input, which we hold: when that closes,
 * be it by us or because this process is gone, the guest is killed.
 */
const WATCHDOG = `exec 3<&0
"$@" </dev/null 3<&- &
guest=$!
{ read -r _ <&3; kill -9 "$guest"; } >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$guest"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"`;

/** A guest that prints for ever must not fill the host's memory. */
const MAX_SERIAL = 8 << 20;
const MAX_STDERR = 64 << 10;

/**
 * Runs a guest to its end.
 *
 * @param command The program and its arguments.
 * @param options When to end it.
 * @returns What it printed and how it ended.
 * @throws {Error} If it cannot be started.
 */
export function runGuest(command: readonly string[], options: GuestOptions): Promise<GuestExit> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", WATCHDOG, "guest", ...command], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let [serial, stderr, timedOut] = ["", "", false];
    const end = () => child.stdin.destroy();
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, options.timeout * 1000);
    options.signal?.addEventListener("abort", end, { once: true });
    if (options.signal?.aborted) end();

    child.stdin.on("error", () => {}); // it ended first
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      serial += text;
      if (serial.length > MAX_SERIAL || options.isDone?.(serial)) end();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-MAX_STDERR);
    });
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(new Error(`Cannot run ${command[0]}: ${cause.message}`, { cause }));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", end);
      const ms = performance.now() - started;
      resolve({ serial, stderr, code: code ?? 128, timedOut, ms });
    });
  });
}
