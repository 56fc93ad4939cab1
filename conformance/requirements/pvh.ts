/** What pvh.pandoc and start_info.h demand of a loader. */
import type { Requirement } from "./requirement.ts";

/** What PVH demands. */
export const PVH_REQUIREMENTS: readonly Requirement[] = [
  {
    id: "pvh.ebx",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "EBX holds the address of hvm_start_info",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.cr0",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "CR0: PE is set, the others are clear (ET is hard-wired)",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.cr4",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "CR4 is clear",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.segments",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "CS is 32-bit code, DS, ES and SS are data, base 0, limit 4 GiB",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.tr",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "TR is an active 32-bit TSS with base 0 and limit 0x67",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.eflags",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "EFLAGS: VM, IF and TF are clear",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.entry",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "The entry is XEN_ELFNOTE_PHYS32_ENTRY; a file without it is refused",
    cases: [
      "*/*/x86_64/pvh/probe-elf64/boot",
      "*/*/x86_64/pvh/probe-elf64/refusal-no-note",
      "*/*/x86_64/pvh/probe-bzimage/refusal-bzimage",
    ],
  },
  {
    id: "pvh.elf32",
    source: 'pvh.pandoc, "x86/HVM direct boot ABI"',
    text: "An ELF32 file with the note",
    cases: ["*/*/i386/pvh/probe-elf32/boot", "*/*/i386/pvh/probe-elf32/bss-dirty"],
  },
  {
    id: "pvh.start-info",
    source: "start_info.h",
    text: "Magic 0x336ec578, version 1, flags as they are",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot"],
  },
  {
    id: "pvh.memmap",
    source: 'start_info.h, "memmap_paddr"',
    text: "Every entry with its type, more than 128 of them, RAM on both sides of the hole",
    cases: [
      "*/*/x86_64/pvh/probe-elf64/boot",
      "*/*/x86_64/pvh/probe-elf64/reservation-types",
      "*/*/x86_64/pvh/probe-elf64/e820-overflow",
      "*/*/x86_64/pvh/probe-elf64/initrd-high",
    ],
  },
  {
    id: "pvh.cmdline",
    source: 'start_info.h, "cmdline_paddr"',
    text: "The command line arrives whole",
    cases: ["*/*/x86_64/pvh/probe-elf64/boot", "*/*/x86_64/pvh/probe-elf64/cmdline-limit"],
  },
  {
    id: "pvh.initrd",
    source: "start_info.h, hvm_modlist_entry",
    text: "Module 0 is the initrd; there is none without one",
    cases: [
      "*/*/x86_64/pvh/probe-elf64/boot",
      "*/*/x86_64/pvh/probe-elf64/no-initrd",
      "*/*/x86_64/pvh/probe-elf64/initrd-address",
    ],
  },
  {
    id: "pvh.initrd-high",
    source: "start_info.h, hvm_modlist_entry",
    text: "An initrd above 4 GiB",
    cases: ["*/*/x86_64/pvh/probe-elf64/initrd-high"],
  },
  {
    id: "pvh.modules",
    source: "start_info.h, hvm_modlist_entry",
    text: "Further modules, with and without a command line",
    cases: ["*/*/x86_64/pvh/probe-elf64/modules"],
  },
  {
    id: "pvh.rsdp",
    source: 'start_info.h, "rsdp_paddr"',
    text: "The address of the RSDP",
    cases: ["*/*/x86_64/pvh/probe-elf64/rsdp"],
  },
  {
    id: "pvh.bss",
    source: "ELF, p_memsz",
    text: "BSS is zero over memory that was used before",
    cases: ["*/*/x86_64/pvh/probe-elf64/bss-dirty"],
  },
  {
    id: "pvh.ram-min",
    source: "pvh.pandoc",
    text: "The smallest RAM that holds kernel and tables",
    cases: ["*/*/x86_64/pvh/probe-elf64/min-ram"],
  },
  {
    id: "pvh.linux",
    source: "pvh.pandoc",
    text: "A distribution's vmlinux reaches userland",
    cases: ["*/*/x86_64/pvh/debian-6.12/userland-vmlinux"],
  },
];
