/** ELF files made by hand, each valid unless a field is overridden; see images.ts. */
import { type Overrides, pattern, type Place, poke, pokeAll } from "./wire.ts";

/** System V ABI, figure 4-3: the ELF file header. */
export const EHDR = {
  class: [0x04, 1],
  data: [0x05, 1],
  ident_version: [0x06, 1],
  e_type: [0x10, 2],
  e_machine: [0x12, 2],
  e_version: [0x14, 4],
  e_entry: [0x18, 8],
  e_phoff: [0x20, 8],
  e_shoff: [0x28, 8],
  e_flags: [0x30, 4],
  e_ehsize: [0x34, 2],
  e_phentsize: [0x36, 2],
  e_phnum: [0x38, 2],
  e_shentsize: [0x3a, 2],
  e_shnum: [0x3c, 2],
  e_shstrndx: [0x3e, 2],
} as const satisfies Record<string, Place>;

/** System V ABI, figure 5-1: a program header of 56 bytes. */
export const PHDR = {
  p_type: [0x00, 4],
  p_flags: [0x04, 4],
  p_offset: [0x08, 8],
  p_vaddr: [0x10, 8],
  p_paddr: [0x18, 8],
  p_filesz: [0x20, 8],
  p_memsz: [0x28, 8],
  p_align: [0x30, 8],
} as const satisfies Record<string, Place>;

/** System V ABI, figure 4-3: the file header of a 32-bit file. */
export const EHDR32 = {
  class: [0x04, 1],
  data: [0x05, 1],
  ident_version: [0x06, 1],
  e_type: [0x10, 2],
  e_machine: [0x12, 2],
  e_version: [0x14, 4],
  e_entry: [0x18, 4],
  e_phoff: [0x1c, 4],
  e_shoff: [0x20, 4],
  e_flags: [0x24, 4],
  e_ehsize: [0x28, 2],
  e_phentsize: [0x2a, 2],
  e_phnum: [0x2c, 2],
  e_shentsize: [0x2e, 2],
  e_shnum: [0x30, 2],
  e_shstrndx: [0x32, 2],
} as const satisfies Record<keyof typeof EHDR, Place>;

/** System V ABI, figure 5-1: a program header of 32 bytes, in another order. */
export const PHDR32 = {
  p_type: [0x00, 4],
  p_offset: [0x04, 4],
  p_vaddr: [0x08, 4],
  p_paddr: [0x0c, 4],
  p_filesz: [0x10, 4],
  p_memsz: [0x14, 4],
  p_flags: [0x18, 4],
  p_align: [0x1c, 4],
} as const satisfies Record<keyof typeof PHDR, Place>;

/** What a class decides: sizes of the headers in bytes, and what an x86 kernel of it says. */
const CLASSES = {
  32: { ehdr: EHDR32, phdr: PHDR32, ehsize: 52, phentsize: 32, elfClass: 1, machine: 3 }, // EM_386
  64: { ehdr: EHDR, phdr: PHDR, ehsize: 64, phentsize: 56, elfClass: 2, machine: 62 }, // EM_X86_64
} as const;

/** A segment: its bytes in the file, and fields that differ from what they give. */
export interface Segment extends Overrides<typeof PHDR> {
  /** The segment's bytes in the file. None if not given. */
  readonly bytes?: Uint8Array;
}

/** An ELF file. */
export interface ElfImage {
  /** The class whose layout the headers have, i386 or x86_64. 64 if not given. */
  readonly bits?: 32 | 64;
  /** Fields of the file header that differ from those of an executable. */
  readonly header?: Overrides<typeof EHDR>;
  /** PT_LOAD unless p_type says otherwise. */
  readonly segments?: readonly Segment[];
}

/**
 * An x86 executable: the file header, the program headers, the segments' bytes one after the
 * other. A segment without overrides is a PT_LOAD at 1 MiB; the entry is the first one's p_paddr.
 *
 * @param image What differs.
 * @returns The file.
 */
export function elfImage(
  { bits = 64, header = {}, segments = [{ bytes: pattern(64) }] }: ElfImage = {},
): Uint8Array {
  const { ehdr, phdr, ehsize, phentsize, elfClass, machine } = CLASSES[bits];
  const tableEnd = ehsize + phentsize * segments.length;
  const size = segments.reduce((end, { bytes }) => end + (bytes?.length ?? 0), tableEnd);
  const file = new Uint8Array(size);
  file.set([0x7f, 0x45, 0x4c, 0x46]); // "\x7fELF"
  const first = segments.find(({ p_type }) => Number(p_type ?? 1) === 1);
  pokeAll(file, 0, ehdr, {
    class: elfClass,
    data: 1, // ELFDATA2LSB
    ident_version: 1,
    e_type: 2, // ET_EXEC
    e_machine: machine,
    e_version: 1,
    e_entry: first?.p_paddr ?? 0x100000,
    e_phoff: ehsize,
    e_ehsize: ehsize,
    e_phentsize: phentsize,
    e_phnum: segments.length,
    ...header,
  });
  let at = tableEnd;
  for (const [i, { bytes = new Uint8Array(0), ...fields }] of segments.entries()) {
    const paddr = fields.p_paddr ?? 0x100000;
    pokeAll(file, ehsize + phentsize * i, phdr, {
      p_type: 1, // PT_LOAD
      p_flags: 7,
      p_offset: at,
      p_vaddr: paddr,
      p_paddr: paddr,
      p_filesz: bytes.length,
      p_memsz: fields.p_filesz ?? bytes.length,
      p_align: 1,
      ...fields,
    });
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** An ELF note; n_namesz and n_descsz where they are not so. */
export interface Note {
  /** The owner with its NUL. `"Xen\0"` if not given. */
  readonly name?: string;
  /** n_type. 18, the PVH entry, if not given. */
  readonly type?: number;
  /** The descriptor. */
  readonly descriptor: Uint8Array;
  readonly namesz?: number;
  readonly descsz?: number;
}

/**
 * A PT_NOTE segment's bytes.
 *
 * @param notes The notes.
 * @param packing Every part is padded to so many bytes from the start of the note.
 * @returns The bytes.
 */
export function noteBytes(notes: readonly Note[], packing: 4 | 8 = 4): Uint8Array {
  const out: number[] = [];
  const pad = () => {
    while (out.length % packing !== 0) out.push(0);
  };
  for (const { name = "Xen\0", type = 18, descriptor, namesz, descsz } of notes) {
    const header = new Uint8Array(12);
    poke(header, 0, 4, namesz ?? name.length);
    poke(header, 4, 4, descsz ?? descriptor.length);
    poke(header, 8, 4, type);
    out.push(...header, ...new TextEncoder().encode(name));
    pad();
    out.push(...descriptor);
    pad();
  }
  return Uint8Array.from(out);
}

/**
 * A number as a note's descriptor.
 *
 * @param value The number.
 * @param width Bytes.
 * @returns Little-endian bytes.
 */
export function word(value: number | bigint, width: 4 | 8 = 4): Uint8Array {
  const bytes = new Uint8Array(width);
  poke(bytes, 0, width, value);
  return bytes;
}

/**
 * A PVH kernel: one PT_LOAD at 1 MiB, entered at its first byte, and the note that says so.
 *
 * @param segments What replaces the PT_LOAD.
 * @param entry The 32-bit entry.
 * @param bits The file's class.
 * @returns The file.
 */
export function pvhImage(
  segments: readonly Segment[] = [{ bytes: pattern(256) }],
  entry = 0x100000,
  bits: 32 | 64 = 64,
): Uint8Array {
  const note = { p_type: 4, p_align: 4, bytes: noteBytes([{ descriptor: word(entry) }]) };
  return elfImage({ bits, segments: [...segments, note] });
}
