import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { casesOfShard } from "../shard.ts";
import { parseDocument, type ReportDocument, requirementState } from "./document.ts";
import { mergeReports, type ShardReport } from "./merge.ts";
import { CASES, DOCUMENT, sample } from "./samples.ts";

function shard(index: number, count: number, change: Partial<ReportDocument> = {}): ShardReport {
  const cases = casesOfShard(CASES, { index, count });
  const run = { ...DOCUMENT.run, shard: { index, count } };
  return { name: `s${index}`, document: { ...DOCUMENT, run, cases, ...change } };
}

const problems = (...reports: ShardReport[]) => mergeReports(reports).problems;

describe("mergeReports", () => {
  it("makes the whole of its shards, in any order", () => {
    const { cases, passed, failed, skipped, run, problems } = mergeReports([
      ...[shard(3, 3), shard(1, 3), shard(2, 3)],
    ]);
    assertEquals(cases.map(({ id }) => id), CASES.map(({ id }) => id).sort());
    assertEquals([passed, failed, skipped], [2, 4, 2]);
    assertEquals([run.shard, problems], [undefined, []]);
  });

  it("says which shard is missing, and how many cases with it", () => {
    assertEquals(problems(shard(1, 3), shard(3, 3)), [
      "shard 2 of 3 is missing",
      "5 cases are there, 8 were selected: 3 are missing",
    ]);
  });

  it("says that a shard is there twice, and which cases", () => {
    const said = problems(shard(1, 2), shard(2, 2), { ...shard(2, 2), name: "other" });
    assertEquals(said[0], "shard 2 of 2 is there twice: s2 and other");
    assertEquals(said.length, 1 + CASES.length / 2);
  });

  it("shows the result that did not pass where a case is there twice", () => {
    const [one] = CASES;
    const again = { cases: [sample(one.id, "fail")] };
    const merged = mergeReports([shard(1, 2), shard(2, 2, again)]);
    assertEquals(merged.cases.find(({ id }) => id === one.id)?.outcome, "fail");
  });

  it("says that shards are of different selections, counts or libraries", () => {
    const of = (run: Partial<ReportDocument["run"]>) =>
      problems(
        shard(1, 2),
        shard(2, 2, { run: { ...DOCUMENT.run, shard: { index: 2, count: 2 }, ...run } }),
      )[0];
    assertEquals(of({ selection: "0x1" }), "s2 is of another selection of cases than s1");
    assertEquals(of({ library: "9" }), "s2 is of library 9, s1 of another");
    assertEquals(of({ shard: { index: 2, count: 3 } }), "s2 is of 3 shards, s1 of 2");
  });

  it("keeps the problems of a shard, and names one that cannot be read", () => {
    const said = problems(shard(1, 2, { problems: ["interrupted"] }), {
      name: "s2",
      unreadable: "it was cut off",
    });
    assertEquals(said.slice(0, 3), [
      "s2 cannot be read: it was cut off",
      "shard 2 of 2 is missing",
      "interrupted",
    ]);
  });

  it("refuses if nothing can be read", () => {
    assertThrows(() => mergeReports([{ name: "a", unreadable: "b" }]), Error, "Cannot merge: a");
  });

  it("takes the stricter policy", () => {
    const run = { ...DOCUMENT.run, shard: { index: 2, count: 2 } };
    const strict = { ...run, policy: { noSkip: true, requireKvm: true } };
    assertEquals(mergeReports([shard(1, 2), shard(2, 2, { run: strict })]).failed, 5);
  });
});

describe("parseDocument", () => {
  const text = JSON.stringify(DOCUMENT);

  it("reads what was written", () => {
    assertEquals(parseDocument(text), JSON.parse(text));
  });

  it("refuses what was cut off anywhere", () => {
    for (let end = 0; end < text.length; end += 97) {
      assertThrows(() => parseDocument(text.slice(0, end)), Error, "cut off");
    }
    const { end: _, ...rest } = DOCUMENT;
    assertThrows(() => parseDocument(JSON.stringify(rest)), Error, "cut off");
  });

  it("refuses other JSON", () => {
    for (const other of ["{}", "null", "[]", "1"]) {
      assertThrows(() => parseDocument(other), Error, "it is not a");
    }
  });
});

describe("requirementState", () => {
  const results = new Map(CASES.map((result) => [result.id, result]));
  const isRed = ({ outcome }: { outcome: string }) => outcome === "fail";
  for (const [i, state] of ["red", "no case", "shown", "not run"].entries()) {
    it(`is ${state}`, () => {
      assertEquals(requirementState(DOCUMENT.requirements[i], results, isRed), state);
    });
  }
});
