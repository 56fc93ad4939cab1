import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { countJunit } from "../../scripts/junit.ts";
import { renderDetails } from "./details.ts";
import { formatSize, formatTime, hypervisorOf } from "./format.ts";
import { renderJunit } from "./junit.ts";
import { markup } from "./markup.ts";
import { CASES, DOCUMENT, sample } from "./samples.ts";
import { renderTap } from "./tap.ts";

const strict = {
  ...DOCUMENT,
  run: { ...DOCUMENT.run, policy: { noSkip: true, requireKvm: true } },
};

describe("renderTap", () => {
  const lines = renderTap(DOCUMENT).split("\n");
  const points = lines.filter((line) => /^(not )?ok /.test(line));

  it("begins with version and plan, and has a point for each case", () => {
    assertEquals(lines.slice(0, 2), ["TAP version 14", `1..${CASES.length}`]);
    assertEquals(points.map((line) => Number(/\d+/.exec(line)![0])), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("says ok for a pass and a skip, not ok for the rest, of which xfail is a TODO", () => {
    assertEquals(points.map((line) => line.startsWith("ok")), [
      ...[true, false, true, false, false, false, false, true],
    ]);
    assertMatch(points[2], / # SKIP why skip$/);
    assertMatch(points[5], /a \\# b # TODO why xfail$/);
    assert(!points[6].includes(" # "));
  });

  it("counts a skip that is not allowed as a failure", () => {
    assertMatch(renderTap(strict), /^not ok 3 - [^#]*$/m);
  });

  it("has the plan of the whole and bails out if a run was cut short", () => {
    const run = { ...DOCUMENT.run, notRun: ["a", "b"] };
    const tap = renderTap({ ...DOCUMENT, run, problems: ["interrupted"] });
    assertMatch(tap, /^1\.\.10$/m);
    assertMatch(tap, /^Bail out! interrupted$/m);
  });

  it("ends with a mark of its own, as a cut-off one does not", () => {
    assert(renderTap(DOCUMENT).endsWith("\n# end of report\n"));
  });
});

describe("renderJunit", () => {
  it("is counted as the report counts", () => {
    assertEquals(countJunit(renderJunit(DOCUMENT)), { passed: 2, failed: 4, skipped: 2 });
    assertEquals(countJunit(renderJunit(strict)), { passed: 2, failed: 5, skipped: 1 });
  });

  it("has an error of its own for what a run lacks", () => {
    const xml = renderJunit({ ...DOCUMENT, problems: ["shard 1 is missing"] });
    assertEquals(countJunit(xml).failed, 5);
  });

  it("holds no character that XML forbids, and nothing that was not escaped", () => {
    const xml = renderJunit(DOCUMENT);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x08\x0b-\x1f]/.test(xml));
    assert(!xml.includes("<script>") && !xml.includes("]]>"));
  });
});

describe("markup", () => {
  it("escapes values, and takes markup for what it is", () => {
    const inner = markup`<i>${"<&>"}</i>`;
    assertEquals(
      markup`${[inner, "'\""]}${false}${undefined}${0}`.text,
      "<i>&lt;&amp;&gt;</i>&#39;&quot;0",
    );
  });

  it("shows control characters, and replaces half characters", () => {
    assertEquals(markup`${"\x1b\x7f\x9b\ud800x\t\n"}`.text, "␛␡\ufffd\ufffdx\t\n");
  });
});

describe("formatSize", () => {
  for (
    const [size, text] of [
      [0n, "0 bytes"],
      [1n, "1 byte"],
      [1023n, "1023 bytes"],
      [1024n, "1 KiB"],
      [320n << 10n, "320 KiB"],
      [100_000n, "97.7 KiB"],
      [(1n << 30n) - 4096n, "1 GiB"],
      [5n << 30n, "5 GiB"],
      [(1n << 64n) - 1n, "16 EiB"],
    ] as const
  ) {
    it(`says ${text}`, () => assertEquals(formatSize(size), text));
  }
});

describe("renderDetails", () => {
  it("lists what QEMU's own loader does otherwise, and why", () => {
    const differences = [{ fact: "rax", ours: "0x0", theirs: "0x2badb002", reason: "left over" }];
    const result = sample("qemu-tcg/pc/x86_64/pvh/probe-elf64/oracle-boot", "pass", {
      sameFacts: 42,
      differences,
    });
    const { text } = renderDetails(result, []);
    for (const part of ["42 facts", "0x2badb002", "left over"]) assert(text.includes(part), part);
  });
});

describe("hypervisorOf", () => {
  it("names the accelerator that QEMU confirmed, and none that it did not", () => {
    const ran = sample("qemu-kvm/microvm/x86_64/pvh/probe-elf64/boot", "fail", {
      driverVersion: "7.2.22",
    });
    assertEquals(hypervisorOf({ ...ran, accelerator: "tcg" }), "QEMU 7.2.22, TCG as QEMU confirms");
    assertEquals(hypervisorOf(ran), "QEMU 7.2.22");
  });
});

describe("formatTime", () => {
  it("goes from milliseconds to minutes", () => {
    const times = [0.34, 12.3, 999, 1234, 59_449, 60_000, 250_400].map(formatTime);
    assertEquals(times, [
      "0.3 ms",
      "12 ms",
      "999 ms",
      "1.2 s",
      "59.4 s",
      "1 min 0 s",
      "4 min 10 s",
    ]);
  });
});
