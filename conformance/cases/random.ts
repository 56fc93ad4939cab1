/** Many random layouts of each probe: RAM with holes, sizes, addresses, command lines, initrds, reservations. */
import type { RandomCase } from "../case.ts";
import { type Machine, MACHINES } from "../machines.ts";
import { type GuestFile, guestPath } from "./data.ts";

const { microvm, virt, "virt-riscv64-bare": bare } = MACHINES;

/** A case for each way to enter a probe. */
export const RANDOM: readonly RandomCase[] = [
  randomCase(microvm, "linux64", "probe-bzimage", "probe-bzimage.x86_64"),
  randomCase(microvm, "linux64", "probe-elf64", "probe-elf64.x86_64"),
  randomCase(microvm, "linux32", "probe-bzimage", "probe-bzimage.x86_64"),
  randomCase(microvm, "linux32", "probe-elf32", "probe-elf32.i386"),
  randomCase(microvm, "pvh", "probe-elf64", "probe-elf64.x86_64"),
  randomCase(microvm, "pvh", "probe-elf32", "probe-elf32.i386"),
  randomCase(virt, "arm64", "probe-image", "probe-image.aarch64"),
  randomCase(bare, "riscv64", "probe-image", "probe-image.riscv64"),
];

function randomCase(
  machine: Machine,
  protocol: RandomCase["protocol"],
  kernel: string,
  file: GuestFile,
): RandomCase {
  const { name } = machine;
  const arch = file.split(".")[1];
  return {
    kind: "random",
    id: { driver: "qemu-tcg", machine: name, arch, protocol, kernel, what: "random" },
    needs: [{ kind: "qemu", arch: machine.arch }],
    machine,
    protocol,
    kernel: guestPath(file),
    requirement:
      `Every layout that has room: the guest finds what was planned, and its memory map says of each byte what the layout says`,
  };
}
