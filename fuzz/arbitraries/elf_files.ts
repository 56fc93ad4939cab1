/** ELF files: valid ones of many shapes, then bent. */
import fc from "fast-check";
import {
  EHDR,
  EHDR32,
  type ElfImage,
  elfImage,
  noteBytes,
  pattern,
  peek,
  PHDR,
  PHDR32,
  poke,
  type Segment,
  word,
} from "./images.ts";
import { type Bend, bends, bent, boundary, boundary32, placesOf, sometimes } from "./numbers.ts";

/** A kernel file, and where it would lie in memory if it is not bent. */
export interface KernelFile {
  readonly bytes: Uint8Array;
  /** The lowest address of the unbent file's memory, and one past the highest. */
  readonly low: bigint;
  readonly high: bigint;
  /** Addresses that a caller may want it to be loaded at. */
  readonly loads?: readonly bigint[];
}

interface LoadRecipe {
  readonly gap: number;
  readonly size: number;
  readonly bss: number;
  readonly align: bigint;
  readonly flags: number;
}

interface NoteRecipe {
  readonly name: string;
  readonly type: number;
  readonly size: number;
  readonly namesz?: number;
  readonly descsz?: number;
}

interface ElfRecipe {
  readonly bits: 32 | 64;
  readonly base: bigint;
  readonly loads: readonly LoadRecipe[];
  /** PT_NOTE segments. */
  readonly notes: readonly {
    readonly list: readonly NoteRecipe[];
    readonly packing: 4 | 8;
    /** p_align, which does not always say how notes are packed; as they are if not given. */
    readonly align?: number;
  }[];
  /** An odd segment: neither PT_LOAD nor PT_NOTE. */
  readonly odd?: number;
  /** Where the entry lies: in which segment, how far. */
  readonly entry: { readonly segment: number; readonly at: "first" | "last" | "bss" | "end" };
  /** Where p_vaddr is: p_paddr; the kernel's virtual base; 256 MiB above; the first one's for all. */
  readonly virtual: "no" | "base" | "near" | "overlaid";
  /** Whether a PVH note names the entry's virtual address. */
  readonly virtualNote: boolean;
  readonly reversed: boolean;
  readonly repeated: boolean;
  readonly xnum: boolean;
  /** How many program headers PN_XNUM's section header says there are; as many as there are if not given. */
  readonly count?: number;
  /** Whether e_shoff says that there are no section headers. */
  readonly sectionless: boolean;
  /** Added to a p_offset: what is narrowed to 32 bits lies in the file again. */
  readonly wide?: bigint;
  /** Added to its p_filesz and p_memsz. */
  readonly longer?: bigint;
  /** Which program header these two are done to. */
  readonly row: number;
  /** Whether the first segment starts where the file does. */
  readonly withHeaders: boolean;
  readonly bends: readonly Bend[];
  /** A header field that says what this is not, or may be as well. */
  readonly header?: ElfImage["header"];
  /** Whether everything odd is left out, so that the file boots. */
  readonly calm: boolean;
}

/** One past the highest number of 64 bits. */
const TOP = 1n << 64n;
/** The kernel's virtual base on i386 and on x86_64. */
const VIRTUAL_BASE = { 32: 0xc000_0000n, 64: 0xffff_ffff_8000_0000n } as const;
/** Virtual addresses that fit 32 bits. */
const NEAR = 0x1000_0000n;

const note: fc.Arbitrary<NoteRecipe> = fc.record({
  name: fc.constantFrom(
    "Xen\0",
    "Xen\0",
    "Xen\0",
    "GNU\0",
    "XEN\0",
    "Xen",
    "Xe\0",
    "Linux\0",
    "Xen\0\0",
    "",
    "abcde",
    "abcd",
  ),
  type: fc.constantFrom(18, 18, 18, 1, 19, 0),
  size: fc.constantFrom(4, 4, 8, 8, 0, 2, 12, 5),
  namesz: sometimes(boundary32, 12),
  descsz: sometimes(boundary32, 12),
});

/** Fields that say how the rest is read, at the values where a check may be off by one, or wrap. */
const READING = Object.entries({
  class: [0n, 1n, 2n, 3n, 255n],
  data: [0n, 2n, 3n],
  e_phentsize: [0n, 31n, 32n, 33n, 55n, 56n, 57n, 0xffffn],
  e_phoff: [0n, 51n, 52n, 63n, 64n, 65n, 1n << 32n, 1n << 53n, 1n << 63n, TOP - 56n, TOP - 1n],
  e_phnum: [0n, 1n, 0xfffen, 0xffffn],
  e_shoff: [0n, 1n, 64n, TOP - 64n, TOP - 1n],
}).map(([field, values]) => fc.constantFrom(...values.map((value) => ({ [field]: value }))));

const recipe: fc.Arbitrary<ElfRecipe> = fc.record({
  bits: fc.constantFrom(64 as const, 64 as const, 32 as const),
  base: fc.oneof(
    { arbitrary: fc.constantFrom(0x100000n, 0x1000000n, 0x200123n), weight: 8 },
    {
      arbitrary: fc.constantFrom(
        0n,
        0x1000n,
        0x7000n,
        0x9f000n,
        0xff000n,
        0xffff_f000n,
        0xffff_f000n,
      ),
      weight: 1,
    },
    {
      arbitrary: fc.constantFrom(0x1_0000_0000n, (1n << 47n) - 0x30n, (1n << 64n) - 0x1000n),
      weight: 1,
    },
  ),
  loads: fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0, 1, 0x100, 0x800),
      size: fc.constantFrom(0x40, 0, 1, 0x17, 0x200, 0x1000),
      bss: fc.constantFrom(0, 0, 1, 0x30, 0x800, 0, 0x30, -1),
      // Neither means anything to a loader
      align: fc.constantFrom(0x1000n, 0x1000n, 0n, 1n, 3n, 1n << 63n),
      flags: fc.constantFrom(7, 7, 5, 6, 0),
    }),
    { maxLength: 4, minLength: 0 },
  ),
  notes: fc.array(
    fc.record({
      list: fc.array(note, { maxLength: 4 }),
      packing: fc.constantFrom(4 as const, 8 as const),
      align: sometimes(fc.constantFrom(4, 8, 1), 2),
    }),
    { maxLength: 2 },
  ),
  odd: sometimes(fc.constantFrom(0, 2, 3, 6, 7, 0x6474e550, 0x6474e551, 0xffffffff), 4),
  entry: fc.record({
    segment: fc.nat(3),
    at: fc.constantFrom("first" as const, "first" as const, "last" as const, "bss" as const, "end"),
  }) as fc.Arbitrary<ElfRecipe["entry"]>,
  virtual: fc.constantFrom("no" as const, "base" as const, "base", "no", "near", "overlaid"),
  virtualNote: fc.nat(7).map((n) => n === 0),
  reversed: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
  repeated: fc.integer({ min: 0, max: 15 }).map((n) => n === 15),
  xnum: fc.integer({ min: 0, max: 11 }).map((n) => n === 11),
  sectionless: fc.nat(3).map((n) => n === 3),
  count: sometimes(fc.constantFrom(131_072, 131_073, 0xffff_ffff), 2),
  wide: sometimes(fc.constantFrom(1n << 32n, 1n << 63n), 25),
  longer: sometimes(fc.constantFrom(1n, 0x1000n, 0x10000n, 1n << 63n), 8),
  withHeaders: fc.nat(9).map((n) => n === 9),
  row: fc.nat(5),
  bends: bends([
    ...placesOf(EHDR),
    ...[0, 1, 2].flatMap((i) => placesOf(PHDR, 64 + 56 * i)),
    ...placesOf(EHDR32),
    ...[0, 1, 2].flatMap((i) => placesOf(PHDR32, 52 + 32 * i)),
  ]),
  header: sometimes(
    fc.oneof(
      fc.constantFrom(
        ...[0, 1, 3, 4].map((e_type) => ({ e_type })),
        ...[3, 62, 3, 62, 183].map((e_machine) => ({ e_machine })),
        ...[{ e_version: 0 }, { ident_version: 0 }, { e_ehsize: 0 }, { e_ehsize: 51 }],
        // No program headers, wherever they would lie
        ...[{ e_phnum: 0xffff }, { e_phnum: 0, e_phoff: 1n << 40n }],
      ),
      fc.oneof(...READING),
    ),
    5,
  ),
  calm: fc.nat(2).map((n) => n > 0),
});

function calmed(recipe: ElfRecipe): ElfRecipe {
  const { bits, base, loads, notes, entry } = recipe;
  const hasRoom = base >= 0x100000n && base < (bits === 64 ? 1n << 48n : 1n << 32n);
  return {
    ...recipe,
    base: hasRoom ? base : 0x100000n,
    loads: [
      { gap: 0, size: 0x40, bss: 0, align: 0x1000n, flags: 7 },
      ...loads.map(({ bss, ...rest }) => ({ ...rest, bss: Math.max(bss, 0) })),
    ],
    notes: notes.map(({ list, packing, align }) => ({
      packing,
      align,
      list: list.map(({ name, type, size }) => ({
        name,
        type,
        size: type === 18 && size !== 8 && (size !== 12 || packing === 4) ? 4 : size,
      })),
    })),
    entry: { segment: 0, at: entry.at === "last" ? "last" : "first" },
    repeated: false,
    bends: [],
  };
}

function build(wanted: ElfRecipe): KernelFile {
  const recipe = wanted.calm ? calmed(wanted) : wanted;
  let at = recipe.base;
  const { virtual } = recipe;
  const offset = virtual === "no" ? 0n : virtual === "near" ? NEAR : VIRTUAL_BASE[recipe.bits];
  const loads: Segment[] = recipe.loads.map(({ gap, size, bss, align, flags }, i) => {
    const paddr = at + BigInt(gap);
    at = paddr + BigInt(size + bss);
    return {
      p_paddr: paddr,
      p_vaddr: (virtual === "overlaid" ? recipe.base : paddr) + offset,
      p_memsz: size + bss,
      p_align: align,
      p_flags: flags,
      // Programs are loaded with their headers, and so may a kernel be
      ...(recipe.withHeaders && i === 0 ? { p_offset: 0 } : {}),
      bytes: pattern(size, i + 1),
    };
  });
  const aim = loads[recipe.entry.segment % Math.max(loads.length, 1)];
  const first = BigInt(aim?.p_paddr ?? 0x100000);
  const fileEnd = first + BigInt(aim?.bytes?.length ?? 0);
  const entry = { first, last: fileEnd - 1n, bss: fileEnd, end: at }[recipe.entry.at];
  const named = recipe.virtualNote ? entry + offset : entry;
  const notes: Segment[] = recipe.notes.map(({ list, packing, align = packing }) => ({
    p_type: 4,
    p_align: align,
    bytes: noteBytes(
      list.map(({ size, ...rest }) => ({ ...rest, descriptor: descriptor(named, size) })),
      packing,
    ),
  }));
  const odd: Segment[] = recipe.odd === undefined
    ? []
    : [{ p_type: recipe.odd, bytes: pattern(24, 9) }];
  let segments = [...loads, ...notes, ...odd];
  if (recipe.reversed) segments = segments.reverse();
  if (recipe.repeated && segments.length > 0) segments = [...segments, segments[0]];
  const { bits } = recipe;
  let bytes = elfImage({ bits, segments, header: { e_entry: entry + offset, ...recipe.header } });
  if (recipe.xnum) bytes = withManyHeaders(bytes, bits, recipe.count ?? segments.length);
  if (recipe.sectionless) {
    const [at, width] = (bits === 64 ? EHDR : EHDR32).e_shoff;
    poke(bytes, at, width, 0);
  }
  // A program header, behind the file header
  const row = 64 + 56 * (recipe.row % Math.max(segments.length, 1));
  const add = (at: number, plus: bigint) =>
    poke(bytes, row + at, 8, peek(bytes, row + at, 8) + plus);
  if (bits === 64 && segments.length > 0) {
    add(0x08, recipe.wide ?? 0n);
    for (const at of [0x20, 0x28]) add(at, recipe.longer ?? 0n);
  }
  return { bytes: bent(bytes, recipe.bends), low: recipe.base, high: at };
}

/** A PVH entry of 4 or 8 bytes, or something that is none. */
function descriptor(entry: bigint, size: number): Uint8Array {
  if (size === 4) return word(entry);
  if (size === 8) return word(entry, 8);
  return pattern(size, 2);
}

/** PN_XNUM: the count stands in section header 0, at the file's end. */
function withManyHeaders(file: Uint8Array, bits: 32 | 64, count: number): Uint8Array {
  const [section, info] = bits === 64 ? [64, 0x2c] : [40, 0x1c];
  const { e_phnum, e_shoff } = bits === 64 ? EHDR : EHDR32;
  const bytes = new Uint8Array(file.length + section);
  bytes.set(file);
  poke(bytes, e_phnum[0], e_phnum[1], 0xffff);
  poke(bytes, e_shoff[0], e_shoff[1], file.length);
  poke(bytes, file.length + info, 4, count);
  return bytes;
}

/** ELF kernels. */
export const elfFiles: fc.Arbitrary<KernelFile> = recipe.map(build);

/** Files whose notes are what matters: one PT_LOAD, PT_NOTEs of raw words. */
export const noteFiles: fc.Arbitrary<KernelFile> = fc.record({
  // One note that is about as long as what is read at once
  filler: sometimes(fc.integer({ min: 1012, max: 1026 }), 6),
  words: fc.array(
    fc.oneof(
      { arbitrary: fc.constant([4, 4, 18, 0x006e6558, 0x100000]), weight: 1 },
      { arbitrary: fc.constant([4, 4, 3, 0x00554e47, 1]), weight: 1 },
      // Nothing but a header; sizes that pass 32 bits when they are rounded up
      { arbitrary: fc.constantFrom([0, 0, 0], [0, 0, 18]), weight: 1 },
      {
        arbitrary: fc.constantFrom([0xffff_fffd, 4, 18], [4, 0xffff_ffff, 18, 0], [
          1 << 31 >>> 0,
          4,
          3,
        ]),
        weight: 1,
      },
      {
        arbitrary: fc.oneof(fc.constantFrom(4, 18, 0x006e6558, 0, 0x100000, 12), boundary32)
          .map((word) => [word]),
        weight: 3,
      },
    ),
    { maxLength: 10 },
  ).map((parts) => parts.flat()),
  cut: fc.constantFrom(0, 0, 1, 3),
  align: fc.constantFrom(0n, 1n, 4n, 8n, 13n),
  filesz: sometimes(fc.oneof({ arbitrary: boundary, weight: 4 }, fc.constant(0n)), 5),
  twice: fc.boolean(),
  // Program headers of one and the same segment: 128 of them are 1 MiB
  many: sometimes(fc.constantFrom(128, 129, 129), 12),
  bits: fc.constantFrom(64 as const, 32 as const),
}).map(({ filler, words, cut, align, filesz, twice, many, bits }) => {
  const first = filler === undefined
    ? []
    : [4, 4 * filler, 3, 0x00554e47, ...Array(filler).fill(0)];
  const all = [...first, ...words];
  const bytes = new Uint8Array(all.length * 4);
  all.forEach((value, i) => poke(bytes, 4 * i, 4, value));
  const note: Segment = { p_type: 4, p_align: align, bytes: bytes.slice(0, bytes.length - cut) };
  const bentNote = filesz === undefined
    ? note
    : { ...note, p_filesz: filesz, p_memsz: bytes.length };
  const segments: Segment[] = [{ bytes: pattern(64) }, bentNote, ...(twice ? [note] : [])];
  if (many !== undefined) {
    const p_offset = (bits === 64 ? 64 + 56 * (many + 1) : 52 + 32 * (many + 1)) + 64;
    const long = noteBytes([{ name: "GNU\0", type: 3, descriptor: new Uint8Array(8192 - 16) }]);
    const one = { p_type: 4, p_offset, p_filesz: long.length };
    const rows = Array.from({ length: many - 1 }, () => one);
    segments.splice(1, segments.length, { p_type: 4, bytes: long }, ...rows);
  }
  return { bytes: elfImage({ bits, segments }), low: 0x100000n, high: 0x100040n };
});
