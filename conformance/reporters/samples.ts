/** A small report with one of everything, for the tests of the formats. */
import type { PlanJson } from "../../mod.ts";
import type { CaseResult, Outcome } from "../case.ts";
import { END, FORMAT, type ReportDocument } from "./document.ts";

/** A plan with a hole in RAM, and a placement above it. */
export const PLAN: PlanJson = {
  arch: "x86_64",
  protocol: "pvh",
  placements: [
    { name: "gdt", start: "0x500", size: "0x30", content: "bytes" },
    { name: "kernel segment 0", start: "0x1000000", size: "0x21d0", content: "source" },
    { name: "kernel bss 0", start: "0x10021d0", size: "0x1000", content: "zeros" },
    { name: "initrd", start: "0x17fff6000", size: "0x9c40", content: "source" },
  ],
  memoryMap: [
    { start: "0x0", size: "0x9fc00", type: "usable" },
    { start: "0x9fc00", size: "0x400", type: "reserved" },
    { start: "0xf0000", size: "0x10000", type: "reserved" },
    { start: "0x100000", size: "0xbff00000", type: "usable" },
    { start: "0x100000000", size: "0x80000000", type: "usable" },
  ],
  cpu: {
    arch: "x86_64",
    rip: "0x1000080",
    r8to15: ["0x0", "0x1"],
    segments: { cs: { base: "0x0", limit: 0xffffffff, selector: 16, present: true, s: true } },
    gdt: { base: "0x500", limit: 47 },
  },
  ram: [{ start: "0x0", size: "0xc0000000" }, { start: "0x100000000", size: "0x80000000" }],
};

/**
 * A result.
 *
 * @param id Its id.
 * @param outcome How it ended.
 * @param rest What else is known.
 * @returns The result.
 */
export function sample(
  id: string,
  outcome: Outcome,
  rest: Partial<CaseResult> = {},
): CaseResult {
  const reason = outcome === "pass" ? undefined : `why ${outcome}`;
  return { id, outcome, reason, ms: 1234, requirement: `boot.rst: what ${id} shows`, ...rest };
}

/** What a guest may print to do harm, and what no XML document may hold. */
export const HOSTILE =
  `</pre></script><script>document.title = "harm"</script>&amp;"'\x1b[31m\x00]]>`;

/** One case of each outcome. */
export const CASES: readonly CaseResult[] = [
  sample("qemu-tcg/microvm/x86_64/pvh/probe-elf64/boot", "pass", {
    plan: PLAN,
    serial: `PROBE begin\r\n${HOSTILE}\nPROBE end\n`,
    driverVersion: "7.2.22",
    accelerator: "tcg",
    timing: { load: 1.5, prepare: 30, guest: 1200 },
  }),
  sample("qemu-tcg/pc/x86_64/pvh/probe-elf64/boot", "fail", {
    plan: PLAN,
    reason: `2 of what was seen does not match ${HOSTILE}`,
    mismatches: [{ what: "PROBE cr0", expected: "0x11", actual: HOSTILE }],
    serialTail: ["PROBE begin", HOSTILE],
    replay: "qemu-system-x86_64 -M 'a b'",
  }),
  sample("qemu-kvm/microvm/x86_64/linux64/debian-6.1/userland", "skip", { missingKvm: true }),
  sample("qemu-tcg/virt/aarch64/arm64/debian-6.1/userland", "timeout", { kernelVersion: "6.1.1" }),
  sample("qemu-tcg/virt/aarch64/arm64/probe-image/boot", "broken"),
  sample("qemu-tcg/virt/aarch64/arm64/probe-image/a # b", "xfail"),
  sample("qemu-tcg/virt/aarch64/arm64/probe-image/boot-el2", "xpass"),
  sample("none/-/x86_64/linux64/probe-elf64/refusal-jpeg", "pass", {
    refusal: "UNKNOWN_FORMAT: x",
  }),
];

/** A report of them. */
export const DOCUMENT: ReportDocument = {
  format: FORMAT,
  run: {
    started: "2026-01-02T03:04:05.678Z",
    ms: 61_000,
    library: "0.1.0",
    hosts: ["linux x64, 2 CPUs, deno 2.9.5"],
    filters: [],
    policy: { noSkip: false, requireKvm: false },
    selected: CASES.length,
    selection: "0x00000000",
    notRun: [],
  },
  problems: [],
  passed: 2,
  failed: 4,
  skipped: 2,
  requirements: [
    { id: "pvh.cr0", source: "pvh.pandoc", text: "CR0", cases: [CASES[0].id, CASES[1].id] },
    { id: "pvh.open", source: "pvh.pandoc", text: "Nobody looks", cases: [] },
    {
      id: "linux64.jpeg",
      source: "boot.rst",
      text: "No jpeg",
      cases: [CASES[7].id, "a/b/c/d/e/f"],
    },
    { id: "linux64.gone", source: "boot.rst", text: "Elsewhere", cases: ["a/b/c/d/e/f"] },
  ],
  cases: CASES,
  end: END,
};
