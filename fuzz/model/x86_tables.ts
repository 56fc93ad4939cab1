/**
 * The structures that an x86 guest is handed, byte by byte: zero-page.rst, boot.rst, start_info.h.
 *
 * @module
 */
import { poke } from "../arbitraries/images.ts";
import type { Entry } from "./memory_map.ts";
import type { Span } from "./room.ts";

const E820: Readonly<Record<string, number>> = {
  ...{ usable: 1, reserved: 2, acpi: 3, nvs: 4, unusable: 5, persistent: 7 },
};

/** What the zero page says. */
export interface ZeroPage {
  readonly header: Uint8Array;
  readonly alignment?: bigint;
  readonly isVmlinux: boolean;
  readonly initrdMax: bigint;
  readonly load: bigint;
  readonly cmdline: bigint;
  readonly initrd?: Span;
  readonly rsdp?: bigint;
  readonly setupData?: bigint;
  readonly map: readonly Entry[];
}

/**
 * The zero page.
 *
 * @param says What it says.
 * @returns 4096 bytes.
 */
export function zeroPage(says: ZeroPage): Uint8Array {
  const page = new Uint8Array(4096);
  page.set(says.header, 0x1f1);
  if (says.isVmlinux) {
    poke(page, 0x1fe, 2, 0xaa55);
    poke(page, 0x202, 4, 0x53726448);
    poke(page, 0x206, 2, 0x20c);
    poke(page, 0x211, 1, 1);
    poke(page, 0x22c, 4, says.initrdMax);
    poke(page, 0x230, 4, 0x200000);
    poke(page, 0x238, 4, 2047);
  }
  if (says.alignment !== undefined) poke(page, 0x230, 4, says.alignment);
  poke(page, 0x1fa, 2, 0xffff);
  poke(page, 0x210, 1, 0xff);
  poke(page, 0x214, 4, says.load);
  const { start = 0n, size = 0n } = says.initrd ?? {};
  poke(page, 0x218, 4, start);
  poke(page, 0x0c0, 4, start >> 32n);
  poke(page, 0x21c, 4, size);
  poke(page, 0x0c4, 4, size >> 32n);
  poke(page, 0x228, 4, says.cmdline);
  poke(page, 0x0c8, 4, says.cmdline >> 32n);
  poke(page, 0x250, 8, says.setupData ?? 0n);
  poke(page, 0x070, 8, says.rsdp ?? 0n);
  poke(page, 0x1e8, 1, Math.min(says.map.length, 128));
  page.set(e820(says.map.slice(0, 128)), 0x2d0);
  return page;
}

/**
 * An e820 table.
 *
 * @param map The memory map.
 * @returns 20 bytes for each entry.
 */
export function e820(map: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(20 * map.length);
  map.forEach(({ start, size, type }, i) => {
    poke(bytes, 20 * i, 8, start);
    poke(bytes, 20 * i + 8, 8, size);
    poke(bytes, 20 * i + 16, 4, E820[type]);
  });
  return bytes;
}

/**
 * A chain of setup_data.
 *
 * @param items What it holds.
 * @param start Where it starts.
 * @returns The bytes.
 */
export function setupData(
  items: readonly { readonly type: number; readonly data: Uint8Array }[],
  start: bigint,
): Uint8Array {
  const sizes = items.map(({ data }) => Math.ceil((16 + data.length) / 8) * 8);
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  items.forEach(({ type, data }, i) => {
    const next = i + 1 < items.length ? start + BigInt(at + sizes[i]) : 0n;
    poke(bytes, at, 8, next);
    poke(bytes, at + 8, 4, type);
    poke(bytes, at + 12, 4, data.length);
    bytes.set(data, at + 16);
    at += sizes[i];
  });
  return bytes;
}

/** What hvm_start_info says. */
export interface StartInfo {
  readonly cmdline: bigint;
  readonly modules: readonly (Span & { readonly cmdline?: bigint })[];
  readonly rsdp?: bigint;
  readonly map: readonly Entry[];
}

/**
 * hvm_start_info, the module list and the memory map.
 *
 * @param says What it says.
 * @param start Where it starts.
 * @returns The bytes.
 */
export function startInfo({ cmdline, modules, rsdp, map }: StartInfo, start: bigint): Uint8Array {
  const mapAt = 56 + 32 * modules.length;
  const bytes = new Uint8Array(mapAt + 24 * map.length);
  poke(bytes, 0x00, 4, 0x336ec578);
  poke(bytes, 0x04, 4, 1);
  poke(bytes, 0x0c, 4, modules.length);
  poke(bytes, 0x10, 8, modules.length === 0 ? 0n : start + 56n);
  poke(bytes, 0x18, 8, cmdline);
  poke(bytes, 0x20, 8, rsdp ?? 0n);
  poke(bytes, 0x28, 8, start + BigInt(mapAt));
  poke(bytes, 0x30, 4, map.length);
  modules.forEach((module, i) => {
    poke(bytes, 56 + 32 * i, 8, module.start);
    poke(bytes, 56 + 32 * i + 8, 8, module.size);
    poke(bytes, 56 + 32 * i + 16, 8, module.cmdline ?? 0n);
  });
  map.forEach((entry, i) => {
    poke(bytes, mapAt + 24 * i, 8, entry.start);
    poke(bytes, mapAt + 24 * i + 8, 8, entry.size);
    poke(bytes, mapAt + 24 * i + 16, 4, E820[entry.type]);
  });
  return bytes;
}
