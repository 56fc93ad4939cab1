import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type CaseResult, isRed } from "./case.ts";
import { Console, type Output } from "./console.ts";
import { CASES, DOCUMENT } from "./reporters/samples.ts";

const ids = CASES.map(({ id }) => id);

function run(isTTY: boolean, noColour = "", requirements = DOCUMENT.requirements): string {
  let said = "";
  const output: Output = { isTTY, columns: 100, write: (text) => said += text };
  const isRedHere = (result: (typeof CASES)[number]) => isRed(result, DOCUMENT.run.policy);
  const console = new Console({ ids, jobs: 2, isRed: isRedHere, output, noColour });
  console.step("setting up");
  for (const result of CASES) {
    console.begin(result.id);
    console.end(result);
  }
  console.finish(CASES, requirements);
  return said;
}

function sayAll(results: readonly CaseResult[], isRed: () => boolean): string {
  let said = "";
  const output: Output = { write: (text) => said += text };
  const console = new Console({ ids: results.map(({ id }) => id), jobs: 1, isRed, output });
  for (const result of results) {
    console.begin(result.id);
    console.end(result);
  }
  console.finish(results, []);
  return said;
}

describe("Console", () => {
  it("writes plain lines where nobody watches: no escape, no status", () => {
    const said = run(false);
    assert(!said.includes("\x1b[3") && !said.includes("\r") && !said.includes(" left: "));
    assertEquals(said.split("\n")[1], `1/8 pass    ${ids[0]} (1.23 s)`);
  });

  it("says on a terminal what is done, what is left and what runs, within its width", () => {
    const lines = run(true).split("\x1b[2K").filter((line) => line.includes(" left: "));
    assert(lines[1].startsWith("1/8 done, 0 s, about "), lines[1]);
    assert(lines.some((line) => line.includes(", 1 red, ")));
    assert(lines.every((line) => line.replace("\r", "").length < 100));
  });

  it("colours on a terminal, unless NO_COLOR says no", () => {
    assert(run(true).includes("\x1b[32mpass"));
    assert(!run(true, "1").includes("\x1b[3"));
  });

  it("explains what is red, with the replay, before the table", () => {
    const said = run(false);
    const order = [
      "PROBE cr0: expected 0x11",
      "replay: qemu-system-x86_64 -M",
      "architecture, protocol",
    ];
    const places = order.map((text) => said.indexOf(text));
    assert(places[0] > 0 && places[0] < places[1] && places[1] < places[2], `${places}`);
  });

  it("says a reason once, and then that it is the same", () => {
    const reason = "qemu-system-x86_64 is missing: apt-get install qemu-system-x86 puts it there";
    const result = (name: string, outcome: CaseResult["outcome"]): CaseResult => ({
      id: `qemu-tcg/pc/x86_64/pvh/probe-elf64/${name}`,
      outcome,
      reason,
      ms: 1,
    });
    const results = [result("a", "skip"), result("b", "skip"), result("c", "skip")];
    const count = (said: string) => said.split(reason).length - 1;
    const said = sayAll(results, () => false);
    // With the first case, and with the count of all
    assertEquals(count(said), 2);
    assert(said.includes(`b (0.00 s): reason 1, as above\n`), said);
    assert(said.includes(`\n  3 skipped: ${reason}\n`), said);
    // Red ones are explained together, and then counted
    const red = sayAll(results.map((one) => ({ ...one, outcome: "broken" })), () => true);
    assertEquals(count(red), 2);
    assert(red.includes("broken qemu-tcg/pc/x86_64/pvh/probe-elf64/c\n  qemu-system"), red);
  });

  it("explains what a guest showed case by case", () => {
    const one = CASES.find(({ outcome }) => outcome === "fail")!;
    const said = sayAll([one, { ...one, id: `${one.id}-2` }], () => true);
    assertEquals(said.split("PROBE cr0: expected 0x11").length - 1, 2);
  });

  it("has a table of architecture and protocol by driver, and what no case shows", () => {
    const said = run(false);
    assert(/^architecture, protocol +qemu-tcg +qemu-kvm +no guest$/m.test(said));
    assert(/^aarch64 arm64 +0\/4, 1 broken, 1 timeout, 1 xpass, 1 xfail$/m.test(said));
    assert(/^x86_64 pvh +1\/2, 1 fail$/m.test(said));
    assert(/^x86_64 linux64 +0\/1, 1 skip +1\/1$/m.test(said));
    assert(said.includes("4 requirements: 1 shown, 1 red, 1 not run, 1 without a case\n"));
    assert(said.includes("  without a case: pvh.open (pvh.pandoc): Nobody looks\n"));
    assert(!run(false, "", []).includes("requirements"));
  });
});
