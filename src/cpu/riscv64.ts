import type { Riscv64CpuState } from "./state.ts";

/**
 * The state that Documentation/arch/riscv/boot.rst, "Register state" and "MMU" ask for.
 *
 * @param start Where execution starts, where the device tree lies (guest-physical), and which hart
 * this is.
 * @returns The boot hart's state: supervisor mode, translation off.
 */
export function riscv64CpuState(
  { pc, dtb, hartid }: { pc: bigint; dtb: bigint; hartid: bigint },
): Riscv64CpuState {
  return { arch: "riscv64", pc, a0: hartid, a1: dtb, satp: 0n };
}
