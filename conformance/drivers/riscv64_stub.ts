/**
 * A few instructions that set a riscv64 hart to the state of a plan: by way of OpenSBI, which edits
 * the device tree, or without firmware, so that nobody has a hand in it.
 */
import type { Riscv64CpuState } from "../../mod.ts";

/** Where QEMU puts OpenSBI: the start of RAM. */
const OPENSBI = 0x8000_0000n;
/** Inside the 2 MiB that are reserved for firmware, above what OpenSBI uses. */
export const OPENSBI_STUB_ADDRESS = 0x801c_0000n;
/** QEMU 7.2, hw/riscv/virt.c, virt_memmap: the first flash, which is no RAM and otherwise empty. */
export const BARE_STUB_ADDRESS = 0x2000_0000n;

/** OpenSBI, include/sbi/fw_dynamic.h: "OSBI", version 2, next mode S, no options, any boot hart. */
const FW_DYNAMIC_INFO = { magic: 0x4942534fn, version: 2n, modeS: 1n, options: 0n, bootHart: 0n };

/** RISC-V unprivileged ISA, chapter "RV32/64G Instruction Set Listings". */
const AUIPC_T0_0 = 0x00000297;
const ld = (rd: number, offset: number) => offset << 20 | 5 << 15 | 3 << 12 | rd << 7 | 0x03;
const addiT0 = (rd: number, offset: number) => offset << 20 | 5 << 15 | rd << 7 | 0x13;
const csrwT1 = (csr: number) => csr << 20 | 6 << 15 | 1 << 12 | 0x73;
const JR_T1 = 0x00030067;
const [T1, T2, A0, A1, A2] = [6, 7, 10, 11, 12];
/** Privileged ISA, chapter "Machine-Level ISA". */
const CSRR_T1_MHARTID = 0xf1402373;
const MRET = 0x30200073;
const WFI = 0x10500073;
/** Over the two instructions that park a hart, of which the second jumps to the first. */
const BEQ_T1_T2_12 = 0x00730663;
const J_BACK_4 = 0xffdff06f;

/** Privileged ISA, chapter "Control and Status Registers (CSRs)". */
const CSR = {
  satp: 0x180,
  mstatus: 0x300,
  medeleg: 0x302,
  mideleg: 0x303,
  mepc: 0x341,
  pmpcfg0: 0x3a0,
  pmpaddr0: 0x3b0,
};
/** What firmware sets up: one PMP entry, NAPOT over everything, read, write and execute. */
const PMP_EVERYTHING = { pmpaddr0: (1n << 54n) - 1n, pmpcfg0: 0x1fn };
/** Exceptions and interrupts that supervisor mode takes itself: all but its own calls; SSI, STI, SEI. */
const DELEGATED = { medeleg: 0xb1ffn, mideleg: 0x222n };
/** MPP: mret enters supervisor mode. SIE and everything else is off. */
const MSTATUS_MPP_S = 1n << 11n;

/** A word, or one that depends on where the constants lie behind the code. */
type Instruction = number | ((offsetOf: (literal: number) => number) => number);

/** Code that starts with t0 at its own start, and behind it 64-bit constants. */
function assemble(code: readonly Instruction[], literals: readonly bigint[]): Uint8Array {
  const start = (4 * (code.length + 1) + 7) & ~7;
  const view = new DataView(new ArrayBuffer(start + 8 * literals.length));
  const words = code.map((one) =>
    typeof one === "number" ? one : one((literal) => start + 8 * literal)
  );
  [AUIPC_T0_0, ...words].forEach((word, i) => view.setUint32(4 * i, word >>> 0, true));
  literals.forEach((value, i) => view.setBigUint64(start + 8 * i, value, true));
  return new Uint8Array(view.buffer);
}

/** Loads a constant. */
const load = (rd: number, literal: number): Instruction => (offsetOf) => ld(rd, offsetOf(literal));

/**
 * Makes the stub that starts OpenSBI, which enters the kernel in supervisor mode.
 *
 * @param cpu The state that the kernel must be entered with.
 * @returns Code and constants, to lie at {@linkcode OPENSBI_STUB_ADDRESS}.
 */
export function buildOpensbiStub(cpu: Riscv64CpuState): Uint8Array {
  const { magic, version, modeS, options, bootHart } = FW_DYNAMIC_INFO;
  const info = [magic, version, cpu.pc, modeS, options, bootHart];
  const toInfo: Instruction = (offsetOf) => addiT0(A2, offsetOf(3));
  return assemble(
    [load(A0, 0), load(A1, 1), load(T1, 2), toInfo, JR_T1],
    [cpu.a0, cpu.a1, OPENSBI, ...info],
  );
}

/**
 * Makes the stub that does what firmware must have done, and enters the kernel itself.
 *
 * @param cpu The state that the kernel must be entered with.
 * @param bootHart The hart that enters it; others are parked.
 * @returns Code and constants, to lie at {@linkcode BARE_STUB_ADDRESS}, where every hart starts in
 * machine mode.
 */
export function buildBareStub(cpu: Riscv64CpuState, bootHart: number): Uint8Array {
  const csrs: readonly (readonly [number, bigint])[] = [
    [CSR.pmpaddr0, PMP_EVERYTHING.pmpaddr0],
    [CSR.pmpcfg0, PMP_EVERYTHING.pmpcfg0],
    [CSR.medeleg, DELEGATED.medeleg],
    [CSR.mideleg, DELEGATED.mideleg],
    [CSR.mstatus, MSTATUS_MPP_S],
    [CSR.mepc, cpu.pc],
    [CSR.satp, cpu.satp],
  ];
  return assemble(
    [
      CSRR_T1_MHARTID,
      load(T2, 0),
      ...[BEQ_T1_T2_12, WFI, J_BACK_4],
      ...csrs.flatMap(([csr], i) => [load(T1, 3 + i), csrwT1(csr)]),
      ...[load(A0, 1), load(A1, 2), MRET],
    ],
    [BigInt(bootHart), cpu.a0, cpu.a1, ...csrs.map(([, value]) => value)],
  );
}
