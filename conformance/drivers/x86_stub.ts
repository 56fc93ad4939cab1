/**
 * A firmware ROM that sets an x86 CPU to exactly the state of a plan and jumps. It runs from its alias
 * at 0xf0000, so it uses no guest RAM: constants and stack frames lie in the ROM and are only read.
 */
import type { X86CpuState } from "../../mod.ts";

const ROM_SIZE = 0x1_0000;
/** Where the last 64 KiB of a ROM are seen below 1 MiB, on pc, q35 and microvm alike. */
const ALIAS = 0xf_0000;
const ALIAS_SEGMENT = 0xf000;
/** Intel SDM vol. 3, 10.1.4: the first instruction after reset, in bytes from the ROM's start. */
const RESET_VECTOR = 0xfff0;

/** Selectors of the ROM's own GDT. */
const [ROM_CODE32, ROM_DATA, ROM_CODE64] = [0x08, 0x10, 0x18];
/** Null, 32-bit code, data, 64-bit code: flat, ring 0 (Intel SDM vol. 3, 3.4.5). */
const ROM_GDT = [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00af9b000000ffffn];

const EFER = 0xc0000080;
/** Set by the CPU when paging goes on, not by wrmsr. */
const EFER_LMA = 1n << 10n;
/** CR0.PE and CR0.ET: protected mode, paging off. */
const CR0_PROTECTED = 0x11;

/**
 * Makes the ROM.
 *
 * @param cpu The state to set.
 * @returns 64 KiB.
 */
export function buildX86Stub(cpu: X86CpuState): Uint8Array {
  const rom = new Rom();
  const gdt = rom.constant(...ROM_GDT);
  const romGdtr = rom.descriptorTable({ base: BigInt(ALIAS + gdt), limit: ROM_GDT.length * 8 - 1 });
  const gdtr = rom.descriptorTable(cpu.gdt);
  const idtr = rom.descriptorTable(cpu.idt);

  const start = rom.here;
  rom.code(0xfa, 0xfc); // cli; cld
  rom.code(0xea);
  rom.u16(rom.here + 4).u16(ALIAS_SEGMENT); // ljmp to the next instruction, in the alias
  rom.code(0x2e, 0x66, 0x0f, 0x01, 0x16).u16(romGdtr); // lgdtl %cs:romGdtr
  rom.code(0x66, 0xb8).u32(CR0_PROTECTED); // movl $…, %eax
  rom.code(0x0f, 0x22, 0xc0); // mov %eax, %cr0
  rom.code(0x66, 0xea);
  rom.u32(ALIAS + rom.here + 6).u16(ROM_CODE32); // ljmpl to the next instruction
  rom.segments(ROM_DATA);
  rom.code(0xb8).u32(Number(cpu.cr4)).code(0x0f, 0x22, 0xe0); // mov …, %cr4
  if (cpu.mode === "long") enterLong(rom, cpu, gdtr, idtr);
  else enterProtected(rom, cpu, gdtr, idtr);

  rom.at(RESET_VECTOR).code(0xe9).u16((start - (RESET_VECTOR + 3)) & 0xffff); // jmp start
  return rom.bytes;
}

function enterProtected(rom: Rom, cpu: X86CpuState, gdtr: number, idtr: number): void {
  const flags = rom.constant(cpu.rflags);
  rom.code(0x0f, 0x01, 0x15).u32(ALIAS + gdtr); // lgdt
  rom.code(0x0f, 0x01, 0x1d).u32(ALIAS + idtr); // lidt
  rom.planSegments(cpu);
  rom.code(0xb8).u32(Number(cpu.cr0)).code(0x0f, 0x22, 0xc0); // mov …, %cr0
  rom.code(0xbc).u32(ALIAS + flags).code(0x9d); // mov flags, %esp; popf
  const { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi } = cpu;
  for (const [i, value] of [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi].entries()) {
    rom.code(0xb8 + i).u32(Number(value)); // mov …, %e..
  }
  rom.code(0xea).u32(Number(cpu.rip)).u16(cpu.segments.cs.selector); // ljmp
}

function enterLong(rom: Rom, cpu: X86CpuState, gdtr: number, idtr: number): void {
  const { rip, rflags, rsp, segments } = cpu;
  const frame = rom.constant(
    rip,
    BigInt(segments.cs.selector),
    rflags,
    rsp,
    BigInt(segments.ss.selector),
  );
  rom.code(0xb8).u32(Number(cpu.cr3)).code(0x0f, 0x22, 0xd8); // mov …, %cr3
  rom.code(0xb9).u32(EFER); // mov …, %ecx
  rom.code(0xb8).u32(Number(cpu.efer & ~EFER_LMA)); // mov …, %eax
  rom.code(0x31, 0xd2, 0x0f, 0x30); // xor %edx, %edx; wrmsr
  rom.code(0xb8).u32(Number(cpu.cr0)).code(0x0f, 0x22, 0xc0); // mov …, %cr0
  rom.code(0xea);
  rom.u32(ALIAS + rom.here + 6).u16(ROM_CODE64); // ljmp to the next instruction
  rom.code(0x0f, 0x01, 0x14, 0x25).u32(ALIAS + gdtr); // lgdt
  rom.code(0x0f, 0x01, 0x1c, 0x25).u32(ALIAS + idtr); // lidt
  rom.planSegments(cpu);
  rom.code(0x48, 0xbc).u64(BigInt(ALIAS + frame)); // movabs frame, %rsp
  const { rax, rcx, rdx, rbx, rbp, rsi, rdi } = cpu;
  for (const [i, value] of [rax, rcx, rdx, rbx, undefined, rbp, rsi, rdi].entries()) {
    if (value !== undefined) rom.code(0x48, 0xb8 + i).u64(value); // movabs …, %r..
  }
  for (const [i, value] of cpu.r8to15.entries()) rom.code(0x49, 0xb8 + i).u64(value);
  rom.code(0x48, 0xcf); // iretq: rip, cs, rflags, rsp and ss at once
}

/** The ROM under construction: what is written goes to where the last write ended. */
class Rom {
  readonly bytes: Uint8Array = new Uint8Array(ROM_SIZE).fill(0xf4); // hlt
  readonly #view = new DataView(this.bytes.buffer);
  #at = 0x1000;
  /** Constants lie in front of the code. */
  #constants = 0;

  /** Offset of the next byte. */
  get here(): number {
    return this.#at;
  }

  at(offset: number): this {
    this.#at = offset;
    return this;
  }

  code(...opcodes: number[]): this {
    for (const byte of opcodes) this.bytes[this.#at++] = byte;
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
    return this;
  }

  /** 64-bit constants. Returns the offset of the first. */
  constant(...values: readonly bigint[]): number {
    const start = this.#constants;
    for (const value of values) {
      this.#view.setBigUint64(this.#constants, value, true);
      this.#constants += 8;
    }
    return start;
  }

  /** The operand of lgdt and lidt. Returns its offset. */
  descriptorTable({ base, limit }: { base: bigint; limit: number }): number {
    const start = this.#constants;
    this.#view.setUint16(start, limit, true);
    this.#view.setBigUint64(start + 2, base, true);
    this.#constants += 16;
    return start;
  }

  /** Loads one selector into ds, es, ss, fs and gs. */
  segments(selector: number): void {
    this.code(0x66, 0xb8).u16(selector); // mov …, %ax
    for (const modrm of [0xd8, 0xc0, 0xd0, 0xe0, 0xe8]) this.code(0x8e, modrm); // mov %ax, %ds …
  }

  /** Loads the plan's selectors; cs comes with the jump. */
  planSegments({ segments: { ds, es, ss, fs, gs, tr, ldt } }: X86CpuState): void {
    const loads: [number, number[]][] = [
      [ds.selector, [0x8e, 0xd8]],
      [es.selector, [0x8e, 0xc0]],
      [ss.selector, [0x8e, 0xd0]],
      [fs.selector, [0x8e, 0xe0]],
      [gs.selector, [0x8e, 0xe8]],
      [tr.selector, [0x0f, 0x00, 0xd8]], // ltr
      [ldt.selector, [0x0f, 0x00, 0xd0]], // lldt
    ];
    for (const [selector, opcode] of loads) this.code(0x66, 0xb8).u16(selector).code(...opcode);
  }
}
