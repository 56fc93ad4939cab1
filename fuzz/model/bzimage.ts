/**
 * What a bzImage's load must do: boot.rst, "Details of header fields", "32-bit BOOT PROTOCOL" and
 * "64-bit BOOT PROTOCOL".
 *
 * @module
 */
import type { Room, Span } from "./room.ts";
import { need, needSections, number, Refusal, up } from "./verdict.ts";

/** A bzImage in memory. */
export interface LoadedBzImage {
  readonly load: bigint;
  readonly bytes: Uint8Array;
  /** What must be free beside: it runs there. */
  readonly work: readonly Span[];
  /** setup_header as it is in the file, and kernel_alignment if a loader changes it. */
  readonly header: Uint8Array;
  readonly alignment?: bigint;
  readonly cmdlineSize: bigint;
  readonly initrdMax: bigint;
  readonly mayBeHigh: boolean;
  readonly takesSetupData: boolean;
}

const HEADER = 0x1f1;

/** A field that the version has and the header reaches; else nothing. */
function fieldOf(file: Uint8Array, at: number, width: number, since: bigint): bigint | undefined {
  const end = Math.min(0x202 + file[0x201], file.length);
  const isThere = number(file, 0x206, 2) >= since && at + width <= end;
  return isThere ? number(file, at, width) : undefined;
}

/**
 * Whether a kernel can be entered in 64-bit mode.
 *
 * @param file The file.
 * @returns Whether xloadflags say so.
 */
export function has64BitEntry(file: Uint8Array): boolean {
  return ((fieldOf(file, 0x236, 2, 0x20cn) ?? 0n) & 1n) === 1n;
}

/**
 * Loads a bzImage.
 *
 * @param file The file; its magic is known.
 * @param bits Which entry it is entered at.
 * @param chosen The address that the caller chose.
 * @param room Free memory.
 * @returns What is where.
 */
export function loadBzImage(
  file: Uint8Array,
  bits: 32 | 64,
  chosen: bigint | undefined,
  room: Room,
): LoadedBzImage {
  const version = number(file, 0x206, 2);
  const end = Math.min(0x202 + file[0x201], file.length);
  const field = (at: number, width: number, since: bigint) => fieldOf(file, at, width, since);
  need(number(file, 0x1fe, 2) === 0xaa55n, "BZIMAGE_BOOT_FLAG");
  need(end <= 0x290, "BZIMAGE_FIELD");
  need(version >= (bits === 64 ? 0x20cn : 0x202n), "BZIMAGE_VERSION");
  need(bits === 32 || has64BitEntry(file), "BZIMAGE_NO_64BIT_ENTRY");
  const flags = field(0x236, 2, 0x20cn) ?? 0n;
  const setup = setupSize(file);
  const there = BigInt(file.length - setup);
  const named = number(file, 0x1f4, 4) * 16n;
  need(named > (bits === 64 ? 0x200n : 0n), "BZIMAGE_FIELD");
  need(named <= there + 15n, "TRUNCATED");
  const [payload, payloadSize] = [field(0x248, 4, 0x208n) ?? 0n, field(0x24c, 4, 0x208n) ?? 0n];
  need(payloadSize === 0n || payload + payloadSize <= there, "TRUNCATED");
  needSections(file);
  const size = named < there ? named : there;
  const initSize = field(0x260, 4, 0x20an) ?? 0n;
  const span = initSize > size ? initSize : size;
  const preferred = field(0x258, 8, 0x20an) || 0x100000n;
  const isRelocatable = (field(0x234, 1, 0x205n) ?? 0n) !== 0n;
  const mayBeHigh = bits === 64 && (flags & 2n) !== 0n;
  const limit = mayBeHigh ? 1n << 47n : 1n << 32n;

  const largest = field(0x230, 4, 0x205n) ?? 1n;
  need(largest > 0n && (largest & (largest - 1n)) === 0n, "BZIMAGE_FIELD");
  const least = field(0x235, 1, 0x20an) ?? 0n;
  const alignments = [largest];
  if (least > 0n) {
    for (let next = largest / 2n; next >= 1n << least; next /= 2n) alignments.push(next);
  }

  let load = preferred;
  let alignment = largest;
  if (chosen !== undefined) {
    load = chosen;
    need(load + span <= limit, "NO_SPACE");
    const fits = alignments.find((align) => load % align === 0n);
    need(!isRelocatable || fits !== undefined, "MISALIGNED");
    if (isRelocatable) alignment = fits!;
  } else if (isRelocatable) {
    const found = alignments.map((align) => ({
      align,
      at: room.lowestFor(span, align, up(preferred, align), limit),
    })).find(({ at }) => at !== undefined);
    if (!found) throw new Refusal("NO_SPACE");
    [load, alignment] = [found.at!, found.align];
  }
  // boot.rst: a relocatable kernel runs where it is loaded, but not below pref_address.
  let run = preferred;
  if (isRelocatable) {
    const [a, b] = [up(load, alignment), up(preferred, alignment)];
    run = a > b ? a : b;
  }
  need(run + span <= limit, "NO_SPACE");
  const work = outside({ start: run, size: span }, { start: load, size });
  room.claim([{ start: load, size }, ...work]);
  return {
    load,
    bytes: file.slice(setup, setup + Number(size)),
    work,
    header: file.slice(HEADER, end),
    ...isRelocatable && { alignment },
    cmdlineSize: field(0x238, 4, 0x206n) ?? 255n,
    initrdMax: field(0x22c, 4, 0x203n) ?? 0x37ffffffn,
    mayBeHigh,
    takesSetupData: field(0x250, 8, 0x209n) !== undefined,
  };
}

/** The parts of a range that lie outside another one. */
function outside(range: Span, other: Span): Span[] {
  const [end, otherEnd] = [range.start + range.size, other.start + other.size];
  const min = (a: bigint, b: bigint) => a < b ? a : b;
  const max = (a: bigint, b: bigint) => a > b ? a : b;
  return [
    { start: range.start, end: min(end, other.start) },
    { start: max(range.start, otherEnd), end },
  ].filter(({ start, end }) => start < end).map(({ start, end }) => ({ start, size: end - start }));
}

/**
 * Checks what makes a bzImage one.
 *
 * @param file The file.
 */
export function checkBzImage(file: Uint8Array): void {
  need(file.length >= 0x212, "TRUNCATED");
  need(number(file, 0x206, 2) >= 0x200n, "BZIMAGE_VERSION");
  need((file[0x211] & 1) === 1, "BZIMAGE_LOADFLAGS");
  need(setupSize(file) <= file.length, "TRUNCATED");
}

function setupSize(file: Uint8Array): number {
  return ((file[0x1f1] || 4) + 1) * 512;
}
