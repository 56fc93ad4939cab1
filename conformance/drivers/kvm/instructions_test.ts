import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ELF64_PHDR, planBoot } from "../../../mod.ts";
import { INSTRUCTIONS, tinyKernel } from "./instructions.ts";

describe("tinyKernel", () => {
  it("is an ELF file that plans for 4 MiB of RAM, and begins with its code", () => {
    for (const [name, code] of Object.entries(INSTRUCTIONS)) {
      const kernel = tinyKernel(code);
      const ram = [{ start: 0n, size: 4n << 20n }];
      const plan = planBoot({ ram }, { kernel, protocol: "linux64" });
      const { p_paddr, p_offset } = ELF64_PHDR.read(kernel, 64);
      assertEquals(plan.cpu.arch === "x86_64" && plan.cpu.rip, p_paddr, name);
      const start = Number(p_offset);
      assertEquals([...kernel.subarray(start, start + code.length)], [...code], name);
      assertEquals([...kernel.subarray(start + code.length)], [0x31, 0xc0, 0xe6, 0xf4], name);
    }
  });
});
