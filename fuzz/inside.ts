/**
 * Parts of the library that no entry point gives, and that a boot shows only little of: readers of
 * sources, what Elf.load and bzImages look at, decoders and the engines of other runtimes. The one file of fuzz/
 * that may take them from src/ (scripts/check_layers.ts).
 *
 * @module
 */
export { decodeBzip2 } from "../src/compressed/bzip2.ts";
export { decodeGzip } from "../src/compressed/gzip.ts";
export { streamInflate } from "../src/compressed/inflate.ts";
export { PackedInput } from "../src/compressed/input.ts";
export { decodeLz4, decodeLz4Legacy } from "../src/compressed/lz4.ts";
export { decodeLzma } from "../src/compressed/lzma.ts";
export { decodeLzma2 } from "../src/compressed/lzma2.ts";
export { LzmaDecoder } from "../src/compressed/lzma_decoder.ts";
export { decodeLzo } from "../src/compressed/lzo.ts";
export { Output } from "../src/compressed/output.ts";
export { decodeZstd } from "../src/compressed/zstd.ts";
export { nativeEngine, wasmEngine, type ZstdEngine } from "../src/compressed/zstd_engine.ts";
export { parseElfHeader, readProgramHeaders } from "../src/formats/elf.ts";
export { PvhEntryReader } from "../src/formats/elf_notes.ts";
export { requireSections } from "../src/formats/image.ts";
export { readBytes, readHead } from "../src/source.ts";
