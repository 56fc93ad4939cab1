import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { planBoot, type X86CpuState } from "../../../mod.ts";
import { tinyKernel } from "./instructions.ts";
import { encodeRegs, encodeSregs, readReg } from "./registers.ts";

const { cpu } = planBoot({ ram: [{ start: 0n, size: 4n << 20n }] }, {
  kernel: tinyKernel([]),
  protocol: "linux64",
});
const STATE = cpu as X86CpuState;
const hex = (bytes: Uint8Array) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

describe("encodeRegs", () => {
  it("puts every register in its place", () => {
    const regs = encodeRegs({
      ...STATE,
      ...{ rax: 1n, rbx: 2n, rcx: 3n, rdx: 4n, rsi: 5n, rdi: 6n, rsp: 7n, rbp: 8n },
      ...{ r8to15: [9n, 10n, 11n, 12n, 13n, 14n, 15n, 16n], rip: 17n, rflags: 18n },
    });
    const values = [...new BigUint64Array(regs.buffer as ArrayBuffer)];
    assertEquals(values, Array.from({ length: 18 }, (_, i) => BigInt(i + 1)));
    assertEquals([readReg(regs, "rsi"), readReg(regs, "rip")], [5n, 17n]);
  });
});

describe("encodeSregs", () => {
  const sregs = encodeSregs(STATE, new Uint8Array(312).fill(0xee));

  it("gives the segments with their hidden parts", () => {
    const at = (offset: number) => hex(sregs.subarray(offset, offset + 24));
    // base, limit, selector, type, present, dpl, db, s, l, g, avl, unusable, padding
    assertEquals(at(0), "0000000000000000ffffffff10000b01000001010100" + "00ee"); // cs
    assertEquals(at(24), "0000000000000000ffffffff18000301000101000100" + "00ee"); // ds
    assertEquals(at(144), "0000000000000000670000002000" + "0b01000000000000" + "00ee"); // tr
    assertEquals(at(168), "0000000000000000000000000000" + "0000000000000000" + "01ee"); // ldt
  });

  it("gives tables and control registers", () => {
    const view = new DataView(sregs.buffer);
    assertEquals(view.getBigUint64(192, true), STATE.gdt.base);
    assertEquals(view.getUint16(200, true), STATE.gdt.limit);
    assertEquals(view.getUint16(216, true), STATE.idt.limit);
    const registers = [224, 240, 248, 264].map((at) => view.getBigUint64(at, true));
    assertEquals(registers, [STATE.cr0, STATE.cr3, STATE.cr4, STATE.efer]);
  });

  it("leaves what no plan knows of", () => {
    assertEquals(hex(sregs.subarray(232, 240)), "ee".repeat(8)); // cr2
    assertEquals(hex(sregs.subarray(272)), "ee".repeat(40)); // apic_base, interrupt_bitmap
  });
});
