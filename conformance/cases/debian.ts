/** Debian's own kernels, to userland: our init says whether command line and initrd came whole. */
import { readFileSync } from "node:fs";
import type { BootProtocol } from "../../mod.ts";
import type { BootCase, KernelNeed } from "../case.ts";
import { buildInitramfs } from "../initramfs.ts";
import { type GuestArch, type Machine, machineOptions, MACHINES, ramRanges } from "../machines.ts";
import { judgeUserland } from "../matchers/userland.ts";
import { openFile } from "../../src/files.ts";
import { unwrapKernel } from "../../src/compressed/mod.ts";
import { wrapInZboot } from "../packers.ts";
import { guestPath, noise } from "./data.ts";

/** What proves that the initrd came whole: not a multiple of anything. */
const PAYLOAD = noise(1_234_567, 6);

const RAM_SIZE = 512n << 20n;

/** More than these kernels come to when they are unwrapped. */
const MAX_KERNEL = 128 << 20;

/** qemu-recipes: reboot=t ends the machine at once; self tests of ciphers only cost time. */
const CMDLINE: { readonly [K in GuestArch]: string } = {
  x86_64: 'console=ttyS0 panic=-1 reboot=t cryptomgr.notests conformance="quoted value"',
  riscv64: 'console=ttyS0 panic=-1 cryptomgr.notests conformance="quoted value"',
  aarch64: 'console=ttyAMA0 panic=-1 cryptomgr.notests conformance="quoted value"',
};

/** The section of each protocol that a kernel's way to userland depends on as a whole. */
const REQUIREMENTS: { readonly [K in BootProtocol]: string } = {
  linux64:
    'boot.rst, "64-bit Boot Protocol": a distribution\'s kernel reaches userland; /proc/cmdline, every byte of the initrd and the RAM of /proc/iomem are what was handed over',
  linux32:
    'boot.rst, "32-bit Boot Protocol": a distribution\'s kernel, i386 or x86_64, reaches userland from its 32-bit entry; /proc/cmdline, every byte of the initrd and the RAM of /proc/iomem are what was handed over',
  pvh:
    'pvh.pandoc, "x86/HVM direct boot ABI": a distribution\'s vmlinux reaches userland by its PVH entry; /proc/cmdline, every byte of the initrd and the RAM of /proc/iomem are what was handed over',
  arm64:
    'booting.rst, "4. Call the kernel image": a distribution\'s kernel reaches userland; /proc/cmdline, every byte of the initrd and the RAM of /proc/iomem are what was handed over',
  riscv64:
    'riscv/boot.rst, "Register state" and "Hardware description", behind OpenSBI: a distribution\'s kernel reaches userland; /proc/cmdline, every byte of the initrd and the RAM of /proc/iomem are what was handed over',
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
  // The vmlinux inside the bzImage has both entries; that of 6.1 is packed with xz, 6.12's with zstd.
  ...SERIES.flatMap((series) => [
    userlandCase(microvm, "pvh", series, "userland-vmlinux"),
    userlandCase(microvm, "linux64", series, "userland-vmlinux"),
  ]),
  userlandCase(pc, "pvh", "6.12", "userland-vmlinux"),
  userlandCase(virt, "arm64", "6.1", "userland-zboot-gzip"),
  // An x86_64 bzImage goes on to long mode by itself.
  ...SERIES.map((series) => userlandCase(microvm, "linux32", series)),
  ...[microvm, pc, q35].map((machine) =>
    userlandCase(machine, "linux32", "6.1", "userland", "i386")
  ),
  userlandCase(microvm, "linux32", "6.1", "userland-vmlinux", "i386"),
];

/** The kernel as it is, the vmlinux in it, or the kernel wrapped and unwrapped again. */
type What = "userland" | "userland-vmlinux" | "userland-zboot-gzip";

function userlandCase(
  machine: Machine,
  protocol: BootProtocol,
  series: (typeof SERIES)[number],
  what: What = "userland",
  arch: KernelNeed["arch"] = machine.arch,
): BootCase {
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
    needs: [{ kind: "qemu", arch: machine.arch }, kernel],
    machine,
    ramSize: RAM_SIZE,
    layout: async (kernels) => ({
      kernel: await kernelOf(kernels(kernel), what),
      options: {
        protocol,
        initrd: initramfs(arch),
        cmdline: CMDLINE[machine.arch],
        ...machineOptions(machine, ramRanges(machine, RAM_SIZE)),
      },
    }),
    requirement: REQUIREMENTS[protocol],
    judge: judgeUserland(PAYLOAD, `Linux version ${series}.`),
    timeout: 240,
  };
}

async function kernelOf(path: string, what: What): Promise<Uint8Array | { path: string }> {
  if (what === "userland") return { path };
  using file = openFile(path);
  const input = what === "userland-vmlinux" ? file : wrapInZboot(readFileSync(path), "gzip");
  const { bytes } = await unwrapKernel(input, { maxSize: MAX_KERNEL });
  if (bytes === undefined) throw new Error(`Cannot unwrap ${path}: there is nothing in it`);
  return bytes;
}

function initramfs(arch: KernelNeed["arch"]): Uint8Array {
  return buildInitramfs([
    { path: "dev", mode: 0o040755 },
    { path: "dev/console", mode: 0o020600, rdev: { major: 5, minor: 1 } },
    { path: "init", mode: 0o100755, data: readFileSync(guestPath(`init.${arch}`)) },
    { path: "payload", mode: 0o100644, data: PAYLOAD },
  ]);
}
