/**
 * Where linux-loader's `Elf::load` puts what: by file order, and with none of the rules that make a
 * kernel boot.
 *
 * @module
 */
import { ADDRESS_END, containsRange, formatAddress } from "../address.ts";
import { fieldError, LoaderError } from "../errors.ts";
import { parseElfHeader, readProgramHeaders } from "../formats/elf.ts";
import { PvhEntryReader } from "../formats/elf_notes.ts";
import { outsideRam, type RamLayout } from "../memory/guest_memory.ts";
import type { Placement } from "../memory/placement.ts";
import { Space } from "../memory/space.ts";
import { requireBytes } from "../bytes.ts";
import type { KernelSource } from "../source.ts";
import {
  ELF64_EHDR,
  ELF64_PHDR,
  type Elf64Ehdr,
  type Elf64Phdr,
  PT_LOAD,
  PT_NOTE,
} from "../structs/elf.ts";

/** What a kernel says of PVH, as linux-loader's PvhBootCapability has it. */
export type PvhBootCapability =
  /** PvhEntryPresent: guest-physical address of the 32-bit entry. */
  | { readonly kind: "present"; readonly entry: bigint }
  /** PvhEntryNotPresent: the last PT_NOTE segment has no such note. */
  | { readonly kind: "not-present" }
  /** PvhEntryIgnored: there is no PT_NOTE segment, or the kernel is loaded elsewhere than linked. */
  | { readonly kind: "ignored" };

/** Where an ELF kernel goes. Addresses are guest-physical. */
export interface ElfLoad {
  /** What is written, disjoint and inside RAM. */
  readonly placements: readonly Placement[];
  /** e_entry, plus the offset. */
  readonly kernelLoad: bigint;
  /** The entry; what e_entry names virtually is translated. */
  readonly entry: bigint;
  /** One past the kernel's last byte, BSS included. */
  readonly kernelEnd: bigint;
  /** What the kernel says of PVH. */
  readonly pvhBootCap: PvhBootCapability;
}

/** A PT_LOAD segment and where it goes. */
interface LoadSegment {
  readonly name: string;
  readonly index: number;
  readonly header: Elf64Phdr;
  /** Guest-physical. */
  readonly start: bigint;
  /** What it takes in memory: the larger of p_filesz and p_memsz. */
  readonly size: bigint;
}

/**
 * Plans what linux-loader's `Elf::load` does. What it refuses is refused first and in its order of
 * events; then what it forgets to check: BSS outside RAM, segments that overlap.
 *
 * @param layout The machine's RAM.
 * @param source The file.
 * @param kernelOffset What is added to every address.
 * @param highmemStart The lowest e_entry that is taken.
 * @returns Where everything goes.
 * @throws {LoaderError} `TRUNCATED`, `ELF_*`, `BELOW_HIGHMEM`, `ADDRESS_OVERFLOW`, `OUTSIDE_RAM`,
 * `NOTE_MALFORMED`, `LIMIT_EXCEEDED`, `SOURCE_FAILED`.
 */
export function planElfLoad(
  layout: RamLayout,
  source: KernelSource,
  kernelOffset: bigint | undefined,
  highmemStart: bigint | undefined,
): ElfLoad {
  requireBytes(source.size, 0, ELF64_EHDR.size, "Elf64_Ehdr"); // even before the magic
  const header = parseElfHeader(source);
  const entryField = { field: "e_entry", offset: ELF64_EHDR.fields.e_entry.offset };
  if (highmemStart !== undefined && header.e_entry < highmemStart) {
    throw fieldError(
      "BELOW_HIGHMEM",
      entryField,
      `at least highmemStart, ${formatAddress(highmemStart)}`,
      formatAddress(header.e_entry),
    );
  }
  const offset = kernelOffset ?? 0n;
  const kernelLoad = sumOf(header.e_entry, offset, entryField);

  const segments: LoadSegment[] = [];
  const withoutBytes: (() => LoadSegment)[] = [];
  let pvhBootCap: PvhBootCapability = { kind: "ignored" };
  const notes = new PvhEntryReader(source);
  for (const [index, phdr] of readProgramHeaders(source, header).entries()) {
    if (phdr.p_type === PT_LOAD && phdr.p_filesz > 0n) {
      segments.push(loadedSegment(layout, source, header, phdr, index, offset));
    } else if (phdr.p_type === PT_LOAD && phdr.p_memsz > 0n) {
      withoutBytes.push(() => segmentAt(header, phdr, index, offset));
    } else if (phdr.p_type === PT_NOTE && kernelOffset === undefined) {
      const entry = notes.read(phdr, index);
      pvhBootCap = entry === undefined ? { kind: "not-present" } : { kind: "present", entry };
    }
  }

  // linux-loader skips these, so nothing that it refuses may be refused after them
  for (const segment of withoutBytes) segments.push(segment());
  for (const { header: phdr, index, start } of segments) endOf(header, phdr, index, start);
  new Space(layout).claim(segments, "ELF_SEGMENT_OVERLAP");
  return {
    placements: segments.flatMap((segment) => placementsOf(segment, source)),
    kernelLoad,
    entry: entryOf(header, segments) ?? kernelLoad,
    kernelEnd: segments.reduce((end, { start, size }) => max(end, start + size), 0n),
    pvhBootCap,
  };
}

/** A segment whose bytes are in the file: with linux-loader's checks, in its order. */
function loadedSegment(
  layout: RamLayout,
  source: KernelSource,
  header: Elf64Ehdr,
  phdr: Elf64Phdr,
  index: number,
  offset: bigint,
): LoadSegment {
  const segment = segmentAt(header, phdr, index, offset);
  const { p_offset, p_filesz } = phdr;
  if (p_offset + p_filesz > BigInt(source.size)) {
    const { field, offset } = fieldOf(header, "p_filesz", index);
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read ${segment.name} at [${formatAddress(p_offset)}..${
        formatAddress(p_offset + p_filesz)
      }): the input ends at ${formatAddress(source.size)}`,
      { field, offset, actual: formatAddress(p_filesz) },
    );
  }
  const range = { start: segment.start, size: p_filesz };
  if (!containsRange(layout.ram, range)) throw outsideRam(segment.name, range, layout);
  endOf(header, phdr, index, segment.start);
  return segment;
}

function segmentAt(
  header: Elf64Ehdr,
  phdr: Elf64Phdr,
  index: number,
  offset: bigint,
): LoadSegment {
  return {
    name: `kernel segment ${index}`,
    index,
    header: phdr,
    start: sumOf(phdr.p_paddr, offset, fieldOf(header, "p_paddr", index)),
    size: max(phdr.p_filesz, phdr.p_memsz),
  };
}

function endOf(header: Elf64Ehdr, phdr: Elf64Phdr, index: number, start: bigint): bigint {
  return sumOf(start, phdr.p_memsz, fieldOf(header, "p_memsz", index));
}

/** Where a program header's field lies in the file, for errors. */
function fieldOf(
  { e_phoff }: Elf64Ehdr,
  name: keyof Elf64Phdr,
  index: number,
): { field: string; offset: number } {
  const { offset } = ELF64_PHDR.fields[name];
  return { field: `${name}[${index}]`, offset: Number(e_phoff) + index * ELF64_PHDR.size + offset };
}

/** A sum that is an address too, as linux-loader's u64 wants it. */
function sumOf(a: bigint, b: bigint, at: { field: string; offset: number }): bigint {
  if (a + b < ADDRESS_END) return a + b;
  throw fieldError(
    "ADDRESS_OVERFLOW",
    at,
    "a sum below 2^64",
    `${formatAddress(a)} + ${formatAddress(b)}`,
  );
}

function entryOf({ e_entry }: Elf64Ehdr, segments: readonly LoadSegment[]): bigint | undefined {
  const isIn = (start: bigint, { size }: LoadSegment) => e_entry >= start && e_entry < start + size;
  const segment = segments.find((segment) => isIn(segment.header.p_paddr, segment));
  if (segment !== undefined) return e_entry - segment.header.p_paddr + segment.start;
  const virtual = segments.find((segment) => isIn(segment.header.p_vaddr, segment));
  return virtual && e_entry - virtual.header.p_vaddr + virtual.start;
}

function placementsOf({ name, index, header, start }: LoadSegment, source: KernelSource) {
  const { p_filesz, p_memsz, p_offset } = header;
  const placements: Placement[] = [];
  if (p_filesz > 0n) {
    const content = { kind: "source", source, offset: Number(p_offset) } as const;
    placements.push({ name, start, size: p_filesz, content });
  }
  if (p_memsz > p_filesz) {
    placements.push({
      name: `kernel bss ${index}`,
      start: start + p_filesz,
      size: p_memsz - p_filesz,
      content: { kind: "zeros" },
    });
  }
  return placements;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
