/** What booting.rst of arm64 and boot.rst of riscv demand of a loader. */
import type { Requirement } from "./requirement.ts";

const ARM64: readonly Requirement[] = [
  {
    id: "arm64.x0",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "x0 holds the physical address of the device tree",
    cases: ["*/*/aarch64/arm64/probe-image/boot", "*/*/aarch64/arm64/probe-image/boot-el2"],
  },
  {
    id: "arm64.x1-x3",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "x1, x2 and x3 are zero",
    cases: ["*/*/aarch64/arm64/probe-image/boot", "*/*/aarch64/arm64/probe-image/boot-el2"],
  },
  {
    id: "arm64.daif",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "D, A, I and F are masked",
    cases: ["*/*/aarch64/arm64/probe-image/boot", "*/*/aarch64/arm64/probe-image/boot-el2"],
  },
  {
    id: "arm64.el1",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "Entered at EL1",
    cases: ["*/*/aarch64/arm64/probe-image/boot"],
  },
  {
    id: "arm64.el2",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "Entered at EL2",
    cases: ["*/*/aarch64/arm64/probe-image/boot-el2"],
  },
  {
    id: "arm64.mmu",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "The MMU is off",
    cases: ["*/*/aarch64/arm64/probe-image/boot", "*/*/aarch64/arm64/probe-image/boot-el2"],
  },
  {
    id: "arm64.base",
    source: 'booting.rst, "3. Decompress the kernel image"',
    text: "The Image lies text_offset bytes from a 2 MiB aligned base",
    cases: ["*/*/aarch64/arm64/probe-image/boot", "*/*/aarch64/arm64/probe-image/kernel-address"],
  },
  {
    id: "arm64.text-offset",
    source: 'booting.rst, "3. Decompress the kernel image"',
    text: "An Image with a text_offset other than 0, and one with image_size 0",
    cases: [
      "*/*/aarch64/arm64/probe-image/text-offset*",
      "*/*/aarch64/arm64/probe-image/image-size-0",
    ],
  },
  {
    id: "arm64.image-size",
    source: 'booting.rst, "3. Decompress the kernel image"',
    text: "image_size bytes belong to the Image and are zero behind the file, or it is refused",
    cases: [
      "*/*/aarch64/arm64/probe-image/bss-dirty",
      "*/*/aarch64/arm64/probe-image/refusal-ram-too-small",
    ],
  },
  {
    id: "arm64.decompress",
    source: 'booting.rst, "3. Decompress the kernel image"',
    text:
      "The loader decompresses what Images are shipped in; what is compressed is refused, never entered",
    cases: [
      "*/*/aarch64/arm64/probe-image/image-*",
      "*/*/aarch64/arm64/probe-image/zboot-*",
      "*/*/aarch64/arm64/probe-image/refusal-image-*",
      "*/*/aarch64/arm64/probe-image/refusal-zboot-*",
    ],
  },
  {
    id: "arm64.endianness",
    source: 'booting.rst, "flags" bit 0',
    text: "A big-endian Image is refused",
    cases: ["*/*/aarch64/arm64/probe-image/refusal-big-endian"],
  },
  {
    id: "arm64.dtb-place",
    source: 'booting.rst, "2. Setup the device tree"',
    text: "The device tree is 8-byte aligned and at most 2 MiB",
    cases: ["*/*/aarch64/arm64/probe-image/boot"],
  },
  {
    id: "arm64.dtb-content",
    source: 'booting.rst, "2. Setup the device tree"',
    text:
      "/memory and /chosen say what was planned, in a tree that was built and in one that was brought",
    cases: [
      "*/*/aarch64/arm64/probe-image/boot",
      "*/*/aarch64/arm64/probe-image/device-tree-brought",
      "*/*/aarch64/arm64/probe-image/device-tree-brought-no-initrd",
      "*/*/aarch64/arm64/probe-image/refusal-no-device-tree",
    ],
  },
  {
    id: "arm64.ram",
    source: 'booting.rst, "2. Setup the device tree"',
    text: "RAM of several regions with holes, and RAM above 4 GiB",
    cases: [
      "*/*/aarch64/arm64/probe-image/ram-regions",
      "*/*/aarch64/arm64/probe-image/initrd-above-4g",
    ],
  },
  {
    id: "arm64.reserved",
    source: "devicetree specification, /reserved-memory",
    text: "Ranges that are taken are announced and left alone",
    cases: ["*/*/aarch64/arm64/probe-image/reservations"],
  },
  {
    id: "arm64.seeds",
    source: "devicetree specification, /chosen",
    text: "kaslr-seed and rng-seed",
    cases: ["*/*/aarch64/arm64/probe-image/seeds"],
  },
  {
    id: "arm64.cmdline",
    source: "arm64 setup.h, COMMAND_LINE_SIZE",
    text: "The longest command line arrives whole",
    cases: ["*/*/aarch64/arm64/probe-image/boot", "*/*/aarch64/arm64/probe-image/cmdline-limit"],
  },
  {
    id: "arm64.initrd",
    source: 'booting.rst, "4. Call the kernel image"',
    text: "The initrd arrives whole, in one window of 32 GiB with the Image",
    cases: [
      "*/*/aarch64/arm64/probe-image/boot",
      "*/*/aarch64/arm64/probe-image/no-initrd",
      "*/*/aarch64/arm64/probe-image/initrd-address",
      "*/*/aarch64/arm64/probe-image/initrd-above-4g",
    ],
  },
  {
    id: "arm64.ram-min",
    source: "booting.rst",
    text: "The smallest RAM that holds Image, device tree and initrd",
    cases: ["*/*/aarch64/arm64/probe-image/min-ram"],
  },
  {
    id: "arm64.linux",
    source: "booting.rst",
    text: "Distribution kernels reach userland with command line, initrd and memory as handed over",
    cases: ["*/*/aarch64/arm64/debian-6.1/userland", "*/*/aarch64/arm64/debian-6.12/userland"],
  },
];

/** The cases of the riscv64 probe. */
const probe = (what: string) => `*/*/riscv64/riscv64/probe-image/${what}`;

const RISCV64: readonly Requirement[] = [
  {
    id: "riscv64.a0",
    source: 'riscv/boot.rst, "Register state"',
    text: "a0 holds the id of the hart",
    cases: [probe("boot"), probe("boot-hart-1"), probe("opensbi-boot")],
  },
  {
    id: "riscv64.a1",
    source: 'riscv/boot.rst, "Register state"',
    text: "a1 holds the physical address of the device tree",
    cases: [probe("boot"), probe("opensbi-boot")],
  },
  {
    id: "riscv64.satp",
    source: 'riscv/boot.rst, "CSR state"',
    text: "satp is zero",
    cases: [probe("boot"), probe("opensbi-boot")],
  },
  {
    id: "riscv64.base",
    source: 'riscv/boot.rst, "Kernel location"',
    text: "The Image lies text_offset bytes from a 2 MiB aligned address",
    cases: [
      probe("boot"),
      probe("text-offset-0"),
      probe("kernel-address"),
      probe("ram-first-region-small"),
      probe("refusal-misaligned"),
    ],
  },
  {
    id: "riscv64.image-size",
    source: "boot-image-header.rst, image_size",
    text: "image_size bytes belong to the Image and are zero behind the file, or it is refused",
    cases: [probe("bss-dirty"), probe("refusal-image-size-0"), probe("refusal-ram-too-small")],
  },
  {
    id: "riscv64.endianness",
    source: 'boot-image-header.rst, "flags" bit 0',
    text: "A big-endian Image is refused",
    cases: [probe("refusal-big-endian")],
  },
  {
    id: "riscv64.reserved",
    source: 'riscv/boot.rst, "Reserved memory for resident firmware"',
    text: "The firmware's memory is announced and not handed out",
    cases: [probe("reservations"), probe("opensbi-reservations")],
  },
  {
    id: "riscv64.dtb",
    source: 'riscv/boot.rst, "Hardware description"',
    text:
      "/memory and /chosen say what was planned, in a tree that was built and in one that was brought, and still behind OpenSBI",
    cases: [
      probe("boot"),
      probe("device-tree-brought"),
      probe("device-tree-brought-no-initrd"),
      probe("opensbi-*"),
      probe("refusal-no-device-tree"),
    ],
  },
  {
    id: "riscv64.dtb-place",
    source: "devicetree specification, chapter 5",
    text: "The device tree is 8-byte aligned",
    cases: [
      probe("boot"),
      probe("device-tree-fenced"),
      probe("min-ram"),
      probe("refusal-no-room-for-tree"),
    ],
  },
  {
    id: "riscv64.ram",
    source: 'riscv/boot.rst, "Hardware description"',
    text: "RAM of several regions with holes, the smallest that holds everything, and 8 GiB",
    cases: [
      probe("ram-regions"),
      probe("ram-first-region-small"),
      probe("min-ram"),
      probe("ram-8g"),
      probe("opensbi-ram-regions"),
    ],
  },
  {
    id: "riscv64.seeds",
    source: "devicetree specification, /chosen",
    text: "kaslr-seed and rng-seed",
    cases: [probe("seeds")],
  },
  {
    id: "riscv64.cmdline",
    source: "riscv setup.h, COMMAND_LINE_SIZE",
    text: "The longest command line arrives whole; a longer one is refused",
    cases: [
      probe("boot"),
      probe("cmdline-limit"),
      probe("opensbi-cmdline-limit"),
      probe("refusal-cmdline-too-long"),
    ],
  },
  {
    id: "riscv64.initrd",
    source: "devicetree specification, /chosen",
    text: "The initrd arrives whole, at the low and at the high end of RAM",
    cases: [
      probe("boot"),
      probe("no-initrd"),
      probe("initrd-low"),
      probe("initrd-high"),
      probe("ram-8g"),
      probe("opensbi-no-initrd"),
      probe("refusal-initrd-too-large"),
    ],
  },
  {
    id: "riscv64.linux",
    source: "riscv/boot.rst",
    text: "Behind OpenSBI, a distribution's kernel reaches userland",
    cases: ["*/*/riscv64/riscv64/debian-6.12/userland"],
  },
];

/** What the protocols of arm64 and riscv64 demand. */
export const FLAT_REQUIREMENTS: readonly Requirement[] = [...ARM64, ...RISCV64];
