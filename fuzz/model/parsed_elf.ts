/**
 * What parsers must say of an ELF file and its notes: System V ABI, chapters 4 and 5.
 *
 * @module
 */
import { EHDR, EHDR32, PHDR, PHDR32 } from "../arbitraries/images.ts";
import type { Place } from "../arbitraries/wire.ts";
import { must } from "./said.ts";
import { look } from "./verdict.ts";

const CLASSES = {
  32: { ehdr: EHDR32, phdr: PHDR32, size: 52, row: 32, section: 40, info: 0x1c },
  64: { ehdr: EHDR, phdr: PHDR, size: 64, row: 56, section: 64, info: 0x2c },
} as const;

/** Fields that are addresses or sizes: bigints in the library. */
const WIDE = ["e_entry", "e_phoff", "e_shoff"];

/** A segment's description. */
export interface Segment {
  readonly index: number;
  readonly headerOffset: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly memSize: bigint;
  readonly align: bigint;
}

/** A file's description. */
export interface Elf {
  readonly format: "elf";
  readonly elfClass: 32 | 64;
  readonly header: Readonly<Record<string, unknown>>;
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  readonly notes: readonly Segment[];
}

/**
 * Reads the file header.
 *
 * @param file The file.
 * @param classes Those that are taken.
 * @returns Its class, and all fields.
 */
export function headerOf(
  file: Uint8Array,
  classes = [1, 2],
): { bits: 32 | 64; header: Record<string, unknown> } {
  must(file.length >= 6, "TRUNCATED", "e_ident", 0);
  must(look(file, 0, 4) === 0x464c457fn, "ELF_MAGIC", "e_ident[EI_MAG0]", 0);
  must(file[5] === 1, "ELF_BYTE_ORDER", "e_ident[EI_DATA]", 5);
  must(classes.includes(file[4]), "ELF_CLASS", "e_ident[EI_CLASS]", 4);
  const bits = file[4] === 1 ? 32 : 64;
  const { ehdr, size, row } = CLASSES[bits];
  must(file.length >= size, "TRUNCATED", `Elf${bits}_Ehdr`, 0);
  const header: Record<string, unknown> = { e_ident: file.slice(0, 16) };
  for (const [name, [at, width]] of Object.entries(ehdr) as [string, Place][]) {
    if (!name.startsWith("e_")) continue;
    const value = look(file, at, width)!;
    header[name] = WIDE.includes(name) ? value : Number(value);
  }
  must(header.e_phentsize === row, "ELF_PHENTSIZE", "e_phentsize", ehdr.e_phentsize[0]);
  must((header.e_phoff as bigint) >= BigInt(size), "ELF_PHOFF", "e_phoff", ehdr.e_phoff[0]);
  return { bits, header };
}

/**
 * Reads a file.
 *
 * @param file The file.
 * @returns Its description.
 */
export function elfOf(file: Uint8Array): Elf {
  const { bits, header } = headerOf(file);
  const { ehdr, phdr, row, section, info } = CLASSES[bits];
  const fits = (start: bigint, size: bigint) => start + size <= BigInt(file.length);
  let count = BigInt(header.e_phnum as number);
  if (count === 0xffffn) {
    const start = header.e_shoff as bigint;
    must(start !== 0n, "ELF_PHNUM", "e_phnum", ehdr.e_phnum[0]);
    must(fits(start, BigInt(section)), "TRUNCATED", "e_shoff", ehdr.e_shoff[0]);
    count = look(file, Number(start) + info, 4)!;
    must(count <= 131_072n, "LIMIT_EXCEEDED", "sh_info", Number(start) + info);
  }
  const start = header.e_phoff as bigint;
  must(fits(start, count * BigInt(row)), "TRUNCATED", "e_phoff", ehdr.e_phoff[0]);
  const lists: Record<string, Segment[]> = { 1: [], 4: [] };
  for (let index = 0; index < Number(count); index++) {
    const headerOffset = Number(start) + index * row;
    const field = (name: keyof typeof phdr) =>
      look(file, headerOffset + phdr[name][0], phdr[name][1])!;
    const list = lists[`${field("p_type")}`];
    const [size, memSize] = [field("p_filesz"), field("p_memsz")];
    if (!list || size === 0n && (memSize === 0n || list === lists[4])) continue;
    const at = headerOffset + phdr.p_offset[0];
    const isThere = size === 0n || fits(field("p_offset"), size);
    must(isThere, "TRUNCATED", `p_offset[${index}]`, at);
    list.push({
      index,
      headerOffset,
      offset: size === 0n ? 0 : Number(field("p_offset")),
      fileSize: Number(size),
      vaddr: field("p_vaddr"),
      paddr: field("p_paddr"),
      memSize,
      align: field("p_align"),
    });
  }
  return {
    format: "elf",
    elfClass: bits,
    header,
    entry: header.e_entry as bigint,
    segments: lists[1],
    notes: lists[4],
  };
}

/**
 * Reads the program headers of a 64-bit file, e_phnum of them; PN_XNUM is a count like any other.
 *
 * @param file The file; its header is known.
 * @returns All fields of all of them.
 */
export function rowsOf(file: Uint8Array): Record<string, unknown>[] {
  const { ehdr, phdr, row } = CLASSES[64];
  const [start, count] = [look(file, 0x20, 8)!, Number(look(file, 0x38, 2))];
  const isThere = count === 0 || start + BigInt(row * count) <= BigInt(file.length);
  must(isThere, "TRUNCATED", "e_phoff", ehdr.e_phoff[0]);
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      Object.entries(phdr).map(([name, [at, width]]) => {
        const value = look(file, Number(start) + row * i + at, width)!;
        return [name, width === 8 ? value : Number(value)];
      }),
    ));
}

/** A note's description. */
export interface Note {
  readonly type: number;
  readonly name: Uint8Array;
  readonly descriptor: Uint8Array;
  readonly offset: number;
  readonly descriptorOffset: number;
}

/** All notes of a segment are cheaper to read than to stop; refuses at the first that is wrong. */
function* notesOf(file: Uint8Array, segment: Segment, packing: number): Generator<Note> {
  const { offset: base, fileSize } = segment;
  const end = base + fileSize;
  const pad = (at: number) => base + Math.ceil((at - base) / packing) * packing;
  for (let at = base; at < end;) {
    const isRest = at > base && file.subarray(at, end).every((byte) => byte === 0);
    if (end - at < 12 && isRest) return;
    must(end - at >= 12, "NOTE_MALFORMED", "Elf64_Nhdr", at);
    const [nameSize, size, type] = [0, 4, 8].map((plus) => Number(look(file, at + plus, 4)));
    const descriptorOffset = pad(at + 12 + nameSize);
    must(at + 12 + nameSize <= end, "NOTE_MALFORMED", "n_namesz", at);
    must(descriptorOffset + size <= end, "NOTE_MALFORMED", "n_descsz", at + 4);
    yield {
      type,
      name: file.slice(at + 12, at + 12 + nameSize),
      descriptor: file.slice(descriptorOffset, descriptorOffset + size),
      offset: at,
      descriptorOffset,
    };
    at = pad(descriptorOffset + size);
  }
}

/** Whether a segment's notes keep to a packing: names end in NUL, padding is 0. */
function keepsTo(file: Uint8Array, segment: Segment, packing: number): boolean {
  const { offset: base, fileSize } = segment;
  const end = base + fileSize;
  const isZero = (from: number, to: number) =>
    file.subarray(from, Math.min(to, end)).every((byte) => byte === 0);
  const pad = (at: number) => base + Math.ceil((at - base) / packing) * packing;
  let at = base;
  while (at + 12 <= end) {
    const [nameSize, size] = [0, 4].map((plus) => Number(look(file, at + plus, 4)));
    const nameEnd = at + 12 + nameSize;
    const last = pad(nameEnd) + size;
    if (last > end || nameSize > 0 && file[nameEnd - 1] !== 0) return false;
    if (!isZero(nameEnd, pad(nameEnd)) || !isZero(last, pad(last))) return false;
    at = pad(last);
  }
  return isZero(at, end);
}

/**
 * The PVH note: the first of type 18 named "Xen". gABI packs to 8 bytes, most producers to 4;
 * p_align says which unless the notes keep to the other one only.
 *
 * @param file The file.
 * @param elf Its description.
 * @returns The note; undefined if there is none.
 */
export function pvhNoteOf(file: Uint8Array, elf: Elf): Note | undefined {
  let total = 0;
  const { phdr } = CLASSES[elf.elfClass];
  for (const { fileSize, index, headerOffset } of elf.notes) {
    total += fileSize;
    const at = headerOffset + phdr.p_filesz[0];
    must(total <= 1 << 20, "LIMIT_EXCEEDED", `p_filesz[${index}]`, at);
  }
  for (const segment of elf.notes) {
    const [named, other] = segment.align === 8n ? [8, 4] : [4, 8];
    const isOther = !keepsTo(file, segment, named) && keepsTo(file, segment, other);
    for (const note of notesOf(file, segment, isOther ? other : named)) {
      if (note.type === 18 && String.fromCharCode(...note.name) === "Xen\0") return note;
    }
  }
  return undefined;
}

/**
 * The PVH entry of a segment as linux-loader reads it: notes packed to 4 bytes, the last of which may
 * pass the segment's end.
 *
 * @param file The file.
 * @param segment Where its program header says that it lies.
 * @param index Its place in the program header table.
 * @returns The entry; undefined if there is none.
 */
export function pvhEntryIn(
  file: Uint8Array,
  { p_offset, p_filesz }: { readonly p_offset: bigint; readonly p_filesz: bigint },
  index: number,
): bigint | undefined {
  const there = (at: number, size: number, field: string) =>
    must(at + size <= file.length, "TRUNCATED", field, Math.min(at, file.length));
  for (let done = 0n; done < p_filesz;) {
    const isInside = p_offset + done <= BigInt(file.length);
    must(isInside, "TRUNCATED", `p_offset[${index}]`, file.length);
    const at = Number(p_offset + done);
    there(at, 12, `Elf64_Nhdr in segment ${index}`);
    const [nameSize, size, type] = [0, 4, 8].map((plus) => Number(look(file, at + plus, 4)));
    if (type === 18 && nameSize === 4) {
      there(at + 12, 4, "note name");
      if (look(file, at + 12, 4) === 0x006e6558n) {
        must(size >= 4, "NOTE_MALFORMED", "n_descsz", at + 4);
        there(at + 16, 4, "PVH entry");
        return look(file, at + 16, 4);
      }
    }
    must(nameSize <= 0xffff_fffc, "NOTE_MALFORMED", "n_namesz", at);
    must(size <= 0xffff_fffc, "NOTE_MALFORMED", "n_descsz", at + 4);
    done += BigInt(12 + Math.ceil(nameSize / 4) * 4 + Math.ceil(size / 4) * 4);
  }
  return undefined;
}
