/** Probe guests on aarch64: what booting.rst promises, seen from inside. */
import { type Arm64Machine, buildArm64Tree, writeFdt } from "../../mod.ts";
import type { BootCase, LayoutOptions } from "../case.ts";
import { MACHINES } from "../machines.ts";
import { judgeArm64Probe } from "../matchers/arm64_probe.ts";
import { guestPath, noise } from "./data.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

interface Variant {
  readonly what: string;
  /** What of the protocol it shows, with the section of the specification. */
  readonly requirement: string;
  readonly options?: LayoutOptions;
  readonly ramSize?: bigint;
  readonly dirt?: number;
}

const machine = MACHINES.virt;
const DESCRIBED = { deviceTree: machine.deviceTree, reservations: machine.reservations };
const BASE: LayoutOptions = {
  ...DESCRIBED,
  cmdline: "console=ttyAMA0 probe",
  initrd: noise(40_000, 1),
};

/** A tree as a caller may bring one: with a stale command line, initrd and memory to be replaced. */
function broughtTree(): Uint8Array {
  const tree = buildArm64Tree(machine.deviceTree as Arm64Machine);
  tree.root.children.push({
    name: "chosen",
    properties: [
      { name: "bootargs", value: new TextEncoder().encode("stale\0") },
      { name: "linux,initrd-start", value: new Uint8Array(8).fill(1) },
      { name: "linux,initrd-end", value: new Uint8Array(8).fill(2) },
    ],
    children: [],
  });
  return writeFdt(tree);
}

const VARIANTS: readonly Variant[] = [
  {
    what: "boot",
    requirement:
      'booting.rst, "4. Call the kernel image": x0 at the device tree, x1 to x3 zero, D, A, I and F masked, MMU off, EL1; /memory and /chosen of the tree say what was planned',
  },
  {
    what: "boot-el2",
    requirement:
      'booting.rst, "4. Call the kernel image": entered at EL2, which is recommended, with the same registers',
    options: { ...BASE, exceptionLevel: 2 },
  },
  {
    what: "no-initrd",
    requirement:
      "/chosen has no linux,initrd-start and no linux,initrd-end if there is no initrd; no bootargs are made up",
    options: DESCRIBED,
  },
  {
    what: "bss-dirty",
    requirement:
      'booting.rst, "3. Decompress the kernel image": image_size bytes belong to the kernel; what the file does not fill reads as zero over memory that held something else',
    dirt: 0xa5,
  },
  // arch/arm64/include/uapi/asm/setup.h, COMMAND_LINE_SIZE
  {
    what: "cmdline-limit",
    requirement: "arm64 setup.h, COMMAND_LINE_SIZE 2048: bootargs of 2047 bytes arrive whole",
    options: { ...BASE, cmdline: "x".repeat(2047) },
  },
  {
    what: "device-tree-brought",
    requirement:
      'booting.rst, "2. Setup the device tree": a tree that the monitor brings keeps its nodes, and stale bootargs, initrd and memory are replaced',
    options: { ...BASE, deviceTree: broughtTree() },
  },
  {
    what: "device-tree-brought-no-initrd",
    requirement:
      "A stale linux,initrd-start and linux,initrd-end of a tree that the monitor brings are removed if there is no initrd",
    options: { ...DESCRIBED, deviceTree: broughtTree() },
  },
  {
    what: "seeds",
    requirement:
      "Devicetree specification, /chosen: kaslr-seed (64 bits) and rng-seed arrive as given",
    options: { ...BASE, seeds: { kaslr: 0x0123456789abcdefn, rng: noise(64, 2) } },
  },
  {
    what: "kernel-address",
    requirement:
      'booting.rst, "3. Decompress the kernel image": the Image at another 2 MiB aligned base, plus text_offset',
    options: { ...BASE, kernelAddress: GIB + 32n * MIB },
  },
  {
    what: "initrd-address",
    requirement:
      'booting.rst, "4. Call the kernel image": an initrd that the monitor places, in one 32 GiB window with the kernel',
    options: { ...BASE, initrdAddress: GIB + 48n * MIB },
  },
  {
    what: "reservations",
    requirement:
      "/reserved-memory: ranges that secure firmware keeps are announced with no-map and left alone",
    options: {
      ...BASE,
      reservations: [
        ...machine.reservations,
        { name: "secure firmware", start: GIB + 2n * MIB, size: 3n * MIB },
      ],
    },
  },
  // QEMU's own tree takes the first MiB: the Image, then the device tree's block
  {
    what: "min-ram",
    requirement:
      "The smallest RAM that holds the Image, the block of its device tree and an initrd",
    ramSize: 6n * MIB,
  },
  {
    what: "initrd-above-4g",
    requirement:
      'booting.rst, "4. Call the kernel image": an initrd above 4 GiB, 64-bit linux,initrd-start and linux,initrd-end, still in the kernel\'s 32 GiB window',
    options: { ...BASE, initrdAddress: 5n * GIB },
    ramSize: 5n * GIB,
  },
];

/** Every probe case on aarch64. */
export const ARM64_PROBES: readonly BootCase[] = VARIANTS.map(
  ({ what, requirement, options = BASE, ramSize = 64n * MIB, dirt }): BootCase => ({
    kind: "boot",
    id: {
      driver: "qemu-tcg",
      machine: machine.name,
      arch: "aarch64",
      protocol: "arm64",
      kernel: "probe-image",
      what,
    },
    needs: [{ kind: "qemu", arch: "aarch64" }],
    machine,
    ramSize,
    layout: () => ({ kernel: { path: guestPath("probe-image.aarch64") }, options, dirt }),
    requirement,
    judge: judgeArm64Probe,
    timeout: 30,
  }),
);
