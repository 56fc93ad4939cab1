import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { formatId } from "./case.ts";
import { CASES } from "./cases/all.ts";
import { casesOf, matchesPattern, REQUIREMENTS } from "./requirements.ts";

const ids = CASES.map(({ id }) => formatId(id));

describe("REQUIREMENTS", () => {
  it("have unique ids", () => {
    const names = REQUIREMENTS.map(({ id }) => id);
    assertEquals(names.filter((id, i) => names.indexOf(id) !== i), []);
  });

  it("name cases that exist, by each of their patterns", () => {
    const stale = REQUIREMENTS.flatMap(({ id, cases }) =>
      cases.filter((pattern) => !ids.some((one) => matchesPattern(one, pattern)))
        .map((pattern) => `${id}: ${pattern}`)
    );
    assertEquals(stale, []);
  });

  it("have a source and a text", () => {
    for (const { id, source, text } of REQUIREMENTS) assert(source && text, id);
  });
});

describe("CASES", () => {
  it("say what they show", () => {
    const silent = CASES.filter(({ requirement }) => !requirement);
    assertEquals(silent.map(({ id }) => formatId(id)), []);
  });
});

describe("matchesPattern", () => {
  it("takes a star for anything but a slash, and a dot for a dot", () => {
    assert(matchesPattern("a/b/debian-6.1/boot", "*/b/debian-*/boot"));
    assert(!matchesPattern("a/b/c/boot", "*/boot"));
    assert(!matchesPattern("a/b/boot-el2", "a/b/boot"));
    assert(!matchesPattern("debian-6x1", "debian-6.1"));
  });
});

describe("casesOf", () => {
  it("gives each id once, whichever patterns it matches", () => {
    const requirement = { id: "x", source: "x", text: "x", cases: ["a/*", "*/b", "c/c"] };
    assertEquals(casesOf(requirement, ["a/b", "c/b", "c/d"]), ["a/b", "c/b"]);
  });
});
