import type { Arm64CpuState } from "./state.ts";

/** Arm ARM, C5.2.18 SPSR_EL1: D, A, I and F masked. */
const PSTATE_DAIF = 0x3c0n;
/** Arm ARM, SPSR.M: EL1 or EL2 with its own stack pointer. */
const PSTATE_MODE: { readonly 1: bigint; readonly 2: bigint } = { 1: 0x5n, 2: 0x9n };

/**
 * The state that Documentation/arch/arm64/booting.rst, "4. Call the kernel image" asks for.
 *
 * @param start Where execution starts, where the device tree lies (guest-physical), and at which
 * exception level.
 * @returns The first vCPU's state.
 */
export function arm64CpuState(
  { pc, dtb, el }: { pc: bigint; dtb: bigint; el: 1 | 2 },
): Arm64CpuState {
  const pstate = PSTATE_DAIF | PSTATE_MODE[el];
  return { arch: "aarch64", pc, el, pstate, x0: dtb, x1: 0n, x2: 0n, x3: 0n };
}
