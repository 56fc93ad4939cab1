import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatId } from "../case.ts";
import { CASES } from "./all.ts";

describe("CASES", () => {
  const ids = CASES.map(({ id }) => formatId(id));

  it("have unique ids", () => {
    assertEquals(ids.filter((id, i) => ids.indexOf(id) !== i), []);
  });

  it("have ids of the grammar driver/machine/arch/protocol/kernel/what", () => {
    for (const id of ids) {
      assertMatch(
        id,
        /^(qemu-tcg|qemu-kvm|kvm-deno|kvm-bun|none)\/(microvm|pc|q35|virt|-)\/(x86_64|i386|aarch64|riscv64|any)\/(linux64|linux32|pvh|arm64|riscv64|any)\/[a-z0-9.-]+\/[a-z0-9-]+$/,
      );
    }
  });

  it("name a series of a distribution's kernel, never a version", () => {
    for (const id of ids.filter((id) => id.includes("debian"))) {
      assertMatch(id, /\/debian-\d+\.\d+\//);
    }
  });

  it("need a KVM if and only if KVM is their driver", () => {
    for (const { id, needs } of CASES) {
      assertEquals(
        needs.some(({ kind }) => kind === "kvm" || kind === "vmm"),
        ["qemu-kvm", "kvm-deno", "kvm-bun"].includes(id.driver),
        formatId(id),
      );
    }
  });

  it("cover the x86 protocols, arm64 and riscv64, with probes, Debian kernels and refusals", () => {
    const images = ["arm64/probe-image", "riscv64/probe-image"];
    const linux = ["linux64/probe-bzimage", "linux32/probe-bzimage", "linux32/probe-elf32"];
    const pvh = ["pvh/probe-elf64", "pvh/probe-elf32"];
    for (const part of [...linux, ...pvh, "i386/linux32/debian-6.1", ...images]) {
      assert(ids.some((id) => id.includes(part)), part);
    }
    for (const series of ["6.1", "6.12"]) {
      for (const arch of ["x86_64/linux64", "aarch64/arm64"]) {
        const part = `${arch}/debian-${series}/userland`;
        assert(ids.some((id) => id.includes(part)), part);
      }
    }
    assert(ids.some((id) => id.startsWith("none/")));
  });
});
