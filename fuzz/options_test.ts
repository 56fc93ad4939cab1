import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { choose, readOptions } from "./options.ts";
import { formatState, Progress } from "./progress.ts";

const wrong = (...args: string[]) => "wrong" in readOptions(args);

describe("readOptions", () => {
  it("reads every option", () => {
    const read = readOptions([
      ...["--runs", "5", "--time", "1.5", "--seed", "7", "--only", "atomic", "--path", "3:0"],
      ...["--guided", "--shard", "2/3", "--json", "x.json", "--no-keep"],
    ]);
    assertEquals(read, {
      options: {
        ...{ runs: 5, time: 1.5, seed: 7, only: ["atomic"], path: "3:0", guided: true },
        ...{ shard: { index: 2, count: 3 }, json: "x.json", keep: false, list: false },
      },
    });
  });

  it("refuses what cannot be", () => {
    assertEquals(wrong(), false);
    assertEquals(wrong("--runs", "x"), true);
    assertEquals(wrong("--runs", "1.5"), true);
    assertEquals(wrong("--time", "-1"), true);
    assertEquals(wrong("--shard", "4/3"), true);
    assertEquals(wrong("--shard", "0/3"), true);
    assertEquals(wrong("--path", "1"), true);
    assertEquals(wrong("--frobnicate"), true);
    assertEquals(wrong("atomic"), true);
  });
});

describe("choose", () => {
  const all = ["atomic", "atomic-sources", "total-elf"].map((name) => ({ name }));

  it("takes a name, and names that begin with it", () => {
    assertEquals(choose(all, []), { chosen: all });
    assertEquals(choose(all, ["atomic"]), { chosen: all.slice(0, 2) });
    assertEquals(choose(all, ["total-elf"]), { chosen: all.slice(2) });
  });

  it("refuses a name that nothing has", () => {
    assertEquals(choose(all, ["atom"]), { missing: "atom" });
  });
});

describe("Progress", () => {
  it("shows property, runs, rate and time left", () => {
    const state = { name: "total-elf", runs: 500, of: 1000, ms: 1000 };
    assertEquals(formatState(state), "total-elf            500/1000 runs, 500/s, 1 s left");
    const timed = formatState({ name: "x", runs: 9, ms: 3000, leftMs: 4400, more: "7 edges" });
    assertEquals(timed.trimStart(), "x                    9 runs, 3/s, 4 s left, 7 edges");
  });

  it("writes over its line on a terminal, and no escape codes elsewhere", () => {
    let text = "";
    const live = new Progress(true, (part) => text += part);
    const until = performance.now() + 250;
    while (performance.now() < until) live.show({ name: "x", runs: 1, ms: 1 });
    live.line("done");
    assertEquals(text.startsWith("\r\x1b[Kx"), true);
    assertEquals(text.endsWith("\r\x1b[Kdone\n"), true);
    let plain = "";
    const lines = new Progress(false, (part) => plain += part);
    lines.show({ name: "x", runs: 1, ms: 1 });
    lines.line("done");
    assertEquals(plain, "done\n");
  });
});
