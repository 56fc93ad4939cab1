import { assert, assertEquals, assertRejects } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { findOnPath, lastLines, pipeline, run } from "./children.ts";

const sh = (script: string, ...args: string[]) => ["sh", "-c", script, "sh", ...args];

describe("run", () => {
  it("returns the exit code and both outputs, in the language C", async () => {
    const [command, ...args] = sh('echo "$LC_ALL $1"; echo err >&2; exit 3', "a b");
    const expected = { code: 3, stdout: "C a b\n", stderr: "err\n" };
    assertEquals(await run(command, args), expected);
  });

  it("says which program cannot be run", async () => {
    await assertRejects(() => run("/no/such/program", []), Error, "Cannot run /no/such/program: ");
  });

  it("appends both outputs to the log file", async () => {
    const directory = mkdtempSync(join(tmpdir(), "children-test-"));
    try {
      const logFile = join(directory, "log");
      writeFileSync(logFile, "before\n");
      await run("sh", ["-c", "echo out; sleep 0.1; echo err >&2"], { logFile });
      assertEquals(readFileSync(logFile, "utf8"), "before\nout\nerr\n");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("does not start when it is already aborted", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await assertRejects(() => run("/no/such/program", [], { signal }), Error, "too late");
  });

  it("kills an aborted child, also one that ignores SIGTERM", { timeout: 40_000 }, async () => {
    for (const script of ["exec sleep 60", "trap '' TERM; while :; do sleep 0.05; done"]) {
      const controller = new AbortController();
      const { signal } = controller;
      setTimeout(() => controller.abort(new Error("enough")), 150);
      const start = performance.now();
      const running = run("sh", ["-c", script], { signal, graceMs: 200 });
      await assertRejects(() => running, Error, "enough");
      assert(performance.now() - start < 30_000, "it took the child's own time");
    }
  });
});

describe("pipeline", () => {
  it("feeds each command with the output of the one before", async () => {
    const results = await pipeline([sh("echo one; exit 4"), sh("sed s/one/two/"), ["cat"]]);
    assertEquals(results.map(({ code, stdout }) => [code, stdout]), [[4, ""], [0, ""], [
      0,
      "two\n",
    ]]);
  });

  it("ends when the reader does not read to the end, or cannot be run", async () => {
    const endless = sh("while :; do echo more; done");
    const [writer, reader] = await pipeline([endless, sh("exit 5")]);
    assertEquals([writer.code !== 0, reader.code], [true, 5]);
    await assertRejects(() => pipeline([endless, ["/no/such/program"]]), Error, "Cannot run");
  });
});

describe("findOnPath", () => {
  it("takes the first executable file, and no directory or plain file", () => {
    const directory = mkdtempSync(join(tmpdir(), "path-test-"));
    try {
      writeFileSync(join(directory, "sh"), "not executable");
      const sh = findOnPath("sh", `/no/such/directory::${directory}:/:/bin`);
      assertEquals([sh, findOnPath("bin", "/"), findOnPath("sh", "")], [
        "/bin/sh",
        undefined,
        undefined,
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("lastLines", () => {
  it("leaves out blank lines and all but the last ones", () => {
    assertEquals(lastLines("a\n\nb \n  \nc\n\n", 2), ["b", "c"]);
    assertEquals(lastLines("", 2), []);
  });
});
