import { MAX_FRAMES } from "../limits.ts";
import { type BranchFilter, undoArm64, undoX86 } from "./bcj.ts";
import { crc32, crc64 } from "./checksums.ts";
import { unshared } from "./inflate.ts";
import type { PackedInput } from "./input.ts";
import { decodeLzma2 } from "./lzma2.ts";
import { LzmaDecoder } from "./lzma_decoder.ts";
import type { Output } from "./output.ts";

/** The .xz File Format, 2.1.1.1. */
const HEADER_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
/** 2.1.2.4, as a little-endian number. */
const FOOTER_MAGIC = 0x5a59;
const FOOTER_SIZE = 12;
/** 2.1.1.2: the checks that liblzma makes. */
const CHECK_SIZES: { readonly [id: number]: number | undefined } = { 0: 0, 1: 4, 4: 8, 10: 32 };
const CHECK_SHA256 = 10;

/** 3.1.2: bits of a block's flags. */
const FILTER_COUNT = 0x03;
const RESERVED_FLAGS = 0x3c;
const HAS_COMPRESSED_SIZE = 0x40;
const HAS_UNCOMPRESSED_SIZE = 0x80;

/** 5.3.1, 5.3.2: filters. */
const LZMA2 = 0x21;
const BRANCH_FILTERS: { readonly [id: number]: Branch | undefined } = {
  0x04: { undo: undoX86, alignment: 1 },
  0x0a: { undo: undoArm64, alignment: 4 },
};
/** 5.3.1: the dictionary's size is 2 or 3 times a power of two, or one less than 4 GiB. */
const MAX_DICTIONARY_CODE = 40;

interface Branch {
  readonly undo: BranchFilter;
  readonly alignment: number;
}

/** What a block's header says. */
interface BlockHeader {
  readonly compressedSize: number | undefined;
  readonly uncompressedSize: number | undefined;
  readonly dictionarySize: number;
  /** Applied one after the other when the block is there. */
  readonly undo: readonly ((bytes: Uint8Array) => void)[];
}

/** What all streams share: there may be one for every 32 bytes. */
interface Tools {
  readonly decoder: LzmaDecoder;
  /** SHA-256 digests that were made. */
  digests: number;
}

/** What the index must say of a block. */
interface Block {
  readonly unpaddedSize: number;
  readonly uncompressedSize: number;
}

/**
 * Decompresses .xz files: streams in a row with padding, all checks, the index, and the filters
 * that kernels are packed with.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export async function decodeXz(input: PackedInput, output: Output): Promise<void> {
  const tools: Tools = { decoder: new LzmaDecoder(input), digests: 0 };
  do {
    await decodeStream(input, output, tools);
    const start = input.at;
    while (input.rest > 0 && input.bytes[input.at] === 0) input.at++;
    if ((input.at - start) % 4 !== 0) {
      throw input.corrupt(
        "stream padding",
        start,
        "a multiple of 4 bytes",
        `${input.at - start}`,
        "COMPRESSED_TRAILING",
      );
    }
    if (input.rest > 0 && input.bytes[input.at] !== HEADER_MAGIC[0]) input.end();
  } while (input.rest > 0);
}

async function decodeStream(input: PackedInput, output: Output, tools: Tools): Promise<void> {
  const check = readStreamHeader(input);
  const blocks: Block[] = [];
  for (;;) {
    const start = input.at;
    const size = input.u8("block header size");
    if (size === 0) break; // the index indicator
    const header = readBlockHeader(input, start, 4 * (size + 1));
    const dataStart = input.at;
    const first = output.length;
    if (header.uncompressedSize !== undefined) output.announce(header.uncompressedSize);
    decodeLzma2(input, output, tools.decoder, header.dictionarySize);
    const compressedSize = input.at - dataStart;
    checkSize(input, "compressed size", start, header.compressedSize, compressedSize);
    const data = output.bytes.subarray(first, output.length);
    checkSize(input, "uncompressed size", start, header.uncompressedSize, data.length);
    skipPadding(input, "block padding", dataStart);
    for (const undo of header.undo) undo(data);
    if (check === CHECK_SHA256) await verifyDigest(input, data, tools);
    else verifyCheck(input, check, data);
    blocks.push({
      unpaddedSize: dataStart - start + compressedSize + CHECK_SIZES[check]!,
      uncompressedSize: data.length,
    });
  }
  const indexSize = readIndex(input, blocks);
  readFooter(input, check, indexSize);
}

/** 2.1.1: the magic and the check that all blocks have. */
function readStreamHeader(input: PackedInput): number {
  for (const byte of HEADER_MAGIC) {
    const actual = input.u8("magic");
    if (actual !== byte) {
      throw input.corrupt("magic", input.at - 1, `0x${byte.toString(16)}`, actual);
    }
  }
  const at = input.at;
  const flags = input.take(2, "stream flags");
  input.verify("stream flags CRC32", at + 2, input.u32("stream flags CRC32"), crc32(flags));
  const [reserved, check] = flags;
  if (reserved !== 0 || CHECK_SIZES[check] === undefined) {
    throw input.corrupt(
      "stream flags",
      at,
      "a check of none, CRC32, CRC64 or SHA-256",
      reserved << 8 | check,
      "COMPRESSED_UNSUPPORTED",
    );
  }
  return check;
}

/** 1.2: seven bits a byte, the lowest first. */
function readNumber(input: PackedInput, field: string): number {
  const at = input.at;
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = input.u8(field);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte === 0 && i > 0) break; // not the shortest form
    if (byte < 0x80) {
      if (!Number.isSafeInteger(value)) break;
      return value;
    }
  }
  throw input.corrupt(field, at, "a number below 2^53 in its shortest form", "another");
}

function readBlockHeader(input: PackedInput, start: number, size: number): BlockHeader {
  input.at = start;
  const bytes = input.take(size, "block header");
  const end = input.at - 4;
  input.at = end;
  const stored = input.u32("block header CRC32");
  input.verify("block header CRC32", end, stored, crc32(bytes.subarray(0, size - 4)));

  input.at = start + 1;
  const flags = input.u8("block flags");
  if (flags & RESERVED_FLAGS) {
    throw input.corrupt("block flags", start + 1, "reserved bits 0", flags);
  }
  const sizeIf = (flag: number, field: string) =>
    flags & flag ? readNumber(input, field) : undefined;
  const compressedSize = sizeIf(HAS_COMPRESSED_SIZE, "compressed size");
  const uncompressedSize = sizeIf(HAS_UNCOMPRESSED_SIZE, "uncompressed size");
  const undo: ((bytes: Uint8Array) => void)[] = [];
  for (let i = flags & FILTER_COUNT; i > 0; i--) undo.unshift(readBranchFilter(input));
  const dictionarySize = readLzma2Filter(input);
  while (input.at < end) {
    if (input.u8("block header padding") !== 0) {
      throw input.corrupt("block header padding", input.at - 1, "0", input.bytes[input.at - 1]);
    }
  }
  if (input.at > end) {
    throw input.corrupt("block header", start, `filters in ${size} bytes`, "more");
  }
  input.at = end + 4;
  return { compressedSize, uncompressedSize, dictionarySize, undo };
}

function readBranchFilter(input: PackedInput): (bytes: Uint8Array) => void {
  const at = input.at;
  const id = readNumber(input, "filter id");
  const branch = BRANCH_FILTERS[id];
  if (branch === undefined) {
    throw input.corrupt("filter id", at, "x86 or arm64", id, "COMPRESSED_UNSUPPORTED");
  }
  const sizeAt = input.at;
  const size = readNumber(input, "filter properties size");
  if (size !== 0 && size !== 4) {
    throw input.corrupt("filter properties size", sizeAt, "0 or 4", size);
  }
  const startAt = input.at;
  const start = size === 4 ? input.u32("filter start offset") : 0;
  if (start % branch.alignment !== 0) {
    throw input.corrupt("filter start offset", startAt, `a multiple of ${branch.alignment}`, start);
  }
  return (bytes) => branch.undo(bytes, start);
}

function readLzma2Filter(input: PackedInput): number {
  const at = input.at;
  const id = readNumber(input, "filter id");
  if (id !== LZMA2) throw input.corrupt("filter id", at, "LZMA2", id, "COMPRESSED_UNSUPPORTED");
  const sizeAt = input.at;
  const size = readNumber(input, "filter properties size");
  if (size !== 1) throw input.corrupt("filter properties size", sizeAt, "1", size);
  const codeAt = input.at;
  const code = input.u8("dictionary size");
  if (code > MAX_DICTIONARY_CODE) {
    throw input.corrupt("dictionary size", codeAt, `a code of 0 to ${MAX_DICTIONARY_CODE}`, code);
  }
  if (code === MAX_DICTIONARY_CODE) return 2 ** 32 - 1;
  return (2 | code & 1) * 2 ** ((code >> 1) + 11);
}

function checkSize(
  input: PackedInput,
  field: string,
  at: number,
  expected: number | undefined,
  actual: number,
): void {
  if (expected === undefined || expected === actual) return;
  throw input.corrupt(field, at, `${actual} bytes, as there are`, `${expected} bytes`);
}

function skipPadding(input: PackedInput, field: string, start: number): void {
  while ((input.at - start) % 4 !== 0) {
    const byte = input.u8(field);
    if (byte !== 0) throw input.corrupt(field, input.at - 1, "0", byte);
  }
}

/** 3.4, of the data as it was before any filter. */
function verifyCheck(input: PackedInput, check: number, data: Uint8Array): void {
  const at = input.at;
  const field = "block check";
  if (check === 1) input.verify(field, at, input.u32(field), crc32(data));
  if (check === 4) input.verify(field, at, input.u64(field), crc64(data));
}

/** The same for SHA-256, which only the runtime makes. */
async function verifyDigest(input: PackedInput, data: Uint8Array, tools: Tools): Promise<void> {
  const at = input.at;
  const field = "block check";
  if (++tools.digests > MAX_FRAMES) {
    const expected = `at most ${MAX_FRAMES} blocks with SHA-256`;
    throw input.corrupt(field, at, expected, "more", "LIMIT_EXCEEDED");
  }
  const stored = input.take(CHECK_SIZES[CHECK_SHA256]!, field);
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto };
  if (subtle === undefined) { // a page that did not come by https
    const expected = "crypto.subtle for SHA-256";
    throw input.corrupt(field, at, expected, "none", "COMPRESSED_UNSUPPORTED");
  }
  const computed = await subtle.digest("SHA-256", unshared(data));
  input.verify(field, at, asNumber(stored), asNumber(new Uint8Array(computed)));
}

const asNumber = (bytes: Uint8Array): bigint =>
  bytes.reduce((number, byte) => number << 8n | BigInt(byte), 0n);

/** 4: the blocks' sizes once more. The indicator byte is read already. */
function readIndex(input: PackedInput, blocks: readonly Block[]): number {
  const start = input.at - 1;
  const count = readNumber(input, "index record count");
  if (count !== blocks.length) {
    throw input.corrupt("index record count", start + 1, `${blocks.length}`, count);
  }
  for (const { unpaddedSize, uncompressedSize } of blocks) {
    const sizes = { "unpadded size": unpaddedSize, "uncompressed size": uncompressedSize };
    for (const [name, size] of Object.entries(sizes)) {
      checkSize(input, `index ${name}`, input.at, readNumber(input, "index"), size);
    }
  }
  skipPadding(input, "index padding", start);
  const computed = crc32(input.bytes.subarray(start, input.at));
  input.verify("index CRC32", input.at, input.u32("index CRC32"), computed);
  return input.at - start;
}

/** 2.1.2. */
function readFooter(input: PackedInput, check: number, indexSize: number): void {
  const at = input.at;
  const bytes = input.take(FOOTER_SIZE, "footer");
  input.at = at;
  input.verify("footer CRC32", at, input.u32("footer"), crc32(bytes.subarray(4, 10)));
  const backwardSize = 4 * (input.u32("footer") + 1);
  if (backwardSize !== indexSize) {
    throw input.corrupt("backward size", at + 4, `${indexSize}`, backwardSize);
  }
  const flags = input.u16be("footer");
  if (flags !== check) {
    throw input.corrupt("footer flags", at + 8, `0x${check.toString(16)}`, flags);
  }
  const magic = input.take(2, "footer");
  if ((magic[0] | magic[1] << 8) !== FOOTER_MAGIC) {
    throw input.corrupt("footer magic", at + 10, "YZ", magic[0] | magic[1] << 8);
  }
}
