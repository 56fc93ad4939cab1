/**
 * Kernel files made by hand: an ELF vmlinux, a bzImage, an arm64 Image, each valid unless a field is
 * overridden. Nothing here comes from the library: every offset is written down a second time, from
 * the specifications, so that a test that uses these files checks the library's tables too.
 */

/** Where a field lies, in bytes from the start of its struct, and how wide it is. */
type Place = readonly [offset: number, width: 1 | 2 | 4 | 8];

/** Fields by their names in the specification. */
export type Overrides<T> = { readonly [K in keyof T]?: number | bigint };

/**
 * Writes a little-endian number.
 *
 * @param bytes Where to.
 * @param offset Bytes from their start.
 * @param width Bytes to write.
 * @param value The number; higher bits are dropped.
 */
export function poke(
  bytes: Uint8Array,
  offset: number,
  width: 1 | 2 | 4 | 8,
  value: number | bigint,
): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < width; i++, rest >>= 8n) bytes[offset + i] = Number(rest & 0xffn);
}

/**
 * Reads a little-endian number.
 *
 * @param bytes Where from.
 * @param offset Bytes from their start.
 * @param width Bytes to read.
 * @returns The number.
 */
export function peek(bytes: Uint8Array, offset: number, width: 1 | 2 | 4 | 8): bigint {
  if (offset < 0 || offset + width > bytes.length) throw new RangeError(`peek at ${offset}`);
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[offset + i]);
  return value;
}

function pokeAll<T extends Record<string, Place>>(
  bytes: Uint8Array,
  start: number,
  places: T,
  values: Overrides<T>,
): void {
  for (const [name, value] of Object.entries(values) as [keyof T & string, number | bigint][]) {
    if (value === undefined) continue;
    const [offset, width] = places[name];
    poke(bytes, start + offset, width, value);
  }
}

/**
 * Bytes that differ from their neighbours and from 0, so that what is copied wrongly shows.
 *
 * @param size How many.
 * @param seed Another seed gives other bytes.
 * @returns The bytes.
 */
export function pattern(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed * 31) % 255 + 1;
  return bytes;
}

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

/** A segment: its bytes in the file, and fields that differ from what they give. */
export interface Segment extends Overrides<typeof PHDR> {
  /** The segment's bytes in the file. None if not given. */
  readonly bytes?: Uint8Array;
}

/** An ELF file. */
export interface ElfImage {
  /** Fields of the file header that differ from those of an x86_64 executable. */
  readonly header?: Overrides<typeof EHDR>;
  /** PT_LOAD unless p_type says otherwise. */
  readonly segments?: readonly Segment[];
}

/**
 * An x86_64 executable: the file header, the program headers, the segments' bytes one after the
 * other. A segment without overrides is a PT_LOAD at 1 MiB; the entry is the first one's p_paddr.
 *
 * @param image What differs.
 * @returns The file.
 */
export function elfImage(
  { header = {}, segments = [{ bytes: pattern(64) }] }: ElfImage = {},
): Uint8Array {
  const tableEnd = 64 + 56 * segments.length;
  const size = segments.reduce((end, { bytes }) => end + (bytes?.length ?? 0), tableEnd);
  const file = new Uint8Array(size);
  file.set([0x7f, 0x45, 0x4c, 0x46]); // "\x7fELF"
  const first = segments.find(({ p_type }) => Number(p_type ?? 1) === 1);
  pokeAll(file, 0, EHDR, {
    class: 2, // ELFCLASS64
    data: 1, // ELFDATA2LSB
    ident_version: 1,
    e_type: 2, // ET_EXEC
    e_machine: 62, // EM_X86_64
    e_version: 1,
    e_entry: first?.p_paddr ?? 0x100000,
    e_phoff: 64,
    e_ehsize: 64,
    e_phentsize: 56,
    e_phnum: segments.length,
    ...header,
  });
  let at = tableEnd;
  for (const [i, { bytes = new Uint8Array(0), ...fields }] of segments.entries()) {
    const paddr = fields.p_paddr ?? 0x100000;
    pokeAll(file, 64 + 56 * i, PHDR, {
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
 * @returns The file.
 */
export function pvhImage(
  segments: readonly Segment[] = [{ bytes: pattern(256) }],
  entry = 0x100000,
): Uint8Array {
  const note = { p_type: 4, p_align: 4, bytes: noteBytes([{ descriptor: word(entry) }]) };
  return elfImage({ segments: [...segments, note] });
}

/** boot.rst, "Details of header fields": offsets from the start of the file. */
export const SETUP = {
  setup_sects: [0x1f1, 1],
  root_flags: [0x1f2, 2],
  syssize: [0x1f4, 4],
  ram_size: [0x1f8, 2],
  vid_mode: [0x1fa, 2],
  root_dev: [0x1fc, 2],
  boot_flag: [0x1fe, 2],
  jump: [0x200, 2],
  header: [0x202, 4],
  version: [0x206, 2],
  realmode_swtch: [0x208, 4],
  start_sys_seg: [0x20c, 2],
  kernel_version: [0x20e, 2],
  type_of_loader: [0x210, 1],
  loadflags: [0x211, 1],
  setup_move_size: [0x212, 2],
  code32_start: [0x214, 4],
  ramdisk_image: [0x218, 4],
  ramdisk_size: [0x21c, 4],
  bootsect_kludge: [0x220, 4],
  heap_end_ptr: [0x224, 2],
  ext_loader_ver: [0x226, 1],
  ext_loader_type: [0x227, 1],
  cmd_line_ptr: [0x228, 4],
  initrd_addr_max: [0x22c, 4],
  kernel_alignment: [0x230, 4],
  relocatable_kernel: [0x234, 1],
  min_alignment: [0x235, 1],
  xloadflags: [0x236, 2],
  cmdline_size: [0x238, 4],
  hardware_subarch: [0x23c, 4],
  hardware_subarch_data: [0x240, 8],
  payload_offset: [0x248, 4],
  payload_length: [0x24c, 4],
  setup_data: [0x250, 8],
  pref_address: [0x258, 8],
  init_size: [0x260, 4],
  handover_offset: [0x264, 4],
  kernel_info_offset: [0x268, 4],
} as const satisfies Record<string, Place>;

/** A bzImage. */
export interface BzImage extends Overrides<typeof SETUP> {
  /** The protected-mode kernel. 4 KiB if not given. */
  readonly kernel?: Uint8Array;
}

/**
 * A bzImage of protocol 2.15 as Linux 6.x is: relocatable, 64-bit, wants 2 MiB alignment and to be at
 * 16 MiB; but small: 1 KiB of setup, 64 KiB to work in.
 *
 * @param image What differs.
 * @returns The file.
 */
export function bzImage({ kernel = pattern(4096), ...fields }: BzImage = {}): Uint8Array {
  const setup = new Uint8Array((Number(fields.setup_sects || 1) + 1) * 512);
  setup.fill(0xee, 0, 0x1f1); // boot code, and a sentinel that must not reach the zero page
  setup.fill(0xee, 0x26c);
  pokeAll(setup, 0, SETUP, {
    setup_sects: 1,
    syssize: Math.ceil(kernel.length / 16),
    boot_flag: 0xaa55,
    jump: 0x6aeb, // the header ends at 0x202 + 0x6a = 0x26c
    header: 0x53726448, // "HdrS"
    version: 0x020f,
    loadflags: 1, // LOADED_HIGH
    code32_start: 0x100000,
    initrd_addr_max: 0x7fffffff,
    kernel_alignment: 0x200000,
    relocatable_kernel: 1,
    min_alignment: 21,
    xloadflags: 0b11, // XLF_KERNEL_64, XLF_CAN_BE_LOADED_ABOVE_4G
    cmdline_size: 2047,
    pref_address: 0x1000000,
    init_size: 0x10000,
    ...fields,
  });
  const file = new Uint8Array(setup.length + kernel.length);
  file.set(setup);
  file.set(kernel, setup.length);
  return file;
}

/** booting.rst, "4. Call the kernel image": the 64-byte header. */
export const IMAGE = {
  code0: [0x00, 4],
  code1: [0x04, 4],
  text_offset: [0x08, 8],
  image_size: [0x10, 8],
  flags: [0x18, 8],
  res2: [0x20, 8],
  res3: [0x28, 8],
  res4: [0x30, 8],
  magic: [0x38, 4],
  res5: [0x3c, 4],
} as const satisfies Record<string, Place>;

/**
 * An arm64 Image as Linux 5.10 and later are: text_offset 0, 4 KiB pages, may be anywhere.
 *
 * @param fields What differs.
 * @param size Size of the file in bytes.
 * @returns The file.
 */
export function arm64Image(fields: Overrides<typeof IMAGE> = {}, size = 4096): Uint8Array {
  const file = pattern(size, 5);
  file.fill(0, 0, 64);
  pokeAll(file, 0, IMAGE, {
    code0: 0x91005a4d, // "MZ", as an EFI stub has it
    image_size: 0x3000,
    flags: 0b1010,
    magic: 0x644d5241, // "ARM\x64"
    ...fields,
  });
  return file;
}
