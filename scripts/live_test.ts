import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { LiveLine } from "./live.ts";

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 10, written, write: (text: string) => written.push(text) };
}

describe("LiveLine", () => {
  it("writes over itself, not too often, and as wide as the terminal", () => {
    const output = terminal(true);
    let now = 0;
    const live = new LiveLine(output, () => now);
    for (const text of ["one", "two", "three is too long"]) {
      live.show(text);
      now += 60;
    }
    assertEquals(output.written, ["\r\x1b[2Kone", "\r\x1b[2Kthree is "]);
  });

  it("makes room for lines that stay, and comes back at once", () => {
    const output = terminal(true);
    const live = new LiveLine(output, () => 0);
    live.print("a");
    live.show("one");
    live.print("b");
    live.show("two");
    live.print();
    live.print();
    assertEquals(output.written, [
      "a\n",
      "\r\x1b[2Kone",
      "\r\x1b[2Kb\n",
      "\r\x1b[2Ktwo",
      "\r\x1b[2K",
    ]);
  });

  it("is not there without a terminal", () => {
    const output = terminal(false);
    const live = new LiveLine(output, () => 0);
    live.show("one");
    live.print("a");
    live.print();
    assertEquals(output.written, ["a\n"]);
  });
});
