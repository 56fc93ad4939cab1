/** bzip2 streams: a real one, some of its bits replaced or its block twice. */
import { fixture, sample } from "./compressed.ts";
import { CHECKSUM, CORRUPT, type HandMade, TRUNCATED, UNSUPPORTED } from "./hand_made_bytes.ts";
import { join, twice } from "./hand_made_frames.ts";

/** A stream's bits, some of them replaced. */
function poked(bytes: Uint8Array, at: number, width: number, value: number): Uint8Array {
  const result = bytes.slice();
  for (let i = 0; i < width; i++) {
    const [byte, mask] = [at + i >> 3, 0x80 >> (at + i & 7)];
    result[byte] = value >>> width - 1 - i & 1 ? result[byte] | mask : result[byte] & ~mask;
  }
  return result;
}

const bitsOf = (bytes: ArrayLike<number>) =>
  Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
const bytesOf = (bits: string) =>
  Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => parseInt(byte.padEnd(8, "0"), 2));
const BZIP2 = fixture("bzip2");
const BZIP2_END = bitsOf([0x17, 0x72, 0x45, 0x38, 0x50, 0x90]);
/** bzip2's decompress.c: the level, the block, the end's magic and the CRC of all blocks. */
const [BZIP2_BLOCK] = bitsOf(BZIP2).slice(32).split(BZIP2_END);
const BZIP2_CRC = parseInt(BZIP2_BLOCK.slice(48, 80), 2);
const bzip2 = (blocks: string, crc: number, level = 0x39) =>
  join(bytesOf(
    bitsOf([0x42, 0x5a, 0x68, level]) + blocks + BZIP2_END +
      (crc >>> 0).toString(2).padStart(32, "0"),
  ));
/** Where the count of tables is: behind the CRC, a bit, the origin and the map of used bytes. */
const BZIP2_MAP = 32 + 48 + 32 + 1 + 24;
const BZIP2_RANGES = bitsOf(BZIP2).slice(BZIP2_MAP, BZIP2_MAP + 16).split("1").length - 1;
const BZIP2_TABLES = BZIP2_MAP + 16 + 16 * BZIP2_RANGES;
const bzip2Bent = (at: number, width: number, value: number) => () =>
  poked(BZIP2, at, width, value);
/** Both blocks' CRCs, the first one turned by a bit. */
const BZIP2_TWO = (BZIP2_CRC << 1 | BZIP2_CRC >>> 31) ^ BZIP2_CRC;
const BZIP2_DATA = sample();

/** By name. */
export const BZIP2_FILES: Readonly<Record<string, HandMade>> = {
  "bzip2 of two blocks": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK + BZIP2_BLOCK, BZIP2_TWO),
    gives: twice(BZIP2_DATA),
  },
  "bzip2 of two blocks with the CRC of the last": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK + BZIP2_BLOCK, BZIP2_CRC),
    ...{ code: CHECKSUM, field: "stream CRC" },
  },
  "bzip2 with another stream CRC": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK, BZIP2_CRC ^ 1),
    ...{ code: CHECKSUM, field: "stream CRC" },
  },
  "bzip2 with another block CRC": {
    format: "bzip2",
    make: bzip2Bent(32 + 48, 32, BZIP2_CRC ^ 1),
    ...{ code: CHECKSUM, field: "block CRC", at: 10 },
  },
  "bzip2 of nothing": { format: "bzip2", make: () => bzip2("", 0), gives: new Uint8Array(0) },
  "bzip2 of level 1": {
    format: "bzip2",
    make: () => bzip2(BZIP2_BLOCK, BZIP2_CRC, 0x31),
    gives: BZIP2_DATA,
  },
  "bzip2 of level 0": {
    format: "bzip2",
    make: () => bzip2("", 0, 0x30),
    ...{ code: CORRUPT, field: "block size", at: 3 },
  },
  "bzip2 of level 10": {
    format: "bzip2",
    make: () => bzip2("", 0, 0x3a),
    ...{ code: CORRUPT, field: "block size", at: 3 },
  },
  "bzip2 with a randomised block": {
    format: "bzip2",
    make: bzip2Bent(32 + 48 + 32, 1, 1),
    ...{ code: UNSUPPORTED, field: "randomised", at: 14 },
  },
  "bzip2 with an origin past its block": {
    format: "bzip2",
    make: bzip2Bent(32 + 48 + 32 + 1, 24, 0xffffff),
    ...{ code: CORRUPT, field: "origin", at: 14 },
  },
  "bzip2 without bytes": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_MAP, 16, 0),
    ...{ code: CORRUPT, field: "byte map", at: 14 },
  },
  "bzip2 of one table": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES, 3, 1),
    ...{ code: CORRUPT, field: "table count", at: 14 },
  },
  "bzip2 of seven tables": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES, 3, 7),
    ...{ code: CORRUPT, field: "table count", at: 14 },
  },
  "bzip2 without selectors": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES + 3, 15, 0),
    ...{ code: CORRUPT, field: "selector count", at: 14 },
  },
  "bzip2 with a selector of no table": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES + 18, 7, 0x7f),
    ...{ code: CORRUPT, field: "selector", at: 14 },
  },
  "bzip2 with a code of no length": {
    format: "bzip2",
    make: bzip2Bent(BZIP2_TABLES, 18, 2 << 15 | 1),
    ...{ code: CORRUPT, field: "code length", at: 14 },
  },
  "bzip2 with half a stream behind": {
    format: "bzip2",
    make: () => join(BZIP2, [0x42, 0x5a]),
    ...{ code: TRUNCATED, field: "magic", at: -0 },
  },
};
