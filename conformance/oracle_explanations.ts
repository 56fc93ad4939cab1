/** What differs between our boots and those of QEMU's own loader, and why. */
import type { Explanation } from "./case.ts";

const number = (text: string) => BigInt(text || -1);
/** Two values that differ in some bits only. */
const differIn = (bits: bigint) => (ours: string, theirs: string) =>
  ((number(ours) ^ number(theirs)) & ~bits) === 0n;
const areMultiplesOf = (align: bigint) => (ours: string, theirs: string) =>
  [ours, theirs].every((text) => text !== "" && number(text) % align === 0n);
const areBelow4G = (ours: string, theirs: string) =>
  [ours, theirs].every((text) => number(text) > 0n && number(text) < 1n << 32n);
const isOnlyOurs = (ours: string, theirs: string) => ours !== "" && theirs === "";
const isOnlyTheirs = (ours: string, theirs: string) => ours === "" && theirs !== "";

/** How much below 4 GiB firmware may keep for its tables. */
const FIRMWARE_TABLES = 256n << 10n;

/** Theirs is ours, but for the end of the range below 4 GiB. */
function lacksFirmwareTables(ours: string, theirs: string): boolean {
  const [a, b] = [ours, theirs].map((text) =>
    text.split(" ").map((range) => range.split("..").map(BigInt))
  );
  return a.length === b.length && a.every(([start, end], i) => {
    const less = end - b[i][1];
    return start === b[i][0] &&
      (less === 0n || end < 1n << 32n && less > 0n && less <= FIRMWARE_TABLES);
  });
}

/** `<address> <size> <command line's address> <checksum>`. */
function areTheSameElsewhere(ours: string, theirs: string): boolean {
  const [a, b] = [ours, theirs].map((text) => text.split(" "));
  return a.length === 4 && b.length === 4 && a.slice(1).join() === b.slice(1).join();
}

/** PVH: QEMU's option ROM pvh.bin, behind SeaBIOS or qboot. */
export const PVH_EXPLANATIONS: readonly Explanation[] = [
  {
    facts: /^(rax|rcx|rdx|rsi|rdi|rbp|rsp)$/,
    reason: "pvh.pandoc gives a meaning to ebx alone: QEMU's ROM leaves what it worked with",
  },
  {
    facts: /^(rbx|start_info)$/,
    reason: "pvh.pandoc: start_info may be anywhere below 4 GiB",
    holds: areBelow4G,
  },
  {
    facts: /^(modlist|cmdline|memmap)_paddr$/,
    reason: "start_info.h: the tables may be anywhere below 4 GiB",
    holds: areBelow4G,
  },
  {
    facts: /^rflags$/,
    reason: "pvh.pandoc: VM, IF and TF are clear; of the arithmetic flags it says nothing",
    holds: differIn(0x8d5n),
  },
  {
    facts: /^(cs|ds|es|ss|fs|gs)$/,
    reason: "pvh.pandoc: base, limit and type are fixed, the selectors are not",
    holds: (ours, theirs) => number(ours) > 3n && number(theirs) > 3n,
  },
  {
    facts: /^cs\.rights$/,
    reason: "the accessed bit: QEMU's GDT lies in a ROM, where the CPU cannot set it",
    holds: differIn(1n),
  },
  {
    facts: /^tr$/,
    reason: "pvh.pandoc wants a 32-bit TSS of limit 0x67 in TR; QEMU's ROM loads none",
    holds: (ours, theirs) => number(ours) > 3n && number(theirs) === 0n,
  },
  {
    facts: /^tr\.(base|limit|rights)$/,
    reason: "pvh.pandoc wants a 32-bit TSS of limit 0x67 in TR; QEMU's ROM loads none",
    holds: isOnlyOurs,
  },
  {
    facts: /^(gdt|idt)\.(base|limit)$/,
    reason: "the tables are the loader's own: pvh.pandoc tells a kernel to set up its own at once",
  },
  {
    facts: /^rsdp_paddr$/,
    reason: "QEMU's firmware makes ACPI tables; our plan was told of none",
    holds: (ours, theirs) => number(ours) === 0n && number(theirs) > 0n,
  },
  {
    facts: /^memory map, usable$/,
    reason: "SeaBIOS keeps its tables at the end of RAM below 4 GiB",
    holds: lacksFirmwareTables,
  },
  {
    facts: /^memory map, not usable$/,
    reason: "each firmware announces what it keeps and where the machine's devices are",
  },
  {
    facts: /^memmap_entries$/,
    reason: "the map has other entries for what is not usable",
  },
  {
    facts: /^module\[0\]$/,
    reason: "hvm_modlist_entry.paddr: the loader chooses where a module lies",
    holds: areTheSameElsewhere,
  },
  {
    facts: /^initrd\.address$/,
    reason: "hvm_modlist_entry.paddr: the loader chooses where a module lies",
    holds: areMultiplesOf(0x1000n),
  },
];

const TREE: readonly Explanation[] = [
  {
    facts: /^fdt\.(totalsize|off_struct|off_strings|off_rsvmap|size_strings|size_struct|crc32)$/,
    reason: "both trees describe the machine, QEMU's with all its devices and room for more",
  },
  {
    facts: /^fdt\.address$/,
    reason: "the tree may be at any multiple of 8 bytes",
    holds: areMultiplesOf(8n),
  },
  {
    facts: /^(chosen\.linux,initrd-(start|end)|initrd\.address)$/,
    reason: "the loader chooses where the initrd lies; its size and checksum are the same",
    holds: (ours, theirs) => ours !== "" && theirs !== "",
  },
  {
    facts: /^chosen\.(bootargs|stdout-path)$|^cmdline$/,
    reason: "an empty command line: QEMU leaves bootargs out, this library writes it empty",
    holds: (ours, theirs) => ours === "" && theirs === "",
  },
  {
    facts: /^cmdline\.length$/,
    reason: "an empty command line: QEMU leaves bootargs out, this library writes it empty",
    holds: (ours, theirs) => ours === "0" && theirs === "",
  },
  {
    facts: /^chosen\.stdout-path$/,
    reason:
      "QEMU names a console for kernels whose command line does not; our plan was told of none",
    holds: isOnlyTheirs,
  },
  {
    facts: /^chosen\.(rng|kaslr)-seed$/,
    reason: "QEMU hands out seeds, others each time; this library those that it is given",
    holds: isOnlyTheirs,
  },
  {
    facts: /^reserved\[\d\]$/,
    reason: "our boot leaves alone what QEMU writes to RAM at reset; QEMU's own is that writer",
    holds: isOnlyOurs,
  },
];

/** riscv64: QEMU's hw/riscv/boot.c, behind OpenSBI. */
export const RISCV64_EXPLANATIONS: readonly Explanation[] = [
  ...TREE,
  {
    facts: /^(a1|s3)$/,
    reason:
      "riscv/boot.rst: a1 holds the tree's address, wherever that is; OpenSBI has it in s3, too",
    holds: areMultiplesOf(8n),
  },
];

/** arm64: QEMU's hw/arm/boot.c. */
export const ARM64_EXPLANATIONS: readonly Explanation[] = [
  ...TREE,
  {
    facts: /^x0$/,
    reason: 'booting.rst, "2. Setup the device tree": the tree may be at any multiple of 8 bytes',
    holds: areMultiplesOf(8n),
  },
  {
    facts: /^x4$/,
    reason: "booting.rst fixes x0 to x3: QEMU's stub leaves the entry in x4",
  },
  {
    facts: /^pstate$/,
    reason: "booting.rst fixes D, A, I and F; of the condition flags it says nothing",
    holds: differIn(0xf000_0000n),
  },
];
