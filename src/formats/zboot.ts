import { formatAddress } from "../address.ts";
import { fieldError, quoteText } from "../errors.ts";
import { requireBytes } from "../bytes.ts";
import { type KernelSource, readBytes } from "../source.ts";
import { ZBOOT_HEADER, ZBOOT_MAGIC, ZBOOT_MZ_MAGIC, type ZbootHeader } from "../structs/zboot.ts";
import type { WrappedFormat } from "./detect.ts";

/** What an EFI zboot image says. */
export interface ZbootImage {
  /** The tag of this description. */
  readonly format: "efi-zboot";
  /** The header as it is in the file. */
  readonly header: ZbootHeader;
  /** What the payload is compressed in. */
  readonly compression: Exclude<WrappedFormat, "efi-zboot" | "bzip2" | "lz4">;
  /** Where the compressed bytes start in the file. */
  readonly payloadOffset: number;
  /** Their size, without any size word. */
  readonly payloadSize: number;
  /** What comes out, by the word after the payload; for gzip, by its own last word. */
  readonly uncompressedSize: number;
}

/** Makefile.zboot, "zboot-method-y": what it writes into the header. */
const COMPRESSIONS: { readonly [name: string]: ZbootImage["compression"] | undefined } = {
  gzip: "gzip",
  lz4: "lz4-legacy",
  lzma: "lzma",
  lzo: "lzo",
  xzkern: "xz",
  zstd22: "zstd",
  zstd: "zstd",
};

/** The size word, after the payload. */
const SIZE_WORD = 4;

/**
 * Reads the header of an EFI zboot image.
 *
 * @param source The file.
 * @returns What it says.
 * @throws {LoaderError} `TRUNCATED`, `ZBOOT_FIELD`, `SOURCE_FAILED`.
 */
export function parseZboot(source: KernelSource): ZbootImage {
  const { name, size, fields } = ZBOOT_HEADER;
  const header = ZBOOT_HEADER.read(readBytes(source, 0, size, name));
  const place = (field: keyof ZbootHeader) => ({
    field: `${name}.${field}`,
    offset: fields[field].offset,
  });
  for (const [field, magic] of [["mz_magic", ZBOOT_MZ_MAGIC], ["magic", ZBOOT_MAGIC]] as const) {
    if (header[field] === magic) continue;
    const actual = formatAddress(header[field]);
    throw fieldError("ZBOOT_FIELD", place(field), formatAddress(magic), actual);
  }
  const type = textOf(header.compression_type);
  const compression = Object.hasOwn(COMPRESSIONS, type) ? COMPRESSIONS[type] : undefined;
  if (compression === undefined) {
    const expected = `one of ${Object.keys(COMPRESSIONS).join(", ")}`;
    throw fieldError("ZBOOT_FIELD", place("compression_type"), expected, quoteText(type));
  }
  const { payload_offset: payloadOffset, payload_size: payloadSize } = header;
  if (payloadOffset < size) {
    const actual = formatAddress(payloadOffset);
    throw fieldError("ZBOOT_FIELD", place("payload_offset"), `at least 0x40`, actual);
  }
  if (payloadSize <= SIZE_WORD) {
    throw fieldError("ZBOOT_FIELD", place("payload_size"), "a payload", `${payloadSize} bytes`);
  }
  requireBytes(source.size, payloadOffset, payloadSize, "zboot payload");
  // gzip has the size word of its own, and Makefile.zboot adds none
  const wordEnd = payloadOffset + payloadSize + (compression === "gzip" ? 0 : SIZE_WORD);
  const word = readBytes(source, wordEnd - SIZE_WORD, SIZE_WORD, "zboot size word");
  const uncompressedSize = new DataView(word.buffer).getUint32(0, true);
  return { format: "efi-zboot", header, compression, payloadOffset, payloadSize, uncompressedSize };
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}
