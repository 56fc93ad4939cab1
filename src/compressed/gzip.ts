import { LoaderError } from "../errors.ts";
import { crc32 } from "./checksums.ts";
import type { PackedInput } from "./input.ts";
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
/** Deflate makes at most 258 bytes of 2 bits (RFC 1951, 3.2.5). */
const MAX_RATIO = 1032;
/** What is fed to the stream at once: more does not make it faster (measured). */
const MAX_CHUNK = 1 << 16;
const MIN_CHUNK = 1 << 10;

/**
 * Decompresses a gzip file of one member, with its checksum, by the runtime's own
 * `DecompressionStream`.
 *
 * The stream has no limit on what comes out of a chunk, so the chunks get smaller as the bound
 * comes near: never more than 1 MiB beyond the bound is decompressed.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export async function decodeGzip(input: PackedInput, output: Output): Promise<void> {
  readHeader(input);
  const { writable, readable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  const reader = readable.getReader();
  let fed = 0;
  const feed = async (): Promise<void> => {
    while (fed < input.bytes.length) {
      const room = output.limit - output.length;
      const size = Math.max(MIN_CHUNK, Math.min(MAX_CHUNK, Math.floor(room / MAX_RATIO)));
      const chunk = input.bytes.subarray(fed, fed + size) as Uint8Array<ArrayBuffer>;
      await writer.write(chunk);
      fed += chunk.length;
    }
    await writer.close();
  };
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      output.reserve(value.length).set(value, output.length);
      output.length += value.length;
    }
  };
  // Reading fails when feeding does, and some runtimes leave a write to a dead stream pending
  let feedError: unknown;
  const feeding = feed().catch((error: unknown) => feedError = error);
  try {
    await read();
    await feeding;
  } catch (error) {
    feedError ??= error;
    reader.cancel(error).catch(() => {});
    writer.abort(error).catch(() => {});
    if (error instanceof LoaderError) throw error;
  }
  if (feedError !== undefined) throw explain(input, fed, feedError);
  const at = input.bytes.length - TRAILER_SIZE + 4;
  input.at = at;
  const size = input.u32("ISIZE");
  if (size !== output.length >>> 0) {
    throw input.corrupt("ISIZE", at, `${output.length} bytes, as there are`, `${size} bytes`);
  }
}

/** RFC 1952, 2.3: read here, since the stream does not say what is wrong with it, or where. */
function readHeader(input: PackedInput): void {
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
    const computed = crc32(input.bytes.subarray(0, input.at)) & 0xffff;
    const at = input.at;
    input.verify("header CRC", at, input.u8("header CRC") | input.u8("header CRC") << 8, computed);
  }
  const least = TRAILER_SIZE + 1;
  if (input.rest < least) throw input.truncated("data", least - input.rest);
}

/** The stream's errors differ from runtime to runtime, and tell no place but the chunk's. */
function explain(input: PackedInput, fed: number, cause: unknown): LoaderError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (fed === input.bytes.length) return input.truncated(`data (${reason})`);
  const place = { field: "gzip data", offset: input.base + fed };
  return new LoaderError(
    "COMPRESSED_CORRUPT",
    `Cannot decompress ${place.field} after 0x${place.offset.toString(16)}: ${reason}`,
    { ...place, expected: "one gzip member with a right CRC and nothing after it", cause },
  );
}
