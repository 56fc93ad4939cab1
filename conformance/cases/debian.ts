/** Debian's own kernels, to userland: our init says whether command line and initrd came whole. */
import { readFileSync } from "node:fs";
import type { BootProtocol } from "../../mod.ts";
import type { BootCase, KernelNeed } from "../case.ts";
import { buildInitramfs } from "../initramfs.ts";
import { type GuestArch, type Machine, MACHINES } from "../machines.ts";
import { judgeUserland } from "../matchers/userland.ts";
import { extractVmlinux } from "../payload.ts";
import { guestPath, noise } from "./data.ts";

/** What proves that the initrd came whole: not a multiple of anything. */
const PAYLOAD = noise(1_234_567, 6);

/** qemu-recipes: reboot=t ends the machine at once; self tests of ciphers only cost time. */
const CMDLINE: { readonly [K in GuestArch]: string } = {
  x86_64: 'console=ttyS0 panic=-1 reboot=t cryptomgr.notests conformance="quoted value"',
  riscv64: 'console=ttyS0 panic=-1 cryptomgr.notests conformance="quoted value"',
  aarch64: 'console=ttyAMA0 panic=-1 cryptomgr.notests conformance="quoted value"',
};

const SERIES = ["6.1", "6.12"] as const;
const { microvm, pc, q35, virt } = MACHINES;

/** Every case with a Debian kernel. */
export const DEBIAN: readonly BootCase[] = [
  ...SERIES.flatMap((series) => [
    ...[microvm, pc, q35].map((machine) => userlandCase(machine, "linux64", series)),
    userlandCase(virt, "arm64", series),
  ]),
  userlandCase(MACHINES["virt-riscv64"], "riscv64", "6.12"),
  // The vmlinux inside the bzImage has both entries; that of 6.1 is packed with xz.
  userlandCase(microvm, "pvh", "6.12", "userland-vmlinux"),
  userlandCase(pc, "pvh", "6.12", "userland-vmlinux"),
  userlandCase(microvm, "linux64", "6.12", "userland-vmlinux"),
];

function userlandCase(
  machine: Machine,
  protocol: BootProtocol,
  series: (typeof SERIES)[number],
  what: "userland" | "userland-vmlinux" = "userland",
): BootCase {
  const { arch } = machine;
  const kernel: KernelNeed = { kind: "kernel", id: `debian-${series}`, arch };
  return {
    kind: "boot",
    id: {
      driver: "qemu-tcg",
      machine: machine.name,
      arch,
      protocol,
      kernel: kernel.id,
      what,
    },
    needs: [{ kind: "qemu", arch }, kernel],
    machine,
    ramSize: 512n << 20n,
    layout: (kernels) => ({
      kernel: what === "userland" ? { path: kernels(kernel) } : extractVmlinux(kernels(kernel)),
      options: {
        protocol,
        initrd: initramfs(arch),
        cmdline: CMDLINE[arch],
        reservations: machine.reservations,
        deviceTree: machine.deviceTree,
      },
    }),
    judge: judgeUserland(PAYLOAD, `Linux version ${series}.`),
    timeout: 240,
  };
}

function initramfs(arch: GuestArch): Uint8Array {
  return buildInitramfs([
    { path: "dev", mode: 0o040755 },
    { path: "dev/console", mode: 0o020600, rdev: { major: 5, minor: 1 } },
    { path: "init", mode: 0o100755, data: readFileSync(guestPath(`init.${arch}`)) },
    { path: "payload", mode: 0o100644, data: PAYLOAD },
  ]);
}
