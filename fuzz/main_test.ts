import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

/** This runtime's arguments for a script. */
const RUN = "deno" in process.versions
  ? ["run", "--allow-all", "--no-check", "--quiet"]
  : "bun" in process.versions
  ? []
  : ["--import", "tsx"];

function run(script: string, ...args: string[]) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...RUN, script, ...args],
    { cwd: dirname(HERE), encoding: "utf8", timeout: 60_000 },
  );
  return { status, signal, lines: stdout.trimEnd().split("\n"), stderr };
}

const fuzz = (...args: string[]) => run(join(HERE, "main.ts"), ...args);

describe("deno task fuzz", () => {
  it("ends with its counts and writes them as JSON", () => {
    const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
    try {
      const json = join(directory, "out.json");
      const args = ["--only", "total-elf", "--runs", "50", "--seed", "3", "--json", json];
      const { status, lines } = fuzz(...args);
      assertEquals([status, lines.at(-1)], [0, "1 passed, 0 failed, 0 skipped"]);
      const { seed, results: [result] } = JSON.parse(readFileSync(json, "utf8"));
      assertEquals([seed, result.name, result.outcome, result.runs], [
        3,
        "total-elf",
        "passed",
        50,
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("shares its runs among shards", () => {
    const runs = ["1/2", "2/2"].map((shard) => {
      const { lines } = fuzz(
        "--only",
        "total-elf",
        "--runs",
        "300",
        "--seed",
        "3",
        "--shard",
        shard,
      );
      return Number(/(\d+) runs/.exec(lines.join("\n"))?.[1]);
    });
    assertEquals(runs, [200, 100]);
  });

  it("fuzzes a target by coverage, and says executions and edges", () => {
    const { status, lines } = fuzz(
      "--guided",
      "--only",
      "target-detect",
      "--runs",
      "500",
      "--seed",
      "1",
    );
    assertEquals([status, lines.at(-1)], [0, "1 passed, 0 failed, 0 skipped"]);
    assertEquals(/ok +target-detect +5\d\d executions, \d+\/s, \d+ edges/.test(lines[1]), true);
  });

  it("refuses what it does not understand", () => {
    assertEquals(fuzz("--only", "nothing").status, 2);
    assertEquals(fuzz("--guided", "--only", "nothing").status, 2);
    assertEquals(fuzz("--seed", "x").status, 2);
    // A report that could not be written in the end
    assertEquals(fuzz("--only", "total-elf", "--json", HERE).status, 2);
  });
});

describe("Watchdog", () => {
  it("ends a run that does not end, and says how to have it again", () => {
    const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
    try {
      const script = join(directory, "hang.ts");
      const watchdog = pathToFileURL(join(HERE, "watchdog.ts"));
      writeFileSync(
        script,
        `import { Watchdog } from "${watchdog}";
        const dog = new Watchdog(1);
        dog.note("deno task fuzz --only x");
        setTimeout(() => { for (;;); }, 300);`,
      );
      const { status, signal, lines, stderr } = run(script);
      assertEquals(status === null ? signal : status, status === null ? "SIGKILL" : 137);
      assertEquals(stderr.includes("deno task fuzz --only x"), true);
      assertEquals(lines.at(-1), "0 passed, 1 failed, 0 skipped");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
