/** Drives a headless Chromium over its own protocol, through a pipe: for the tests of the page. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** The programs that may be there, the first of which is used. */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"] as const;

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  "--remote-debugging-pipe",
] as const;

/** How long a single answer may take, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Looks for Chromium.
 *
 * @returns The program, undefined if there is none that runs.
 */
export function findChromium(): string | undefined {
  return PROGRAMS.find((program) => spawnSync(program, ["--version"]).status === 0);
}

interface Answer {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: Record<string, unknown>;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
}

/** A page in a browser of its own. */
export class BrowserPage {
  readonly #directory: string = mkdtempSync(join(tmpdir(), "chromium-"));
  readonly #input: Writable;
  readonly #closed: Promise<void>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 1;
  #session: string | undefined;
  /** What the page complained about: exceptions, refused requests. */
  readonly complaints: string[] = [];

  /**
   * Starts a browser.
   *
   * @param program The program.
   * @returns An empty page.
   */
  static async open(program: string): Promise<BrowserPage> {
    const page = new BrowserPage(program);
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const attach = { targetId, flatten: true };
    const { sessionId } = await page.send("Target.attachToTarget", attach);
    page.#session = sessionId as string;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    return page;
  }

  private constructor(program: string) {
    const child = spawn(program, [...FLAGS, `--user-data-dir=${this.#directory}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    this.#input = child.stdio[3] as Writable;
    this.#input.on("error", () => {}); // it has ended
    this.#closed = new Promise((resolve) => child.on("close", () => resolve()));
    let said = "";
    (child.stdio[4] as unknown as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (said + text).split("\0");
      said = messages.pop()!;
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  #take(answer: Answer): void {
    if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    const params = JSON.stringify(answer.params);
    if (answer.method === "Runtime.exceptionThrown" || answer.method === "Log.entryAdded") {
      this.complaints.push(params);
    }
    if (answer.method === "Network.requestWillBeSent" && !/"url":"(file|about):/.test(params)) {
      this.complaints.push(`a request: ${params}`);
    }
  }

  /**
   * Sends a command of the protocol.
   *
   * @param method The command.
   * @param params Its parameters.
   * @returns What it returns.
   * @throws {Error} If it fails, or no answer comes.
   */
  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), PATIENCE);
      this.#waiting.set(id, ({ error, result }) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
      this.#input.write(`${JSON.stringify({ id, method, params, sessionId: this.#session })}\0`);
    });
  }

  /**
   * Opens an address and waits until it is there.
   *
   * @param url The address.
   */
  async goto(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.until(`document.readyState === "complete" && location.href !== "about:blank"`);
  }

  /**
   * Evaluates an expression in the page.
   *
   * @param expression JavaScript; a promise is awaited.
   * @returns Its value.
   * @throws {Error} If it throws.
   */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /**
   * Waits until something holds.
   *
   * @param condition JavaScript.
   * @throws {Error} If it does not within a while.
   */
  async until(condition: string): Promise<void> {
    for (const start = performance.now(); performance.now() - start < PATIENCE;) {
      if (await this.evaluate<boolean>(`Boolean(${condition})`)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`Cannot go on: ${condition} does not come true`);
  }

  /**
   * Presses keys, as a person would.
   *
   * @param keys Characters, or names such as `Tab` and `Enter`.
   */
  async press(...keys: string[]): Promise<void> {
    const codes: Record<string, number> = { Tab: 9, Enter: 13 };
    for (const key of keys) {
      const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
      const event = { key, code: key, text, windowsVirtualKeyCode: codes[key] };
      await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
      await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    }
  }

  /**
   * Sets the window's width and the preferred colours.
   *
   * @param width In pixels.
   * @param scheme The preference.
   */
  async look(width: number, scheme: "light" | "dark"): Promise<void> {
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /** Ends the browser, and removes what it left. */
  async close(): Promise<void> {
    this.#session = undefined;
    await this.send("Browser.close").catch(() => {});
    await this.#closed;
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
