/** ELF as kernels use it: System V ABI, chapters 4 and 5 (gABI), and elf(5). */
import { bytes, Struct, u16, u32, u32wide, u64 } from "./struct.ts";

/** "\x7fELF", read as a little-endian number. */
export const ELF_MAGIC = 0x464c457f;
/** gABI figure 4-4: where the magic starts in e_ident. */
export const EI_MAG0 = 0;
/** gABI figure 4-4: where the class is in e_ident. */
export const EI_CLASS = 4;
/** gABI figure 4-4: where the byte order is in e_ident. */
export const EI_DATA = 5;
/** gABI figure 4-4: where the version is in e_ident. */
export const EI_VERSION = 6;
/** gABI, e_ident[EI_CLASS]: 64-bit objects. */
export const ELFCLASS64 = 2;
/** gABI, e_ident[EI_CLASS]: 32-bit objects. */
export const ELFCLASS32 = 1;
/** gABI, e_ident[EI_DATA]: little-endian. */
export const ELFDATA2LSB = 1;
/** gABI, e_ident[EI_DATA]: big-endian. */
export const ELFDATA2MSB = 2;
/** gABI, e_version and e_ident[EI_VERSION]. */
export const EV_CURRENT = 1;
/** gABI, e_type: an executable with fixed addresses. */
export const ET_EXEC = 2;
/** gABI, e_type: a shared object, or a position-independent executable. */
export const ET_DYN = 3;
/** gABI, e_machine: Intel 80386. */
export const EM_386 = 3;
/** gABI, e_machine: AMD x86-64. */
export const EM_X86_64 = 62;
/** gABI, e_machine: AArch64. */
export const EM_AARCH64 = 183;
/** gABI, e_machine: RISC-V. */
export const EM_RISCV = 243;
/** gABI, e_phnum: the count is in sh_info of section header 0. */
export const PN_XNUM = 0xffff;
/** gABI, p_type: a segment to load. */
export const PT_LOAD = 1;
/** gABI, p_type: notes. */
export const PT_NOTE = 4;
/** Xen, xen/include/public/elfnote.h: the 32-bit entry that PVH starts at. */
export const XEN_ELFNOTE_PHYS32_ENTRY = 18;

/** The file header of a 64-bit ELF file. */
export interface Elf64Ehdr {
  /** Magic, class, byte order, version, ABI. */
  e_ident: Uint8Array;
  /** Object file type. */
  e_type: number;
  /** Architecture. */
  e_machine: number;
  /** Object file version. */
  e_version: number;
  /** Where execution starts. Linux' vmlinux gives a physical address. */
  e_entry: bigint;
  /** File offset of the program headers. */
  e_phoff: bigint;
  /** File offset of the section headers. */
  e_shoff: bigint;
  /** Processor-specific flags. */
  e_flags: number;
  /** Size of this header. */
  e_ehsize: number;
  /** Size of one program header. */
  e_phentsize: number;
  /** Number of program headers, or PN_XNUM. */
  e_phnum: number;
  /** Size of one section header. */
  e_shentsize: number;
  /** Number of section headers. */
  e_shnum: number;
  /** Section header of the names. */
  e_shstrndx: number;
}

/** gABI figure 4-3. */
export const ELF64_EHDR: Struct<Elf64Ehdr> = new Struct<Elf64Ehdr>("Elf64_Ehdr", 64, {
  e_ident: bytes(0x00, 16),
  e_type: u16(0x10),
  e_machine: u16(0x12),
  e_version: u32(0x14),
  e_entry: u64(0x18),
  e_phoff: u64(0x20),
  e_shoff: u64(0x28),
  e_flags: u32(0x30),
  e_ehsize: u16(0x34),
  e_phentsize: u16(0x36),
  e_phnum: u16(0x38),
  e_shentsize: u16(0x3a),
  e_shnum: u16(0x3c),
  e_shstrndx: u16(0x3e),
});

/** The file header of a 32-bit ELF file: the same fields, addresses and offsets in 32 bits. */
export type Elf32Ehdr = Elf64Ehdr;

/** gABI figure 4-3. */
export const ELF32_EHDR: Struct<Elf32Ehdr> = new Struct<Elf32Ehdr>("Elf32_Ehdr", 52, {
  e_ident: bytes(0x00, 16),
  e_type: u16(0x10),
  e_machine: u16(0x12),
  e_version: u32(0x14),
  e_entry: u32wide(0x18),
  e_phoff: u32wide(0x1c),
  e_shoff: u32wide(0x20),
  e_flags: u32(0x24),
  e_ehsize: u16(0x28),
  e_phentsize: u16(0x2a),
  e_phnum: u16(0x2c),
  e_shentsize: u16(0x2e),
  e_shnum: u16(0x30),
  e_shstrndx: u16(0x32),
});

/** A program header of a 64-bit ELF file: one segment. */
export interface Elf64Phdr {
  /** Segment type. */
  p_type: number;
  /** Permissions; they mean nothing while a kernel is entered. */
  p_flags: number;
  /** File offset of the bytes. */
  p_offset: bigint;
  /** Virtual address. */
  p_vaddr: bigint;
  /** Guest-physical address. */
  p_paddr: bigint;
  /** Bytes in the file. */
  p_filesz: bigint;
  /** Bytes in memory; what the file does not hold is zero. */
  p_memsz: bigint;
  /** Alignment. */
  p_align: bigint;
}

/** gABI figure 5-1. */
export const ELF64_PHDR: Struct<Elf64Phdr> = new Struct<Elf64Phdr>("Elf64_Phdr", 56, {
  p_type: u32(0x00),
  p_flags: u32(0x04),
  p_offset: u64(0x08),
  p_vaddr: u64(0x10),
  p_paddr: u64(0x18),
  p_filesz: u64(0x20),
  p_memsz: u64(0x28),
  p_align: u64(0x30),
});

/** A program header of a 32-bit ELF file: the same fields in another order, all of 32 bits. */
export type Elf32Phdr = Elf64Phdr;

/** gABI figure 5-1. */
export const ELF32_PHDR: Struct<Elf32Phdr> = new Struct<Elf32Phdr>("Elf32_Phdr", 32, {
  p_type: u32(0x00),
  p_offset: u32wide(0x04),
  p_vaddr: u32wide(0x08),
  p_paddr: u32wide(0x0c),
  p_filesz: u32wide(0x10),
  p_memsz: u32wide(0x14),
  p_flags: u32(0x18),
  p_align: u32wide(0x1c),
});

/** What an ELF file's class decides. */
export interface ElfClassLayout {
  /** The file header. */
  readonly ehdr: Struct<Elf64Ehdr>;
  /** A program header. */
  readonly phdr: Struct<Elf64Phdr>;
  /** gABI figure 4-8: bytes of a section header. */
  readonly shdrSize: number;
  /** gABI figure 4-8: where sh_info, 32 bits in either class, is in a section header. */
  readonly shInfoOffset: number;
}

/** The layout of each class, by the width of its addresses in bits. */
export const ELF_CLASS_LAYOUTS: { readonly [elfClass in 32 | 64]: ElfClassLayout } = {
  32: { ehdr: ELF32_EHDR, phdr: ELF32_PHDR, shdrSize: 40, shInfoOffset: 0x1c },
  64: { ehdr: ELF64_EHDR, phdr: ELF64_PHDR, shdrSize: 64, shInfoOffset: 0x2c },
};

/** The header of a note: the name and the descriptor follow, each padded. */
export interface Elf64Nhdr {
  /** Bytes of the name, its NUL included. */
  n_namesz: number;
  /** Bytes of the descriptor. */
  n_descsz: number;
  /** Meaning, within the name's owner. */
  n_type: number;
}

/** gABI figure 5-8. */
export const ELF64_NHDR: Struct<Elf64Nhdr> = new Struct<Elf64Nhdr>("Elf64_Nhdr", 12, {
  n_namesz: u32(0x00),
  n_descsz: u32(0x04),
  n_type: u32(0x08),
});
