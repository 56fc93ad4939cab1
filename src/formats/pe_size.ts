import { LoaderError } from "../errors.ts";
import { type KernelSource, readBytes } from "../source.ts";

/** PE format, "MS-DOS Stub": "MZ", read as a little-endian number. */
const MZ = 0x5a4d;
/** PE format, "Signature": "PE\0\0", read as a little-endian number. */
const PE = 0x00004550;
/** PE format, "COFF File Header": the signature and the header. Bytes. */
const COFF_SIZE = 24;
/** PE format, "Section Table": one row. Bytes. */
const SECTION_SIZE = 40;
/** PE format: the Windows loader's own limit; Linux' Images have two. */
const MAX_SECTIONS = 96;

/** PE format, "MS-DOS Stub": where the PE header's offset lies. bzImage and both Images have it there. */
const E_LFANEW = 0x3c;

/**
 * Checks that a kernel that is an EFI application, too, is there as far as its sections reach: the
 * header of an Image does not say how long its file is, that of a bzImage only in units of 16 bytes.
 *
 * @param source The file.
 * @throws {LoaderError} `TRUNCATED` if the file ends before its last section; `SOURCE_FAILED`.
 */
export function requireSections(source: KernelSource): void {
  const u16 = (bytes: Uint8Array, at: number) => bytes[at] | bytes[at + 1] << 8;
  const u32 = (bytes: Uint8Array, at: number) => (u16(bytes, at) | u16(bytes, at + 2) << 16) >>> 0;
  const stub = readBytes(source, 0, E_LFANEW + 4, "MS-DOS stub");
  if (u16(stub, 0) !== MZ) return;
  const peOffset = u32(stub, E_LFANEW);
  const coff = readBytes(source, peOffset, COFF_SIZE, "PE header");
  if (u32(coff, 0) !== PE) return;
  const count = u16(coff, 6);
  if (count > MAX_SECTIONS) return;
  const table = peOffset + COFF_SIZE + u16(coff, 20);
  const sections = readBytes(source, table, count * SECTION_SIZE, "PE section table");
  for (let row = 0; row < sections.length; row += SECTION_SIZE) {
    const [size, start] = [u32(sections, row + 16), u32(sections, row + 20)];
    if (start + size <= source.size) continue;
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read PE section ${row / SECTION_SIZE} of the kernel: it ends at 0x${
        (start + size).toString(16)
      }, the file at 0x${source.size.toString(16)}`,
      {
        field: "SizeOfRawData",
        offset: table + row + 16,
        expected: `a file of at least ${start + size} bytes`,
        actual: `${source.size} bytes`,
      },
    );
  }
}
