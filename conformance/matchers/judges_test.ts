import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { planBoot } from "../../mod.ts";
import { readFileSync } from "node:fs";
import type { LayoutOptions, Mismatch, Observation } from "../case.ts";
import { type GuestFile, guestPath } from "../cases/data.ts";
import { formatCrc32 } from "../crc32.ts";
import { type Machine, machineOptions, MACHINES } from "../machines.ts";
import { judgeArm64Probe } from "./arm64_probe.ts";
import { judgeRiscv64Probe } from "./riscv64_probe.ts";
import { judgeUserland } from "./userland.ts";
import { judgeX86Probe } from "./x86_probe.ts";

function seen(guest: GuestFile, machine: Machine, asked: LayoutOptions): Observation {
  const kernel = readFileSync(guestPath(guest));
  const ram = [{ start: machine.ramStart, size: 64n << 20n }];
  const options = machine.deviceTree ? { ...machineOptions(machine, ram), ...asked } : asked;
  const plan = planBoot({ ram }, { ...options, kernel });
  return { serial: "", plan, kernel, options, ram, machine };
}

const names = (mismatches: Mismatch[]) => mismatches.map(({ what }) => what);

describe("judgeX86Probe", () => {
  const linux = seen("probe-elf64.x86_64", MACHINES.microvm, { protocol: "linux64", cmdline: "a" });

  it("misses everything that a silent guest did not say", () => {
    const missing = names(judgeX86Probe(linux));
    for (
      const name of [
        "end",
        "rsi",
        "rip",
        "cr3",
        "cs",
        "cs.limit",
        "sentinel",
        "e820[0]",
        "reach.kernel",
      ]
    ) {
      assert(missing.includes(`PROBE ${name}`), name);
    }
  });

  it("notes a register that differs", () => {
    const serial = "PROBE rsi=0x1234\nPROBE cr0=0x11\n";
    const found = judgeX86Probe({ ...linux, serial });
    assertEquals(found.find(({ what }) => what === "PROBE rsi")?.actual, "0x1234");
    assertEquals(found.find(({ what }) => what === "PROBE cr0")?.expected, "0x80000011");
  });

  it("notes a fault", () => {
    const found = judgeX86Probe({ ...linux, serial: "PROBE fault=14 error=0x0\n" });
    assert(names(found).includes("PROBE fault"));
  });

  it("looks at start_info for PVH", () => {
    const pvh = seen("probe-elf64.x86_64", MACHINES.microvm, { protocol: "pvh" });
    const missing = names(judgeX86Probe(pvh));
    for (const name of ["magic", "version", "nr_modules", "memmap[0]", "rbx"]) {
      assert(missing.includes(`PROBE ${name}`), name);
    }
    assert(!missing.includes("PROBE sentinel"));
  });
});

describe("judgeArm64Probe", () => {
  const image = seen("probe-image.aarch64", MACHINES.virt, { cmdline: "a" });

  it("misses everything that a silent guest did not say", () => {
    const missing = names(judgeArm64Probe(image));
    for (const name of ["end", "x0", "x1", "daif", "pstate", "chosen.bootargs", "memory[0]"]) {
      assert(missing.includes(`PROBE ${name}`), name);
    }
    assert(missing.includes("PROBE reserved"));
  });

  it("does not look at the condition flags", () => {
    const judge = (pstate: string) =>
      names(judgeArm64Probe({ ...image, serial: `PROBE pstate=${pstate}\n` }));
    assert(!judge("0x400003c5").includes("PROBE pstate"));
    assert(judge("0x3c9").includes("PROBE pstate"));
  });
});

describe("judgeRiscv64Probe", () => {
  const bare = seen("probe-image.riscv64", MACHINES["virt-riscv64-bare"], { cmdline: "a" });
  const judge = (serial: string, base = bare) => names(judgeRiscv64Probe({ ...base, serial }));

  it("misses everything that a silent guest did not say", () => {
    const missing = judge("");
    const wanted = ["end", "a0", "a1", "satp", "sstatus.sie", "chosen.bootargs", "memory[0]"];
    for (const name of [...wanted, "text.crc32", "bss.dirty", "fdt.crc32", "fdt.boot_cpuid"]) {
      assert(missing.includes(`PROBE ${name}`), name);
    }
  });

  it("notes an Image that is not text_offset from a multiple of 2 MiB", () => {
    const isNoted = (load: string) =>
      judgeRiscv64Probe({ ...bare, serial: `PROBE load=${load}\n` })
        .some(({ expected }) => expected.startsWith("text_offset"));
    assert(!isNoted("0x80400000"));
    assert(isNoted("0x80500000"));
    assert(isNoted("0x0"));
  });

  it("notes a region of RAM and a reservation too many", () => {
    const serial = "PROBE memory[1]=0x0 0x1000\nPROBE reserved[0]=a 0x80000000 0x1000 1\n";
    assert(judge(serial).includes("PROBE memory[1]"));
    assert(judge(serial).includes("PROBE reserved"));
  });

  it("allows firmware what it adds to the tree, and nothing else", () => {
    const opensbi = seen("probe-image.riscv64", MACHINES["virt-riscv64"], { cmdline: "a" });
    const own = "PROBE reserved[1]=OpenSBI@80000000 0x80000000 0x200000 1\n";
    const added = `PROBE reserved[0]=mmode_resv0@80000000 0x80000000 0x40000 1\n${own}`;
    assert(!judge(added, opensbi).includes("PROBE reserved"));
    assert(!judge(added, opensbi).includes("PROBE fdt.crc32"));
    assert(judge(added.replace(own, ""), opensbi).includes("PROBE reserved"));
    assert(judge(added, opensbi).includes("PROBE memory[0]"));
  });
});

describe("judgeUserland", () => {
  const payload = Uint8Array.of(1, 2, 3);
  const base = seen("probe-elf64.x86_64", MACHINES.pc, { protocol: "linux64", cmdline: "a b" });
  const lines = [
    "INIT begin",
    "INIT version=Linux version 6.1.0",
    "INIT cmdline=a b",
    "INIT payload.size=3",
    `INIT payload.crc32=${formatCrc32(payload)}`,
    "INIT iomem=00100000-001fffff : System RAM",
    "INIT end",
  ];
  const judge = (said: readonly string[]) =>
    judgeUserland(payload, "Linux version 6.1.")({ ...base, serial: said.join("\r\n") });

  it("passes when everything came whole", () => {
    assertEquals(judge(lines), []);
  });

  for (const [i, line] of lines.entries()) {
    it(`notes that "${line.split("=")[0]}" is missing`, () => {
      assertEquals(judge(lines.toSpliced(i, 1)).length, 1);
    });
  }

  it("notes another command line, payload, kernel, and RAM outside the memory map", () => {
    const bend = (from: string, to: string) => judge(lines.map((line) => line.replace(from, to)));
    assertEquals(names(bend("a b", "a c")), ["INIT cmdline"]);
    assertEquals(names(bend("size=3", "size=4")), ["INIT payload.size"]);
    assertEquals(names(bend("crc32=0x", "crc32=0xf")), ["INIT payload.crc32"]);
    assertEquals(names(bend("6.1.", "6.12.")), ["INIT version"]);
    assertEquals(names(bend("00100000", "000a0000")), ["INIT iomem System RAM"]);
    assertEquals(names(bend("INIT end", "INIT error=x 2")), ["INIT end", "INIT error"]);
  });
});
