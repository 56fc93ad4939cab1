import { fieldError } from "../errors.ts";
import type { KernelSource } from "../source.ts";
import { ELF64_NHDR, XEN_ELFNOTE_PHYS32_ENTRY } from "../structs/elf.ts";
import { type ElfKernel, type ElfSegment, readNotes } from "./elf.ts";

/** A note of an ELF file. */
export interface ElfNote {
  /** n_type. */
  readonly type: number;
  /** The owner's name as it is in the file, its NUL included. */
  readonly name: Uint8Array;
  /** The descriptor. */
  readonly descriptor: Uint8Array;
  /** Where the note's header lies: bytes from the start of the file. */
  readonly offset: number;
  /** Where the descriptor lies: bytes from the start of the file. */
  readonly descriptorOffset: number;
}

/** "Xen" and its NUL. */
const XEN_NAME: readonly number[] = [0x58, 0x65, 0x6e, 0x00];

/**
 * The note that makes a kernel a PVH kernel: the first XEN_ELFNOTE_PHYS32_ENTRY.
 *
 * @param source The file.
 * @param elf What it says.
 * @returns The note, or undefined if there is none.
 * @throws {LoaderError} `NOTE_MALFORMED` if notes before it, or it, do not keep to their segment;
 * `LIMIT_EXCEEDED`, `SOURCE_FAILED`.
 */
export function findPvhNote(source: KernelSource, elf: ElfKernel): ElfNote | undefined {
  const contents = readNotes(source, elf.notes);
  for (const [i, segment] of elf.notes.entries()) {
    for (const note of segmentNotes(contents[i], segment)) {
      if (note.type === XEN_ELFNOTE_PHYS32_ENTRY && isXen(note.name)) return note;
    }
  }
  return undefined;
}

/**
 * The notes of a segment. gABI packs a 64-bit file's notes to 8 bytes, most producers to 4, and
 * p_align says which, mostly: so the packing that p_align names is taken if all notes keep to it,
 * else the other one if they keep to that.
 *
 * @param bytes The segment's bytes.
 * @param segment The segment.
 * @returns The notes, in order; reading them may throw `NOTE_MALFORMED`.
 */
export function segmentNotes(bytes: Uint8Array, segment: ElfSegment): Iterable<ElfNote> {
  const [named, other] = segment.align === 8n ? [8, 4] : [4, 8];
  const align = isPackedTo(bytes, named) || !isPackedTo(bytes, other) ? named : other;
  return notesPackedTo(bytes, segment, align);
}

function isXen(name: Uint8Array): boolean {
  return name.length === XEN_NAME.length && XEN_NAME.every((byte, i) => name[i] === byte);
}

const alignUp = (value: number, to: number) => Math.ceil(value / to) * to;

/** Where the parts of the note at `start` lie, in bytes from the start of the segment. */
function layoutOf(bytes: Uint8Array, start: number, align: number) {
  const { n_namesz, n_descsz, n_type } = ELF64_NHDR.read(bytes, start);
  const name = start + ELF64_NHDR.size;
  const descriptor = start + alignUp(ELF64_NHDR.size + n_namesz, align);
  const end = descriptor + n_descsz;
  return { n_type, name, nameEnd: name + n_namesz, descriptor, end, next: alignUp(end, align) };
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

/** Whether every note lies inside, with a name that ends in NUL and zeros for padding. */
function isPackedTo(bytes: Uint8Array, align: number): boolean {
  let start = 0;
  while (start + ELF64_NHDR.size <= bytes.length) {
    const { name, nameEnd, descriptor, end, next } = layoutOf(bytes, start, align);
    if (end > bytes.length) return false;
    if (nameEnd > name && bytes[nameEnd - 1] !== 0) return false;
    if (!isZero(bytes.subarray(nameEnd, descriptor)) || !isZero(bytes.subarray(end, next))) {
      return false;
    }
    start = next;
  }
  return isZero(bytes.subarray(start));
}

function* notesPackedTo(
  bytes: Uint8Array,
  segment: ElfSegment,
  align: number,
): Generator<ElfNote> {
  let start = 0;
  while (start < bytes.length) {
    const offset = segment.offset + start;
    const left = bytes.length - start;
    if (left < ELF64_NHDR.size) {
      if (start > 0 && isZero(bytes.subarray(start))) return;
      throw fieldError(
        "NOTE_MALFORMED",
        { field: "Elf64_Nhdr", offset },
        `${ELF64_NHDR.size} bytes`,
        `${left} before the end of PT_NOTE segment ${segment.index}`,
      );
    }
    const note = layoutOf(bytes, start, align);
    for (const [field, end] of [["n_namesz", note.nameEnd], ["n_descsz", note.end]] as const) {
      if (end <= bytes.length) continue;
      throw fieldError(
        "NOTE_MALFORMED",
        { field, offset: offset + ELF64_NHDR.fields[field].offset },
        `a note that ends inside PT_NOTE segment ${segment.index}`,
        `${end - bytes.length} bytes more`,
      );
    }
    yield {
      type: note.n_type,
      name: bytes.subarray(note.name, note.nameEnd),
      descriptor: bytes.subarray(note.descriptor, note.end),
      offset,
      descriptorOffset: segment.offset + note.descriptor,
    };
    start = note.next;
  }
}
