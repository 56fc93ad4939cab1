/** What boot.rst and zero-page.rst demand of a loader. */
import type { Requirement } from "./requirement.ts";

const LINUX64: readonly Requirement[] = [
  {
    id: "linux64.mode",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "The CPU is in long mode with paging on",
    cases: ["*/*/x86_64/linux64/probe-*/boot"],
  },
  {
    id: "linux64.segments",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text:
      "__BOOT_CS 0x10 execute/read and __BOOT_DS 0x18 read/write, flat 4 GiB; CS, DS, ES and SS hold them",
    cases: ["*/*/x86_64/linux64/probe-*/boot"],
  },
  {
    id: "linux64.interrupts",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "Interrupts are disabled",
    cases: ["*/*/x86_64/linux64/probe-*/boot"],
  },
  {
    id: "linux64.rsi",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "RSI holds the address of struct boot_params",
    cases: ["*/*/x86_64/linux64/probe-*/boot"],
  },
  {
    id: "linux64.entry-bzimage",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "A bzImage is entered at its load address + 0x200",
    cases: [
      "*/*/x86_64/linux64/probe-bzimage/boot",
      "*/*/x86_64/linux64/probe-bzimage/kernel-address",
    ],
  },
  {
    id: "linux64.entry-elf",
    source: "ELF, e_entry",
    text: "A vmlinux is entered at e_entry",
    cases: ["*/*/x86_64/linux64/probe-elf64/boot"],
  },
  {
    id: "linux64.mapping",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "Kernel, zero page and command line are mapped one to one",
    cases: ["*/*/x86_64/linux64/probe-*/boot", "*/*/x86_64/linux64/probe-bzimage/kernel-above-4g"],
  },
  {
    id: "linux64.mapping-reach",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "The mapping reaches all of [load, load + init_size), to its last byte",
    cases: ["*/*/x86_64/linux64/probe-bzimage/mapping-reach"],
  },
  {
    id: "linux64.zero-page",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text:
      "boot_params is zero but for what the protocol puts there, and the sentinel is zero, over memory that was used before",
    cases: ["*/*/x86_64/linux64/probe-*/boot", "*/*/x86_64/linux64/probe-*/bss-dirty"],
  },
  {
    id: "linux64.header",
    source: 'boot.rst, "64-bit Boot Protocol"',
    text: "The kernel's setup header is copied from 0x1f1 to its end at 0x202 + the byte at 0x201",
    cases: ["*/*/x86_64/linux64/probe-bzimage/boot"],
  },
  {
    id: "linux64.header-made",
    source: 'boot.rst, "Details of Header Fields"',
    text: "A vmlinux has no header and gets one: boot_flag, HdrS, version",
    cases: ["*/*/x86_64/linux64/probe-elf64/boot"],
  },
  {
    id: "linux64.loader",
    source: 'boot.rst, "type_of_loader"',
    text: "The loader names itself, 0xff without an id",
    cases: ["*/*/x86_64/linux64/probe-*/boot"],
  },
  {
    id: "linux64.xlf-kernel-64",
    source: 'boot.rst, "xloadflags"',
    text: "A kernel without XLF_KERNEL_64 has no 64-bit entry and is refused",
    cases: [
      "none/-/i386/linux64/probe-bzimage/refusal-no-64bit-entry",
      "none/-/i386/linux64/debian-6.1/refusal-no-64bit-entry",
    ],
  },
  {
    id: "linux64.relocation",
    source: 'boot.rst, "relocatable_kernel"',
    text: "A relocatable kernel runs at another address, at a multiple of kernel_alignment",
    cases: ["*/*/x86_64/linux64/probe-bzimage/kernel-address"],
  },
  {
    id: "linux64.above-4g",
    source: 'boot.rst, "xloadflags"',
    text: "XLF_CAN_BE_LOADED_ABOVE_4G: a kernel above 4 GiB",
    cases: ["*/*/x86_64/linux64/probe-bzimage/kernel-above-4g"],
  },
  {
    id: "linux64.init-size",
    source: 'boot.rst, "init_size"',
    text: "init_size bytes are free from the address that the kernel runs at, or it is refused",
    cases: ["*/*/x86_64/linux64/probe-bzimage/refusal-ram-too-small"],
  },
  {
    id: "linux64.bss",
    source: "ELF, p_memsz",
    text: "BSS is zero over memory that was used before",
    cases: ["*/*/x86_64/linux64/probe-elf64/bss-dirty"],
  },
  {
    id: "linux64.cmdline",
    source: 'boot.rst, "The Kernel Command Line"',
    text: "The command line arrives whole, and empty if there is none",
    cases: ["*/*/x86_64/linux64/probe-*/boot", "*/*/x86_64/linux64/probe-*/no-initrd"],
  },
  {
    id: "linux64.cmdline-limit",
    source: 'boot.rst, "cmdline_size"',
    text: "The longest command line arrives whole, a longer one is refused",
    cases: [
      "*/*/x86_64/linux64/probe-*/cmdline-limit",
      "*/*/x86_64/linux64/probe-bzimage/refusal-cmdline-too-long",
    ],
  },
  {
    id: "linux64.cmdline-high",
    source: 'zero-page.rst, "ext_cmd_line_ptr"',
    text:
      "ext_cmd_line_ptr is the upper half of the command line's address: zero, since the library places it below 4 GiB for every kernel, also one above",
    cases: [
      "*/*/x86_64/linux64/probe-*/boot",
      "*/*/x86_64/linux64/probe-bzimage/kernel-above-4g",
    ],
  },
  {
    id: "linux64.initrd",
    source: 'boot.rst, "ramdisk_image"',
    text: "The initrd arrives whole; address and size are zero without one",
    cases: [
      "*/*/x86_64/linux64/probe-*/boot",
      "*/*/x86_64/linux64/probe-*/no-initrd",
      "*/*/x86_64/linux64/probe-*/initrd-address",
    ],
  },
  {
    id: "linux64.initrd-addr-max",
    source: 'boot.rst, "initrd_addr_max"',
    text: "No byte of the initrd lies beyond initrd_addr_max, the last may lie on it",
    cases: [
      "*/*/x86_64/linux64/probe-bzimage/initrd-at-addr-max",
      "*/*/x86_64/linux64/probe-bzimage/refusal-initrd-too-large",
    ],
  },
  {
    id: "linux64.initrd-high",
    source: 'zero-page.rst, "ext_ramdisk_image"',
    text: "An initrd above 4 GiB has its upper halves in the zero page",
    cases: ["*/*/x86_64/linux64/probe-*/initrd-high"],
  },
  {
    id: "linux64.e820",
    source: 'zero-page.rst, "e820_table"',
    text: "Usable RAM is in the memory map, and nothing that is taken is usable",
    cases: [
      "*/*/x86_64/linux64/probe-*/boot",
      "*/*/x86_64/linux64/probe-*/low-memory-reserved",
      "*/*/x86_64/linux64/probe-*/reservation-types",
    ],
  },
  {
    id: "linux64.e820-holes",
    source: 'zero-page.rst, "e820_table"',
    text: "RAM on both sides of the hole below 4 GiB",
    cases: ["*/*/x86_64/linux64/probe-*/initrd-high"],
  },
  {
    id: "linux64.e820-overflow",
    source: "bootparam.h, SETUP_E820_EXT",
    text: "Entries beyond 128 are in setup_data",
    cases: ["*/*/x86_64/linux64/probe-*/e820-overflow"],
  },
  {
    id: "linux64.rsdp",
    source: 'zero-page.rst, "acpi_rsdp_addr"',
    text: "The address of the RSDP",
    cases: ["*/*/x86_64/linux64/probe-*/rsdp"],
  },
  {
    id: "linux64.setup-data",
    source: 'boot.rst, "setup_data"',
    text: "A linked list of items, in their order",
    cases: ["*/*/x86_64/linux64/probe-*/setup-data"],
  },
  {
    id: "linux64.setup-indirect",
    source: 'boot.rst, "setup_indirect"',
    text: "An item whose data lie elsewhere",
    cases: ["*/*/x86_64/linux64/probe-*/setup-indirect"],
  },
  {
    id: "linux64.ram-min",
    source: "boot.rst",
    text: "The smallest RAM that holds kernel and tables",
    cases: ["*/*/x86_64/linux64/probe-elf64/min-ram"],
  },
  {
    id: "linux64.ram-8g",
    source: "boot.rst",
    text: "8 GiB of RAM",
    cases: ["*/*/x86_64/linux64/probe-*/ram-8g"],
  },
  {
    id: "linux64.linux",
    source: "boot.rst",
    text: "Distribution kernels reach userland with command line, initrd and memory as handed over",
    cases: [
      "*/*/x86_64/linux64/debian-6.1/userland",
      "*/*/x86_64/linux64/debian-6.12/userland",
      "*/*/x86_64/linux64/debian-6.12/userland-vmlinux",
    ],
  },
];

const LINUX32: readonly Requirement[] = [
  {
    id: "linux32.mode",
    source: 'boot.rst, "32-bit Boot Protocol"',
    text: "Protected mode, paging off",
    cases: ["*/*/*/linux32/probe-*/boot"],
  },
  {
    id: "linux32.segments",
    source: 'boot.rst, "32-bit Boot Protocol"',
    text:
      "__BOOT_CS 0x10 execute/read and __BOOT_DS 0x18 read/write, flat 4 GiB; CS, DS, ES and SS hold them",
    cases: ["*/*/*/linux32/probe-*/boot"],
  },
  {
    id: "linux32.registers",
    source: 'boot.rst, "32-bit Boot Protocol"',
    text:
      "ESI holds the address of struct boot_params; EBP, EDI and EBX are zero; interrupts are disabled",
    cases: ["*/*/*/linux32/probe-*/boot"],
  },
  {
    id: "linux32.zero-page",
    source: 'boot.rst, "32-bit Boot Protocol"',
    text: "boot_params as for the 64-bit protocol",
    cases: [
      "*/*/*/linux32/probe-*/boot",
      "*/*/*/linux32/probe-*/bss-dirty",
      "*/*/*/linux32/probe-*/setup-data",
      "*/*/*/linux32/probe-*/e820-overflow",
    ],
  },
  {
    id: "linux32.entry",
    source: 'boot.rst, "32-bit Boot Protocol"',
    text: "A bzImage is entered at its load address",
    cases: [
      "*/*/x86_64/linux32/probe-bzimage/boot",
      "*/*/x86_64/linux32/probe-bzimage/kernel-address",
    ],
  },
  {
    id: "linux32.entry-elf",
    source: "ELF, EI_CLASS and e_entry",
    text: "An ELF32 vmlinux is entered at e_entry; an ELF64 one has no 32-bit entry",
    cases: [
      "*/*/i386/linux32/probe-elf32/boot",
      "*/*/x86_64/linux32/probe-elf64/refusal-64-bit",
      "*/*/i386/linux64/probe-elf32/refusal-32-bit",
    ],
  },
  {
    id: "linux32.below-4g",
    source: 'boot.rst, "32-bit Boot Protocol"',
    text: "Everything lies below 4 GiB, the initrd below initrd_addr_max",
    cases: [
      "*/*/*/linux32/probe-*/initrd-below-4g",
      "*/*/x86_64/linux32/probe-bzimage/initrd-at-addr-max",
      "*/*/x86_64/linux32/probe-bzimage/refusal-above-4g",
    ],
  },
  {
    id: "linux32.linux",
    source: "boot.rst",
    text: "Kernels of a distribution reach userland: i386, and x86_64 by its 32-bit entry",
    cases: [
      "*/*/i386/linux32/debian-6.1/userland",
      "*/*/i386/linux32/debian-6.1/userland-vmlinux",
      "*/*/x86_64/linux32/debian-6.12/userland",
    ],
  },
];

/** What the Linux protocols of x86 demand. */
export const LINUX_X86_REQUIREMENTS: readonly Requirement[] = [...LINUX64, ...LINUX32];
