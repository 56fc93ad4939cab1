import { requireBytes } from "../bytes.ts";
import { fieldError, LoaderError } from "../errors.ts";
import { MAX_NOTES_SIZE } from "../limits.ts";
import { type KernelSource, readExactly } from "../source.ts";
import { ELF64_NHDR, type Elf64Phdr, XEN_ELFNOTE_PHYS32_ENTRY } from "../structs/elf.ts";
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
 * `LIMIT_EXCEEDED`, `SOURCE_FAILED`; `TRUNCATED` if the file is not the one that was parsed.
 */
export function findPvhNote(source: KernelSource, elf: ElfKernel): ElfNote | undefined {
  const contents = readNotes(source, elf);
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

/** "Xen" and its NUL, read as a little-endian number. */
const XEN_NAME_WORD = 0x006e6558;
const XEN_NAME_WORD_SIZE = 4;
/** elfnote.h: what follows the header is padded to this, whatever p_align says. Bytes. */
const NOTE_ALIGN = 4;
/** A note's header, and the first words of its name and descriptor: as much as is looked at. */
const LOOK = ELF64_NHDR.size + 4 + 4;
/** Bytes that are read at once: notes are small. */
const WINDOW = 4096;

/**
 * Reads PVH entries out of PT_NOTE segments as linux-loader does: packed to 4 bytes whatever p_align
 * says, the first match of a segment, and a last note that may pass the segment's end as long as the
 * file goes on. {@linkcode findPvhNote} is the strict reader.
 */
export class PvhEntryReader {
  readonly #source: KernelSource;
  /**
   * What may be read: of a file of 1 MiB, notes that lie apart never need more, segments that lie on
   * each other do.
   */
  readonly #most: number;
  #read = 0;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  /** @param source The file. */
  constructor(source: KernelSource) {
    this.#source = source;
    this.#most = Math.min(source.size, MAX_NOTES_SIZE) + MAX_NOTES_SIZE;
  }

  /**
   * The PVH entry of a segment.
   *
   * @param segment The PT_NOTE segment's program header.
   * @param index Its place in the program header table, for errors.
   * @returns The guest-physical address that the segment's first XEN_ELFNOTE_PHYS32_ENTRY holds, or
   * undefined if there is none.
   * @throws {LoaderError} `TRUNCATED` if the file ends before the segment's notes do;
   * `NOTE_MALFORMED` if a size rounds up past 32 bits, or the entry is not 4 bytes long;
   * `LIMIT_EXCEEDED` if the segments together ask for more than the file's size and 1 MiB, since they
   * overlap, or for more than 2 MiB; `SOURCE_FAILED`.
   */
  read(segment: Elf64Phdr, index: number): bigint | undefined {
    const { p_offset, p_filesz } = segment;
    this.#window = new Uint8Array(0);
    let done = 0n;
    while (done < p_filesz) {
      const start = this.#startOf(p_offset + done, index);
      const left = p_filesz - done;
      const header = this.#look(start, ELF64_NHDR.size, left, `Elf64_Nhdr in segment ${index}`);
      const { n_namesz, n_descsz, n_type } = ELF64_NHDR.read(header);
      if (n_type === XEN_ELFNOTE_PHYS32_ENTRY && n_namesz === XEN_NAME_WORD_SIZE) {
        const name = start + ELF64_NHDR.size;
        if (this.#word(name, left, "note name") === XEN_NAME_WORD) {
          if (n_descsz < 4) throw sizeError("n_descsz", start, "at least 4", n_descsz);
          return BigInt(this.#word(name + XEN_NAME_WORD_SIZE, left, "PVH entry"));
        }
      }
      done += BigInt(
        ELF64_NHDR.size + alignedSize("n_namesz", start, n_namesz) +
          alignedSize("n_descsz", start, n_descsz),
      );
    }
    return undefined;
  }

  #startOf(start: bigint, index: number): number {
    if (start <= BigInt(this.#source.size)) return Number(start);
    // The offset is past the file's end, and perhaps past what a number holds
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read notes of segment ${index} at 0x${start.toString(16)}: the input ends at 0x${
        this.#source.size.toString(16)
      }`,
      { field: `p_offset[${index}]`, offset: this.#source.size },
    );
  }

  #word(start: number, left: bigint, field: string): number {
    const bytes = this.#look(start, 4, left, field);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** A view of bytes of the file; `left` is what the segment still holds at most. */
  #look(start: number, size: number, left: bigint, field: string): Uint8Array {
    requireBytes(this.#source.size, start, size, field);
    const at = start - this.#windowStart;
    if (at >= 0 && at + size <= this.#window.length) return this.#window.subarray(at, at + size);
    const wanted = left < BigInt(WINDOW - LOOK) ? Number(left) + LOOK : WINDOW;
    const window = new Uint8Array(Math.min(wanted, this.#source.size - start));
    this.#read += window.length;
    if (this.#read > this.#most) {
      throw new LoaderError(
        "LIMIT_EXCEEDED",
        `Cannot read ${field} at 0x${start.toString(16)}: the PT_NOTE segments are too large, ` +
          `or lie on each other, at most ${this.#most} bytes of them are read`,
        { field: "p_filesz", offset: start, expected: `at most ${this.#most} bytes` },
      );
    }
    readExactly(this.#source, start, window, field);
    [this.#window, this.#windowStart] = [window, start];
    return window.subarray(0, size);
  }
}

/** A size rounded up to NOTE_ALIGN, which must fit 32 bits. */
function alignedSize(field: "n_namesz" | "n_descsz", note: number, size: number): number {
  const aligned = Math.ceil(size / NOTE_ALIGN) * NOTE_ALIGN;
  if (aligned > 0xffff_ffff) throw sizeError(field, note, "at most 0xfffffffc", size);
  return aligned;
}

function sizeError(
  field: "n_namesz" | "n_descsz",
  note: number,
  expected: string,
  size: number,
): LoaderError {
  const offset = note + ELF64_NHDR.fields[field].offset;
  return fieldError("NOTE_MALFORMED", { field, offset }, expected, `0x${size.toString(16)}`);
}
