import { addressAdd, formatAddress } from "../address.ts";
import { fieldError, LoaderError } from "../errors.ts";
import type { ElfKernel, ElfSegment } from "../formats/elf.ts";
import type { Placement } from "../memory/placement.ts";
import type { Space } from "../memory/space.ts";
import type { KernelSource } from "../source.ts";
import {
  ELF64_EHDR,
  ELF64_PHDR,
  type Elf64Ehdr,
  EM_AARCH64,
  EM_RISCV,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  EV_CURRENT,
} from "../structs/elf.ts";

const MACHINES: { readonly [machine: number]: string } = {
  3: "i386",
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
  checkHeader(elf.header);
  if (elf.segments.length === 0) {
    throw fieldError(
      "ELF_NO_SEGMENTS",
      { field: "e_phnum", offset: ELF64_EHDR.fields.e_phnum.offset },
      "at least one PT_LOAD segment",
      `none in ${elf.header.e_phnum} program headers`,
    );
  }
  const placements = elf.segments.flatMap((segment) => placeSegment(segment, source));
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

function checkHeader({ e_ident, e_machine, e_type, e_version, e_ehsize }: Elf64Ehdr): void {
  const at = (field: keyof Elf64Ehdr) => ({ field, offset: ELF64_EHDR.fields[field].offset });
  const named = (names: { readonly [n: number]: string }, value: number) =>
    names[value] ? `${value} (${names[value]})` : `${value}`;
  if (e_machine !== EM_X86_64) {
    throw fieldError(
      "ELF_MACHINE",
      at("e_machine"),
      named(MACHINES, EM_X86_64),
      named(MACHINES, e_machine),
    );
  }
  if (e_type !== ET_EXEC && e_type !== ET_DYN) {
    throw fieldError("ELF_TYPE", at("e_type"), named(TYPES, ET_EXEC), named(TYPES, e_type));
  }
  if (e_version !== EV_CURRENT || e_ident[6] !== EV_CURRENT) {
    const field = e_version === EV_CURRENT
      ? { field: "e_ident[EI_VERSION]", offset: 6 }
      : at("e_version");
    const actual = e_version === EV_CURRENT ? e_ident[6] : e_version;
    throw fieldError("ELF_VERSION", field, `${EV_CURRENT}`, `${actual}`);
  }
  if (e_ehsize < ELF64_EHDR.size) {
    throw fieldError("ELF_HEADER_SIZE", at("e_ehsize"), `${ELF64_EHDR.size}`, `${e_ehsize}`);
  }
}

function placeSegment(segment: ElfSegment, source: KernelSource): Placement[] {
  const { index, paddr, memSize, offset } = segment;
  const fileSize = BigInt(segment.fileSize);
  if (memSize < fileSize) {
    throw fieldError(
      "ELF_SEGMENT_SIZE",
      {
        field: `p_memsz[${index}]`,
        offset: segment.headerOffset + ELF64_PHDR.fields.p_memsz.offset,
      },
      `at least p_filesz, ${formatAddress(fileSize)}`,
      formatAddress(memSize),
    );
  }
  try {
    addressAdd(paddr, memSize);
  } catch (cause) {
    throw new LoaderError(
      "ADDRESS_OVERFLOW",
      `Cannot place kernel segment ${index}: p_paddr ${formatAddress(paddr)} + p_memsz ${
        formatAddress(memSize)
      } leaves the 64-bit address space`,
      {
        field: `p_memsz[${index}]`,
        offset: segment.headerOffset + ELF64_PHDR.fields.p_memsz.offset,
        cause,
      },
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
