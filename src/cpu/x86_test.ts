import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { peek } from "../../fuzz/arbitraries/images.ts";
import { descriptor, translate } from "../../fuzz/arbitraries/x86_walk.ts";
import type { X86Segment } from "./state.ts";
import { buildGdt, buildPageTables, planPageTables, x86CpuState } from "./x86.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const TIB = 1n << 40n;

const range = (start: bigint, end: bigint) => ({ start, size: end - start });

/** Walks built page tables; everything outside them reads as zero. */
function walker(ranges: { start: bigint; size: bigint }[], base = 0x9000n) {
  const tables = buildPageTables(planPageTables(ranges), base);
  const read = (address: bigint) => {
    const at = address - base;
    if (at < 0n || at + 8n > BigInt(tables.length)) throw new Error(`walk left at ${address}`);
    return peek(tables, Number(at), 8);
  };
  return { tables, walk: (linear: bigint) => translate(base, linear, read) };
}

describe("planPageTables, buildPageTables", () => {
  it("map the first 4 GiB one to one, and no byte beyond", () => {
    const { tables, walk } = walker([]);
    for (let at = 0n; at < 4n * GIB; at += 2n * MIB) {
      assertEquals(walk(at), at);
      assertEquals(walk(at + 0x1f_ffffn), at + 0x1f_ffffn);
    }
    assertEquals(walk(4n * GIB), undefined);
    assertEquals(walk(512n * GIB), undefined);
    assertEquals(walk(0xffff_ffff_8100_0000n), undefined);
    // One top table, one of pointers, four directories
    assertEquals(tables.length, 6 * 4096);
  });

  it("map every byte of ranges beyond", () => {
    const ranges = [
      range(5n * GIB - 1n, 5n * GIB + 1n), // over a boundary of 1 GiB
      range(511n * GIB, 513n * GIB), // over a boundary of 512 GiB
      range(100n * TIB, 100n * TIB + 1n),
      range((1n << 47n) - 1n, 1n << 47n), // the last byte
    ];
    const { tables, walk } = walker(ranges);
    for (const { start, size } of ranges) {
      for (const at of [start, start + size / 2n, start + size - 1n]) assertEquals(walk(at), at);
    }
    assertEquals(walk(6n * GIB), undefined);
    assertEquals(walk(4n * GIB), 4n * GIB, "the GiB that the first range starts in");
    // GiB: 0 to 3, 4, 5, 511, 512, 102400, 131071; slots: 0, 1, 200, 255
    assertEquals(tables.length, (1 + 4 + 10) * 4096);
  });

  it("need no more for ranges that share a GiB or lie below 4 GiB", () => {
    const shared = [range(7n * GIB, 7n * GIB + 5n), range(7n * GIB + 9n, 8n * GIB), range(0n, GIB)];
    assertEquals(planPageTables(shared).size, 7n * 4096n);
  });

  it("can lie anywhere on a page", () => {
    for (const base of [0x1000n, 0xffff_a000n, 0x1234_5000n]) {
      assertEquals(walker([range(5n * GIB, 6n * GIB)], base).walk(5n * GIB + 7n), 5n * GIB + 7n);
    }
  });

  it("set no bit but present, writable and page size", () => {
    const { tables } = walker([]);
    for (let at = 0; at < tables.length; at += 8) {
      assertEquals(peek(tables, at, 8) & ~0x000f_ffff_ffff_f083n, 0n);
    }
  });
});

/** A segment register's hidden part as a descriptor has it. */
function hidden({ selector: _, ...rest }: X86Segment): Omit<X86Segment, "selector"> {
  return rest;
}

describe("buildGdt", () => {
  for (const mode of ["long", "protected"] as const) {
    it(`holds what the segment registers hold: ${mode} mode`, () => {
      const gdt = buildGdt(mode);
      const { segments, gdt: register } = x86CpuState({ mode, rip: 0n, gdt: 0x500n });
      assertEquals(register, { base: 0x500n, limit: gdt.length - 1 });
      assertEquals(peek(gdt, 0, 8), 0n, "the null descriptor");
      for (const name of ["cs", "ds", "es", "fs", "gs", "ss"] as const) {
        const segment = segments[name];
        assertEquals(descriptor(peek(gdt, segment.selector, 8)), hidden(segment), name);
      }
      const tss = descriptor(peek(gdt, segments.tr.selector, 8));
      assertEquals(tss, { ...hidden(segments.tr), type: 9 }, "available, for ltr");
      assertEquals(peek(gdt, segments.tr.selector + 8, 8), 0n, "the high half in long mode");
    });
  }

  it("is what boot.rst asks for: 0x10 flat 4 GiB execute/read, 0x18 flat 4 GiB read/write", () => {
    const flat = {
      base: 0n,
      limit: 0xffffffff,
      s: true,
      dpl: 0,
      present: true,
      avl: false,
      g: true,
    };
    const gdt = buildGdt("protected");
    const code = descriptor(peek(gdt, 0x10, 8));
    assertEquals(code, { ...flat, type: 0xb, l: false, db: true });
    assertEquals(descriptor(peek(gdt, 0x18, 8)), { ...flat, type: 3, l: false, db: true });
    const long = descriptor(peek(buildGdt("long"), 0x10, 8));
    assertEquals(long, { ...flat, type: 0xb, l: true, db: false });
  });
});

describe("x86CpuState", () => {
  it("is long mode with paging for the 64-bit protocol", () => {
    const cpu = x86CpuState({
      mode: "long",
      rip: 0x1000200n,
      gdt: 0x500n,
      pageTables: 0x9000n,
      rsi: 0x7000n,
    });
    assertEquals(cpu.rip, 0x1000200n);
    assertEquals(cpu.rsi, 0x7000n);
    assertEquals(cpu.cr3, 0x9000n);
    assertEquals(cpu.cr0, 0x8000_0011n); // PG, ET, PE
    assertEquals(cpu.cr4, 0x20n); // PAE
    assertEquals(cpu.efer, 0x500n); // LMA, LME
    assertEquals(cpu.rflags, 2n); // IF, TF, VM clear
    assertEquals(cpu.segments.cs.selector, 0x10);
    assertEquals([cpu.segments.cs.l, cpu.segments.cs.db], [true, false]);
    for (const name of ["ds", "es", "ss"] as const) assertEquals(cpu.segments[name].selector, 0x18);
  });

  it("is 32-bit protected mode without paging for PVH", () => {
    const cpu = x86CpuState({ mode: "protected", rip: 0x100000n, gdt: 0x500n, rbx: 0x6000n });
    assertEquals(cpu.rbx, 0x6000n);
    assertEquals(cpu.cr0, 0x11n); // ET, PE
    assertEquals([cpu.cr3, cpu.cr4, cpu.efer], [0n, 0n, 0n]);
    assertEquals(cpu.rflags, 2n);
    const { cs, ds, es, tr } = cpu.segments;
    assertEquals([cs.l, cs.db, cs.base, cs.limit], [false, true, 0n, 0xffffffff]);
    for (const data of [ds, es]) {
      assertEquals([data.base, data.limit, data.type], [0n, 0xffffffff, 3]);
    }
    // pvh.pandoc: "a 32-bit TSS (active) with a base of '0' and a limit of '0x67'"
    assertEquals([tr.base, tr.limit, tr.type, tr.s, tr.present], [0n, 0x67, 0xb, false, true]);
  });

  it("leaves every other register zero, and the LDT unusable", () => {
    const cpu = x86CpuState({ mode: "long", rip: 1n, gdt: 0n });
    const { rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8to15 } = cpu;
    assertEquals([rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, ...r8to15], Array(16).fill(0n));
    assertEquals(cpu.segments.ldt.present, false);
    assertEquals(cpu.idt, { base: 0n, limit: 0 });
  });
});
