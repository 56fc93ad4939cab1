import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { LoaderError } from "../mod.ts";
import { errorFaults, judge } from "./judge.ts";
import { Violation } from "./property.ts";

const at = { field: "e_phoff", offset: 32 };

describe("judge", () => {
  it("passes values and good LoaderErrors on", () => {
    assertEquals(judge(0, () => 7).value, 7);
    const error = new LoaderError("ELF_PHOFF", "Cannot parse e_phoff: 0, 64 is wanted", at);
    assertEquals(
      judge(64, () => {
        throw error;
      }).refused?.code,
      "ELF_PHOFF",
    );
  });

  it("does not let anything else pass", () => {
    const others = [new RangeError("x"), new TypeError("x"), "text", undefined, new Error("x")];
    for (const other of others) {
      assertThrows(
        () =>
          judge(64, () => {
            throw other;
          }),
        Violation,
      );
    }
  });
});

describe("errorFaults", () => {
  const faults = (code: string, message: string, details: object = at) =>
    errorFaults({ name: "LoaderError", code, message, ...details }, 64);

  it("wants a place in the input for what a file says", () => {
    assertEquals(faults("TRUNCATED", "Cannot read x"), []);
    assertEquals(faults("TRUNCATED", "Cannot read x", { ...at, offset: 64 }), []);
    for (const offset of [65, -1, 0.5, NaN, 2 ** 60]) {
      assertEquals(faults("TRUNCATED", "Cannot read x", { ...at, offset }).length, 1);
    }
    assertEquals(faults("TRUNCATED", "Cannot read x", {}).length, 1);
  });

  it("wants both ranges of a clash", () => {
    const range = { name: "initrd", start: 0n, size: 1n };
    assertEquals(faults("OVERLAP", "Cannot place x", { ranges: [range, range] }), []);
    assertEquals(faults("OVERLAP", "Cannot place x", { ranges: [range] }).length, 1);
    const nameless = { ranges: [range, { ...range, name: "" }] };
    assertEquals(faults("OVERLAP", "Cannot place x", nameless).length, 1);
    const apart = { ranges: [range, { ...range, start: 1n }] };
    assertEquals(faults("OVERLAP", "Cannot place x", apart).length, 1);
    assertEquals(faults("NO_SPACE", "Cannot place x", apart), []);
  });

  it("wants a message that a person can read in a terminal", () => {
    const bad = ["no", "Cannot x.", "Cannot x undefined", "Cannot \x1b[2J", "Cannot \x85"];
    for (const message of [...bad, `Cannot ${"x".repeat(3000)}`]) {
      assertEquals(faults("TRUNCATED", message).length > 0, true, message);
    }
  });

  it("knows every code", () => {
    assertEquals(faults("ELF_FUNNY", "Cannot x").length, 1);
  });
});
