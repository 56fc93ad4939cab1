import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { runGuest } from "./guest_process.ts";

/** A guest that says its process id, then waits for longer than any test. */
const SLEEPER = ["/bin/sh", "-c", "echo pid=$$; exec sleep 600"];

function pidIn(said: string): number {
  return Number(/pid=(\d+)/.exec(said)?.[1]);
}

/** Whether a process is gone, waiting for a kill that is under way. */
async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

describe("runGuest", () => {
  it("gives the output and the exit code", async () => {
    const exit = await runGuest(["/bin/sh", "-c", "echo out; echo err >&2; exit 7"], {
      timeout: 60,
    });
    assertEquals([exit.serial, exit.stderr, exit.code], ["out\n", "err\n", 7]);
    assertEquals(exit.timedOut, false);
  });

  it("passes arguments as they are", async () => {
    const exit = await runGuest(["printf", "%s|", "a b", "$HOME", "'"], { timeout: 60 });
    assertEquals(exit.serial, "a b|$HOME|'|");
  });

  it("kills a guest at its time limit", async () => {
    const exit = await runGuest(SLEEPER, { timeout: 1 });
    assertEquals(exit.timedOut, true);
    assert(await isGone(pidIn(exit.serial)));
  });

  it("kills a guest that is done", async () => {
    const isDone = (said: string) => said.includes("\n");
    const exit = await runGuest(SLEEPER, { timeout: 60, isDone });
    assertEquals(exit.timedOut, false);
    assert(await isGone(pidIn(exit.serial)));
  });

  it("kills a guest when it is told to stop", async () => {
    const stop = new AbortController();
    const isDone = () => {
      stop.abort();
      return false;
    };
    const exit = await runGuest(SLEEPER, { timeout: 60, isDone, signal: stop.signal });
    assertEquals(exit.timedOut, false);
    assert(await isGone(pidIn(exit.serial)));
  });

  it("says that a program is not there through its exit code", async () => {
    const exit = await runGuest(["/nonexistent/qemu"], { timeout: 60 });
    assertEquals([exit.serial, exit.code], ["", 127]);
    assert(exit.stderr.includes("/nonexistent/qemu"));
  });

  it("leaves no guest behind when its own process is killed", async () => {
    const script = `import { runGuest } from ${
      JSON.stringify(new URL("./guest_process.ts", import.meta.url).href)
    };
      await runGuest(${JSON.stringify(SLEEPER)}, {
        timeout: 600,
        isDone: (said) => { console.log(said); return false; },
      });`;
    const isDeno = "Deno" in globalThis;
    const isBun = "Bun" in globalThis;
    const args = isDeno
      ? ["run", "-A", "--no-lock", "--ext=ts", "-"]
      : isBun
      ? ["run", "-"]
      : ["--import", "tsx", "--input-type=module", "-"];
    const child = spawn(process.execPath, args, {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.end(script);
    let said = "";
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk) => {
        said += chunk;
        if (/pid=\d+/.test(said)) resolve();
      });
      child.on("close", () => resolve());
    });
    const pid = pidIn(said);
    assert(pid > 0, `the guest did not start: ${said}`);
    child.kill("SIGKILL");
    assert(await isGone(pid));
  });
});
