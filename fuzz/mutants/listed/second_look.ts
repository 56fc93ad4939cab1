/** Faults of parsers and decoders that a second look brought. */
import type { ListedFault } from "./fault.ts";

const ELF = "src/formats/elf.ts";
const NOTES = "src/formats/elf_notes.ts";
const BZIMAGE = "src/formats/bzimage.ts";
const FDT = "src/formats/fdt.ts";
const HEADER = "src/formats/fdt_header.ts";
const RULES = "src/formats/fdt_rules.ts";
const WRITE = "src/formats/fdt_write.ts";
const SOURCE = "src/source.ts";
const GZIP = "src/compressed/gzip.ts";
const LZ4 = "src/compressed/lz4.ts";
const LZO = "src/compressed/lzo.ts";
const ZSTD = "src/compressed/zstd.ts";
const XZ = "src/compressed/xz.ts";

export const SECOND_LOOK: readonly ListedFault[] = [
  {
    id: "elf-other-types",
    what: "segments of types between PT_LOAD and PT_NOTE are notes",
    file: ELF,
    find: "if (type !== PT_LOAD && type !== PT_NOTE) continue;",
    replace: "if (type < PT_LOAD || type > PT_NOTE) continue;",
  },
  {
    id: "elf-range-edge",
    what: "off by one: a segment may not end where the file does",
    file: ELF,
    find: "if (start + size > BigInt(source.size)) {",
    replace: "if (start + size >= BigInt(source.size)) {",
  },
  {
    id: "elf-xnum-no-section",
    what: "PN_XNUM without section headers reads the file header as one",
    file: ELF,
    find: "if (e_shoff === 0n) {",
    replace: "if (e_shoff < 0n) {",
  },
  {
    id: "elf-load-note-owner",
    what: "Elf.load takes the PVH entry of any owner",
    file: NOTES,
    find: 'if (this.#word(name, left, "note name") === XEN_NAME_WORD) {',
    replace: 'if (this.#word(name, left, "note name") !== 0) {',
  },
  {
    id: "bzimage-sectors-signed",
    what: "setup_sects has 7 bits",
    file: BZIMAGE,
    find: "((raw.setup_sects || DEFAULT_SETUP_SECTS) + 1)",
    replace: "((raw.setup_sects & 0x7f || DEFAULT_SETUP_SECTS) + 1)",
  },
  {
    id: "bzimage-smallest",
    what: "off by one: a file may end before loadflags",
    file: BZIMAGE,
    find: 'requireBytes(source.size, 0, OLDEST_HEADER_END, "setup_header");',
    replace: 'requireBytes(source.size, 0, OLDEST_HEADER_END - 1, "setup_header");',
  },
  {
    id: "bzimage-magic-word",
    what: "two letters are enough of a magic",
    file: BZIMAGE,
    find: "if (header !== HDRS_MAGIC) {",
    replace: "if ((header & 0xffff) !== (HDRS_MAGIC & 0xffff)) {",
  },
  {
    id: "image-magic-part",
    what: "three bytes are enough of an Image's magic",
    file: "src/formats/image.ts",
    find: "if (actual === expected) return;",
    replace: "if (actual % 2 ** 24 === expected % 2 ** 24) return;",
  },
  {
    id: "zboot-offset-edge",
    what: "off by one: a payload may not follow the header at once",
    file: "src/formats/zboot.ts",
    find: "if (payloadOffset < size) {",
    replace: "if (payloadOffset <= size) {",
  },
  {
    id: "detect-lzma-short",
    what: "two bytes of an LZMA file are its magic",
    file: "src/formats/detect.ts",
    find: '["lzma", [0x5d, 0x00, 0x00]],',
    replace: '["lzma", [0x5d, 0x00]],',
  },
  {
    id: "source-size-negative",
    what: "a source may have a negative size",
    file: SOURCE,
    find: "!Number.isSafeInteger(source.size) || source.size! < 0",
    replace: "!Number.isSafeInteger(source.size)",
  },
  {
    id: "source-bytes-early",
    what: "as much is allocated as is asked for before the source's size is looked at",
    file: SOURCE,
    find: "  requireBytes(source.size, offset, size, field);\n  const bytes",
    replace: "  const bytes",
  },
  {
    id: "source-count-fraction",
    what: "a source may say that it read half a byte",
    file: SOURCE,
    find: "!Number.isInteger(count) || count <= 0",
    replace: "!(count > 0)",
  },
  {
    id: "fdt-property-late",
    what: "a property that follows a child is refused",
    file: FDT,
    find: "        case FDT_PROP:\n",
    replace:
      '        case FDT_PROP:\n          if (node.children.length > 0) throw structureError("token", at, "no property", hex(token));\n',
  },
  {
    id: "fdt-nop-first",
    what: "FDT_NOPs may come before the root",
    file: FDT,
    find: '    this.#expect(FDT_BEGIN_NODE, "FDT_BEGIN_NODE");\n',
    replace:
      '    while (this.#view.getUint32(this.#at) === FDT_NOP) this.#at += FDT_TOKEN_SIZE;\n    this.#expect(FDT_BEGIN_NODE, "FDT_BEGIN_NODE");\n',
  },
  {
    id: "fdt-old-version",
    what: "in version 16 nodes tell their paths, too",
    file: FDT,
    find: "header.version < FDT_LAST_COMP_VERSION;",
    replace: "header.version <= FDT_LAST_COMP_VERSION;",
  },
  {
    id: "fdt-path-prefix",
    what: "a node's path need not start with its parent's",
    file: FDT,
    find: "if (!path.startsWith(parent) || path.length < start) {",
    replace: "if (path.length < start) {",
  },
  {
    id: "fdt-header-of-3",
    what: "a header of version 3 has no size of the strings",
    file: HEADER,
    find: "if (version >= VERSION_3) return FDT_HEADER_SIZE_V16;",
    replace: "if (version > VERSION_3) return FDT_HEADER_SIZE_V16;",
  },
  {
    id: "fdt-strings-of-2",
    what: "before version 3 the strings have no size",
    file: HEADER,
    find: "return version < VERSION_3 ? { ...header, size_dt_strings: stringsRoom } : header;",
    replace: "return header;",
  },
  {
    id: "fdt-old-phandle",
    what: "linux,phandle is a name like any other",
    file: RULES,
    find: 'const PHANDLES = ["phandle", "linux,phandle"];',
    replace: 'const PHANDLES = ["phandle"];',
  },
  {
    id: "fdt-name-unit",
    what: "a node's name property tells the unit address, too",
    file: RULES,
    find: '`${name.split("@", 1)[0]}\\0`',
    replace: "`${name}\\0`",
  },
  {
    id: "fdt-write-strings-size",
    what: "the strings' size counts the padding behind them",
    file: WRITE,
    find: "size_dt_strings: layout.stringsSize,",
    replace: "size_dt_strings: align(layout.stringsSize, BLOCK_ALIGNMENT),",
  },
  {
    id: "fdt-write-struct-size",
    what: "the structure's size does not count its end",
    file: WRITE,
    find: "size_dt_struct: layout.structSize,",
    replace: "size_dt_struct: layout.structSize - FDT_TOKEN_SIZE,",
  },
  {
    id: "gzip-crc-before-name",
    what: "a header's checksum is looked for before the name",
    file: GZIP,
    find: "while (flags & flag && input.u8(field) !== 0);",
    replace: "while (flags & flag && !(flags & FHCRC) && input.u8(field) !== 0);",
  },
  {
    id: "lz4-length-past-block",
    what: "a match's length may go on in the next block",
    file: LZ4,
    find: 'if (at >= end) throw broken(input, at, "the rest of a match length");',
    replace: 'if (at >= bytes.length) throw broken(input, at, "the rest of a match length");',
  },
  {
    id: "lz4-offset-past-block",
    what: "a match's offset may go on in the next block",
    file: LZ4,
    find: "if (end - at < 2) throw",
    replace: "if (end - at < 1) throw",
  },
  {
    id: "lz4-legacy-size",
    what: "a legacy block's size has no limit",
    file: LZ4,
    find: "if (size === 0 || size > LEGACY_MAX_PACKED) {",
    replace: "if (size === 0) {",
  },
  {
    id: "lzo-instruction-past-block",
    what: "an instruction may lie behind its block",
    file: LZO,
    find: "if (end - at < 3) throw",
    replace: "if (end - at < -3) throw",
  },
  {
    id: "lzo-length-zeros",
    what: "the zeros of a length may go on behind the block",
    file: LZO,
    find: 'if (at > end) throw broken(input, end, "a length", "the end");',
    replace: "",
  },
  {
    id: "lzo-offset-past-block",
    what: "a distance may lie behind its block",
    file: LZO,
    find: 'if (end - at < 2) throw broken(input, at, "a distance", "the end");',
    replace: "",
  },
  {
    id: "zstd-size-width",
    what: "a content size of 8 bytes is read as 4",
    file: ZSTD,
    find: "[isSingle ? 1 : 0, 2, 4, 8][sizeCode];",
    replace: "[isSingle ? 1 : 0, 2, 4, 4][sizeCode];",
  },
  {
    id: "zstd-size-plus",
    what: "a content size of 4 bytes has 256 added",
    file: ZSTD,
    find: "(sizeCode === 1 ? 256n : 0n)",
    replace: "(sizeCode > 0 && sizeCode < 3 ? 256n : 0n)",
  },
  {
    id: "zstd-size-below",
    what: "a content size below what the blocks hold is taken",
    file: ZSTD,
    find: "if (contentSize < least || contentSize > most) {",
    replace: "if (contentSize > most) {",
  },
  {
    id: "xz-padding-between",
    what: "stream padding is looked at behind the last stream only",
    file: XZ,
    find: "if ((input.at - start) % 4 !== 0) {",
    replace: "if ((input.at - start) % 4 !== 0 && input.rest === 0) {",
  },
  {
    id: "lzma-pending-lost",
    what: "the rest of a match is lost where the output grows",
    file: "src/compressed/lzma_decoder.ts",
    find: "    this.#pending = length;\n",
    replace: "    this.#pending = 0;\n",
  },
  {
    id: "inflate-chunk-large",
    what: "a chunk of 64 MiB is made for each member",
    file: "src/compressed/inflate.ts",
    find: "Math.max(MIN_OUTPUT_CHUNK, Math.min(likely, most));",
    replace: "most;",
  },
];
