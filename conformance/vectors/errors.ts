/** linux-loader's errors and this library's: which says the same as which. */
import type { LoaderError, LoaderErrorCode } from "../../mod.ts";

/** An error of this library: its code, and the field where a code alone says too little. */
interface Ours {
  readonly code: LoaderErrorCode;
  /** The start of the error's field, or of its first range's name. */
  readonly about?: string;
  /** The start of what was expected. */
  readonly expected?: string;
}

const outside = (about: string): Ours => ({ code: "OUTSIDE_RAM", about });

/**
 * What each error of linux-loader is called here. More than one row where linux-loader has one name
 * for things that are told apart here. Seek errors come of reading from a file at offsets past 2^63.
 */
export const ERRORS: { readonly [theirs: string]: readonly Ours[] } = {
  "Elf(ReadElfHeader)": [{ code: "TRUNCATED", about: "Elf64_Ehdr" }],
  "Elf(InvalidElfMagicNumber)": [{ code: "ELF_MAGIC" }],
  "Elf(BigEndianElfOnLittle)": [{ code: "ELF_BYTE_ORDER" }],
  "Elf(InvalidProgramHeaderSize)": [{ code: "ELF_PHENTSIZE" }],
  "Elf(InvalidProgramHeaderOffset)": [{ code: "ELF_PHOFF" }],
  "Elf(InvalidEntryAddress)": [{ code: "BELOW_HIGHMEM", about: "e_entry" }],
  "Elf(ReadProgramHeader)": [{ code: "TRUNCATED", about: "e_phoff" }],
  "Elf(SeekProgramHeader)": [{ code: "TRUNCATED", about: "e_phoff" }],
  "Elf(InvalidProgramHeaderAddress)": [{ code: "ADDRESS_OVERFLOW", about: "p_paddr" }],
  "Elf(ReadKernelImage)": [
    { code: "TRUNCATED", about: "p_filesz" },
    outside("kernel segment"),
  ],
  "Elf(SeekKernelStart)": [{ code: "TRUNCATED", about: "p_filesz" }],
  "Elf(Overflow)": [
    { code: "ADDRESS_OVERFLOW", about: "e_entry" },
    { code: "NOTE_MALFORMED", expected: "at most 0xfffffffc" },
  ],
  "Elf(ReadNoteHeader)": [
    { code: "TRUNCATED", about: "Elf64_Nhdr" },
    { code: "TRUNCATED", about: "note name" },
    { code: "TRUNCATED", about: "PVH entry" },
    { code: "TRUNCATED", about: "p_offset" },
  ],
  "Elf(SeekNoteHeader)": [{ code: "TRUNCATED", about: "p_offset" }],
  "Elf(InvalidPvhNote)": [{ code: "NOTE_MALFORMED", about: "n_descsz", expected: "at least 4" }],
  "MemoryOverflow": [{ code: "ADDRESS_OVERFLOW", about: "p_memsz" }],

  "Bzimage(InvalidBzImage)": [
    { code: "TRUNCATED", about: "setup_header" },
    { code: "BZIMAGE_MAGIC" },
    { code: "BZIMAGE_VERSION" },
    { code: "BZIMAGE_LOADFLAGS" },
  ],
  "Bzimage(Underflow)": [{ code: "TRUNCATED", about: "real-mode setup" }],
  "InvalidKernelStartAddress": [
    { code: "BELOW_HIGHMEM", about: "setup_header.code32_start" },
  ],
  "Bzimage(ReadBzImageCompressedKernel)": [outside("kernel")],

  "Pe(ReadImageHeader)": [
    { code: "TRUNCATED", about: "arm64_image_header" },
    { code: "TRUNCATED", about: "riscv64_image_header" },
  ],
  "Pe(InvalidImageMagicNumber)": [{ code: "IMAGE_MAGIC" }],
  "Pe(InvalidBaseAddrAlignment)": [{ code: "MISALIGNED", about: "kernelOffset" }],
  "Pe(InvalidImage)": [{ code: "ADDRESS_OVERFLOW", about: "text_offset" }],
  "Pe(ReadKernelImage)": [outside("kernel")],
  "Pe(DtbTooBig)": [{ code: "FDT_TOO_BIG" }],
  "Pe(ReadDtbImage)": [outside("device tree")],

  "NullTerminator": [{ code: "CMDLINE_NUL" }],
  "NoBootArgsInserted": [{ code: "CMDLINE_NO_BOOT_ARGS" }],
  "InvalidCapacity": [{ code: "CMDLINE_CAPACITY" }],
  "InvalidAscii": [{ code: "CMDLINE_ASCII" }],
  "HasSpace": [{ code: "CMDLINE_SPACE" }],
  "HasEquals": [{ code: "CMDLINE_EQUALS" }],
  "MissingVal": [{ code: "CMDLINE_MISSING_VALUE" }],
  "MmioSize": [{ code: "CMDLINE_MMIO_SIZE" }],
  "TooLarge": [{ code: "CMDLINE_TOO_LONG" }],
  "NoQuoteSpace": [{ code: "CMDLINE_QUOTE_SPACE" }],
  "InvalidQuote": [{ code: "CMDLINE_QUOTE" }],
  "InvalidCommandLine": [{ code: "CMDLINE_NO_BOOT_ARGS" }, { code: "CMDLINE_NUL" }],
  "CommandLineOverflow": [outside("command line")],
  "CommandLineCopy": [outside("command line")],

  "Linux(ZeroPagePastRamEnd)": [outside("zero page")],
  "Linux(ZeroPageSetup)": [outside("zero page")],
  "Pvh(MemmapTableMissing)": [{ code: "BOOT_PARAMS_MISSING", about: "memory map" }],
  "Pvh(MemmapTableAddressMissing)": [{ code: "BOOT_PARAMS_MISSING", about: "memory map" }],
  "Pvh(MemmapTablePastRamEnd)": [outside("memory map")],
  "Pvh(MemmapTableSetup)": [outside("memory map")],
  "Pvh(StartInfoPastRamEnd)": [outside("start info")],
  "Pvh(StartInfoSetup)": [outside("start info")],
  "Pvh(ModulesAddressMissing)": [{ code: "BOOT_PARAMS_MISSING", about: "modules" }],
  "Pvh(ModulesSetup)": [outside("modules")],
  "Fdt(FDTPastRamEnd)": [outside("device tree")],
  "Fdt(WriteFDTToMemory)": [outside("device tree")],
};

/**
 * Whether two errors say the same.
 *
 * @param theirs linux-loader's error as a verdict has it; `MissingVal("key")` too.
 * @param ours This library's.
 * @returns True if the table says so.
 */
export function sameError(theirs: string, ours: LoaderError): boolean {
  const rows = ERRORS[theirs] ?? ERRORS[theirs.replace(/\(".*$/s, "")] ?? [];
  const about = ours.field ?? ours.ranges?.[0].name ?? "";
  return rows.some((row) =>
    row.code === ours.code && about.startsWith(row.about ?? "") &&
    (ours.expected ?? "").startsWith(row.expected ?? "")
  );
}
