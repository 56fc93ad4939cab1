import { describe, it } from "node:test";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { planBoot } from "../mod.ts";
import { tinyKernel } from "./drivers/kvm/instructions.ts";
import { comparePlans, describePlan } from "./plan_text.ts";

const RAM = [{ start: 0n, size: 64n << 20n }];

describe("describePlan", () => {
  const plan = (options = {}) =>
    planBoot({ ram: RAM }, { kernel: tinyKernel([0x90]), protocol: "linux64", ...options });

  it("is the same for the same plan", () => {
    assertEquals(describePlan(plan()), describePlan(plan()));
  });

  it("tells plans apart that differ in one byte of what is written", () => {
    assertNotEquals(describePlan(plan({ cmdline: "a" })), describePlan(plan({ cmdline: "b" })));
  });

  it("tells the CPU's state", () => {
    assert(describePlan(plan()).includes('"efer": "0x500"'));
  });
});

describe("comparePlans", () => {
  it("names the first line that is not the same", () => {
    assertEquals(comparePlans("node", "a\nb\nc", "a\nb\nc"), []);
    assertEquals(comparePlans("node", "a\nb\nc", "a\nx\ny"), [
      { what: "the plan in node, line 2", expected: "b", actual: "x" },
    ]);
  });

  it("takes a plan that ends early, or goes on, for another", () => {
    assertEquals(comparePlans("bun", "a\nb", "a").map(({ actual }) => actual), ["none"]);
    assertEquals(comparePlans("bun", "a", "a\nb").map(({ expected }) => expected), ["none"]);
  });
});
