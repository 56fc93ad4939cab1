/** bzImages, and Images of arm64 and riscv64: valid ones of many shapes, then bent. */
import fc from "fast-check";
import type { KernelFile } from "./elf_files.ts";
import { arm64Image, bzImage, IMAGE, pattern, poke, SETUP } from "./images.ts";
import { bends, bent, boundary, fieldBend, type Place, placesOf, sometimes } from "./numbers.ts";

const kernelSizes = fc.constantFrom(0x1000, 0x210, 0x201, 0x200, 0x100, 0, 0x0fff, 0x2345);

/** What an EFI application's section table says too much of the file's size, for each section. */
const sections = sometimes(
  fc.array(fc.constantFrom(0, 0, 0, -1, 1, 0xffff_f000), { minLength: 1, maxLength: 2 }),
  7,
);

/** PE format, "MS-DOS Stub", "COFF File Header", "Section Table": all that a loader looks at. */
function withSections(file: Uint8Array, plus: readonly number[] | undefined): Uint8Array {
  const [header, optional] = [0x40, 4];
  const table = header + 24 + optional;
  if (!plus || table + 40 * plus.length > Math.min(file.length, 0x1f1)) return file;
  const bytes = file.slice();
  poke(bytes, 0, 2, 0x5a4d); // "MZ"
  poke(bytes, 0x3c, 4, header);
  poke(bytes, header, 4, 0x4550); // "PE"
  poke(bytes, header + 6, 2, plus.length);
  poke(bytes, header + 20, 2, optional);
  for (const [i, more] of plus.entries()) {
    poke(bytes, table + 40 * i + 16, 4, 0x40);
    poke(bytes, table + 40 * i + 20, 4, file.length - 0x40 + more);
  }
  return bytes;
}

/** What a loader looks at. */
const LOOKED_AT = {
  ...{ boot_flag: SETUP.boot_flag, jump: SETUP.jump, version: SETUP.version },
  ...{ syssize: SETUP.syssize, xloadflags: SETUP.xloadflags, init_size: SETUP.init_size },
  ...{ kernel_alignment: SETUP.kernel_alignment, pref_address: SETUP.pref_address },
  ...{ initrd_addr_max: SETUP.initrd_addr_max, cmdline_size: SETUP.cmdline_size },
};

/** bzImages. */
export const bzImageFiles: fc.Arbitrary<KernelFile> = fc.record({
  size: kernelSizes,
  setup_sects: fc.constantFrom(1, 1, 0, 4, 27),
  version: fc.constantFrom(
    0x20f,
    0x20f,
    0x20e,
    0x20c,
    0x20d,
    0x20b,
    0x205,
    // Each version that has a field more
    ...[0x203, 0x206, 0x207, 0x208, 0x209, 0x20a, 0x20e],
    0x202,
    0x201,
    0x200,
    0x1ff,
    0xffff,
  ),
  // Ends of fields, and one byte before
  headerEnd: fc.constantFrom(0x6a, 0x6a, 0x69, 0x62, 0x61, 0x5e, 0x5d, 0x4e, 0x4d, 0x3a, 0x39),
  oddEnd: fc.constantFrom(0x36, 0x35, 0x34, 0x00, 0x7f, 0x80, 0x8e, 0x8f, 0xff),
  // syssize counts 16 bytes each: the file may lack the padding
  cut: fc.constantFrom(0, 0, 0, 1, 15, 16),
  relocatable_kernel: fc.constantFrom(1, 1, 0, 0xff),
  kernel_alignment: fc.constantFrom(0x200000, 0x1000, 0x10000, 1, 0, 3, 0x80000000, 0x1000000),
  min_alignment: fc.constantFrom(0, 0, 12, 13, 16, 21, 63, 64, 255),
  pref_address: fc.oneof(
    {
      arbitrary: fc.constantFrom(0x1000000n, 0x100000n, 0x1000123n, 0n, 0x9f000n, 0x1_0000_0000n),
      weight: 6,
    },
    // Up to 4 GiB, or across
    { arbitrary: fc.constantFrom(0xffff_0000n, 0xffff_f000n), weight: 1 },
    { arbitrary: boundary, weight: 1 },
  ),
  init_size: fc.constantFrom(0x10000, 0, 1, 0x2000, 0x21000, 0xffffffff),
  xloadflags: fc.constantFrom(0b11, 0b11, 0b01, 0b10, 0, 0x3f),
  initrd_addr_max: fc.constantFrom(0x7fffffff, 0x37ffffff, 0, 0xfff, 0x1ffff, 0xffffffff),
  cmdline_size: fc.constantFrom(2047, 255, 0, 1, 16, 0xffffffff),
  setup_data: sometimes(boundary, 6),
  // The header's last fields: only the kernel itself looks at them
  handover_offset: fc.constantFrom(0x190, 0),
  kernel_info_offset: fc.constantFrom(0x1234_5678, 0, 0xffff_ffff),
  syssizePlus: fc.constantFrom(0, 0, 0, 1, -1, 2, 1 << 28),
  // One odd thing alone shows whether it is looked at
  kind: fc.constantFrom(
    "odd" as const,
    "odd",
    "one bend" as const,
    "odd end" as const,
    "valid" as const,
    "valid",
    "valid",
  ),
  trailing: fc.constantFrom(0, 0, 0, 1, 600),
  sections,
  payload: sometimes(
    fc.record({
      payload_offset: fc.constantFrom(0, 0x100, 0x1000),
      payload_length: fc.constantFrom(0, 1, 0x1000, 0xffff_ffff),
    }),
    5,
  ),
  loadflags: fc.nat(30).map((n) => [0x80, 0x81, 0x81][n] ?? 1),
  bends: bends(placesOf(SETUP)),
  one: fieldBend(placesOf(LOOKED_AT)),
}).map(
  (
    {
      sections,
      payload,
      size,
      headerEnd,
      oddEnd,
      cut,
      syssizePlus,
      kind,
      trailing,
      bends,
      one,
      setup_data = 0n,
      ...fields
    },
  ) => {
    const valid = kind !== "odd";
    // Every odd choice alone makes a file that is refused: half of the files have few of them.
    const good = valid
      ? {
        ...{ kernel_alignment: 0x10000, xloadflags: fields.xloadflags & 3 },
        version: fields.version < 0x202 || fields.version === 0xffff ? 0x20f : fields.version,
        ...{ setup_sects: fields.setup_sects || 4 },
        ...{ min_alignment: fields.min_alignment > 16 ? 12 : fields.min_alignment },
        ...{ cmdline_size: 2047, init_size: Math.min(fields.init_size, 0x21000) },
      }
      : {};
    // One that ends where its 64-bit entry is has only the other
    const isWhole = valid && size !== 0x200;
    const kernel = pattern(isWhole ? Math.max(size, 0x210) : size, 3);
    const syssize = Math.max(Math.ceil(kernel.length / 16) + (valid ? 0 : syssizePlus), 0);
    const isOddEnd = kind === "odd end" || kind === "odd" && syssizePlus !== 0;
    const jump = (isOddEnd ? oddEnd : headerEnd) << 8 | 0xeb;
    const whole = bzImage({ kernel, jump, syssize, ...fields, ...payload, setup_data, ...good });
    const end = whole.length - (valid ? cut & 15 : cut);
    const padded = new Uint8Array(end + (cut === 0 ? trailing : 0)).fill(0xcd);
    padded.set(whole.subarray(0, end));
    const file = withSections(padded, sections);
    // Where the version or the header's end is before pref_address, there is none
    const { version } = { ...fields, ...good };
    const hasPreferred = version >= 0x20a && headerEnd >= 0x5e;
    const low = hasPreferred && fields.pref_address || 0x100000n;
    const span = BigInt(Math.max(Math.min(fields.init_size, 0x40000), kernel.length, 0x1000));
    const align = BigInt(valid ? 0x10000 : fields.kernel_alignment || 1);
    const aligned = align > 0x1000000n ? low : (low + align - 1n) / align * align;
    const loads = [0n, 0x1000n, 0x2000n, 0x8000n, 0x10000n, align, -0x1000n, 0x800n]
      .map((plus) => aligned + plus)
      .concat(1n << 32n);
    return {
      bytes: bent(file, { valid: [], "odd end": [], "one bend": [one], odd: bends }[kind]),
      low: aligned,
      high: aligned + span,
      loads,
    };
  },
);

const flatRecipe = fc.record({
  size: fc.constantFrom(0x1000, 64, 63, 0x2345, 0x10000, 65),
  textOffset: fc.oneof(
    { arbitrary: fc.constantFrom(0n, 0n, 0x80000n, 0x200000n, 0x280000n, 0x1000n), weight: 8 },
    { arbitrary: boundary, weight: 1 },
  ),
  imageSize: fc.oneof(
    { arbitrary: fc.constantFrom(0x3000n, 0x20000n, 0n, 1n, 0x1000n, 0x2345n), weight: 8 },
    { arbitrary: boundary, weight: 1 },
  ),
  flags: fc.oneof(
    { arbitrary: fc.constantFrom(0b1010n, 0n, 0b1000n, 0b0110n, 0b1100n), weight: 6 },
    { arbitrary: fc.constantFrom(1n, 0b1011n, 1n << 63n), weight: 1 },
  ),
  base: fc.constantFrom(0x40000000n, 0x40000000n, 0n, 0x40200000n, 0x10_0000_0000n),
  calm: fc.nat(2).map((n) => n > 0),
}).map(({ calm, ...recipe }) => {
  if (!calm) return { ...recipe, calm };
  const { size, textOffset, imageSize, flags } = recipe;
  return {
    ...recipe,
    calm,
    size: Math.max(size, 64),
    textOffset: textOffset < 0x400000n ? textOffset : 0n,
    imageSize: imageSize < 0x100000n ? imageSize : 0x3000n,
    flags: flags & 0b1110n,
  };
});

/** arm64 Images. */
export const arm64Files: fc.Arbitrary<KernelFile> = fc.record({
  recipe: flatRecipe,
  sections,
  bends: bends(placesOf(IMAGE)),
}).map(({ recipe: { size, textOffset, imageSize, flags, base, calm }, bends, sections }) => {
  const fields = { text_offset: textOffset, image_size: imageSize, flags };
  const file = withSections(arm64Image(fields, size), sections);
  return {
    bytes: bent(file, calm ? [] : bends),
    low: base,
    high: base + flatSpan(textOffset, imageSize, size),
    loads: flatLoads(base, textOffset),
  };
});

/** Images whose section table is what matters: about as many rows as are looked at, one of them odd. */
export const sectionFiles: fc.Arbitrary<Uint8Array> = fc.record({
  count: fc.constantFrom(1, 2, 3, 0, 95, 96, 97, 0xffff),
  header: fc.constantFrom(0x40, 0x40, 0x80, 0x1000, 0x2000, 0x8000_0000, 0xffff_fff0),
  optional: fc.constantFrom(0, 4, 240, 0xffff),
  odd: fc.nat(97),
  more: fc.constantFrom(0, 1, 0xffff_f000, -1, 1),
  start: fc.constantFrom("end", "end", "last"),
  magics: fc.constantFrom("both", "both", "both", "no MZ", "no PE"),
}).map(({ count, header, optional, odd, more, start, magics }) => {
  const size = 0x1100;
  const file = arm64Image({}, size);
  poke(file, 0, 2, magics === "no MZ" ? 0 : 0x5a4d);
  poke(file, 0x3c, 4, header);
  if (header + 24 > size) return file;
  poke(file, header, 4, magics === "no PE" ? 0 : 0x4550);
  poke(file, header + 6, 2, count);
  poke(file, header + 20, 2, optional);
  for (let i = 0; i < Math.min(count, 97); i++) {
    const row = header + 24 + optional + 40 * i;
    if (row + 40 > size) break;
    const isOdd = i === odd % count;
    const from = isOdd && start === "last" ? 0xffff_ffe0 : size - 0x40;
    poke(file, row + 16, 4, 0x40 + (isOdd ? more : 0));
    poke(file, row + 20, 4, from);
  }
  return file;
});
/** boot-image-header.rst: an arm64 header with a version, "RISCV" and another magic. */
export const RISCV64_FIELDS = { flags: 0, res2: 2, res4: 0x5643534952n, magic: 0x05435352 };

/** boot-image-header.rst: the header's fields. */
export const RISCV_IMAGE_PLACES: readonly Place[] = [
  ...([[0x00, 4], [0x04, 4], [0x08, 8], [0x10, 8], [0x18, 8], [0x20, 4]] as const),
  ...([[0x24, 4], [0x28, 8], [0x30, 8], [0x38, 4], [0x3c, 4]] as const),
];

/** riscv64 Images. */
export const riscv64Files: fc.Arbitrary<KernelFile> = fc.record({
  recipe: flatRecipe,
  version: fc.constantFrom(2, 2, 1, 0, 0x10000, 0x10002, 0xffffffff),
  magic: fc.constantFrom("both", "both", "both", "first", "second"),
  sections,
  bends: bends(RISCV_IMAGE_PLACES),
}).map(({ recipe, version, magic, sections, bends }) => {
  const { size, textOffset, flags, base, calm } = recipe;
  // An arm64 Image that does not say its size is an old one; this cannot boot
  const imageSize = calm ? recipe.imageSize || 0x3000n : recipe.imageSize;
  const file = pattern(Math.max(size, 64), 5);
  file.fill(0, 0, 64);
  poke(file, 0x00, 4, 0x106f5a4d);
  poke(file, 0x08, 8, textOffset);
  poke(file, 0x10, 8, imageSize);
  poke(file, 0x18, 8, flags & 1n);
  poke(file, 0x20, 4, version);
  if (calm || magic !== "second") poke(file, 0x30, 8, 0x5643534952n); // "RISCV"
  if (calm || magic !== "first") poke(file, 0x38, 4, 0x05435352); // "RSC\x05"
  const bytes = bent(withSections(file.slice(0, size), sections), calm ? [] : bends);
  const high = base + flatSpan(textOffset, imageSize, size);
  return { bytes, low: base, high, loads: flatLoads(base, textOffset) };
});

/** Multiples of 2 MiB and text_offset beyond; some of them below text_offset itself. */
function flatLoads(base: bigint, textOffset: bigint): bigint[] {
  const skew = textOffset % 0x200000n;
  return [base + textOffset, base + skew, skew, base + textOffset + 0x200000n, base + skew + 1n];
}

/** What a flat Image takes from its base on, as far as a test can afford it. */
function flatSpan(textOffset: bigint, imageSize: bigint, size: number): bigint {
  const span = textOffset + (imageSize > BigInt(size) ? imageSize : BigInt(size));
  return span < 0x400000n ? span : 0x400000n;
}
