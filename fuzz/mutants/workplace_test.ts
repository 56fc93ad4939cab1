import { assertEquals } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { patched, ROOT } from "../repository_copy.ts";
import { type Fault, type Stage, Workplace } from "./workplace.ts";

const directory = mkdtempSync(join(tmpdir(), "fuzz-workplace-"));
const STAGES: readonly Stage[] = [
  { kind: "fuzz", options: { seed: 1, rounds: [30] }, timeoutMs: 120_000 },
];
const FILE = "src/memory/apply.ts";
const before = readFileSync(join(ROOT, FILE), "utf8");

function fault(find: string, replace: string): Fault {
  const patch = { file: FILE, find, replace };
  return { id: "a-fault", file: FILE, what: "a test", plant: (text) => patched(text, patch) };
}

describe("Workplace", () => {
  after(() => rmSync(directory, { recursive: true, force: true }));
  const place = new Workplace(join(directory, "0"));
  const judge = async (find: string, replace: string, stages = STAGES) => {
    const { outcome, by } = await place.judge(fault(find, replace), stages);
    return [outcome, by];
  };

  it("finds a fault that leaves BSS as it was, and takes it out again", async () => {
    assertEquals(await judge("view.fill(0)", "view.length"), ["killed", "model-boot"]);
    assertEquals((await place.judge(undefined, STAGES)).outcome, "survived");
  });

  it("does not take what cannot be planted, or does not parse, for a fault that was found", async () => {
    assertEquals(await judge("no such text", ""), ["does-not-apply", undefined]);
    assertEquals(await judge("placement", ""), ["does-not-apply", undefined]); // more than once
    assertEquals(await judge("view.fill(0)", "view.("), ["broken", undefined]);
  });

  it("ends a fault that does not end, and says so", async () => {
    const stages: Stage[] = [{
      kind: "fuzz",
      options: { seed: 1, rounds: [30] },
      timeoutMs: 5_000,
    }];
    assertEquals(await judge("view.fill(0)", "for (;;);", stages), ["timeout", "the whole suite"]);
  });

  it("never touches the tree itself", () => {
    assertEquals(readFileSync(join(ROOT, FILE), "utf8"), before);
  });
});
