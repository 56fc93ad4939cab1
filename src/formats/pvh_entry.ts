import { fieldError, LoaderError } from "../errors.ts";
import { MAX_NOTES_SIZE } from "../limits.ts";
import { requireBytes } from "../bytes.ts";
import { type KernelSource, readExactly } from "../source.ts";
import { ELF64_NHDR, type Elf64Phdr, XEN_ELFNOTE_PHYS32_ENTRY } from "../structs/elf.ts";

/** "Xen" and its NUL, read as a little-endian number. */
const XEN_NAME = 0x006e6558;
const XEN_NAME_SIZE = 4;
/** elfnote.h: what follows the header is padded to this, whatever p_align says. Bytes. */
const NOTE_ALIGN = 4;
/** A note's header, and the first words of its name and descriptor: as much as is looked at. */
const LOOK = ELF64_NHDR.size + 4 + 4;
/** Bytes that are read at once: notes are small. */
const WINDOW = 4096;

/**
 * Reads PVH entries out of PT_NOTE segments as linux-loader does: packed to 4 bytes whatever p_align
 * says, the first match of a segment, and a last note that may pass the segment's end as long as the
 * file goes on. {@linkcode findPvhNote} is the strict reader.
 */
export class PvhEntryReader {
  readonly #source: KernelSource;
  /** What may still be read: notes that lie apart never need more, segments that lie on each other do. */
  #budget: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  /** @param source The file. */
  constructor(source: KernelSource) {
    this.#source = source;
    this.#budget = source.size + MAX_NOTES_SIZE;
  }

  /**
   * The PVH entry of a segment.
   *
   * @param segment The PT_NOTE segment's program header.
   * @param index Its place in the program header table, for errors.
   * @returns The guest-physical address that the segment's first XEN_ELFNOTE_PHYS32_ENTRY holds, or
   * undefined if there is none.
   * @throws {LoaderError} `TRUNCATED` if the file ends before the segment's notes do;
   * `NOTE_MALFORMED` if a size rounds up past 32 bits, or the entry is not 4 bytes long;
   * `LIMIT_EXCEEDED` if segments that overlap ask for more than the file's size and 1 MiB;
   * `SOURCE_FAILED`.
   */
  read(segment: Elf64Phdr, index: number): bigint | undefined {
    const { p_offset, p_filesz } = segment;
    this.#window = new Uint8Array(0);
    let done = 0n;
    while (done < p_filesz) {
      const start = this.#startOf(p_offset + done, index);
      const left = p_filesz - done;
      const header = this.#look(start, ELF64_NHDR.size, left, `Elf64_Nhdr in segment ${index}`);
      const { n_namesz, n_descsz, n_type } = ELF64_NHDR.read(header);
      if (n_type === XEN_ELFNOTE_PHYS32_ENTRY && n_namesz === XEN_NAME_SIZE) {
        const name = start + ELF64_NHDR.size;
        if (this.#word(name, left, "note name") === XEN_NAME) {
          if (n_descsz < 4) throw sizeError("n_descsz", start, "at least 4", n_descsz);
          return BigInt(this.#word(name + XEN_NAME_SIZE, left, "PVH entry"));
        }
      }
      done += BigInt(
        ELF64_NHDR.size + alignedSize("n_namesz", start, n_namesz) +
          alignedSize("n_descsz", start, n_descsz),
      );
    }
    return undefined;
  }

  #startOf(start: bigint, index: number): number {
    if (start <= BigInt(this.#source.size)) return Number(start);
    // The offset is past the file's end, and perhaps past what a number holds
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read notes of segment ${index} at 0x${start.toString(16)}: the input ends at 0x${
        this.#source.size.toString(16)
      }`,
      { field: `p_offset[${index}]`, offset: this.#source.size },
    );
  }

  #word(start: number, left: bigint, field: string): number {
    const bytes = this.#look(start, 4, left, field);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** A view of bytes of the file; `left` is what the segment still holds at most. */
  #look(start: number, size: number, left: bigint, field: string): Uint8Array {
    requireBytes(this.#source.size, start, size, field);
    const at = start - this.#windowStart;
    if (at >= 0 && at + size <= this.#window.length) return this.#window.subarray(at, at + size);
    const wanted = left < BigInt(WINDOW - LOOK) ? Number(left) + LOOK : WINDOW;
    const window = new Uint8Array(Math.min(wanted, this.#source.size - start));
    this.#budget -= window.length;
    if (this.#budget < 0) {
      throw new LoaderError(
        "LIMIT_EXCEEDED",
        `Cannot read ${field} at 0x${
          start.toString(16)
        }: the PT_NOTE segments lie on each other, ` +
          `at most the file's size and ${MAX_NOTES_SIZE} bytes are read`,
        { field: "p_filesz", offset: start },
      );
    }
    readExactly(this.#source, start, window, field);
    [this.#window, this.#windowStart] = [window, start];
    return window.subarray(0, size);
  }
}

/** A size rounded up to NOTE_ALIGN, which must fit 32 bits. */
function alignedSize(field: "n_namesz" | "n_descsz", note: number, size: number): number {
  const aligned = Math.ceil(size / NOTE_ALIGN) * NOTE_ALIGN;
  if (aligned > 0xffff_ffff) throw sizeError(field, note, "at most 0xfffffffc", size);
  return aligned;
}

function sizeError(
  field: "n_namesz" | "n_descsz",
  note: number,
  expected: string,
  size: number,
): LoaderError {
  const offset = note + ELF64_NHDR.fields[field].offset;
  return fieldError("NOTE_MALFORMED", { field, offset }, expected, `0x${size.toString(16)}`);
}
