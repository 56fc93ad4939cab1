import { MAX_FRAMES } from "../limits.ts";
import { crc32 } from "./checksums.ts";
import { bestInflate, type Inflate } from "./inflate.ts";
import type { PackedInput } from "./input.ts";
import { nodeZlib } from "./node_zlib.ts";
import type { Output } from "./output.ts";

/** RFC 1952, 2.3: ID1, ID2, and CM 8, deflate. */
const MAGIC = [0x1f, 0x8b, 0x08];
/** RFC 1952, 2.3.1: FLG. */
const FHCRC = 1 << 1;
const FEXTRA = 1 << 2;
const FNAME = 1 << 3;
const FCOMMENT = 1 << 4;
const RESERVED = 0xe0;
/** RFC 1952, 2.3: CRC32 and ISIZE. */
const TRAILER_SIZE = 8;

/**
 * Decompresses gzip files: members in a row (RFC 1952, 2.2), each with its checksum. In a browser,
 * where nothing tells where a member ends, there may be one.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 * @param inflate What inflates; the best one if not given.
 */
export async function decodeGzip(
  input: PackedInput,
  output: Output,
  inflate: Inflate = bestInflate(),
): Promise<void> {
  for (let members = 1; members === 1 || input.rest > 0; members++) {
    if (members > 1 && !startsMember(input)) input.end();
    if (members > MAX_FRAMES) {
      const expected = `at most ${MAX_FRAMES}`;
      throw input.corrupt("member count", input.at, expected, "more", "LIMIT_EXCEEDED");
    }
    await decodeMember(input, output, inflate);
  }
}

const startsMember = ({ bytes, at }: PackedInput): boolean =>
  bytes[at] === MAGIC[0] && bytes[at + 1] === MAGIC[1];

async function decodeMember(input: PackedInput, output: Output, inflate: Inflate): Promise<void> {
  const start = output.length;
  readHeader(input);
  await inflate(input, output, TRAILER_SIZE);
  const at = input.at;
  const data = output.bytes.subarray(start, output.length);
  const computed = nodeZlib()?.crc32?.(data) ?? crc32(data); // 10x faster (measured)
  input.verify("CRC32", at, input.u32("CRC32"), computed);
  const size = input.u32("ISIZE");
  if (size !== data.length >>> 0) {
    const expected = `${data.length} bytes, as there are`;
    throw input.corrupt("ISIZE", at + 4, expected, `${size} bytes`, "COMPRESSED_CHECKSUM");
  }
}

/** RFC 1952, 2.3: read here, since no runtime says what is wrong with it, or where. */
function readHeader(input: PackedInput): void {
  const start = input.at;
  for (const byte of MAGIC) {
    const actual = input.u8("magic");
    if (actual !== byte) {
      throw input.corrupt("magic", input.at - 1, `0x${byte.toString(16)}`, actual);
    }
  }
  const flags = input.u8("flags");
  if (flags & RESERVED) throw input.corrupt("flags", input.at - 1, "reserved bits 0", flags);
  input.skip(6, "header"); // MTIME, XFL, OS
  if (flags & FEXTRA) input.skip(input.u8("XLEN") | input.u8("XLEN") << 8, "extra field");
  for (const [flag, field] of [[FNAME, "file name"], [FCOMMENT, "comment"]] as const) {
    while (flags & flag && input.u8(field) !== 0);
  }
  if (flags & FHCRC) {
    const computed = crc32(input.bytes.subarray(start, input.at)) & 0xffff;
    const at = input.at;
    input.verify("header CRC", at, input.u8("header CRC") | input.u8("header CRC") << 8, computed);
  }
  const least = TRAILER_SIZE + 1;
  if (input.rest < least) throw input.truncated("data", least - input.rest);
}
