/** What an ELF file says, read for the divergences: not by the library, which is what they judge. */
import type { ImageCase } from "./cases.ts";

/** A PT_LOAD segment and where it goes. */
export interface Load {
  readonly index: number;
  /** p_paddr and the kernel offset; may pass 2^64. */
  readonly start: bigint;
  readonly filesz: bigint;
  readonly memsz: bigint;
}

/** e_ident[EI_CLASS] of a 64-bit file. */
export const CLASS_64 = 2;

/**
 * The PT_LOAD segments of a file whose header linux-loader accepts.
 *
 * @param one The case, for its kernel offset.
 * @param input The file.
 * @returns The segments that take memory, in the order of the file.
 */
export function loadsOf(one: ImageCase, input: Uint8Array): Load[] {
  const view = viewOf(input);
  const offset = BigInt(one.kernel_offset ?? 0);
  return headersOf(view).map((at, index) => ({
    index,
    type: view.getUint32(at, true),
    start: view.getBigUint64(at + 0x18, true) + offset, // p_paddr
    filesz: view.getBigUint64(at + 0x20, true),
    memsz: view.getBigUint64(at + 0x28, true),
  })).filter(({ type, filesz, memsz }) => type === PT_LOAD && (filesz > 0n || memsz > 0n));
}

/**
 * The file offsets that a file names: of the program headers, and of each segment.
 *
 * @param input The file.
 * @returns The offsets.
 */
export function offsetsOf(input: Uint8Array): bigint[] {
  const view = viewOf(input);
  if (view.byteLength < 64) return [];
  const segments = headersOf(view).map((at) => view.getBigUint64(at + 0x08, true)); // p_offset
  return [view.getBigUint64(0x20, true), ...segments];
}

const PT_LOAD = 1;

function viewOf(input: Uint8Array): DataView {
  return new DataView(input.buffer, input.byteOffset, input.length);
}

/** Where the program headers lie that the file holds. */
function headersOf(view: DataView): number[] {
  const table = Number(view.getBigUint64(0x20, true)); // e_phoff
  const count = view.getUint16(0x38, true); // e_phnum
  return Array.from({ length: count }, (_, index) => table + index * 56)
    .filter((at) => at + 56 <= view.byteLength);
}

/**
 * Where a segment ends in memory.
 *
 * @param load The segment.
 * @returns One past its last byte, whether the file has it or not.
 */
export function endOf({ start, filesz, memsz }: Load): bigint {
  return start + (filesz > memsz ? filesz : memsz);
}
