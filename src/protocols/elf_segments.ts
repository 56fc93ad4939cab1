import { formatAddress } from "../address.ts";
import { fieldError, LoaderError } from "../errors.ts";
import { ehdrField, type ElfKernel, type ElfSegment, phdrField } from "../formats/elf.ts";
import type { Placement } from "../memory/placement.ts";
import type { Space } from "../memory/space.ts";
import type { KernelSource } from "../source.ts";
import {
  EI_CLASS,
  EI_VERSION,
  ELF_CLASS_LAYOUTS,
  EM_386,
  EM_AARCH64,
  EM_RISCV,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  EV_CURRENT,
} from "../structs/elf.ts";

const MACHINES: { readonly [machine: number]: string } = {
  [EM_386]: "i386",
  [EM_X86_64]: "x86_64",
  [EM_AARCH64]: "aarch64",
  [EM_RISCV]: "riscv",
};
const TYPES: { readonly [type: number]: string } = {
  1: "a relocatable object, such as a module",
  [ET_EXEC]: "an executable",
  [ET_DYN]: "a position-independent executable",
  4: "a core dump",
};

/** The machine that a kernel of a class is for; an ELF32 file for x86_64 (x32) is no kernel. */
const MACHINE_OF = { 32: EM_386, 64: EM_X86_64 } as const;

/**
 * Checks that an ELF kernel's entry is code for the mode in which a protocol enters it.
 *
 * @param elf The kernel.
 * @param wanted The class that the protocol boots.
 * @param protocol The protocol, and the one that boots the other class.
 * @throws {LoaderError} `ELF_CLASS`.
 */
export function requireClass(
  elf: ElfKernel,
  wanted: 32 | 64,
  protocol: { readonly name: string; readonly other: string },
): void {
  if (elf.elfClass === wanted) return;
  throw new LoaderError(
    "ELF_CLASS",
    `Cannot boot kernel by ${protocol.name}: it is an ELF${elf.elfClass} file, whose e_entry is ` +
      `${elf.elfClass}-bit code, an ELF${wanted} one is wanted, try protocol ${protocol.other}`,
    {
      field: "e_ident[EI_CLASS]",
      offset: EI_CLASS,
      expected: `${wanted}-bit`,
      actual: `${elf.elfClass}-bit`,
    },
  );
}

/**
 * Takes the memory of an ELF kernel's segments, each where its p_paddr says.
 *
 * @param elf The kernel.
 * @param source Its file.
 * @param space The guest's memory.
 * @returns A placement for the bytes of each segment, and one for its BSS.
 * @throws {LoaderError} `ELF_MACHINE`, `ELF_TYPE`, `ELF_VERSION`, `ELF_HEADER_SIZE`,
 * `ELF_NO_SEGMENTS`, `ELF_SEGMENT_SIZE`, `ELF_SEGMENT_OVERLAP`, `OUTSIDE_RAM`, `OVERLAP`,
 * `ADDRESS_OVERFLOW`.
 */
export function placeElf(elf: ElfKernel, source: KernelSource, space: Space): Placement[] {
  checkHeader(elf);
  if (elf.segments.length === 0) {
    throw fieldError(
      "ELF_NO_SEGMENTS",
      ehdrField(elf.elfClass, "e_phnum"),
      "at least one PT_LOAD segment",
      `none in ${elf.header.e_phnum} program headers`,
    );
  }
  const placements = elf.segments.flatMap((segment) => placeSegment(elf, segment, source));
  space.claim(placements, "ELF_SEGMENT_OVERLAP");
  return placements;
}

/**
 * The guest-physical address of an entry that must lie in bytes of the file.
 *
 * @param elf The kernel.
 * @param entry What the file names: a physical address, or a virtual one where p_vaddr and p_paddr
 * differ and `virtual` is set.
 * @param field Which field names it, for the error.
 * @param virtual Whether a virtual address is understood.
 * @returns The guest-physical address.
 * @throws {LoaderError} `ENTRY_OUTSIDE_KERNEL`.
 */
export function resolveEntry(
  elf: ElfKernel,
  entry: bigint,
  field: { field: string; offset: number },
  virtual: boolean,
): bigint {
  const isIn = (start: bigint, { fileSize }: ElfSegment) =>
    entry >= start && entry < start + BigInt(fileSize);
  if (elf.segments.some((segment) => isIn(segment.paddr, segment))) return entry;
  const byAddress = virtual && elf.segments.find((segment) => isIn(segment.vaddr, segment));
  if (byAddress) return entry - byAddress.vaddr + byAddress.paddr;
  throw fieldError(
    "ENTRY_OUTSIDE_KERNEL",
    field,
    "an address in the file-backed bytes of a PT_LOAD segment",
    formatAddress(entry),
  );
}

function checkHeader({ elfClass, header }: ElfKernel): void {
  const { e_ident, e_machine, e_type, e_version, e_ehsize } = header;
  const at = (field: keyof typeof header) => ehdrField(elfClass, field);
  const named = (names: { readonly [n: number]: string }, value: number) =>
    names[value] ? `${value} (${names[value]})` : `${value}`;
  if (e_machine !== MACHINE_OF[elfClass]) {
    throw fieldError(
      "ELF_MACHINE",
      at("e_machine"),
      named(MACHINES, MACHINE_OF[elfClass]),
      named(MACHINES, e_machine),
    );
  }
  if (e_type !== ET_EXEC && e_type !== ET_DYN) {
    throw fieldError("ELF_TYPE", at("e_type"), named(TYPES, ET_EXEC), named(TYPES, e_type));
  }
  if (e_version !== EV_CURRENT || e_ident[EI_VERSION] !== EV_CURRENT) {
    const field = e_version === EV_CURRENT
      ? { field: "e_ident[EI_VERSION]", offset: EI_VERSION }
      : at("e_version");
    const actual = e_version === EV_CURRENT ? e_ident[EI_VERSION] : e_version;
    throw fieldError("ELF_VERSION", field, `${EV_CURRENT}`, `${actual}`);
  }
  const { size } = ELF_CLASS_LAYOUTS[elfClass].ehdr;
  if (e_ehsize < size) {
    throw fieldError("ELF_HEADER_SIZE", at("e_ehsize"), `${size}`, `${e_ehsize}`);
  }
}

function placeSegment(
  { elfClass }: ElfKernel,
  segment: ElfSegment,
  source: KernelSource,
): Placement[] {
  const { index, paddr, memSize, offset } = segment;
  const fileSize = BigInt(segment.fileSize);
  const at = phdrField(elfClass, segment, "p_memsz");
  if (memSize < fileSize) {
    const expected = `at least p_filesz, ${formatAddress(fileSize)}`;
    throw fieldError("ELF_SEGMENT_SIZE", at, expected, formatAddress(memSize));
  }
  // What is linked for 32 bits ends where they do, RAM above or not.
  if (paddr + memSize > 1n << BigInt(elfClass)) {
    throw new LoaderError(
      "ADDRESS_OVERFLOW",
      `Cannot place kernel segment ${index}: p_paddr ${formatAddress(paddr)} + p_memsz ${
        formatAddress(memSize)
      } leaves the ${elfClass}-bit address space`,
      at,
    );
  }
  const placements: Placement[] = [];
  if (fileSize > 0n) {
    const content = { kind: "source", source, offset } as const;
    placements.push({ name: `kernel segment ${index}`, start: paddr, size: fileSize, content });
  }
  if (memSize > fileSize) {
    placements.push({
      name: `kernel bss ${index}`,
      start: paddr + fileSize,
      size: memSize - fileSize,
      content: { kind: "zeros" },
    });
  }
  return placements;
}
