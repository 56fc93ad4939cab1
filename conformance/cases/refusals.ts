/** What must be refused, with its error code; memory stays as it was. */
import { readFileSync } from "node:fs";
import type { KernelNeed, LayoutOptions, RefusalCase } from "../case.ts";
import { type GuestArch, type Machine, machineOptions, MACHINES } from "../machines.ts";
import { type GuestFile, guestPath, noise } from "./data.ts";

const MIB = 1n << 20n;

/** A kernel that is not quite one. */
interface Refusal {
  readonly what: string;
  /** What must be refused, and why, with the section of the specification. */
  readonly requirement: string;
  readonly code: RefusalCase["code"];
  readonly guest: GuestFile;
  /** The architecture in the id; the guest's if not given. */
  readonly arch?: string;
  readonly protocol: "linux64" | "linux32" | "pvh" | "arm64" | "riscv64";
  /** Makes the file from the guest's. */
  readonly bend?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  readonly options?: LayoutOptions;
  readonly ramSize?: bigint;
}

/** Writes bytes over a file. */
function patch(at: number, ...values: number[]) {
  return (bytes: Uint8Array<ArrayBuffer>): Uint8Array => {
    bytes.set(values, at);
    return bytes;
  };
}

const ELF = { guest: "probe-elf64.x86_64", protocol: "linux64" } as const;
const ELF32 = { guest: "probe-elf32.i386", protocol: "linux32" } as const;
const BZIMAGE = { guest: "probe-bzimage.x86_64", protocol: "linux64" } as const;
const IMAGE = { guest: "probe-image.aarch64", protocol: "arm64" } as const;
const RISCV = { guest: "probe-image.riscv64", protocol: "riscv64" } as const;

const REFUSALS: readonly Refusal[] = [
  {
    ...ELF,
    what: "empty-file",
    requirement: "A file without a byte is no kernel",
    code: "UNKNOWN_FORMAT",
    bend: () => new Uint8Array(0),
  },
  {
    ...ELF,
    what: "jpeg",
    requirement: "A file of another kind is not taken for a kernel",
    code: "UNKNOWN_FORMAT",
    bend: () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46),
  },
  {
    ...ELF,
    what: "gzip",
    requirement: "A compressed file is recognised and refused by name",
    code: "UNSUPPORTED_FORMAT",
    bend: patch(0, 0x1f, 0x8b, 8),
  },
  // boot.rst, "xloadflags" bit 0
  {
    ...BZIMAGE,
    arch: "i386",
    what: "no-64bit-entry",
    requirement:
      'boot.rst, "xloadflags" XLF_KERNEL_64: without it there is no 64-bit entry at load + 0x200',
    code: "BZIMAGE_NO_64BIT_ENTRY",
    bend: patch(0x236, 4),
  },
  {
    ...BZIMAGE,
    what: "truncated",
    requirement: 'boot.rst, "syssize": a file that ends before the protected-mode kernel does',
    code: "TRUNCATED",
    bend: (bytes) => bytes.subarray(0, 5000),
  },
  {
    ...ELF,
    what: "truncated",
    requirement: "ELF, p_offset + p_filesz: a file that ends before a segment does",
    code: "TRUNCATED",
    bend: (bytes) => bytes.subarray(0, 5000),
  },
  {
    ...ELF,
    what: "big-endian",
    requirement: "ELF, EI_DATA: x86_64 is little-endian",
    code: "ELF_BYTE_ORDER",
    bend: patch(5, 2),
  },
  {
    ...ELF,
    what: "no-class",
    requirement: "ELF, EI_CLASS: neither ELFCLASS32 nor ELFCLASS64",
    code: "ELF_CLASS",
    bend: patch(4, 3),
  },
  {
    ...ELF32,
    protocol: "linux64",
    what: "32-bit",
    requirement: "ELF, EI_CLASS: the e_entry of an ELF32 file is no 64-bit entry",
    code: "ELF_CLASS",
  },
  {
    ...ELF,
    protocol: "linux32",
    what: "64-bit",
    requirement: "ELF, EI_CLASS: the e_entry of an ELF64 file is no 32-bit entry",
    code: "ELF_CLASS",
  },
  {
    ...ELF32,
    what: "x32",
    requirement: "ELF, e_machine: an ELF32 file for x86_64 is neither protocol's kernel",
    code: "ELF_MACHINE",
    bend: patch(0x12, 62),
  },
  {
    ...BZIMAGE,
    protocol: "linux32",
    what: "old",
    requirement: 'boot.rst, "cmd_line_ptr" (2.02+): an older kernel cannot be told a command line',
    code: "BZIMAGE_VERSION",
    bend: patch(0x206, 1, 2),
  },
  {
    ...BZIMAGE,
    protocol: "linux32",
    what: "above-4g",
    requirement: 'boot.rst, "32-bit Boot Protocol": without paging nothing above 4 GiB is reached',
    code: "NO_SPACE",
    options: { kernelAddress: 5n << 30n },
  },
  {
    ...ELF,
    what: "other-machine",
    requirement: "ELF, e_machine: another architecture's kernel",
    code: "ELF_MACHINE",
    bend: patch(0x12, 183),
  },
  {
    ...ELF,
    protocol: "pvh",
    what: "no-note",
    requirement: "pvh.pandoc: without XEN_ELFNOTE_PHYS32_ENTRY there is no PVH entry",
    code: "PVH_NOT_PRESENT",
    bend: withoutNotes,
  },
  {
    ...BZIMAGE,
    protocol: "pvh",
    what: "bzimage",
    requirement: "pvh.pandoc: the entry is a note of an ELF file; a bzImage has none",
    code: "PROTOCOL_MISMATCH",
  },
  {
    ...BZIMAGE,
    what: "ram-too-small",
    requirement:
      'boot.rst, "init_size": RAM that cannot hold the kernel until it knows its memory map',
    code: "NO_SPACE",
    ramSize: 8n * MIB,
  },
  {
    ...ELF,
    what: "ram-too-small",
    requirement: "ELF, p_paddr + p_memsz: a segment beyond the end of RAM",
    code: "OUTSIDE_RAM",
    ramSize: 8n * MIB,
  },
  {
    ...BZIMAGE,
    what: "initrd-too-large",
    requirement: 'boot.rst, "ramdisk_size": an initrd that cannot fit beside the kernel',
    code: "NO_SPACE",
    options: { initrd: noise(65 << 20, 1) },
  },
  {
    ...BZIMAGE,
    what: "cmdline-too-long",
    requirement: 'boot.rst, "cmdline_size": a longer command line is refused, never cut',
    code: "CMDLINE_TOO_LONG",
    options: { cmdline: "x".repeat(5000) },
  },
  {
    ...IMAGE,
    what: "big-endian",
    requirement: 'booting.rst, "flags" bit 0: a big-endian kernel',
    code: "IMAGE_BIG_ENDIAN",
    bend: patch(0x18, 0x0b),
  },
  {
    ...IMAGE,
    what: "ram-too-small",
    requirement:
      'booting.rst, "image_size": RAM that cannot hold the Image from its 2 MiB aligned base',
    code: "NO_SPACE",
    ramSize: 2n * MIB,
  },
  {
    ...IMAGE,
    what: "no-device-tree",
    requirement:
      'booting.rst, "2. Setup the device tree": there is no default for a machine\'s tree',
    code: "INVALID_OPTION",
    options: { deviceTree: undefined },
  },
  {
    ...RISCV,
    what: "big-endian",
    requirement: 'boot-image-header.rst, "flags" bit 0: a big-endian kernel',
    code: "IMAGE_BIG_ENDIAN",
    bend: patch(0x18, 1),
  },
  {
    ...RISCV,
    what: "image-size-0",
    requirement: 'boot-image-header.rst: "image_size field is mandatory"',
    code: "IMAGE_FIELD",
    bend: patch(0x10, 0, 0, 0),
  },
  {
    ...RISCV,
    what: "misaligned",
    requirement:
      'riscv/boot.rst, "Kernel location": an address that is not a multiple of 2 MiB is not taken',
    code: "MISALIGNED",
    options: { kernelAddress: (2n << 30n) + 3n * MIB },
  },
  {
    ...RISCV,
    what: "ram-too-small",
    requirement:
      "boot-image-header.rst, image_size: RAM that cannot hold the Image from its 2 MiB aligned base",
    code: "NO_SPACE",
    ramSize: 2n * MIB,
  },
  {
    ...RISCV,
    what: "no-room-for-tree",
    requirement:
      'riscv/boot.rst, "Hardware description": RAM that holds the Image, but not its device tree, too',
    code: "NO_SPACE",
    ramSize: 4n * MIB,
    options: { reservations: [{ name: "firmware", start: 2n << 30n, size: 2n * MIB }] },
  },
  {
    ...RISCV,
    what: "initrd-too-large",
    requirement:
      'riscv/boot.rst, "Hardware description": an initrd that cannot fit beside the Image',
    code: "NO_SPACE",
    options: { initrd: noise(61 << 20, 1) },
  },
  {
    ...RISCV,
    what: "cmdline-too-long",
    requirement:
      "riscv setup.h, COMMAND_LINE_SIZE 1024: a longer command line is refused, never cut",
    code: "CMDLINE_TOO_LONG",
    options: { cmdline: "x".repeat(1024) },
  },
  {
    ...RISCV,
    what: "no-device-tree",
    requirement:
      'riscv/boot.rst, "Hardware description": there is no default for a machine\'s tree',
    code: "INVALID_OPTION",
    options: { deviceTree: undefined },
  },
];

/** Where a guest of an architecture would boot. */
const MACHINE_OF: { readonly [K in GuestArch | "i386"]: Machine } = {
  i386: MACHINES.microvm,
  x86_64: MACHINES.microvm,
  aarch64: MACHINES.virt,
  riscv64: MACHINES["virt-riscv64-bare"],
};

/** A distribution's i386 kernel. */
const DEBIAN_I386: KernelNeed = { kind: "kernel", id: "debian-6.1", arch: "i386" };

/** Every refusal. */
export const REFUSAL_CASES: readonly RefusalCase[] = [...REFUSALS.map(refusalCase), {
  kind: "refusal",
  id: {
    ...{ driver: "none", machine: "-", arch: "i386", protocol: "linux64", kernel: "debian-6.1" },
    what: "refusal-no-64bit-entry",
  },
  needs: [DEBIAN_I386],
  requirement: 'boot.rst, "xloadflags" XLF_KERNEL_64: an i386 kernel has no 64-bit entry',
  code: "BZIMAGE_NO_64BIT_ENTRY",
  ram: [{ start: 0n, size: 64n * MIB }],
  layout: (kernels) => ({
    kernel: { path: kernels(DEBIAN_I386) },
    options: { protocol: "linux64" },
  }),
}];

function refusalCase(refusal: Refusal): RefusalCase {
  const { what, requirement, code, guest, protocol, bend, options, ramSize = 64n * MIB } = refusal;
  const [kernel, arch] = guest.split(".") as [string, keyof typeof MACHINE_OF];
  const machine = MACHINE_OF[arch];
  const ram = [{ start: machine.ramStart, size: ramSize }];
  return {
    kind: "refusal",
    id: {
      driver: "none",
      machine: "-",
      arch: refusal.arch ?? arch,
      protocol,
      kernel,
      what: `refusal-${what}`,
    },
    needs: [],
    requirement,
    code,
    ram,
    layout: () => {
      const bytes = new Uint8Array(readFileSync(guestPath(guest)));
      return {
        kernel: bend ? bend(bytes) : bytes,
        options: { protocol, ...machineOptions(machine, ram), ...options },
      };
    },
  };
}

/** Turns every PT_NOTE (4) of an ELF file into PT_NULL (0). */
function withoutNotes(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const view = new DataView(bytes.buffer);
  const [start, count] = [Number(view.getBigUint64(0x20, true)), view.getUint16(0x38, true)];
  for (let i = 0; i < count; i++) {
    if (view.getUint32(start + 56 * i, true) === 4) view.setUint32(start + 56 * i, 0, true);
  }
  return bytes;
}
