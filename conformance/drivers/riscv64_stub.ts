/**
 * A few instructions that hand a riscv64 hart to OpenSBI, which enters the kernel in supervisor mode
 * with the plan's state. They lie in the firmware's own RAM, behind OpenSBI.
 */
import type { Riscv64CpuState } from "../../mod.ts";

/** Where QEMU puts OpenSBI: the start of RAM. */
const OPENSBI = 0x8000_0000n;
/** Inside the 2 MiB that are reserved for firmware, above what OpenSBI uses. */
export const RISCV64_STUB_ADDRESS = 0x801c_0000n;

/** OpenSBI, include/sbi/fw_dynamic.h: "OSBI", version 2, next mode S, no options, any boot hart. */
const FW_DYNAMIC_INFO = { magic: 0x4942534fn, version: 2n, modeS: 1n, options: 0n, bootHart: 0n };

/** RISC-V unprivileged ISA, chapter "RV32/64G Instruction Set Listings". */
const AUIPC_T0_0 = 0x00000297;
const ld = (rd: number, offset: number) => offset << 20 | 5 << 15 | 3 << 12 | rd << 7 | 0x03;
const addiT0 = (rd: number, offset: number) => offset << 20 | 5 << 15 | rd << 7 | 0x13;
const JR_T1 = 0x00030067;
const [T1, A0, A1, A2] = [6, 10, 11, 12];
const CODE_SIZE = 32;

/**
 * Makes the stub.
 *
 * @param cpu The state that the kernel must be entered with.
 * @returns Code and constants, to lie at {@linkcode RISCV64_STUB_ADDRESS}.
 */
export function buildRiscv64Stub(cpu: Riscv64CpuState): Uint8Array {
  const { magic, version, modeS, options, bootHart } = FW_DYNAMIC_INFO;
  const info = [magic, version, cpu.pc, modeS, options, bootHart];
  const literals = [cpu.a0, cpu.a1, OPENSBI, ...info];
  const at = (literal: number) => CODE_SIZE + 8 * literal;
  const code = [AUIPC_T0_0, ld(A0, at(0)), ld(A1, at(1)), ld(T1, at(2)), addiT0(A2, at(3)), JR_T1];
  const view = new DataView(new ArrayBuffer(at(literals.length)));
  code.forEach((word, i) => view.setUint32(4 * i, word >>> 0, true));
  literals.forEach((value, i) => view.setBigUint64(at(i), value, true));
  return new Uint8Array(view.buffer);
}
