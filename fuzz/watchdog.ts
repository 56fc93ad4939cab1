/**
 * Notices that a run does not end: the loader under test is synchronous, so only another thread can.
 *
 * @module
 */
import process from "node:process";
import { Worker } from "node:worker_threads";

/** Where the note to print lies in the shared memory, behind the two counters. */
const NOTE_AT = 16;
const NOTE_SIZE = 1 << 17;

/**
 * A thread that ends the process when a single run takes too long: by the processor's time, so that a
 * busy machine is no finding, and in the end by the clock, for a run that waits for ever.
 */
export class Watchdog {
  readonly #state: Int32Array;
  readonly #note: Uint8Array;
  readonly #worker: Worker;

  /** @param seconds How much of the processor a single run may take; by the clock, ten times that. */
  constructor(seconds: number) {
    const shared = new SharedArrayBuffer(NOTE_AT + NOTE_SIZE);
    this.#state = new Int32Array(shared, 0, 4);
    this.#note = new Uint8Array(shared, NOTE_AT);
    this.#worker = new Worker(CODE, {
      eval: true,
      workerData: { shared, seconds, noteAt: NOTE_AT, pid: process.pid },
    });
    this.#worker.unref();
  }

  /** A run begins. */
  tick(): void {
    Atomics.add(this.#state, 0, 1);
  }

  /**
   * What is printed if the run does not end.
   *
   * @param text A command that reproduces it.
   */
  note(text: string): void {
    const bytes = new TextEncoder().encode(text).subarray(0, NOTE_SIZE);
    this.#note.set(bytes);
    Atomics.store(this.#state, 1, bytes.length);
    this.tick();
  }

  /**
   * Switches the watch off, for what may take long.
   *
   * @param isPaused Whether it is off.
   */
  pause(isPaused: boolean): void {
    Atomics.store(this.#state, 3, isPaused ? 1 : 0);
    this.tick();
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** In JavaScript, since a runtime may load TypeScript in its first thread only. */
const CODE = `(async () => {
  const { workerData } = await import("node:worker_threads");
  const { writeSync } = await import("node:fs");
  const process = (await import("node:process")).default;
  const { shared, seconds, noteAt, pid } = workerData;
  const state = new Int32Array(shared, 0, 4);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
  let last = -1;
  let still = 0;
  let since = used();
  for (;;) {
    Atomics.wait(idle, 0, 0, 500);
    const now = Atomics.load(state, 0);
    still = now === last && Atomics.load(state, 3) === 0 ? still + 0.5 : 0;
    if (still === 0) since = used();
    last = now;
    if (used() - since < seconds && still < 10 * seconds) continue;
    const note = new Uint8Array(shared, noteAt, Atomics.load(state, 1)).slice();
    const text = new TextDecoder().decode(note);
    writeSync(2, "\\nFAILED: a run has not ended after " + seconds + " s of processor time\\n" + text + "\\n");
    writeSync(1, "\\n0 passed, 1 failed, 0 skipped\\n");
    process.kill(pid, "SIGKILL");
  }
})();`;
