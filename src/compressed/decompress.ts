import { LoaderError } from "../errors.ts";
import { MAX_KERNEL_SIZE } from "../limits.ts";
import type { WrappedFormat } from "../formats/detect.ts";
import { decodeBzip2 } from "./bzip2.ts";
import { decodeGzip } from "./gzip.ts";
import { PackedInput } from "./input.ts";
import { decodeLz4, decodeLz4Legacy } from "./lz4.ts";
import { decodeLzma } from "./lzma.ts";
import { decodeLzo } from "./lzo.ts";
import { Output } from "./output.ts";
import { decodeXz } from "./xz.ts";
import { decodeZstd } from "./zstd.ts";

/** A format that bytes are compressed in. */
export type CompressedFormat = Exclude<WrappedFormat, "efi-zboot">;

/** How much may come out of compressed bytes, and where it goes. */
export interface DecompressOptions {
  /** More than this is an error, found before more is decompressed. Default: 1 GiB. */
  readonly maxSize?: number;
  /** What must come out exactly, where something outside of the compressed bytes says so. */
  readonly expectedSize?: number;
  /**
   * Where it goes; the bound is this buffer's size, too. After an error it holds anything. Without
   * it, a buffer that grows with what has come out.
   */
  readonly output?: Uint8Array;
  /** Where the compressed bytes start in the file, added to the offsets of errors. Default: 0. */
  readonly offset?: number;
}

type Decoder = (input: PackedInput, output: Output) => void | Promise<void>;

const DECODERS: { readonly [K in CompressedFormat]: Decoder } = {
  gzip: decodeGzip,
  bzip2: decodeBzip2,
  lzma: decodeLzma,
  xz: decodeXz,
  lzo: decodeLzo,
  "lz4-legacy": decodeLz4Legacy,
  lz4: decodeLz4,
  zstd: decodeZstd,
};

/**
 * Decompresses bytes that are in memory: all of them, with every checksum that the format has.
 *
 * @param format What they are compressed in.
 * @param bytes The compressed bytes.
 * @param options How much may come out, and where it goes.
 * @returns What came out: a view of `options.output`, or bytes of their own.
 * @throws {LoaderError} `TRUNCATED`, `COMPRESSED_CORRUPT`, `COMPRESSED_CHECKSUM`, `COMPRESSED_SIZE`,
 * `COMPRESSED_TRAILING`, `COMPRESSED_UNSUPPORTED`; `INVALID_OPTION` for a size that is none.
 *
 * @example
 * ```ts
 * import { decompress } from "@vmm/linux-loader/compressed";
 *
 * async function unpackInitrd(packed: Uint8Array): Promise<Uint8Array> {
 *   return await decompress("zstd", packed, { maxSize: 256 << 20 });
 * }
 * ```
 */
export async function decompress(
  format: CompressedFormat,
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Promise<Uint8Array> {
  const { maxSize = MAX_KERNEL_SIZE, expectedSize, output: buffer, offset = 0 } = options;
  checkSize("maxSize", maxSize);
  if (expectedSize !== undefined) checkSize("expectedSize", expectedSize);
  const decode = DECODERS[format];
  const input = new PackedInput(bytes, format, offset);
  if (bytes.length === 0) throw input.truncated("data");
  const output = new Output(input, { maxSize, expectedSize, buffer });
  await decode(input, output);
  return output.finish();
}

/**
 * Checks a size that a caller gives.
 *
 * @param name The option's name.
 * @param size Its value.
 * @throws {LoaderError} `INVALID_OPTION` if it is no whole number from 0 on.
 */
export function checkSize(name: string, size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return;
  throw new LoaderError(
    "INVALID_OPTION",
    `Cannot decompress: ${name} is ${size}, a whole number of bytes is wanted`,
    { field: name, expected: "a whole number of bytes", actual: `${size}` },
  );
}
