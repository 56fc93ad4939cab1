/** A few instructions that set an arm64 CPU to the state of a plan and jump: QEMU runs them from flash at 0. */
import type { Arm64CpuState } from "../../mod.ts";

/** Arm ARM, C6.2.167 "LDR (literal)", 64-bit: imm19 counts words from the instruction itself. */
const ldrLiteral = (register: number, words: number) => 0x58000000 | words << 5 | register;
/** Arm ARM, C6.2.193 "MSR (register)", for the exception level that the CPU is at. */
const MSR = {
  1: { spsr: 0xd5184000, elr: 0xd5184020 },
  2: { spsr: 0xd51c4000, elr: 0xd51c4020 },
} as const;
/** Arm ARM, C6.2.178 "MOVZ": x16 = 0. */
const CLEAR_X16 = 0xd2800010;
/** Arm ARM, C6.2.86 "ERET": takes pc and PSTATE from ELR and SPSR. */
const ERET = 0xd69f03e0;
/** Intra-procedure-call scratch register: no boot protocol gives it a meaning. */
const X16 = 16;

/**
 * Makes the stub.
 *
 * @param cpu The state to set. The machine must start at that exception level.
 * @returns Code and constants, to lie where execution starts.
 */
export function buildArm64Stub(cpu: Arm64CpuState): Uint8Array {
  const literals = [cpu.pstate, cpu.pc, cpu.x0, cpu.x1, cpu.x2, cpu.x3];
  const CODE_WORDS = 10;
  const code: number[] = [];
  const load = (register: number, literal: number) =>
    code.push(ldrLiteral(register, CODE_WORDS + 2 * literal - code.length));
  const { spsr, elr } = MSR[cpu.el];
  load(X16, 0);
  code.push(spsr | X16);
  load(X16, 1);
  code.push(elr | X16);
  for (let i = 0; i < 4; i++) load(i, 2 + i);
  code.push(CLEAR_X16, ERET);

  const view = new DataView(new ArrayBuffer(4 * CODE_WORDS + 8 * literals.length));
  code.forEach((word, i) => view.setUint32(4 * i, word >>> 0, true));
  literals.forEach((value, i) => view.setBigUint64(4 * CODE_WORDS + 8 * i, value, true));
  return new Uint8Array(view.buffer);
}
