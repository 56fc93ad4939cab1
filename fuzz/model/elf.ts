/**
 * What an ELF kernel's load must do: System V ABI, chapters 4 and 5; a PVH entry from its notes.
 *
 * @module
 */
import type { Span } from "./room.ts";
import { look, need, number } from "./verdict.ts";

/** A segment as the file has it. */
export interface Segment {
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly bytes: Uint8Array;
  readonly memSize: bigint;
}

/** An ELF file. */
export interface ElfFile {
  /** The class: addresses of 32 or 64 bits. */
  readonly bits: 32 | 64;
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  readonly notes: readonly { readonly bytes: Uint8Array; readonly align: bigint }[];
}

/**
 * Reads an ELF file.
 *
 * @param file The file; its magic is known.
 * @returns Its segments.
 */
export function readElf(file: Uint8Array): ElfFile {
  need(file.length >= 6, "TRUNCATED");
  need(file[5] === 1, "ELF_BYTE_ORDER");
  need(file[4] === 1 || file[4] === 2, "ELF_CLASS");
  const bits = file[4] === 1 ? 32 : 64;
  const at = PLACES[bits];
  const { width } = at;
  need(file.length >= at.ehsize, "TRUNCATED");
  need(number(file, at.phentsize, 2) === BigInt(at.row), "ELF_PHENTSIZE");
  const table = number(file, at.phoff, width);
  need(table >= BigInt(at.ehsize), "ELF_PHOFF");
  let count = number(file, at.phnum, 2);
  if (count === 0xffffn) {
    const sections = number(file, at.shoff, width);
    need(sections !== 0n, "ELF_PHNUM");
    need(sections + BigInt(at.section) <= BigInt(file.length), "TRUNCATED");
    count = number(file, Number(sections) + at.info, 4);
    need(count <= 131072n, "LIMIT_EXCEEDED");
  }
  need(table + BigInt(at.row) * count <= BigInt(file.length), "TRUNCATED");
  const segments: Segment[] = [];
  const notes: { bytes: Uint8Array; align: bigint }[] = [];
  for (let i = 0; i < Number(count); i++) {
    const row = Number(table) + at.row * i;
    const type = number(file, row, 4);
    // p_offset, p_vaddr, p_paddr, p_filesz and p_memsz follow each other in both classes.
    const [offset, vaddr, paddr, size, memSize] = [0, 1, 2, 3, 4].map((field) =>
      number(file, row + at.offset + width * field, width)
    );
    if (type !== 1n && type !== 4n) continue;
    if (size === 0n && (type === 4n || memSize === 0n)) continue;
    need(size === 0n || offset + size <= BigInt(file.length), "TRUNCATED");
    const start = size === 0n ? 0 : Number(offset);
    const bytes = file.slice(start, start + Number(size));
    // p_align is the last field of both.
    if (type === 4n) notes.push({ bytes, align: number(file, row + at.row - width, width) });
    else segments.push({ vaddr, paddr, bytes, memSize });
  }
  return { bits, entry: number(file, 0x18, width), segments, notes };
}

/** Figures 4-3, 4-8 and 5-1: bytes from the start of the file, of a section header, of a row. */
const PLACES = {
  32: {
    ...{ width: 4, ehsize: 52, phoff: 0x1c, shoff: 0x20, phentsize: 0x2a, phnum: 0x2c },
    ...{ ownSize: 0x28, machine: 3n, section: 40, info: 0x1c, row: 32, offset: 4 },
  },
  64: {
    ...{ width: 8, ehsize: 64, phoff: 0x20, shoff: 0x28, phentsize: 0x36, phnum: 0x38 },
    ...{ ownSize: 0x34, machine: 62n, section: 64, info: 0x2c, row: 56, offset: 8 },
  },
} as const;

interface Note {
  readonly type: bigint;
  readonly name: string;
  readonly descriptor: Uint8Array;
}

/** Notes packed to some bytes; undefined where a note leaves the segment. */
function notesOf(
  bytes: Uint8Array,
  packing: number,
): { notes: Note[]; isClean: boolean; isWhole: boolean } {
  const notes: Note[] = [];
  const isZero = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  const pad = (size: number) => Math.ceil(size / packing) * packing;
  let isClean = true;
  let at = 0;
  while (at + 12 <= bytes.length) {
    const [nameSize, size] = [Number(number(bytes, at, 4)), Number(number(bytes, at + 4, 4))];
    const nameAt = at + 12;
    const descriptorAt = at + pad(12 + nameSize);
    const end = descriptorAt + size;
    if (nameAt + nameSize > bytes.length || end > bytes.length) {
      return { notes, isClean: false, isWhole: false };
    }
    const next = pad(end);
    if (nameSize > 0 && bytes[nameAt + nameSize - 1] !== 0) isClean = false;
    if (!isZero(nameAt + nameSize, descriptorAt) || !isZero(end, next)) isClean = false;
    notes.push({
      type: number(bytes, at + 8, 4),
      name: String.fromCharCode(...bytes.slice(nameAt, nameAt + nameSize)),
      descriptor: bytes.slice(descriptorAt, end),
    });
    at = next;
  }
  if (!isZero(at, bytes.length)) isClean = false;
  // What is left is padding, unless it is all there is.
  const isWhole = at >= bytes.length || at > 0 && isZero(at, bytes.length);
  return { notes, isClean, isWhole };
}

/**
 * The PVH note's descriptor.
 *
 * @param elf The file.
 * @returns The descriptor of the first note of type 18 named "Xen"; undefined if there is none.
 */
export function pvhDescriptor(elf: ElfFile): Uint8Array | undefined {
  const total = elf.notes.reduce((sum, { bytes }) => sum + bytes.length, 0);
  need(total <= 1 << 20, "LIMIT_EXCEEDED");
  for (const { bytes, align } of elf.notes) {
    const [named, other] = align === 8n ? [8, 4] : [4, 8];
    const first = notesOf(bytes, named);
    const second = notesOf(bytes, other);
    const { notes, isWhole } = !first.isClean && second.isClean ? second : first;
    const found = notes.find(({ type, name }) => type === 18n && name === "Xen\0");
    if (found) return found.descriptor;
    need(isWhole, "NOTE_MALFORMED");
  }
  return undefined;
}

/** What an ELF kernel puts where. */
export interface Loaded {
  readonly writes: readonly { readonly start: bigint; readonly bytes: Uint8Array }[];
  readonly zeros: readonly Span[];
}

/**
 * What loading does.
 *
 * @param file The file.
 * @param elf What it says.
 * @returns Bytes and zeros.
 */
export function loadElf(file: Uint8Array, elf: ElfFile): Loaded {
  const { machine, ownSize, ehsize } = PLACES[elf.bits];
  need(number(file, 0x12, 2) === machine, "ELF_MACHINE");
  need([2n, 3n].includes(number(file, 0x10, 2)), "ELF_TYPE");
  need(number(file, 0x14, 4) === 1n && file[6] === 1, "ELF_VERSION");
  need(number(file, ownSize, 2) >= BigInt(ehsize), "ELF_HEADER_SIZE");
  need(elf.segments.length > 0, "ELF_NO_SEGMENTS");
  for (const { bytes, memSize, paddr } of elf.segments) {
    need(memSize >= BigInt(bytes.length), "ELF_SEGMENT_SIZE", "ADDRESS_OVERFLOW");
    need(paddr + memSize <= 1n << BigInt(elf.bits), "ADDRESS_OVERFLOW", "ELF_SEGMENT_SIZE");
  }
  return {
    writes: elf.segments.filter(({ bytes }) => bytes.length > 0)
      .map(({ paddr, bytes }) => ({ start: paddr, bytes })),
    zeros: elf.segments.filter(({ bytes, memSize }) => memSize > BigInt(bytes.length))
      .map(({ paddr, bytes, memSize }) => ({
        start: paddr + BigInt(bytes.length),
        size: memSize - BigInt(bytes.length),
      })),
  };
}

/**
 * Where an entry is in memory: it lies in bytes of the file.
 *
 * @param elf The file.
 * @param entry What the file says.
 * @param mayBeVirtual Whether a virtual address is understood.
 * @returns The physical address.
 */
export function resolve(elf: ElfFile, entry: bigint, mayBeVirtual: boolean): bigint {
  const covers = (start: bigint, { bytes }: Segment) =>
    entry >= start && entry < start + BigInt(bytes.length);
  if (elf.segments.some((segment) => covers(segment.paddr, segment))) return entry;
  const found = elf.segments.find((segment) => covers(segment.vaddr, segment));
  need(mayBeVirtual && found !== undefined, "ENTRY_OUTSIDE_KERNEL");
  return entry - found.vaddr + found.paddr;
}

/**
 * The PVH entry.
 *
 * @param elf The file.
 * @param descriptor The note's descriptor.
 * @returns The physical address.
 */
export function pvhEntry(elf: ElfFile, descriptor: Uint8Array): bigint {
  need(descriptor.length === 4 || descriptor.length === 8, "NOTE_MALFORMED");
  const entry = look(descriptor, 0, descriptor.length)!;
  need(entry < 1n << 32n, "NOTE_MALFORMED");
  return resolve(elf, entry, false);
}
