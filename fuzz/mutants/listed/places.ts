/** Faults of what an error says: another field, another place that is inside the file, another code. */
import type { ListedFault } from "./fault.ts";

const ELF = "src/formats/elf.ts";
const NOTES = "src/formats/elf_notes.ts";
const IMAGE = "src/formats/image.ts";
const FDT = "src/formats/fdt.ts";
const FDT_HEADER = "src/formats/fdt_header.ts";
const INPUT = "src/compressed/input.ts";
const ZSTD = "src/compressed/zstd.ts";
const LZ4 = "src/compressed/lz4.ts";
const LZO = "src/compressed/lzo.ts";
const XZ = "src/compressed/xz.ts";
const INFLATE = "src/compressed/inflate.ts";
const UNWRAP = "src/compressed/unwrap.ts";

export const PLACES: readonly ListedFault[] = [
  {
    id: "place-ehdr-of-32-bits",
    what: "a field of a 32-bit file header is said to lie where 64-bit files have it",
    file: ELF,
    find: "offset: ELF_CLASS_LAYOUTS[elfClass].ehdr.fields[name].offset }",
    replace: "offset: ELF_CLASS_LAYOUTS[64].ehdr.fields[name].offset }",
  },
  {
    id: "place-phdr-row",
    what: "p_offset is said to lie where its program header starts",
    file: ELF,
    find: "offset: headerOffset + p_offset.offset }",
    replace: "offset: headerOffset }",
  },
  {
    id: "place-phdr-index",
    what: "the index of a program header counts those that are loaded only",
    file: ELF,
    find: "{ field: `p_offset[${index}]`, offset: headerOffset",
    replace: "{ field: `p_offset[${segments.length}]`, offset: headerOffset",
  },
  {
    id: "place-phdr-field",
    what: "a field of a segment is said to lie where its program header starts",
    file: ELF,
    find: "offset: segment.headerOffset + offset };",
    replace: "offset: segment.headerOffset + 0 * offset };",
  },
  {
    id: "place-section-count",
    what: "sh_info is said to lie where its section header starts",
    file: ELF,
    find: "        offset: section.offset + shInfoOffset,\n",
    replace: "        offset: section.offset,\n",
  },
  {
    id: "place-elf-class",
    what: "a wrong class is said to be the byte order's byte",
    file: ELF,
    find: '{ field: "e_ident[EI_CLASS]", offset: EI_CLASS },',
    replace: '{ field: "e_ident[EI_CLASS]", offset: EI_DATA },',
  },
  {
    id: "place-elf-table",
    what: "a table past the end is said to be e_shoff's fault",
    file: ELF,
    find: 'fileRange(source, header.e_phoff, size, ehdrField(elfClass, "e_phoff"));',
    replace: 'fileRange(source, header.e_phoff, size, ehdrField(elfClass, "e_shoff"));',
  },
  {
    id: "place-note-field",
    what: "a note that is too long is said to start at its wrong field",
    file: NOTES,
    find: "{ field, offset: offset + ELF64_NHDR.fields[field].offset },",
    replace: "{ field, offset },",
  },
  {
    id: "place-note-swapped",
    what: "the name's size is blamed for the descriptor's",
    file: NOTES,
    find: '[["n_namesz", note.nameEnd], ["n_descsz", note.end]] as const',
    replace: '[["n_namesz", note.end], ["n_descsz", note.end]] as const',
  },
  {
    id: "place-note-of-segment",
    what: "a note is said to lie in bytes from its segment's start",
    file: NOTES,
    find: "    const offset = segment.offset + start;\n",
    replace: "    const offset = start;\n",
  },
  {
    id: "place-setup-header",
    what: "a field of setup_header is said to lie in bytes from the header's start",
    file: "src/formats/bzimage.ts",
    find: "offset: SETUP_HEADER_OFFSET + SETUP_HEADER.fields[name].offset,",
    replace: "offset: SETUP_HEADER.fields[name].offset,",
  },
  {
    id: "place-image-magic",
    what: "the magic of a riscv Image is said to be the first one",
    file: IMAGE,
    find: "fields.magic2.offset, header.magic2",
    replace: "fields.magic.offset, header.magic2",
  },
  {
    id: "place-section-row",
    what: "a section that is cut off is said to be the first one",
    file: IMAGE,
    find: "offset: table + row + 16,",
    replace: "offset: table + 16,",
  },
  {
    id: "place-zboot-field",
    what: "every field of a zboot header is said to be the first",
    file: "src/formats/zboot.ts",
    find: "offset: fields[field].offset,",
    replace: "offset: fields.mz_magic.offset,",
  },
  {
    id: "place-fdt-header",
    what: "a field of a device tree's header is said to lie a word further",
    file: FDT_HEADER,
    find: "const { offset } = FDT_HEADER.fields[name];",
    replace: "const offset = FDT_HEADER.fields[name].offset & ~7;",
  },
  {
    id: "place-fdt-name-offset",
    what: "nameoff is said to lie where len does",
    file: FDT,
    find: "this.#propertyName(nameOffset, at + FDT_TOKEN_SIZE);",
    replace: "this.#propertyName(nameOffset, at);",
  },
  {
    id: "place-fdt-string",
    what: "a string is said to lie in bytes from its block's start",
    file: FDT,
    find: 'readName(this.#strings.subarray(nameOffset), "property name", start, MAX_FDT_NAME);',
    replace:
      'readName(this.#strings.subarray(nameOffset), "property name", start - this.#header.off_dt_strings, MAX_FDT_NAME);',
  },
  {
    id: "place-fdt-node",
    what: "a node is said to lie where its name does",
    file: FDT,
    find: "at: at - FDT_TOKEN_SIZE, flatName };",
    replace: "at, flatName };",
  },
  {
    id: "place-fdt-token",
    what: "a token that may not stand there is said to be the one behind it",
    file: FDT,
    find: 'throw structureError("token", at, "a token that may stand in a node", hex(token));',
    replace:
      'throw structureError("token", this.#at, "a token that may stand in a node", hex(token));',
  },
  {
    id: "place-fdt-reservations",
    what: "reservations without an end are said to be wrong where they start",
    file: FDT,
    find: 'const location = { field: "fdt_reserve_entry", offset: at };',
    replace: 'const location = { field: "fdt_reserve_entry", offset: header.off_mem_rsvmap };',
  },
  {
    id: "place-fdt-depth",
    what: "a tree that is too deep is said to be broken, not past a limit",
    file: FDT,
    find: '    "LIMIT_EXCEEDED",\n    { field: `device tree ${what}`, offset: at },',
    replace: '    "FDT_STRUCTURE",\n    { field: `device tree ${what}`, offset: at },',
  },
  {
    id: "place-source-part",
    what: "a read that fails is said to have failed where the first part starts",
    file: "src/source.ts",
    find: 'throw sourceFailed(field, offset + done, "the source threw", cause);',
    replace: 'throw sourceFailed(field, offset, "the source threw", cause);',
  },
  {
    id: "place-source-cause",
    what: "what a source threw is lost",
    file: "src/source.ts",
    find: "    { field, offset, cause },\n",
    replace: "    { field, offset },\n",
  },
  {
    id: "place-packed-base",
    what: "damage in compressed data is said to lie in bytes from its own start, not the file's",
    file: INPUT,
    find: "offset: this.base + at };",
    replace: "offset: at };",
  },
  {
    id: "place-packed-end",
    what: "an end that is too early is said to lie in bytes from the data's start, not the file's",
    file: INPUT,
    find: "const offset = this.base + this.bytes.length;",
    replace: "const offset = this.bytes.length;",
  },
  {
    id: "place-packed-checksum",
    what: "a wrong checksum is said to be damage",
    file: INPUT,
    find: 'throw this.corrupt(field, at, expected, stored, "COMPRESSED_CHECKSUM");',
    replace: "throw this.corrupt(field, at, expected, stored);",
  },
  {
    id: "place-packed-size",
    what: "data that is too large is said to lie at the file's start",
    file: "src/compressed/output.ts",
    find: "{ field: `${format} data`, offset: base, expected, actual }",
    replace: "{ field: `${format} data`, offset: 0, expected, actual }",
  },
  {
    id: "place-inflate-size",
    what: "gzip data that is too large is said to be damaged",
    file: INFLATE,
    find: '      if (code === "ERR_BUFFER_TOO_LARGE") throw output.overflow();\n',
    replace: "",
  },
  {
    id: "place-inflate-end",
    what: "gzip data that is cut off is said to be damaged",
    file: INFLATE,
    find: '      if (code === "Z_BUF_ERROR") throw input.truncated("data");\n',
    replace: "",
  },
  {
    id: "place-zstd-window",
    what: "a window that is too large is said to be the frame's descriptor",
    file: ZSTD,
    find: 'input.corrupt("window", at + 1, expected',
    replace: 'input.corrupt("window", at, expected',
  },
  {
    id: "place-zstd-frame",
    what: "the second frame's size is said to be in the first",
    file: ZSTD,
    find: 'input.corrupt("content size", contentSizeAt, expected',
    replace: 'input.corrupt("content size", 0, expected',
  },
  {
    id: "place-lz4-block",
    what: "a block that is too large is said to start behind its size",
    file: LZ4,
    find: 'if (size > maximum) throw input.corrupt("block size", at, `at most',
    replace: 'if (size > maximum) throw input.corrupt("block size", input.at, `at most',
  },
  {
    id: "place-lzo-checksum",
    what: "a block's checksum is said to lie behind itself",
    file: LZO,
    find: "[{ field, at: input.at, stored: input.u32be(field), compute }]",
    replace: "[{ field, stored: input.u32be(field), at: input.at, compute }]",
  },
  {
    id: "place-xz-padding",
    what: "padding that is not zero is said to be the byte behind",
    file: XZ,
    find: 'if (byte !== 0) throw input.corrupt(field, input.at - 1, "0", byte);',
    replace: 'if (byte !== 0) throw input.corrupt(field, input.at, "0", byte);',
  },
  {
    id: "place-xz-footer",
    what: "a footer's check is said to be its size",
    file: XZ,
    find: 'throw input.corrupt("footer flags", at + 8,',
    replace: 'throw input.corrupt("footer flags", at + 4,',
  },
  {
    id: "place-unwrap-payload",
    what: "damage in a payload is said to lie in bytes from the payload's start",
    file: UNWRAP,
    find: "output: goesTo, offset });",
    replace: "output: goesTo });",
  },
  {
    id: "place-unwrap-inside",
    what: "all damage in inner layers is said to be an unknown format",
    file: UNWRAP,
    find: "  return new LoaderError(\n    code,\n",
    replace: '  return new LoaderError(\n    "UNKNOWN_FORMAT",\n',
  },
  {
    id: "place-unwrap-missing",
    what: "a bzImage without payload_length is said to have no payload_offset",
    file: UNWRAP,
    find: 'const field = start === 0 ? "payload_offset" : "payload_length";',
    replace: 'const field = size <= SIZE_WORD ? "payload_offset" : "payload_length";',
  },
];
