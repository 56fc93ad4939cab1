/**
 * What linux-loader's building blocks must do with a file, as far as success goes: which bytes go
 * where. Refusals are judged by what they leave behind.
 *
 * @module
 */
import { look } from "./verdict.ts";

/** What a load puts into memory. */
export interface Load {
  readonly writes: readonly { readonly start: bigint; readonly bytes: Uint8Array }[];
  readonly zeros: readonly { readonly start: bigint; readonly size: bigint }[];
  readonly kernelLoad: bigint;
  readonly kernelEnd: bigint;
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
  return { writes: [{ start, bytes }], zeros: [], kernelLoad: start, kernelEnd };
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
  return { writes, zeros, kernelLoad: look(file, 0x18, 8)! + offset, kernelEnd };
}
