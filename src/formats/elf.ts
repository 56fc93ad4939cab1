import { formatAddress } from "../address.ts";
import { fieldError, type FieldLocation, LoaderError } from "../errors.ts";
import { MAX_NOTES_SIZE, MAX_PROGRAM_HEADERS } from "../limits.ts";
import { requireBytes } from "../bytes.ts";
import { type KernelSource, readBytes, readHead } from "../source.ts";
import {
  EI_CLASS,
  EI_DATA,
  ELF64_EHDR,
  ELF64_PHDR,
  type Elf64Ehdr,
  type Elf64Phdr,
  ELF_CLASS_LAYOUTS,
  ELF_MAGIC,
  ELFCLASS32,
  ELFCLASS64,
  type ElfClassLayout,
  ELFDATA2LSB,
  PN_XNUM,
  PT_LOAD,
  PT_NOTE,
} from "../structs/elf.ts";

/** A PT_LOAD or PT_NOTE segment whose bytes are known to lie in the file. */
export interface ElfSegment {
  /** Its place in the program header table. */
  readonly index: number;
  /** Where its program header lies: bytes from the start of the file. */
  readonly headerOffset: number;
  /** File offset of its bytes. */
  readonly offset: number;
  /** Bytes in the file. */
  readonly fileSize: number;
  /** Virtual address. */
  readonly vaddr: bigint;
  /** Guest-physical address. */
  readonly paddr: bigint;
  /** Bytes in memory, as the file says; not checked against anything. */
  readonly memSize: bigint;
  /** p_align. */
  readonly align: bigint;
}

/** What a little-endian ELF file says. */
export interface ElfKernel {
  /** The tag of this description. */
  readonly format: "elf";
  /** The file's class: how many bits its addresses have. */
  readonly elfClass: 32 | 64;
  /** The file header; that of a 32-bit file has the same fields. */
  readonly header: Elf64Ehdr;
  /** e_entry: as the file gives it, physical for Linux, virtual for others. */
  readonly entry: bigint;
  /** PT_LOAD segments in the order of the file, those without any bytes in memory left out. */
  readonly segments: readonly ElfSegment[];
  /** PT_NOTE segments in the order of the file. */
  readonly notes: readonly ElfSegment[];
}

/**
 * Reads the headers of an ELF file, 32-bit or 64-bit. That it boots is not said: class, machine, type
 * and version are the protocols' to judge.
 *
 * @param source The file.
 * @returns What it says.
 * @throws {LoaderError} `TRUNCATED`, `ELF_MAGIC`, `ELF_CLASS`, `ELF_BYTE_ORDER`, `ELF_PHENTSIZE`,
 * `ELF_PHOFF`, `ELF_PHNUM`, `LIMIT_EXCEEDED`, `SOURCE_FAILED`.
 */
export function parseElf(source: KernelSource): ElfKernel {
  const { elfClass, header } = readHeader(source, [ELFCLASS32, ELFCLASS64]);
  const layout = ELF_CLASS_LAYOUTS[elfClass];
  const count = programHeaderCount(source, elfClass, header);
  const size = BigInt(count * layout.phdr.size);
  const table = fileRange(source, header.e_phoff, size, ehdrField(elfClass, "e_phoff"));
  const bytes = readBytes(source, table.offset, table.size, "program headers");
  return {
    format: "elf",
    elfClass,
    header,
    entry: header.e_entry,
    ...readSegments(source, layout.phdr, bytes, table.offset),
  };
}

/**
 * Reads the file header of a 64-bit file alone, and checks that the program headers can be read.
 *
 * @param source The file.
 * @returns The file header.
 * @throws {LoaderError} `TRUNCATED`, `ELF_MAGIC`, `ELF_CLASS`, `ELF_BYTE_ORDER`, `ELF_PHENTSIZE`,
 * `ELF_PHOFF`, `SOURCE_FAILED`.
 */
export function parseElfHeader(source: KernelSource): Elf64Ehdr {
  return readHeader(source, [ELFCLASS64]).header;
}

/**
 * Where a field of the file header lies, for errors.
 *
 * @param elfClass The file's class.
 * @param name The field.
 * @returns Its name, and bytes from the start of the file.
 */
export function ehdrField(elfClass: 32 | 64, name: keyof Elf64Ehdr): FieldLocation {
  return { field: name, offset: ELF_CLASS_LAYOUTS[elfClass].ehdr.fields[name].offset };
}

/**
 * Where a field of a segment's program header lies, for errors.
 *
 * @param elfClass The file's class.
 * @param segment The segment.
 * @param name The field.
 * @returns Its name with the segment's index, and bytes from the start of the file.
 */
export function phdrField(
  elfClass: 32 | 64,
  segment: Pick<ElfSegment, "index" | "headerOffset">,
  name: keyof Elf64Phdr,
): FieldLocation {
  const { offset } = ELF_CLASS_LAYOUTS[elfClass].phdr.fields[name];
  return { field: `${name}[${segment.index}]`, offset: segment.headerOffset + offset };
}

/**
 * Reads the program headers of a 64-bit file as they are: e_phnum of them, of every type, nothing checked but that
 * the file holds them.
 *
 * @param source The file.
 * @param header Its file header. PN_XNUM is a count like any other here.
 * @returns The program headers, in the order of the file.
 * @throws {LoaderError} `TRUNCATED`, `SOURCE_FAILED`.
 */
export function readProgramHeaders(source: KernelSource, header: Elf64Ehdr): Elf64Phdr[] {
  const { e_phnum, e_phoff } = header;
  if (e_phnum === 0) return []; // e_phoff means nothing then
  const size = BigInt(e_phnum * ELF64_PHDR.size);
  const table = fileRange(source, e_phoff, size, ehdrField(64, "e_phoff"));
  const bytes = readBytes(source, table.offset, table.size, "program headers");
  return Array.from(
    { length: e_phnum },
    (_, index) => ELF64_PHDR.read(bytes, index * ELF64_PHDR.size),
  );
}

/**
 * Reads the bytes of the PT_NOTE segments whole: they are small.
 *
 * @param source The file.
 * @param elf What it says.
 * @returns The bytes of each.
 * @throws {LoaderError} `LIMIT_EXCEEDED` past MAX_NOTES_SIZE in total, `SOURCE_FAILED`.
 */
export function readNotes(source: KernelSource, elf: ElfKernel): Uint8Array[] {
  let total = 0;
  return elf.notes.map((segment) => {
    const { index, offset, fileSize } = segment;
    total += fileSize;
    if (total > MAX_NOTES_SIZE) {
      throw new LoaderError(
        "LIMIT_EXCEEDED",
        `Cannot read PT_NOTE segment ${index}: ${total} bytes of notes, at most ${MAX_NOTES_SIZE} are read`,
        phdrField(elf.elfClass, segment, "p_filesz"),
      );
    }
    return readBytes(source, offset, fileSize, `PT_NOTE segment ${index}`);
  });
}

/** The file header, of one of these classes. */
function readHeader(
  source: KernelSource,
  classes: readonly number[],
): { elfClass: 32 | 64; header: Elf64Ehdr } {
  const head = readHead(source, ELF64_EHDR.size, "ELF header");
  checkIdent(head, classes);
  const elfClass = head[EI_CLASS] === ELFCLASS32 ? 32 : 64;
  const { ehdr, phdr } = ELF_CLASS_LAYOUTS[elfClass];
  requireBytes(head.length, 0, ehdr.size, ehdr.name);
  const header = ehdr.read(head);
  if (header.e_phentsize !== phdr.size) {
    const at = ehdrField(elfClass, "e_phentsize");
    throw fieldError("ELF_PHENTSIZE", at, `${phdr.size}`, `${header.e_phentsize}`);
  }
  if (header.e_phoff < BigInt(ehdr.size)) {
    throw fieldError(
      "ELF_PHOFF",
      ehdrField(elfClass, "e_phoff"),
      `at least ${ehdr.size}, after the file header`,
      formatAddress(header.e_phoff),
    );
  }
  return { elfClass, header };
}

const CLASS_NAMES: { readonly [value: number]: string } = {
  [ELFCLASS32]: `${ELFCLASS32} (32-bit)`,
  [ELFCLASS64]: `${ELFCLASS64} (64-bit)`,
};

function checkIdent(head: Uint8Array, classes: readonly number[]): void {
  requireBytes(head.length, 0, 6, "e_ident");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = view.getUint32(0, true);
  if (magic !== ELF_MAGIC) {
    throw fieldError(
      "ELF_MAGIC",
      { field: "e_ident[EI_MAG0]", offset: 0 },
      formatAddress(ELF_MAGIC),
      formatAddress(magic),
    );
  }
  if (head[EI_DATA] !== ELFDATA2LSB) {
    throw fieldError(
      "ELF_BYTE_ORDER",
      { field: "e_ident[EI_DATA]", offset: EI_DATA },
      `${ELFDATA2LSB} (little-endian)`,
      `${head[EI_DATA]}${head[EI_DATA] === 2 ? " (big-endian)" : ""}`,
    );
  }
  if (!classes.includes(head[EI_CLASS])) {
    throw fieldError(
      "ELF_CLASS",
      { field: "e_ident[EI_CLASS]", offset: EI_CLASS },
      classes.map((value) => CLASS_NAMES[value]).join(" or "),
      CLASS_NAMES[head[EI_CLASS]] ?? `${head[EI_CLASS]}`,
    );
  }
}

/** gABI: when the count does not fit e_phnum, it is in sh_info of section header 0. */
function programHeaderCount(
  source: KernelSource,
  elfClass: 32 | 64,
  { e_phnum, e_shoff }: Elf64Ehdr,
): number {
  if (e_phnum !== PN_XNUM) return e_phnum;
  if (e_shoff === 0n) {
    const at = ehdrField(elfClass, "e_phnum");
    throw fieldError("ELF_PHNUM", at, "a count, or PN_XNUM with a section header", "0xffff");
  }
  const { shdrSize, shInfoOffset } = ELF_CLASS_LAYOUTS[elfClass];
  const at = ehdrField(elfClass, "e_shoff");
  const section = fileRange(source, e_shoff, BigInt(shdrSize), at);
  const bytes = readBytes(source, section.offset, shdrSize, "section header 0");
  const count = new DataView(bytes.buffer).getUint32(shInfoOffset, true);
  if (count > MAX_PROGRAM_HEADERS) {
    throw new LoaderError(
      "LIMIT_EXCEEDED",
      `Cannot read program headers: ${count}, at most ${MAX_PROGRAM_HEADERS} are read`,
      {
        field: "sh_info",
        offset: section.offset + shInfoOffset,
        expected: `at most ${MAX_PROGRAM_HEADERS}`,
        actual: `${count}`,
      },
    );
  }
  return count;
}

/** The program headers that matter. Read field by field: up to 131,072 of them, 30 ns each this way. */
function readSegments(
  source: KernelSource,
  phdr: ElfClassLayout["phdr"],
  table: Uint8Array,
  tableOffset: number,
): { segments: ElfSegment[]; notes: ElfSegment[] } {
  const { p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align } = phdr.fields;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const segments: ElfSegment[] = [];
  const notes: ElfSegment[] = [];
  for (let row = 0; row < table.length; row += phdr.size) {
    const type = view.getUint32(row + p_type.offset, true);
    if (type !== PT_LOAD && type !== PT_NOTE) continue;
    const index = row / phdr.size;
    const filesz = p_filesz.get(view, row);
    const memSize = p_memsz.get(view, row);
    if (filesz === 0n && (memSize === 0n || type === PT_NOTE)) continue;
    const headerOffset = tableOffset + row;
    // p_offset means nothing where the file holds no bytes.
    const { offset, size } = filesz === 0n ? { offset: 0, size: 0 } : fileRange(
      source,
      p_offset.get(view, row),
      filesz,
      { field: `p_offset[${index}]`, offset: headerOffset + p_offset.offset },
    );
    (type === PT_LOAD ? segments : notes).push({
      index,
      headerOffset,
      offset,
      fileSize: size,
      vaddr: p_vaddr.get(view, row),
      paddr: p_paddr.get(view, row),
      memSize,
      align: p_align.get(view, row),
    });
  }
  return { segments, notes };
}

/** A range that the file names, as numbers once it is known to lie in the file. */
function fileRange(
  source: KernelSource,
  start: bigint,
  size: bigint,
  { field, offset: fieldOffset }: FieldLocation,
): { offset: number; size: number } {
  if (start + size > BigInt(source.size)) {
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read what ${field} at ${formatAddress(fieldOffset)} names: [${
        formatAddress(start)
      }..${formatAddress(start + size)}) of a file of ${formatAddress(source.size)} bytes`,
      {
        field,
        offset: fieldOffset,
        expected: `an end at or below ${formatAddress(source.size)}`,
        actual: formatAddress(start + size),
      },
    );
  }
  return { offset: Number(start), size: Number(size) };
}
