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
  { what: "boot" },
  { what: "boot-el2", options: { ...BASE, exceptionLevel: 2 } },
  { what: "no-initrd", options: DESCRIBED },
  { what: "bss-dirty", dirt: 0xa5 },
  // arch/arm64/include/uapi/asm/setup.h, COMMAND_LINE_SIZE
  { what: "cmdline-limit", options: { ...BASE, cmdline: "x".repeat(2047) } },
  { what: "device-tree-brought", options: { ...BASE, deviceTree: broughtTree() } },
  {
    what: "device-tree-brought-no-initrd",
    options: { ...DESCRIBED, deviceTree: broughtTree() },
  },
  { what: "seeds", options: { ...BASE, seeds: { kaslr: 0x0123456789abcdefn, rng: noise(64, 2) } } },
  { what: "kernel-address", options: { ...BASE, kernelAddress: GIB + 32n * MIB } },
  { what: "initrd-address", options: { ...BASE, initrdAddress: GIB + 48n * MIB } },
  {
    what: "reservations",
    options: {
      ...BASE,
      reservations: [
        ...machine.reservations,
        { name: "secure firmware", start: GIB + 2n * MIB, size: 3n * MIB },
      ],
    },
  },
  // QEMU's own tree takes the first MiB: the Image, then the device tree's block
  { what: "min-ram", ramSize: 6n * MIB },
  {
    what: "initrd-above-4g",
    options: { ...BASE, initrdAddress: 5n * GIB },
    ramSize: 5n * GIB,
  },
];

/** Every probe case on aarch64. */
export const ARM64_PROBES: readonly BootCase[] = VARIANTS.map(
  ({ what, options = BASE, ramSize = 64n * MIB, dirt }): BootCase => ({
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
    judge: judgeArm64Probe,
    timeout: 30,
  }),
);
