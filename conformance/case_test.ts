import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { type CaseResult, formatId, isRed, type Outcome } from "./case.ts";
import { reportOf } from "./report.ts";

const result = (outcome: Outcome, missingKvm = false): CaseResult => ({
  id: outcome,
  outcome,
  missingKvm,
  ms: 0,
});
const strict = { noSkip: true, requireKvm: false };
const lenient = { noSkip: false, requireKvm: false };

describe("formatId", () => {
  it("joins the parts in lower case", () => {
    const id = { driver: "none", machine: "-", arch: "i386", protocol: "linux64" } as const;
    assertEquals(
      formatId({ ...id, kernel: "Debian-6.1", what: "x" }),
      "none/-/i386/linux64/debian-6.1/x",
    );
  });
});

describe("isRed", () => {
  it("is true for fail, xpass, timeout and broken whatever the policy", () => {
    for (const outcome of ["fail", "xpass", "timeout", "broken"] as const) {
      assertEquals(isRed(result(outcome), lenient), true, outcome);
    }
  });

  it("is false for pass and xfail whatever the policy", () => {
    for (const outcome of ["pass", "xfail"] as const) {
      assertEquals(isRed(result(outcome), { noSkip: true, requireKvm: true }), false, outcome);
    }
  });

  it("is true for a skip under --no-skip, but for a missing KVM", () => {
    assertEquals(isRed(result("skip"), lenient), false);
    assertEquals(isRed(result("skip"), strict), true);
    assertEquals(isRed(result("skip", true), strict), false);
  });

  it("is true for a missing KVM under --require kvm", () => {
    assertEquals(isRed(result("skip", true), { noSkip: false, requireKvm: true }), true);
    assertEquals(isRed(result("skip"), { noSkip: false, requireKvm: true }), false);
  });
});

describe("reportOf", () => {
  it("counts each result once: xfail as skipped, timeout, broken and xpass as failed", () => {
    const outcomes = ["pass", "fail", "xfail", "xpass", "timeout", "skip", "broken"] as const;
    const report = reportOf(outcomes.map((one) => result(one)), (one) => isRed(one, lenient));
    assertEquals([report.passed, report.failed, report.skipped], [1, 4, 2]);
  });

  it("counts a skip that is not allowed as failed", () => {
    const report = reportOf([result("skip")], (one) => isRed(one, strict));
    assertEquals([report.passed, report.failed, report.skipped], [0, 1, 0]);
  });
});
