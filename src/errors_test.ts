import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { quoteText } from "./errors.ts";

describe("quoteText", () => {
  it("is a JSON string without anything that a terminal obeys", () => {
    const text = 'a"\n\x1b\x7f\x85\x9b2J\u202e\ud83d';
    assertEquals(quoteText(text), '"a\\"\\n\\u001b\\u007f\\u0085\\u009b2J\\u202e\\ud83d"');
    assertEquals(JSON.parse(quoteText(text)), text);
  });

  it("leaves printable ASCII as it is, and cuts what is long", () => {
    assertEquals(quoteText("gzip ~"), '"gzip ~"');
    assertEquals(quoteText("x".repeat(65)), `"${"x".repeat(64)}" and 1 more`);
  });
});
