import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import type { CaseResult } from "../case.ts";
import { parseDocument } from "./document.ts";
import { DOCUMENT } from "./samples.ts";
import { checkReportPlace, DOCUMENT_FILE, writeReport } from "./write.ts";

describe("writeReport", () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "report-"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const read = (place: string) => parseDocument(readFileSync(join(place, DOCUMENT_FILE), "utf8"));

  it("writes all four files, and nothing beside", () => {
    const place = join(root, "a/b");
    writeReport(place, DOCUMENT);
    assertEquals(readdirSync(place).sort(), [
      ...["index.html", "junit.xml", "report.json", "report.tap"],
    ]);
    assertEquals(readdirSync(join(root, "a")), ["b"]);
    assertEquals(read(place).passed, DOCUMENT.passed);
  });

  it("replaces an earlier report", () => {
    const place = join(root, "again");
    writeReport(place, DOCUMENT);
    writeReport(place, { ...DOCUMENT, passed: 77 });
    assertEquals(read(place).passed, 77);
  });

  it("leaves an earlier report as it was, and nothing else, if writing fails half way", () => {
    const place = join(root, "fails");
    writeReport(place, DOCUMENT);
    const plan = {
      get ram() {
        throw new Error("no space left on device");
      },
    };
    const broken = { ...DOCUMENT.cases[0], plan } as unknown as CaseResult;
    assertThrows(
      () => writeReport(place, { ...DOCUMENT, passed: 77, cases: [broken] }),
      Error,
      `Cannot write a report to ${place}: no space left on device`,
    );
    assertEquals(read(place).passed, DOCUMENT.passed);
    assertEquals(readdirSync(root).filter((name) => name.startsWith("fails")), ["fails"]);
  });

  it("touches no directory that holds anything else", () => {
    const place = join(root, "mine");
    mkdirSync(place);
    writeFileSync(join(place, "thesis.tex"), "x");
    assertThrows(() => checkReportPlace(place), Error, "it holds thesis.tex");
    assertThrows(() => writeReport(place, DOCUMENT), Error, "it holds thesis.tex");
    assertEquals(readdirSync(place), ["thesis.tex"]);
  });

  it("refuses a file, and a place below one", () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    for (const place of [file, join(file, "x")]) {
      assertThrows(() => checkReportPlace(place), Error, `Cannot write a report to ${place}`);
    }
  });
});
