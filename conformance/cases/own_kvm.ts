/** Cases of QEMU's microvm once more, in our own monitor on KVM: no firmware, no stub, no devices in the way. */
import type { BootCase, VmmNeed } from "../case.ts";
import { judgeX86Probe } from "../matchers/x86_probe.ts";
import { DEBIAN } from "./debian.ts";
import { X86_PROBES } from "./x86_probes.ts";

const RUNTIMES = ["deno", "bun"] as const;

const isOnMicrovm = ({ id }: BootCase) => id.driver === "qemu-tcg" && id.machine === "microvm";

/** The same case for the monitor, in each runtime. Its RAM lies as the microvm's does. */
function inVmm(test: BootCase, guest: VmmNeed["guest"]): BootCase[] {
  return RUNTIMES.map((runtime) => ({
    ...test,
    id: { ...test.id, driver: `kvm-${runtime}` as const, machine: "-" },
    needs: [
      { kind: "vmm", runtime, guest },
      ...test.needs.filter(({ kind }) => kind !== "qemu"),
    ],
  }));
}

/** Every probe on x86_64. */
export const VMM_PROBES: readonly BootCase[] = X86_PROBES.filter(isOnMicrovm)
  .flatMap((test) => inVmm({ ...test, judge: (seen) => judgeX86Probe(seen, "sregs") }, "any"));

/** Debian's kernels, where the KVM can run them. */
export const VMM_DEBIAN: readonly BootCase[] = DEBIAN.filter(isOnMicrovm)
  .flatMap((test) => inVmm(test, "linux"));
