import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import type { Explanation } from "./case.ts";
import { compareReports, factsOf } from "./oracle.ts";
import {
  ARM64_EXPLANATIONS,
  PVH_EXPLANATIONS,
  RISCV64_EXPLANATIONS,
} from "./oracle_explanations.ts";

const report = (...lines: string[]) => lines.map((line) => `PROBE ${line}\r\n`).join("");

describe("factsOf", () => {
  it("reads facts, and makes two of the memory map", () => {
    const facts = factsOf(report(
      "cmdline=a=b",
      "memmap[0]=0x0 0x1000 0x1",
      "memmap[1]=0x2000 0x1000 0x2",
      "memmap[2]=0x1000 0x1000 0x1",
      "memmap[3]=0x0 0x0 0x0",
    ));
    assertEquals([...facts], [
      ["cmdline", "a=b"],
      ["memory map, usable", "0x0..0x2000"],
      ["memory map, not usable", "0x2000..0x3000"],
    ]);
  });
});

describe("compareReports", () => {
  const explanations: Explanation[] = [
    { facts: /^rbx$/, reason: "free", holds: (ours) => ours === "0x6" },
    { facts: /^rax$/, reason: "unsaid" },
  ];
  const compare = (ours: string[], theirs: string[]) =>
    compareReports(report(...ours), report(...theirs), explanations);

  it("counts what is the same, and gives the reason of what is not", () => {
    const { same, differences, unexplained } = compare(["a=1", "rax=0x1"], ["a=1", "rax=0x2"]);
    assertEquals([same, unexplained], [1, []]);
    assertEquals(differences, [{ fact: "rax", ours: "0x1", theirs: "0x2", reason: "unsaid" }]);
  });

  it("finds what has no reason, in either report, and where a reason does not hold", () => {
    const { unexplained } = compare(["rbx=0x7", "b=1"], ["rbx=0x8", "c=1"]);
    assertEquals(unexplained.map(({ what }) => what), [
      "PROBE rbx, unexplained",
      "PROBE b, unexplained",
      "PROBE c, unexplained",
    ]);
  });

  it("tells an empty fact from an absent one", () => {
    assertEquals(compare(["cmdline="], []).unexplained.length, 1);
  });
});

describe("the explanations", () => {
  const unexplained = (explanations: readonly Explanation[], fact: string, a: string, b: string) =>
    compareReports(report(`${fact}=${a}`), report(`${fact}=${b}`), explanations).unexplained.length;

  for (
    const [fact, ours, theirs, wrong] of [
      ["rflags", "0x2", "0x6", "0x202"],
      ["rbx", "0x6000", "0xf31e0", "0x100000000"],
      ["cs.rights", "0xc09b", "0xc09a", "0xc093"],
      [
        "module[0]",
        "0x3ff6000 0x9c40 0x0 0x12",
        "0x3fce000 0x9c40 0x0 0x12",
        "0x3fce000 0x9c41 0x0 0x12",
      ],
      ["tr", "0x20", "0x0", "0x18"],
      ["initrd.address", "0x1000", "0x2000", "0x2001"],
    ]
  ) {
    it(`of PVH take ${fact} ${theirs} beside ${ours}, and not ${wrong}`, () => {
      assertEquals(unexplained(PVH_EXPLANATIONS, fact, ours, theirs), 0);
      assertEquals(unexplained(PVH_EXPLANATIONS, fact, ours, wrong), 1);
    });
  }

  it("of PVH let firmware keep the end of RAM below 4 GiB, and no more", () => {
    const judge = (theirs: string) => {
      const map = (text: string) =>
        report(...text.split(" ").map((range, i) => `memmap[${i}]=${range.replace("+", " ")} 0x1`));
      const found = compareReports(
        map("0x0+0x9fc00 0x100000+0x3f00000"),
        map(theirs),
        PVH_EXPLANATIONS,
      );
      return found.unexplained.map(({ what }) => what);
    };
    assertEquals(judge("0x0+0x9fc00 0x100000+0x3ee0000"), []);
    for (
      const theirs of [
        "0x0+0x9fc00 0x100000+0x3e00000",
        "0x0+0x9fc00 0x100000+0x3f01000",
        "0x1000+0x9ec00 0x100000+0x3f00000",
        "0x0+0x9fc00",
      ]
    ) assertEquals(judge(theirs).length, 1, theirs);
  });

  it("have no word for what the protocols fix", () => {
    const fixed: [readonly Explanation[], string[]][] = [
      [PVH_EXPLANATIONS, ["cr0", "cr4", "efer", "rip", "magic", "version", "flags", "nr_modules"]],
      [PVH_EXPLANATIONS, [
        "cs.limit",
        "cs.base",
        "ds.rights",
        "initrd.crc32",
        "cmdline",
        "bss.dirty",
      ]],
      [ARM64_EXPLANATIONS, ["x1", "x2", "x3", "currentel", "daif", "sctlr.m", "pc", "memory[0]"]],
      [ARM64_EXPLANATIONS, ["initrd.size", "initrd.crc32", "chosen.bootargs", "fdt.magic"]],
      [RISCV64_EXPLANATIONS, ["a0", "satp", "memory[0]", "initrd.crc32", "cmdline.length"]],
    ];
    for (const [explanations, facts] of fixed) {
      for (const fact of facts) {
        assertEquals(unexplained(explanations, fact, "0x1", "0x2"), 1, fact);
      }
    }
  });

  it("each give a reason", () => {
    for (
      const { reason } of [...PVH_EXPLANATIONS, ...ARM64_EXPLANATIONS, ...RISCV64_EXPLANATIONS]
    ) {
      assertMatch(reason, /.{20}/);
    }
  });
});
