/** Probe guests on x86_64: what the Linux protocols and PVH promise, seen from inside. */
import { readFileSync } from "node:fs";
import { SETUP_INDIRECT, SETUP_INDIRECT_DATA } from "../../mod.ts";
import type { BootCase, Layout, LayoutOptions } from "../case.ts";
import { type Machine, MACHINES } from "../machines.ts";
import { judgeX86Probe } from "../matchers/x86_probe.ts";
import { guestPath, noise } from "./data.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

/** The committed guests, by their names in ids. */
const GUESTS = {
  "probe-elf64": "probe-elf64.x86_64",
  "probe-elf32": "probe-elf32.i386",
  "probe-bzimage": "probe-bzimage.x86_64",
} as const;

/** A way to enter a guest. */
interface Entry {
  readonly kernel: keyof typeof GUESTS;
  readonly protocol: "linux64" | "linux32" | "pvh";
}

const PVH: Entry = { kernel: "probe-elf64", protocol: "pvh" };
const VMLINUX: Entry = { kernel: "probe-elf64", protocol: "linux64" };
const BZIMAGE: Entry = { kernel: "probe-bzimage", protocol: "linux64" };
const PVH32: Entry = { kernel: "probe-elf32", protocol: "pvh" };
const VMLINUX32: Entry = { kernel: "probe-elf32", protocol: "linux32" };
const BZIMAGE32: Entry = { kernel: "probe-bzimage", protocol: "linux32" };
const ALL: readonly Entry[] = [PVH, VMLINUX, BZIMAGE, VMLINUX32, BZIMAGE32];

/** By protocol; what linux32 has in common with linux64 is said there. */
interface Requirements {
  readonly linux64: string;
  readonly linux32?: string;
  readonly pvh: string;
}

/** Something to show, and the entries that it applies to. */
interface Variant {
  readonly what: string;
  /** What of the protocol it shows, with the section of the specification. */
  readonly requirement: string | Requirements;
  readonly entries: readonly Entry[];
  readonly options: LayoutOptions;
  /** Changes the guest's file, at offsets as boot.rst has them. */
  readonly edit?: (file: DataView) => void;
  readonly ramSize?: bigint;
  readonly dirt?: number;
  /** Where it runs; the microvm if not given. */
  readonly machines?: readonly Machine[];
  /** Whether it runs under KVM, too. */
  readonly kvm?: boolean;
}

/** The data of a setup_data whose own data lie elsewhere: here of type SETUP_DTB. */
function indirect(addr: bigint, len: number): Uint8Array {
  const bytes = new Uint8Array(SETUP_INDIRECT_DATA.size);
  SETUP_INDIRECT_DATA.write(bytes, { type: SETUP_INDIRECT + 2, len: BigInt(len), addr });
  return bytes;
}

const INITRD = noise(40_000, 1);
const BASE: LayoutOptions = { cmdline: "console=ttyS0 probe", initrd: INITRD };
const DEFAULT_RAM = 64n * MIB;
const { microvm, pc, q35 } = MACHINES;

const VARIANTS: readonly Variant[] = [
  {
    what: "boot",
    requirement: {
      linux64:
        'boot.rst, "64-bit Boot Protocol": long mode with paging, __BOOT_CS 0x10 and __BOOT_DS 0x18 flat, RSI at the zero page, IF clear; the zero page, its e820 map, command line and initrd arrive as planned',
      linux32:
        'boot.rst, "32-bit Boot Protocol": protected mode, paging off, __BOOT_CS 0x10 and __BOOT_DS 0x18 flat, ESI at the zero page, EBP, EDI and EBX zero, IF clear; a bzImage entered at its load address, a vmlinux at e_entry; the zero page, its e820 map, command line and initrd arrive as planned',
      pvh:
        'pvh.pandoc, "x86/HVM direct boot ABI": protected mode, paging off, CR0 = PE, CR4 = 0, flat CS/DS/ES, a 32-bit TSS with limit 0x67, EFLAGS without VM, IF and TF, EBX at the start info; memory map, command line and initrd arrive as planned',
    },
    entries: [...ALL, PVH32],
    options: BASE,
    machines: [microvm, pc, q35],
    kvm: true,
  },
  {
    what: "no-initrd",
    requirement: {
      linux64:
        'boot.rst, "ramdisk_image": both it and ramdisk_size are zero if there is no initrd; cmd_line_ptr points to an empty string',
      pvh:
        'start_info.h, "nr_modules": zero without an initrd; the command line is an empty string',
    },
    entries: [...ALL, PVH32],
    options: {},
  },
  // boot.rst, "cmdline_size"; arch/x86/include/asm/setup.h, COMMAND_LINE_SIZE
  {
    what: "cmdline-limit",
    requirement:
      'boot.rst, "cmdline_size" (x86 setup.h, COMMAND_LINE_SIZE 2048): a command line of 2047 bytes arrives whole and ends with a NUL',
    entries: ALL,
    options: { ...BASE, cmdline: "x".repeat(2047) },
  },
  {
    what: "bss-dirty",
    requirement:
      "ELF, p_memsz beyond p_filesz: over memory that held something else an ELF's BSS reads as zero, and so does every byte of a table that nothing was put into",
    entries: [...ALL, PVH32],
    options: BASE,
    dirt: 0xa5,
    kvm: true,
  },
  // The probe lies at 16 MiB: with 18 MiB there is room for it and little else
  {
    what: "min-ram",
    requirement:
      "The smallest RAM that holds the kernel at its address: everything else finds room without touching it",
    entries: [PVH, VMLINUX, PVH32, VMLINUX32],
    options: BASE,
    ramSize: 18n * MIB,
  },
  {
    what: "low-memory-reserved",
    requirement:
      'zero-page.rst, "e820_table": low memory that the monitor keeps is left alone and is not usable in the memory map',
    entries: ALL,
    options: { ...BASE, reservations: [{ name: "monitor", start: 0n, size: 0x3_0000n }] },
  },
  {
    what: "reservation-types",
    requirement:
      "ACPI 6.5, table 15.4: acpi, nvs, unusable and reserved ranges keep their types in the memory map, and no usable entry covers them",
    entries: ALL,
    options: {
      ...BASE,
      reservations: [
        { name: "acpi tables", start: 63n * MIB, size: 0x1_0000n, type: "acpi" },
        { name: "acpi nvs", start: 63n * MIB + 0x1_0000n, size: 0x1000n, type: "nvs" },
        { name: "bad memory", start: 40n * MIB + 0x123n, size: 0x777n, type: "unusable" },
      ],
      memoryMap: [{ start: 0xfeb0_0000n, size: 0x1000n, type: "reserved" }],
    },
  },
  {
    what: "initrd-address",
    requirement: {
      linux64:
        'boot.rst, "ramdisk_image": an initrd that the monitor places is announced there and arrives whole',
      pvh:
        "start_info.h, hvm_modlist_entry.paddr: an initrd that the monitor places is announced there and arrives whole",
    },
    entries: ALL,
    options: { ...BASE, initrdAddress: 32n * MIB },
  },
  // boot.rst, "initrd_addr_max" is inclusive: the last page below 2 GiB
  {
    what: "initrd-at-addr-max",
    requirement:
      'boot.rst, "initrd_addr_max": the highest address an initrd byte may have, inclusive; with more RAM the initrd ends right there',
    entries: [BZIMAGE, BZIMAGE32],
    options: BASE,
    ramSize: 5n * GIB / 2n,
  },
  {
    what: "initrd-below-max",
    requirement:
      'boot.rst, "initrd_addr_max": it binds a 64-bit entry, too, with RAM on both sides of 4 GiB and nothing said of where the initrd goes; a vmlinux has that of Linux\' own header, 0x7fffffff',
    entries: [VMLINUX, BZIMAGE],
    options: BASE,
    ramSize: 5n * GIB,
  },
  {
    what: "initrd-below-4g",
    requirement:
      'boot.rst, "32-bit Boot Protocol": with RAM above 4 GiB too, all that 32-bit code is told of lies below; an i386 vmlinux, which has no initrd_addr_max, finds the initrd below 0x37ffffff',
    entries: [VMLINUX32, BZIMAGE32],
    options: { ...BASE, initrdPlacement: "high" },
    ramSize: 5n * GIB,
  },
  {
    what: "initrd-high",
    requirement: {
      linux64:
        'boot.rst, "xloadflags" XLF_CAN_BE_LOADED_ABOVE_4G: ext_ramdisk_image and ext_ramdisk_size (zero-page.rst) carry the upper halves of an initrd above 4 GiB',
      pvh: "start_info.h, hvm_modlist_entry.paddr is 64 bits wide: an initrd above 4 GiB",
    },
    entries: [PVH, VMLINUX, BZIMAGE],
    options: { ...BASE, initrdPlacement: "high" },
    ramSize: 5n * GIB,
    machines: [microvm, q35],
  },
  {
    what: "ram-8g",
    requirement: {
      linux64:
        'zero-page.rst, "e820_table": 8 GiB of RAM on both sides of the hole below 4 GiB, with the initrd at its very end',
      pvh:
        "start_info.h, hvm_memmap_table_entry: 8 GiB of RAM on both sides of the hole below 4 GiB, with the initrd at its very end",
    },
    entries: [PVH, VMLINUX, BZIMAGE],
    options: { ...BASE, initrdPlacement: "high" },
    ramSize: 8n * GIB,
  },
  {
    what: "rsdp",
    requirement: {
      linux64: 'zero-page.rst, "acpi_rsdp_addr": the address of the RSDP',
      pvh: 'start_info.h, "rsdp_paddr": the address of the RSDP',
    },
    entries: ALL,
    options: { ...BASE, rsdp: 0xf_0000n },
  },
  {
    what: "setup-data",
    requirement:
      'boot.rst, "setup_data": a linked list of next, type, len and data that ends with a next of zero',
    entries: [VMLINUX, BZIMAGE, VMLINUX32, BZIMAGE32],
    options: {
      ...BASE,
      // bootparam.h: SETUP_RNG_SEED 9, SETUP_DTB 2
      setupData: [{ type: 9, data: noise(32, 2) }, { type: 2, data: noise(333, 3) }],
    },
  },
  // The data lie in the initrd: the library keeps and checks that range already
  {
    what: "setup-indirect",
    requirement:
      'boot.rst, "setup_indirect": an item of type SETUP_INDIRECT says where its data lie, and they are there',
    entries: [VMLINUX, BZIMAGE, VMLINUX32, BZIMAGE32],
    options: {
      ...BASE,
      initrdAddress: 32n * MIB,
      setupData: [
        { type: 9, data: noise(32, 2) },
        { type: SETUP_INDIRECT, data: indirect(32n * MIB + 0x123n, 1000) },
        { type: 2, data: noise(333, 3) },
      ],
    },
  },
  {
    what: "e820-overflow",
    requirement: {
      linux64:
        "bootparam.h, E820_MAX_ENTRIES_ZEROPAGE and SETUP_E820_EXT: the 129th and later entries of the memory map go to setup_data",
      pvh:
        'start_info.h, "memmap_entries": more than 128 entries of the memory map need no second place',
    },
    entries: ALL,
    options: {
      ...BASE,
      reservations: Array.from({ length: 100 }, (_, i) => ({
        name: `reservation ${i}`,
        start: 32n * MIB + BigInt(i) * 0x2000n,
        size: 0x1000n,
      })),
    },
  },
  {
    what: "modules",
    requirement:
      "start_info.h, hvm_modlist_entry: further modules after the initrd, with and without a command line of their own",
    entries: [PVH],
    options: {
      ...BASE,
      modules: [
        { source: noise(5000, 4), cmdline: "first \\module" },
        { source: noise(1, 5) },
      ],
    },
  },
  {
    what: "kernel-address",
    requirement:
      'boot.rst, "relocatable_kernel" and "kernel_alignment": a kernel at another address than it prefers, at a multiple of its alignment, with init_size bytes free',
    entries: [BZIMAGE, BZIMAGE32],
    options: { ...BASE, kernelAddress: 34n * MIB },
  },
  // 34 MiB is a multiple of 2 MiB, and of no more
  {
    what: "min-alignment",
    requirement:
      'boot.rst, "min_alignment": a kernel that prefers multiples of 16 MiB and takes those of 2 MiB may lie at one of these, and finds in kernel_alignment the alignment that it was given',
    entries: [BZIMAGE, BZIMAGE32],
    options: { ...BASE, kernelAddress: 34n * MIB },
    edit: (file) => file.setUint32(0x230, 0x1000000, true),
  },
  // The fields that the edit fills are read by nobody here: handover_offset and kernel_info_offset
  {
    what: "header-whole",
    requirement:
      'boot.rst, "64-bit Boot Protocol": the setup header is copied as it is in the file from 0x1f1 to 0x202 + the byte at 0x201, to its last byte and not further, and all else of the zero page is zero',
    entries: [BZIMAGE, BZIMAGE32],
    options: BASE,
    edit: (file) => file.setBigUint64(0x264, 0xa5a5a5a5_a5a5a5a5n, true),
  },
  {
    what: "kernel-above-4g",
    requirement:
      'boot.rst, "xloadflags" XLF_CAN_BE_LOADED_ABOVE_4G: kernel, zero page and command line are mapped one to one for an entry above 4 GiB',
    entries: [BZIMAGE],
    options: { ...BASE, kernelAddress: 4n * GIB + 2n * MIB },
    ramSize: 5n * GIB,
  },
  // init_size is 4 MiB: its second half lies in a GiB that nothing else touches
  {
    what: "mapping-reach",
    requirement:
      'boot.rst, "64-bit Boot Protocol": the mapping covers [load, load + init_size), zero page and command line; each is written at its last byte, and so is an initrd above 4 GiB',
    entries: [BZIMAGE],
    options: { ...BASE, kernelAddress: 5n * GIB - 2n * MIB, initrdPlacement: "high" },
    ramSize: 6n * GIB,
  },
];

/** Every probe case on x86_64. */
export const X86_PROBES: readonly BootCase[] = VARIANTS.flatMap((variant) =>
  variant.entries.flatMap((entry) => [
    ...(variant.machines ?? [microvm]).map((machine) =>
      probeCase("qemu-tcg", machine, entry, variant)
    ),
    ...(variant.kvm ? [probeCase("qemu-kvm", microvm, entry, variant)] : []),
  ])
);

function fileOf(path: string, edit: Variant["edit"]): Layout["kernel"] {
  if (edit === undefined) return { path };
  const file = new Uint8Array(readFileSync(path));
  edit(new DataView(file.buffer));
  return file;
}

function probeCase(
  driver: "qemu-tcg" | "qemu-kvm",
  machine: Machine,
  { kernel, protocol }: Entry,
  variant: Variant,
): BootCase {
  const arch = GUESTS[kernel].split(".")[1];
  const { requirement } = variant;
  return {
    kind: "boot",
    id: { driver, machine: machine.name, arch, protocol, kernel, what: variant.what },
    needs: [
      { kind: "qemu", arch: "x86_64" },
      ...(driver === "qemu-kvm" ? [{ kind: "kvm" } as const] : []),
    ],
    machine,
    ramSize: variant.ramSize ?? DEFAULT_RAM,
    layout: () => ({
      kernel: fileOf(guestPath(GUESTS[kernel]), variant.edit),
      options: { ...variant.options, protocol },
      dirt: variant.dirt,
    }),
    requirement: typeof requirement === "string"
      ? requirement
      : requirement[protocol] ?? requirement.linux64,
    judge: judgeX86Probe,
    timeout: 30,
  };
}
