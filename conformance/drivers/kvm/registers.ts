/** A plan's CPU state in the structs that KVM takes. */
import type { X86CpuState, X86DescriptorTable, X86Segment } from "../../../mod.ts";
import { DTABLE, REGS, SEGMENT, SIZE, SREGS } from "./abi.ts";

/**
 * The general registers.
 *
 * @param cpu The state.
 * @returns A struct kvm_regs.
 */
export function encodeRegs(cpu: X86CpuState): Uint8Array {
  const { rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8to15, rip, rflags } = cpu;
  const values = [rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, ...r8to15, rip, rflags];
  const regs = new DataView(new ArrayBuffer(SIZE.regs));
  for (const [i, value] of values.entries()) regs.setBigUint64(8 * i, value, true);
  return new Uint8Array(regs.buffer);
}

/**
 * One general register.
 *
 * @param regs A struct kvm_regs.
 * @param name The register.
 * @returns Its value.
 */
export function readReg(regs: Uint8Array, name: (typeof REGS)[number]): bigint {
  return new DataView(regs.buffer, regs.byteOffset).getBigUint64(8 * REGS.indexOf(name), true);
}

/**
 * The segment, control and table registers.
 *
 * @param cpu The state.
 * @param current What KVM_GET_SREGS gave: what no plan knows of (the APIC's base) stays as it is.
 * @returns A struct kvm_sregs.
 */
export function encodeSregs(cpu: X86CpuState, current: Uint8Array): Uint8Array {
  const bytes = current.slice();
  const sregs = new DataView(bytes.buffer);
  for (const name of Object.keys(SREGS.segments) as (keyof typeof SREGS.segments)[]) {
    writeSegment(sregs, SREGS.segments[name], cpu.segments[name]);
  }
  writeTable(sregs, SREGS.gdt, cpu.gdt);
  writeTable(sregs, SREGS.idt, cpu.idt);
  for (const name of ["cr0", "cr3", "cr4", "efer"] as const) {
    sregs.setBigUint64(SREGS[name], cpu[name], true);
  }
  return bytes;
}

function writeSegment(sregs: DataView, at: number, segment: X86Segment): void {
  sregs.setBigUint64(at + SEGMENT.base, segment.base, true);
  sregs.setUint32(at + SEGMENT.limit, segment.limit, true);
  sregs.setUint16(at + SEGMENT.selector, segment.selector, true);
  sregs.setUint8(at + SEGMENT.type, segment.type);
  sregs.setUint8(at + SEGMENT.dpl, segment.dpl);
  for (const flag of ["present", "db", "s", "l", "g", "avl"] as const) {
    sregs.setUint8(at + SEGMENT[flag], Number(segment[flag]));
  }
  sregs.setUint8(at + SEGMENT.unusable, Number(!segment.present));
}

function writeTable(sregs: DataView, at: number, { base, limit }: X86DescriptorTable): void {
  sregs.setBigUint64(at + DTABLE.base, base, true);
  sregs.setUint16(at + DTABLE.limit, limit, true);
}
