import { take } from "../bytes.ts";
import { fieldError, type LoaderError, type LoaderErrorCode } from "../errors.ts";
import { MAX_FDT_SIZE } from "../limits.ts";
import {
  FDT_HEADER,
  FDT_HEADER_SIZE_V1,
  FDT_HEADER_SIZE_V16,
  FDT_HEADER_SIZE_V2,
  FDT_MAGIC,
  FDT_VERSION,
  type FdtHeader,
} from "../structs/fdt.ts";

/** The first version with `size_dt_strings`. */
const VERSION_3 = 3;

/**
 * Reads the header, and checks that each block lies inside the file. What a version's header does
 * not have is what it means there: boot CPU 0, and blocks that may reach to the end.
 *
 * As in dtc, blocks may lie anywhere, over each other and over the header, at any alignment;
 * `last_comp_version` is not looked at, and `size_dt_struct` only has to lie inside.
 *
 * @param bytes The file.
 * @returns The header.
 * @throws {LoaderError} `TRUNCATED`, `FDT_MAGIC`, `FDT_STRUCTURE` or `FDT_TOO_BIG`.
 */
export function parseFdtHeader(bytes: Uint8Array): FdtHeader {
  const { fields } = FDT_HEADER;
  const word = take(bytes, 0, fields.magic.size, "fdt_header.magic");
  const magic = fields.magic.get(new DataView(word.buffer, word.byteOffset, word.length), 0);
  if (magic !== FDT_MAGIC) throw headerError("FDT_MAGIC", "magic", hex(FDT_MAGIC), hex(magic));

  const padded = new Uint8Array(FDT_HEADER.size);
  padded.set(take(bytes, 0, FDT_HEADER_SIZE_V1, FDT_HEADER.name));
  const { version, totalsize } = FDT_HEADER.read(padded);
  const headerSize = headerSizeOf(version);
  if (totalsize < headerSize) {
    throw headerError("FDT_STRUCTURE", "totalsize", `at least ${hex(headerSize)}`, hex(totalsize));
  }
  if (totalsize > MAX_FDT_SIZE) {
    throw headerError("FDT_TOO_BIG", "totalsize", `at most ${hex(MAX_FDT_SIZE)}`, hex(totalsize));
  }
  padded.set(take(bytes, 0, headerSize, FDT_HEADER.name));
  take(bytes, 0, totalsize, "device tree");

  const header = FDT_HEADER.read(padded);
  const { off_dt_struct, off_dt_strings } = header;
  requireAtMost(header, "off_mem_rsvmap", totalsize - 1);
  requireAtMost(header, "off_dt_struct", totalsize - 1);
  requireAtMost(header, "off_dt_strings", totalsize);
  const stringsRoom = totalsize - off_dt_strings;
  requireAtMost(header, "size_dt_strings", stringsRoom);
  requireAtMost(header, "size_dt_struct", totalsize - off_dt_struct);
  return version < VERSION_3 ? { ...header, size_dt_strings: stringsRoom } : header;
}

function headerSizeOf(version: number): number {
  if (version >= FDT_VERSION) return FDT_HEADER.size;
  if (version >= VERSION_3) return FDT_HEADER_SIZE_V16;
  return version === 2 ? FDT_HEADER_SIZE_V2 : FDT_HEADER_SIZE_V1;
}

function requireAtMost(header: FdtHeader, name: keyof FdtHeader, max: number): void {
  if (header[name] <= max) return;
  throw headerError("FDT_STRUCTURE", name, `at most ${hex(max)}`, hex(header[name]));
}

function headerError(
  code: LoaderErrorCode,
  name: keyof FdtHeader,
  expected: string,
  actual: string,
): LoaderError {
  const { offset } = FDT_HEADER.fields[name];
  return fieldError(code, { field: `${FDT_HEADER.name}.${name}`, offset }, expected, actual);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
