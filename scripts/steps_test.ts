import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { checkCommand, countsLine, findingOf, runStep, seconds } from "./steps.ts";

const sh = (script: string, timeoutMs = 60_000) => runStep("sh", ["-c", script], { timeoutMs });

describe("runStep", () => {
  it("returns the exit code, both outputs, and standard output alone", async () => {
    const { code, output, stdout, timedOut } = await sh(
      "echo out; sleep 0.1; echo err >&2; exit 3",
    );
    assertEquals([code, output, stdout, timedOut], [3, "out\nerr\n", "out\n", false]);
  });

  it("says which program cannot be run", async () => {
    const { code, output } = await runStep("/no/such/program", [], { timeoutMs: 60_000 });
    assertEquals(code, 127);
    assertStringIncludes(output, "Cannot run /no/such/program: ");
  });

  it("kills the whole process group at the timeout", async () => {
    // A survivor would keep its end of the pipe, and this waiting
    const polite = await sh("sleep 60 & wait", 200);
    assertEquals([polite.timedOut, polite.code], [true, 128]);
    assert(polite.ms < 10_000, `${polite.ms}`);
    const script = "trap '' TERM; (while :; do sleep 0.05; done) & wait";
    const stubborn = await runStep("sh", ["-c", script], { timeoutMs: 200, graceMs: 200 });
    assertEquals([stubborn.timedOut, stubborn.code], [true, 128]);
    assert(stubborn.ms < 10_000, `${stubborn.ms}`);
  });

  it("keeps the end of an output without end", async () => {
    const { output } = await sh("head -c 20000000 /dev/zero | tr '\\0' x; echo end");
    assert(output.length <= 1 << 23);
    assert(output.endsWith("xend\n"));
  });
});

describe("runStep's onLine", () => {
  it("is told each line as it comes, without colours", async () => {
    const lines: string[] = [];
    const script = "printf 'o'; sleep 0.1; printf 'ne\\n\\033[31mtwo\\033[0m\\nrest'; echo err >&2";
    const onLine = (line: string) => lines.push(line);
    await runStep("sh", ["-c", script], { timeoutMs: 60_000, onLine });
    assertEquals(lines.filter((line) => line !== "err"), ["one", "two"]);
    assertEquals(lines.includes("err"), true);
  });
});

describe("checkCommand", () => {
  it("passes at exit code 0, and fails with what was said at any other", async () => {
    assertEquals(await checkCommand("echo", ["fine"]), { outcome: "passed", output: "fine\n" });
    const { outcome, output } = await checkCommand("sh", ["-c", "echo bad; exit 4"]);
    assertEquals([outcome, output], ["failed", "bad\nexit code 4: sh -c echo bad; exit 4"]);
    const late = await checkCommand("sleep", ["60"], 100);
    assertEquals(late.outcome, "failed");
    assertStringIncludes(late.output ?? "", "stopped after");
  });
});

describe("findingOf", () => {
  it("passes without lines only", () => {
    assertEquals(findingOf([]), { outcome: "passed" });
    assertEquals(findingOf(["a", "b"]), { outcome: "failed", output: "a\nb" });
  });
});

describe("countsLine", () => {
  it("is the line that everything ends with", () => {
    assertEquals(
      countsLine({ passed: 1, failed: 2, skipped: 3 }),
      "1 passed, 2 failed, 3 skipped",
    );
    assertEquals(seconds(1234), "1.2 s");
  });
});
