/** .xz files of raw chunks, written by hand. */
import { createHash } from "node:crypto";
import {
  be,
  CHECKSUM,
  CORRUPT,
  crc32,
  type HandMade,
  le,
  padded,
  SIZE,
  TRAILING,
  UNSUPPORTED,
} from "./hand_made_bytes.ts";
import { number, sealed, xz } from "./hand_made_xz_file.ts";

/** arm64: BL of words from 0 on, which the filter makes relative to themselves, in each block anew. */
const BRANCHES = Array.from({ length: 4 }, (_, i) => le(0x94000100 + i, 4)).flat();
const [ARM64, X86] = [[0x0a, 0], [0x04, 0]];
const UNDONE = Array.from({ length: 4 }, () => le(0x94000100, 4)).flat();
const TWICE_UNDONE = [...UNDONE, ...UNDONE];
/** arm64 first, from 4 on: then 0xe8 is no call any more. */
const CALL = [0xe8, 0, 0, 0x94, 0, 0, 0, 0];
const rawChunk = (bytes: readonly number[]) => [1, ...be(bytes.length - 1, 2), ...bytes];

/** Two blocks of the same, with a filter, and the index of both. */
function twoBlocks(): Uint8Array {
  const header = sealed([2, 1, ...ARM64, 0x21, 1, 0, 0]);
  const body = padded([...rawChunk(BRANCHES), 0]);
  const block = [...header, ...body, ...le(crc32(UNDONE), 4)];
  const unpadded = header.length + BRANCHES.length + 4 + 4;
  const row = [...number(unpadded), ...number(BRANCHES.length)];
  const index = sealed(padded([0, 2, ...row, ...row]));
  const footer = [...le(index.length / 4 - 1, 4), 0, 1];
  return Uint8Array.from([
    ...[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, ...sealed([0, 1])],
    ...[...block, ...block, ...index, ...le(crc32(footer), 4), ...footer, 0x59, 0x5a],
  ]);
}

const sha256 = (plus: number) => (data: Uint8Array) => {
  const sum = [...createHash("sha256").update(data).digest()];
  return [...sum.slice(0, 31), sum[31] ^ plus];
};
/** ECMA-182, bits reversed. */
const crc64 = (mask: bigint) => (data: Uint8Array) => {
  let crc = (1n << 64n) - 1n;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let i = 0; i < 8; i++) crc = crc >> 1n ^ (crc & 1n) * 0xc96c5795d7870f42n;
  }
  crc = crc ^ (1n << 64n) - 1n ^ mask;
  return Array.from({ length: 8 }, (_, i) => Number(crc >> BigInt(8 * i) & 255n));
};

/** By name. */
export const XZ_FILES: Readonly<Record<string, HandMade>> = {
  "xz": { format: "xz", make: xz() },
  "xz with stream padding": { format: "xz", make: xz({ after: [0, 0, 0, 0] }) },
  "xz with half a stream padding": {
    format: "xz",
    make: xz({ after: [0, 0] }),
    code: TRAILING,
    field: "stream padding",
    at: -2,
  },
  "xz with bytes behind": {
    format: "xz",
    make: xz({ after: [1, 0, 0, 0] }),
    code: TRAILING,
    field: "end",
    at: -4,
  },
  "xz without a dictionary": {
    format: "xz",
    make: xz({ control: 2 }),
    code: CORRUPT,
    field: "LZMA2 control",
    at: 24,
  },
  "xz with an unknown chunk": {
    format: "xz",
    make: xz({ control: 3 }),
    code: CORRUPT,
    field: "LZMA2 control",
    at: 24,
  },
  "xz with another size in the index": {
    format: "xz",
    make: xz({ indexPlus: 1 }),
    code: CORRUPT,
    field: "index uncompressed size",
  },
  "xz with another block in the index": {
    format: "xz",
    make: xz({ unpaddedPlus: 4 }),
    code: CORRUPT,
    field: "index unpadded size",
  },
  "xz with a block less in the index": {
    format: "xz",
    make: xz({ countPlus: -1 }),
    code: CORRUPT,
    field: "index record count",
  },
  "xz with another index size": {
    format: "xz",
    make: xz({ backwardPlus: 1 }),
    code: CORRUPT,
    field: "backward size",
    at: -8,
  },
  "xz with another check": {
    format: "xz",
    make: xz({ checkPlus: 1 }),
    code: CHECKSUM,
    field: "block check",
  },
  "xz with a filter of PowerPC": {
    format: "xz",
    make: xz({ filter: 0x05 }),
    code: UNSUPPORTED,
    field: "filter id",
    at: 14,
  },
  "xz with the size in the header": { format: "xz", make: xz({ headerSizePlus: 0 }) },
  "xz with a larger size in the header": {
    format: "xz",
    make: xz({ headerSizePlus: 1 }),
    code: CORRUPT,
    field: "uncompressed size",
    at: 12,
  },
  "xz with a smaller size in the header": {
    format: "xz",
    make: xz({ headerSizePlus: -1 }),
    code: CORRUPT,
    field: "uncompressed size",
    at: 12,
  },
  "xz with a filter behind the header": {
    format: "xz",
    make: xz({ isHeaderShort: true }),
    code: CORRUPT,
    field: "block header",
    at: 12,
  },
  "xz with padding of ones": {
    format: "xz",
    make: () => xz({ padding: 1 })(Uint8Array.of(1)),
    code: CORRUPT,
    field: "block padding",
    at: 29,
  },
  "xz whose footer has another check": {
    format: "xz",
    make: xz({ footerCheck: 4 }),
    code: CORRUPT,
    field: "footer flags",
    at: -4,
  },
  "xz with another CRC of the stream flags": {
    format: "xz",
    make: xz({ plus: [1, 0, 0, 0] }),
    ...{ code: CHECKSUM, field: "stream flags CRC32", at: 8 },
  },
  "xz with another CRC of the block header": {
    format: "xz",
    make: xz({ plus: [0, 1, 0, 0] }),
    ...{ code: CHECKSUM, field: "block header CRC32", at: 20 },
  },
  "xz with another CRC of the index": {
    format: "xz",
    make: xz({ plus: [0, 0, 1, 0] }),
    ...{ code: CHECKSUM, field: "index CRC32", at: -16 },
  },
  "xz with another CRC of the footer": {
    format: "xz",
    make: xz({ plus: [0, 0, 0, 1] }),
    ...{ code: CHECKSUM, field: "footer CRC32", at: -12 },
  },
  "xz with another magic at its end": {
    format: "xz",
    make: xz({ magic: [0x59, 0x5b] }),
    ...{ code: CORRUPT, field: "footer magic", at: -2 },
  },
  "xz with an unknown check": {
    format: "xz",
    make: xz({ checkId: 2 }),
    ...{ code: UNSUPPORTED, field: "stream flags", at: 6 },
  },
  "xz with SHA-256": { format: "xz", make: xz({ checkId: 10, check: sha256(0) }) },
  "xz with another SHA-256": {
    format: "xz",
    make: xz({ checkId: 10, check: sha256(1) }),
    ...{ code: CHECKSUM, field: "block check" },
  },
  "xz with CRC64": { format: "xz", make: xz({ checkId: 4, check: crc64(0n) }) },
  "xz with a CRC64 that is high": {
    format: "xz",
    make: xz({ checkId: 4, check: crc64(1n << 63n) }),
    ...{ code: CHECKSUM, field: "block check" },
  },
  "xz without a check": { format: "xz", make: xz({ checkId: 0, check: () => [] }) },
  ...Object.fromEntries([0x04, 0x20].map((flag): [string, HandMade] => [
    `xz with the reserved flag ${flag} of a block`,
    {
      format: "xz",
      make: xz({ header: [flag, 0x21, 1, 0] }),
      ...{ code: CORRUPT, field: "block flags", at: 13 },
    },
  ])),
  "xz with another compressed size": {
    format: "xz",
    make: xz({ header: [0x40, 3, 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "compressed size", at: 12 },
  },
  "xz that says to have 8 GiB": {
    format: "xz",
    make: xz({ header: [0x80, ...number(2 ** 33), 0x21, 1, 0] }),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "xz that says to have 512 MiB": {
    format: "xz",
    make: xz({ header: [0x80, ...number(2 ** 29), 0x21, 1, 0] }),
    ...{ code: SIZE, field: "data", at: 0 },
  },
  "xz with a number that is not in its shortest form": {
    format: "xz",
    make: xz({ header: [0, 0xa1, 0, 1, 0] }),
    ...{ code: CORRUPT, field: "filter id", at: 14 },
  },
  "xz with a number past 2^53": {
    format: "xz",
    make: xz({ header: [0x80, ...Array(8).fill(0xff), 0x7f, 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "uncompressed size", at: 14 },
  },
  "xz with a dictionary of 4 GiB": { format: "xz", make: xz({ header: [0, 0x21, 1, 40] }) },
  "xz with a dictionary of more": {
    format: "xz",
    make: xz({ header: [0, 0x21, 1, 41] }),
    ...{ code: CORRUPT, field: "dictionary size", at: 16 },
  },
  "xz with two dictionary sizes": {
    format: "xz",
    make: xz({ header: [0, 0x21, 2, 0] }),
    ...{ code: CORRUPT, field: "filter properties size", at: 15 },
  },
  "xz with a filter whose start has 3 bytes": {
    format: "xz",
    make: xz({ header: [1, 0x04, 3, 0, 0, 0, 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "filter properties size", at: 15 },
  },
  "xz with a filter that starts between words": {
    format: "xz",
    make: xz({ header: [1, 0x0a, 4, ...le(2, 4), 0x21, 1, 0] }),
    ...{ code: CORRUPT, field: "filter start offset", at: 16 },
  },
  "xz with padding of ones in a block's header": {
    format: "xz",
    make: xz({ header: [0, 0x21, 1, 0, 0, 0, 1] }),
    ...{ code: CORRUPT, field: "block header padding", at: 19 },
  },
  "xz of two streams with padding between": {
    format: "xz",
    make: (data) => Uint8Array.from([...xz()(data), 0, 0, 0, 0, ...xz()(data)]),
    gives: (data) => Uint8Array.from([...data, ...data]),
  },
  "xz of two streams with half a padding between": {
    format: "xz",
    make: (data) => Uint8Array.from([...xz()(data), 0, 0, ...xz()(data)]),
    ...{ code: TRAILING, field: "stream padding" },
  },
  "xz with a filter": {
    format: "xz",
    make: () => xz({ header: [1, ...ARM64, 0x21, 1, 0], gives: UNDONE })(Uint8Array.from(BRANCHES)),
    gives: Uint8Array.from(UNDONE),
  },
  "xz with a page before the first": {
    format: "xz",
    make: () => {
      // ADRP of page 0, in page 1
      const header = [1, 0x0a, 4, ...le(4096, 4), 0x21, 1, 0];
      return xz({ header, gives: le(0xf0ffffe0, 4) })(Uint8Array.from(le(0x90000000, 4)));
    },
    gives: Uint8Array.from(le(0xf0ffffe0, 4)),
  },
  "xz of two blocks with a filter": {
    format: "xz",
    make: twoBlocks,
    gives: Uint8Array.from(TWICE_UNDONE),
  },
  "xz with two filters": {
    format: "xz",
    make: () => {
      const header = [2, ...X86, 0x0a, 4, ...le(4, 4), 0x21, 1, 0];
      return xz({ header, gives: [0xe7, ...CALL.slice(1)] })(Uint8Array.from(CALL));
    },
    gives: Uint8Array.from([0xe7, ...CALL.slice(1)]),
  },
  "xz with a call at its end": {
    format: "xz",
    make: () =>
      xz({ header: [1, ...X86, 0x21, 1, 0], gives: [0xe8, 0, 0, 0, 0] })(
        Uint8Array.of(0xe8, 5, 0, 0, 0),
      ),
    gives: Uint8Array.of(0xe8, 0, 0, 0, 0),
  },
};
