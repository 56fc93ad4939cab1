/**
 * Counts the tests in a JUnit report, the one format that the test runners of Deno, Bun and Node
 * share.
 *
 * @module
 */
import type { Counts } from "./steps.ts";

/** A comment, or a tag: `/` of a closing one, name, attributes, `/` of an empty element. */
const TOKEN = /<!--[^]*?-->|<(\/?)([A-Za-z][\w.:-]*)((?:\s+[\w.:-]+="[^"]*")*)\s*(\/?)>/g;

interface TestCase {
  name: string;
  outcome: keyof Counts;
}

/**
 * Counts a report's tests. Deno lists a `describe` among the tests inside it, under a name that
 * theirs begin with; such a group counts only if nothing is in it, as with the other two.
 *
 * @param xml The report.
 * @returns How many tests there are of each outcome.
 */
export function countJunit(xml: string): Counts {
  const cases = testCases(xml);
  const groups = new Set<string>();
  for (const { name } of cases) {
    for (let end = name.indexOf(" > "); end >= 0; end = name.indexOf(" > ", end + 1)) {
      groups.add(name.slice(0, end));
    }
  }
  const isDeno = xml.includes('<testsuites name="deno test"');
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, outcome } of cases) {
    if (!isDeno || !groups.has(name)) counts[outcome]++;
  }
  return counts;
}

function testCases(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  let current: TestCase | undefined;
  for (const [, closing, tag, attributes, empty] of xml.matchAll(TOKEN)) {
    if (tag === undefined) continue;
    if (tag === "testcase") {
      if (closing === "/") current = undefined;
      else {
        current = { name: attribute(attributes, "name"), outcome: "passed" };
        cases.push(current);
        if (empty === "/") current = undefined;
      }
    } else if (current !== undefined && closing === "") {
      if (tag === "failure" || tag === "error") current.outcome = "failed";
      if (tag === "skipped" && current.outcome === "passed") current.outcome = "skipped";
    }
  }
  return cases;
}

const ENTITIES: Record<string, string> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity]);
}
