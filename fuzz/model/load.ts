/**
 * What linux-loader's building blocks must do with a file, as far as success goes: which bytes go
 * where. Refusals are judged by what they leave behind.
 *
 * @module
 */
import { has64BitEntry } from "./bzimage.ts";
import { look, TOP } from "./verdict.ts";

/** What a load puts into memory. */
export interface Load {
  readonly writes: readonly { readonly start: bigint; readonly bytes: Uint8Array }[];
  readonly zeros: readonly { readonly start: bigint; readonly size: bigint }[];
  readonly kernelLoad: bigint;
  readonly kernelEnd: bigint;
  /** Where the first vCPU starts. */
  readonly entry: bigint;
  /** setup_header with code32_start as it was loaded. */
  readonly setupHeader?: Uint8Array;
}

/**
 * What may not be loaded, whatever memory there is.
 *
 * @param kind By which loader.
 * @param file The file; it is long enough for its header.
 * @param options The caller's kernelOffset and highmemStart.
 * @returns The code of the caller's mistake; undefined if there is none.
 */
export function mistakeOf(
  kind: LoadKind,
  file: Uint8Array,
  { offset, highmem }: { offset?: bigint; highmem?: bigint },
): string | undefined {
  const is64Bit = (value = 0n) => value >= 0n && value < TOP;
  if (!is64Bit(offset) || !is64Bit(highmem)) return "INVALID_OPTION";
  const first = kind === "elf" ? look(file, 0x18, 8) : look(file, 0x214, 4);
  if ((kind === "elf" || kind === "bzimage") && first! < (highmem ?? 0n)) return "BELOW_HIGHMEM";
  if (kind === "elf" || kind === "bzimage") return undefined;
  return (offset ?? 0n) % 0x200000n === 0n ? undefined : "MISALIGNED";
}

/** The kinds of load. */
export type LoadKind = "elf" | "bzimage" | "aarch64" | "riscv64";

/**
 * What loading a file that is taken comes to.
 *
 * @param kind By which loader.
 * @param file The file.
 * @param offset Its kernelOffset.
 * @returns The load.
 */
export function loadOf(kind: LoadKind, file: Uint8Array, offset: bigint | undefined): Load {
  if (kind === "elf") return elfLoad(file, offset ?? 0n);
  let start: bigint;
  let bytes = file;
  if (kind === "bzimage") {
    start = offset ?? look(file, 0x214, 4) ?? 0n;
    bytes = file.slice(((file[0x1f1] || 4) + 1) * 512);
  } else {
    const isOld = kind === "aarch64" && look(file, 0x10, 8) === 0n;
    start = (offset ?? 0n) + (isOld ? 0x80000n : look(file, 0x08, 8)!);
  }
  const kernelEnd = start + BigInt(bytes.length);
  const load = { writes: [{ start, bytes }], zeros: [], kernelLoad: start, kernelEnd };
  if (kind !== "bzimage") return { ...load, entry: start };
  const setupHeader = file.slice(0x1f1, 0x26c);
  new DataView(setupHeader.buffer).setUint32(0x23, Number(BigInt.asUintN(32, start)), true);
  const isLong = has64BitEntry(file) && bytes.length > 0x200;
  return { ...load, entry: start + (isLong ? 0x200n : 0n), setupHeader };
}

function elfLoad(file: Uint8Array, offset: bigint): Load {
  const writes: { start: bigint; bytes: Uint8Array }[] = [];
  const zeros: { start: bigint; size: bigint }[] = [];
  let kernelEnd = 0n;
  const count = Number(look(file, 0x38, 2));
  const table = Number(look(file, 0x20, 8));
  for (let i = 0; i < count; i++) {
    const field = (at: number, width: number) => look(file, table + 56 * i + at, width)!;
    const [size, memSize] = [field(0x20, 8), field(0x28, 8)];
    const start = field(0x18, 8) + offset;
    if (field(0, 4) !== 1n || size === 0n && memSize === 0n) continue;
    if (size > 0n) {
      const from = Number(field(0x08, 8));
      writes.push({ start, bytes: file.slice(from, from + Number(size)) });
    }
    if (memSize > size) zeros.push({ start: start + size, size: memSize - size });
    const end = start + (memSize > size ? memSize : size);
    if (end > kernelEnd) kernelEnd = end;
  }
  const said = look(file, 0x18, 8)!;
  const kernelLoad = said + offset;
  return { writes, zeros, kernelLoad, kernelEnd, entry: entryOf(file, said, offset) };
}

/**
 * What Elf.load says of PVH: the last PT_NOTE counts, notes are packed to 4 bytes.
 *
 * @param file The file, which is loaded.
 * @param offset Its kernelOffset.
 * @returns The entry, or why there is none; `"refused"` where the note is too small for one.
 */
export function pvhOf(file: Uint8Array, offset: bigint | undefined): bigint | string {
  let said: bigint | string = "ignored";
  if (offset !== undefined) return said;
  const table = Number(look(file, 0x20, 8));
  for (let i = 0; i < Number(look(file, 0x38, 2)); i++) {
    const row = table + 56 * i;
    if (look(file, row, 4) !== 4n) continue;
    said = "not-present";
    const [start, size] = [8, 32].map((at) => Number(look(file, row + at, 8)));
    for (let at = start; at < start + size;) {
      const [nameSize, descriptorSize, type] = [0, 4, 8].map((n) => Number(look(file, at + n, 4)));
      if (Math.max(nameSize, descriptorSize) > 0xffff_fffc) return "refused";
      const name = look(file, at + 12, 4);
      if (type === 18 && nameSize === 4 && name === 0x006e6558n) {
        if (descriptorSize < 4) return "refused";
        said = look(file, at + 16, 4)!;
        break;
      }
      at += 12 + Math.ceil(nameSize / 4) * 4 + Math.ceil(descriptorSize / 4) * 4;
    }
  }
  return said;
}

/** e_entry where it is loaded: it may be a virtual address. Segments without bytes count last. */
function entryOf(file: Uint8Array, said: bigint, offset: bigint): bigint {
  const table = Number(look(file, 0x20, 8));
  const rows = Array.from({ length: Number(look(file, 0x38, 2)) }, (_, i) => {
    const [type, vaddr, paddr, size, memSize] = [[0, 4], [16, 8], [24, 8], [32, 8], [40, 8]]
      .map(([at, width]) => look(file, table + 56 * i + at, width)!);
    return { type, vaddr, paddr, size, span: memSize > size ? memSize : size };
  }).filter(({ type, span }) => type === 1n && span > 0n);
  const ordered = [
    ...rows.filter(({ size }) => size > 0n),
    ...rows.filter(({ size }) => size === 0n),
  ];
  for (const from of ["paddr", "vaddr"] as const) {
    const found = ordered.find((row) => said >= row[from] && said < row[from] + row.span);
    if (found) return said - found[from] + found.paddr + offset;
  }
  return said + offset;
}
