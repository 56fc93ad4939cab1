/** Probe guests on riscv64: what riscv/boot.rst promises, seen from inside, without firmware and behind OpenSBI. */
import { VIRT_RISCV64 } from "../../fuzz/arbitraries/virt.ts";
import type { BootCase } from "../case.ts";
import { MACHINES } from "../machines.ts";
import { noise } from "./data.ts";
import { broughtTree, flatProbe, type FlatVariant, PARAMETERS, withHeader } from "./flat_probe.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;
/** Where RAM starts. */
const BASE = 2n * GIB;

const bare = MACHINES["virt-riscv64-bare"];
const opensbi = MACHINES["virt-riscv64"];

/** Where the Image would lie otherwise. */
const FIRMWARE = {
  name: "resident firmware",
  start: BASE + 2n * MIB + 0x1_0000n,
  size: 3n * MIB,
};

const BARE: readonly FlatVariant[] = [
  {
    what: "boot",
    requirement:
      'riscv/boot.rst, "Register state" and "CSR state": a0 is the hart\'s id, a1 the device tree, satp 0; /memory and /chosen of the tree say what was planned',
  },
  {
    what: "boot-hart-1",
    requirement:
      'riscv/boot.rst, "Register state": a hart that is not the first boots; a0 and the tree\'s boot_cpuid_phys are its id',
    machine: { ...bare, bootHart: 1, deviceTree: { ...VIRT_RISCV64, cpus: 2 } },
    options: { ...PARAMETERS, hartid: 1n },
  },
  {
    what: "no-initrd",
    requirement:
      "/chosen has no linux,initrd-start and no linux,initrd-end if there is no initrd; no bootargs are made up",
    options: {},
  },
  {
    what: "bss-dirty",
    requirement:
      "boot-image-header.rst, image_size: what the file does not fill reads as zero over memory that held something else",
    dirt: 0xa5,
  },
  // arch/riscv/include/uapi/asm/setup.h, COMMAND_LINE_SIZE
  {
    what: "cmdline-limit",
    requirement: "riscv setup.h, COMMAND_LINE_SIZE 1024: bootargs of 1023 bytes arrive whole",
    options: { ...PARAMETERS, cmdline: "x".repeat(1023) },
  },
  {
    what: "device-tree-brought",
    requirement:
      'riscv/boot.rst, "Hardware description": a tree that the monitor brings keeps its nodes, and stale bootargs, initrd and memory are replaced',
    options: { ...PARAMETERS, deviceTree: broughtTree(bare) },
  },
  {
    what: "device-tree-brought-no-initrd",
    requirement:
      "A stale linux,initrd-start and linux,initrd-end of a tree that the monitor brings are removed if there is no initrd",
    options: { deviceTree: broughtTree(bare) },
  },
  {
    what: "device-tree-fenced",
    requirement:
      "Devicetree specification, chapter 5: the tree is 8-byte aligned where little but one block is free",
    options: {
      ...PARAMETERS,
      reservations: [{ name: "below", start: BASE + 4n * MIB + 8n, size: 21n * MIB }, {
        name: "above",
        start: BASE + 29n * MIB + 5n,
        size: 34n * MIB,
      }],
    },
  },
  {
    what: "seeds",
    requirement:
      "Devicetree specification, /chosen: kaslr-seed (64 bits) and rng-seed arrive as given",
    options: { ...PARAMETERS, seeds: { kaslr: 0x0123456789abcdefn, rng: noise(64, 2) } },
  },
  {
    what: "text-offset-0",
    requirement:
      'riscv/boot.rst, "Kernel location": an Image with text_offset 0 lies at the 2 MiB aligned base itself, here the first byte of RAM',
    bend: withHeader({ textOffset: 0n }),
    dirt: 0xa5,
  },
  {
    what: "kernel-address",
    requirement: 'riscv/boot.rst, "Kernel location": the Image at another 2 MiB aligned address',
    options: { ...PARAMETERS, kernelAddress: BASE + 32n * MIB },
    dirt: 0xa5,
  },
  {
    what: "initrd-low",
    requirement: "An initrd that the monitor places at the first byte of RAM, below the Image",
    options: { ...PARAMETERS, initrdAddress: BASE },
  },
  {
    what: "initrd-high",
    requirement: "An initrd that the monitor places so that it ends where RAM does",
    options: { ...PARAMETERS, initrd: noise(0xa000, 3), initrdAddress: BASE + 64n * MIB - 0xa000n },
  },
  {
    what: "reservations",
    requirement:
      'riscv/boot.rst, "Reserved memory for resident firmware": what firmware keeps is announced with no-map and left alone',
    options: { ...PARAMETERS, reservations: [FIRMWARE] },
    dirt: 0xa5,
  },
  // The Image lies text_offset above the first byte, and keeps whole blocks of 2 MiB
  {
    what: "min-ram",
    requirement:
      "The smallest RAM that holds the Image, the block of its device tree and, below the Image, an initrd",
    ramSize: 6n * MIB,
  },
  {
    what: "ram-regions",
    requirement:
      'riscv/boot.rst, "Hardware description": RAM of several regions with holes between them, a reg for each',
    ram: [
      { start: BASE, size: 5n * MIB },
      { start: BASE + 16n * MIB, size: 3n * MIB },
      { start: BASE + 48n * MIB + 0x3000n, size: 16n * MIB - 0x3000n },
    ],
    dirt: 0xa5,
  },
  {
    what: "ram-first-region-small",
    requirement:
      'riscv/boot.rst, "Kernel location": the Image lies in the first region that has room for it from a 2 MiB aligned address',
    ram: [
      { start: BASE + 0x5000n, size: 3n * MIB },
      { start: BASE + 17n * MIB, size: 40n * MIB },
    ],
    dirt: 0xa5,
  },
  {
    what: "ram-8g",
    requirement:
      "8 GiB of RAM, an initrd above 4 GiB at its end: 64-bit linux,initrd-start and linux,initrd-end",
    options: {
      ...PARAMETERS,
      initrd: noise(0xa000, 3),
      initrdAddress: BASE + 8n * GIB - 0xa000n,
    },
    ramSize: 8n * GIB,
  },
];

/** OpenSBI edits the tree on its way: its reservations come on top. */
const OPENSBI: readonly FlatVariant[] = [
  {
    what: "opensbi-boot",
    requirement:
      'riscv/boot.rst, "Register state", behind OpenSBI: a0, a1 and satp, and a tree that still says what was planned',
  },
  {
    what: "opensbi-no-initrd",
    requirement: "Behind OpenSBI: /chosen has no initrd if there is none",
    options: {},
  },
  {
    what: "opensbi-cmdline-limit",
    requirement: "Behind OpenSBI: bootargs of 1023 bytes arrive whole",
    options: { ...PARAMETERS, cmdline: "x".repeat(1023) },
  },
  {
    what: "opensbi-device-tree-brought",
    requirement:
      "Behind OpenSBI: stale bootargs, initrd and memory of a tree that the monitor brings are replaced",
    options: { ...PARAMETERS, deviceTree: broughtTree(opensbi) },
  },
  {
    what: "opensbi-reservations",
    requirement:
      'riscv/boot.rst, "Reserved memory for resident firmware": OpenSBI\'s own memory and more is announced with no-map and left alone',
    options: { ...PARAMETERS, reservations: [...opensbi.reservations.slice(0, 1), FIRMWARE] },
    dirt: 0xa5,
  },
  {
    what: "opensbi-ram-regions",
    requirement: "Behind OpenSBI: a reg for each region of RAM",
    ram: [
      { start: BASE, size: 8n * MIB },
      { start: BASE + 48n * MIB, size: 16n * MIB },
    ],
    dirt: 0xa5,
  },
];

/** Every probe case on riscv64. */
export const RISCV64_PROBES: readonly BootCase[] = [
  ...BARE.map((one) => flatProbe(bare, one)),
  ...OPENSBI.map((one) => flatProbe(opensbi, one)),
];
