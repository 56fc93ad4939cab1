import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Facts } from "./facts.ts";

describe("Facts", () => {
  const serial = "noise\nPROBE a=0x10\r\nPROBE b=x=y z\nPROBE e[0]=1\nPROBE e[1]=2\nPROBEc=3\n";

  it("reads the lines with its prefix and no others", () => {
    const facts = new Facts(serial, "PROBE");
    assertEquals(facts.get("a"), "0x10");
    assertEquals(facts.get("b"), "x=y z");
    assertEquals(facts.get("c"), undefined);
    assertEquals(facts.count("e"), 2);
  });

  it("matches numbers as the guests print them, and absence", () => {
    const facts = new Facts(serial, "PROBE");
    facts.expectAll({ a: 16, b: "x=y z", c: undefined });
    facts.expect("a", 16n);
    assertEquals(facts.mismatches, []);
  });

  it("notes what differs, what is missing and what should be absent", () => {
    const facts = new Facts(serial, "PROBE");
    facts.expectAll({ a: 17, missing: "1", b: undefined });
    assertEquals(facts.mismatches, [
      { what: "PROBE a", expected: "0x11", actual: "0x10" },
      { what: "PROBE missing", expected: "1", actual: "absent" },
      { what: "PROBE b", expected: "absent", actual: "x=y z" },
    ]);
  });

  it("notes a name that comes twice", () => {
    assertEquals(new Facts("PROBE a=1\nPROBE a=1\n", "PROBE").mismatches.length, 1);
  });
});
