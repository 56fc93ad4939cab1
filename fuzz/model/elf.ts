/**
 * What an ELF kernel's load must do: System V ABI, chapters 4 and 5; a PVH entry from its notes.
 *
 * @module
 */
import type { Span } from "./room.ts";
import { look, need, number, TOP } from "./verdict.ts";

/** A segment as the file has it. */
export interface Segment {
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly bytes: Uint8Array;
  readonly memSize: bigint;
}

/** An ELF file. */
export interface ElfFile {
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
  need(file[4] === 2, "ELF_CLASS");
  need(file.length >= 64, "TRUNCATED");
  need(number(file, 0x36, 2) === 56n, "ELF_PHENTSIZE");
  const table = number(file, 0x20, 8);
  need(table >= 64n, "ELF_PHOFF");
  let count = number(file, 0x38, 2);
  if (count === 0xffffn) {
    const sections = number(file, 0x28, 8);
    need(sections !== 0n, "ELF_PHNUM");
    need(sections + 64n <= BigInt(file.length), "TRUNCATED");
    count = number(file, Number(sections) + 0x2c, 4);
    need(count <= 131072n, "LIMIT_EXCEEDED");
  }
  need(table + 56n * count <= BigInt(file.length), "TRUNCATED");
  const segments: Segment[] = [];
  const notes: { bytes: Uint8Array; align: bigint }[] = [];
  for (let i = 0; i < Number(count); i++) {
    const row = Number(table) + 56 * i;
    const [type, offset, size] = [
      number(file, row, 4),
      number(file, row + 0x08, 8),
      number(file, row + 0x20, 8),
    ];
    const memSize = number(file, row + 0x28, 8);
    if (type !== 1n && type !== 4n) continue;
    if (size === 0n && (type === 4n || memSize === 0n)) continue;
    need(size === 0n || offset + size <= BigInt(file.length), "TRUNCATED");
    const at = size === 0n ? 0 : Number(offset);
    const bytes = file.slice(at, at + Number(size));
    if (type === 4n) notes.push({ bytes, align: number(file, row + 0x30, 8) });
    else {
      const [vaddr, paddr] = [number(file, row + 0x10, 8), number(file, row + 0x18, 8)];
      segments.push({ vaddr, paddr, bytes, memSize });
    }
  }
  return { entry: number(file, 0x18, 8), segments, notes };
}

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
  need(number(file, 0x12, 2) === 62n, "ELF_MACHINE");
  need([2n, 3n].includes(number(file, 0x10, 2)), "ELF_TYPE");
  need(number(file, 0x14, 4) === 1n && file[6] === 1, "ELF_VERSION");
  need(number(file, 0x34, 2) >= 64n, "ELF_HEADER_SIZE");
  need(elf.segments.length > 0, "ELF_NO_SEGMENTS");
  for (const { bytes, memSize, paddr } of elf.segments) {
    need(memSize >= BigInt(bytes.length), "ELF_SEGMENT_SIZE", "ADDRESS_OVERFLOW");
    need(paddr + memSize <= TOP, "ADDRESS_OVERFLOW", "ELF_SEGMENT_SIZE");
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
