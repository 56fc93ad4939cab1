import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { DTABLE, KVM, MEMORY_REGION, REGS, RUN, SEGMENT, SIZE, SREGS } from "./abi.ts";

describe("KVM", () => {
  it("has the numbers that the C headers give", () => {
    assertEquals(KVM, {
      GET_API_VERSION: 0xae00,
      CREATE_VM: 0xae01,
      GET_VCPU_MMAP_SIZE: 0xae04,
      GET_SUPPORTED_CPUID: 0xc008ae05,
      CREATE_VCPU: 0xae41,
      SET_USER_MEMORY_REGION: 0x4020ae46,
      SET_TSS_ADDR: 0xae47,
      SET_IDENTITY_MAP_ADDR: 0x4008ae48,
      CREATE_IRQCHIP: 0xae60,
      IRQ_LINE: 0x4008ae61,
      CREATE_PIT2: 0x4040ae77,
      RUN: 0xae80,
      GET_REGS: 0x8090ae81,
      SET_REGS: 0x4090ae82,
      GET_SREGS: 0x8138ae83,
      SET_SREGS: 0x4138ae84,
      SET_MSRS: 0x4008ae89,
      SET_CPUID2: 0x4008ae90,
    });
  });
});

describe("the layouts", () => {
  it("fill their structs", () => {
    assertEquals(REGS.length * 8, SIZE.regs);
    assertEquals(REGS.indexOf("rsi") * 8, 32);
    assertEquals(REGS.indexOf("rip") * 8, 128);
    assertEquals(SEGMENT.unusable + 2, SIZE.segment); // and a byte of padding
    const segments = Object.values(SREGS.segments);
    assertEquals(segments, segments.map((_, i) => i * SIZE.segment));
    assertEquals(SREGS.gdt, segments.length * SIZE.segment);
    assertEquals(SREGS.cr0, SREGS.gdt + 2 * 16);
    assertEquals(SREGS.efer + 8 + 8 + 32, SIZE.sregs); // apic_base, interrupt_bitmap
    assertEquals(MEMORY_REGION.userspace_addr + 8, SIZE.userspace_memory_region);
    assertEquals(DTABLE.limit, 8);
    assertEquals([RUN.io.data_offset, RUN.mmio.is_write], [40, 52]);
  });
});
