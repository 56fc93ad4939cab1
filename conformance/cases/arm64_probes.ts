/** Probe guests on aarch64: what booting.rst promises, seen from inside. */
import type { BootCase } from "../case.ts";
import { MACHINES } from "../machines.ts";
import { noise } from "./data.ts";
import { broughtTree, flatProbe, type FlatVariant, PARAMETERS, withHeader } from "./flat_probe.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

const machine = MACHINES.virt;

const VARIANTS: readonly FlatVariant[] = [
  {
    what: "boot",
    requirement:
      'booting.rst, "4. Call the kernel image": x0 at the device tree, x1 to x3 zero, D, A, I and F masked, MMU off, EL1; /memory and /chosen of the tree say what was planned',
  },
  {
    what: "boot-el2",
    requirement:
      'booting.rst, "4. Call the kernel image": entered at EL2, which is recommended, with the same registers',
    options: { ...PARAMETERS, exceptionLevel: 2 },
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
      'booting.rst, "3. Decompress the kernel image": image_size bytes belong to the kernel; what the file does not fill reads as zero over memory that held something else',
    dirt: 0xa5,
  },
  // arch/arm64/include/uapi/asm/setup.h, COMMAND_LINE_SIZE
  {
    what: "cmdline-limit",
    requirement: "arm64 setup.h, COMMAND_LINE_SIZE 2048: bootargs of 2047 bytes arrive whole",
    options: { ...PARAMETERS, cmdline: "x".repeat(2047) },
  },
  {
    what: "device-tree-brought",
    requirement:
      'booting.rst, "2. Setup the device tree": a tree that the monitor brings keeps its nodes, and stale bootargs, initrd and memory are replaced',
    options: { ...PARAMETERS, deviceTree: broughtTree(machine) },
  },
  {
    what: "device-tree-brought-no-initrd",
    requirement:
      "A stale linux,initrd-start and linux,initrd-end of a tree that the monitor brings are removed if there is no initrd",
    options: { deviceTree: broughtTree(machine) },
  },
  {
    what: "seeds",
    requirement:
      "Devicetree specification, /chosen: kaslr-seed (64 bits) and rng-seed arrive as given",
    options: { ...PARAMETERS, seeds: { kaslr: 0x0123456789abcdefn, rng: noise(64, 2) } },
  },
  {
    what: "kernel-address",
    requirement:
      'booting.rst, "3. Decompress the kernel image": the Image at another 2 MiB aligned base, plus text_offset',
    options: { ...PARAMETERS, kernelAddress: GIB + 32n * MIB },
  },
  {
    what: "initrd-address",
    requirement:
      'booting.rst, "4. Call the kernel image": an initrd that the monitor places, in one 32 GiB window with the kernel',
    options: { ...PARAMETERS, initrdAddress: GIB + 48n * MIB },
  },
  {
    what: "reservations",
    requirement:
      "/reserved-memory: ranges that secure firmware keeps are announced with no-map and left alone",
    options: {
      ...PARAMETERS,
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
    options: { ...PARAMETERS, initrdAddress: 5n * GIB },
    ramSize: 5n * GIB,
  },
  {
    what: "ram-regions",
    requirement:
      'booting.rst, "2. Setup the device tree": RAM of several regions with holes between them, a reg for each',
    ram: [
      { start: GIB, size: 8n * MIB },
      { start: GIB + 24n * MIB, size: 3n * MIB },
      { start: GIB + 48n * MIB + 0x3000n, size: 16n * MIB - 0x3000n },
    ],
    dirt: 0xa5,
  },
  {
    what: "text-offset",
    requirement:
      'booting.rst, "3. Decompress the kernel image": an Image whose text_offset is not 0 lies that far from a 2 MiB aligned base',
    bend: withHeader({ textOffset: 0x8_0000n }),
    dirt: 0xa5,
  },
  {
    what: "text-offset-above-2m",
    requirement:
      'booting.rst, "3. Decompress the kernel image": a text_offset of more than 2 MiB counts from the base, too',
    bend: withHeader({ textOffset: 0x2b_1000n }),
  },
  {
    what: "image-size-0",
    requirement:
      'booting.rst, "3. Decompress the kernel image": image_size 0 (before 3.17) means a text_offset of 0x80000 whatever the field says, and as much room behind the Image as there is',
    bend: withHeader({ textOffset: 0n, imageSize: 0n }),
  },
];

/** Every probe case on aarch64. */
export const ARM64_PROBES: readonly BootCase[] = VARIANTS.map((one) => flatProbe(machine, one));
