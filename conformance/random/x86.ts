/** Random layouts of x86_64 guests. */
import fc from "fast-check";
import type { AddressRange, BootProtocol, MemoryMapEntry } from "../../mod.ts";
import type { Layout, LayoutOptions } from "../case.ts";
import { LEGACY_HOLE } from "../matchers/memory_map.ts";
import {
  type Blob,
  blobs,
  bytesOfBlob,
  cmdlines,
  dirtOf,
  dirts,
  endOf,
  GIB,
  hasRoom,
  MIB,
  overlaps,
  PAGE,
  placeTaken,
  type RandomFamily,
  type RandomLayout,
  type Taken,
  takens,
  without,
} from "./layouts.ts";

/** Numbers of pages, unless said otherwise. */
interface Recipe {
  /** RAM from address 0; the kernel's region begins at 1 MiB or above. */
  readonly low: number;
  /** Where the kernel's region begins, and how far it goes beyond 16 MiB. */
  readonly main: { readonly start: number; readonly size: number };
  /** More regions, each behind a hole. */
  readonly beyond: readonly { readonly hole: number; readonly size: number }[];
  /** A region above 4 GiB. */
  readonly high?: { readonly hole: number; readonly size: number };
  /** A bzImage's address: steps of 2 MiB above 16 MiB, or above 4 GiB. */
  readonly kernel?: { readonly step: number; readonly isHigh: boolean };
  readonly cmdline: string;
  readonly initrd?: Blob & { readonly where: "low" | "high" | number };
  readonly taken: readonly Taken[];
  /** Entries of the memory map in pages of their own below 4 GiB. */
  readonly entries: readonly { readonly size: number; readonly type: Taken["type"] }[];
  /** In units of 16 bytes. */
  readonly rsdp?: number;
  readonly setupData: readonly (Blob & { readonly type: number })[];
  readonly modules: readonly (Blob & { readonly cmdline?: string })[];
  readonly dirt?: number;
}

/** Where both probes prefer to be: an ELF has no choice. */
const KERNEL = 16n * MIB;
/** More than any of the probes needs there. */
const ELF_SIZE = MIB;
const STEP = 2n * MIB;
const FIRST_ENTRY = 0xf000_0000n;
/** cmdline, GDT, zero page or start info, page tables with every GiB that is touched. */
const TABLES = [2048, 0x1000, 0x4000, 0x20000];

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/**
 * The layouts of a probe.
 *
 * @param protocol The boot protocol.
 * @param kernel The probe's file.
 * @param initSize The bytes that a bzImage needs free; 0 for an ELF.
 * @returns The family.
 */
export function x86Layouts(
  protocol: BootProtocol,
  kernel: Layout["kernel"],
  initSize: bigint,
): RandomFamily<unknown> {
  const isPvh = protocol === "pvh";
  // What a 32-bit Linux entry is told of lies below 4 GiB
  const is32 = protocol === "linux32";
  const none = <T>() => fc.constant<T[]>([]);
  const recipes: fc.Arbitrary<Recipe> = fc.record({
    low: fc.oneof(fc.constantFrom(0, 0x9f, 0xa0, 0x100), fc.integer({ min: 0, max: 0x100 })),
    main: fc.record({
      start: fc.oneof(fc.constant(0x100), fc.integer({ min: 0x100, max: 0x1000 })),
      size: fc.integer({ min: 0x400, max: 0x1800 }),
    }),
    beyond: fc.array(
      fc.record({
        hole: fc.integer({ min: 1, max: 0x2_0000 }),
        size: fc.integer({ min: 1, max: 0x400 }),
      }),
      { maxLength: 3 },
    ),
    high: option(fc.record({
      hole: fc.oneof(fc.constant(0), fc.nat({ max: 0x8_0000 })),
      size: fc.integer({ min: 1, max: 0x1000 }),
    })),
    kernel: initSize === 0n ? fc.constant(undefined) : option(
      fc.record({ step: fc.nat({ max: 12 }), isHigh: is32 ? fc.constant(false) : fc.boolean() }),
    ),
    cmdline: cmdlines,
    initrd: option(
      blobs(3 << 20).chain((blob) =>
        fc.oneof(fc.constantFrom("low", is32 ? "low" : "high"), fc.integer({ min: 1, max: 0x1000 }))
          .map((where) => ({ ...blob, where: where as "low" | "high" | number }))
      ),
    ),
    taken: takens,
    entries: fc.array(
      fc.record({
        size: fc.integer({ min: 1, max: 0x1000 }),
        type: fc.constantFrom("reserved", "acpi", "nvs", "unusable", "persistent"),
      }),
      { maxLength: 4 },
    ),
    rsdp: option(fc.integer({ min: 1, max: 0xfff_ffff })),
    setupData: isPvh ? none() : fc.array(
      blobs(3000).chain((blob) => fc.constantFrom(2, 3, 9).map((type) => ({ ...blob, type }))),
      { maxLength: 4 },
    ),
    modules: isPvh
      ? fc.array(
        blobs(200_000).chain((blob) => option(cmdlines).map((cmdline) => ({ ...blob, cmdline }))),
        { maxLength: 4 },
      )
      : none(),
    dirt: dirts,
  });
  const layoutOf = (recipe: Recipe): RandomLayout => layout(recipe, protocol, kernel, initSize);
  return {
    recipes: recipes.filter((recipe) => mustBoot(recipe, initSize)),
    layoutOf: layoutOf as RandomFamily<unknown>["layoutOf"],
  };
}

const pages = (start: bigint, count: number): AddressRange => ({
  start,
  size: BigInt(count) * PAGE,
});

/** Ascending; regions that touch are one. */
function ramOf({ low, main, beyond, high }: Recipe): AddressRange[] {
  const from = BigInt(main.start) * PAGE;
  const ram = [pages(0n, low), { start: from, size: KERNEL + BigInt(main.size) * PAGE - from }];
  for (const { hole, size } of beyond) {
    ram.push(pages(endOf(ram.at(-1)!) + pages(0n, hole).size, size));
  }
  if (high !== undefined) ram.push(pages(4n * GIB + pages(0n, high.hole).size, high.size));
  return ram.filter(({ size }) => size > 0n).reduce<AddressRange[]>((merged, range) => {
    const last = merged.at(-1);
    if (last === undefined || endOf(last) < range.start) return [...merged, range];
    return [...merged.slice(0, -1), { start: last.start, size: last.size + range.size }];
  }, []);
}

/** What lies where by the recipe alone. */
function fixedOf(recipe: Recipe, initSize: bigint) {
  const { kernel, initrd, main, high } = recipe;
  const base = kernel === undefined
    ? undefined
    : kernel.isHigh && high !== undefined
    ? (4n * GIB + BigInt(high.hole) * PAGE + STEP - 1n) / STEP * STEP +
      BigInt(kernel.step % 3) * STEP
    : KERNEL + BigInt(kernel.step) * STEP;
  const where = typeof initrd?.where === "number" ? initrd.where : undefined;
  const address = where === undefined
    ? undefined
    : KERNEL + BigInt(main.size) * PAGE - BigInt(where) * PAGE;
  return {
    kernelAddress: base,
    kernelRange: { start: base ?? KERNEL, size: initSize || ELF_SIZE },
    initrdRange: address === undefined ? undefined : { start: address, size: BigInt(initrd!.size) },
  };
}

/** Whether the recipe's own addresses are inside RAM, apart from each other, and leave room. */
function mustBoot(recipe: Recipe, initSize: bigint): boolean {
  const ram = ramOf(recipe);
  const { kernelRange, initrdRange } = fixedOf(recipe, initSize);
  const fixed = initrdRange === undefined ? [kernelRange] : [kernelRange, initrdRange];
  if (fixed.some((range) => without([range], ram).length > 0)) return false;
  if (initrdRange !== undefined && overlaps(initrdRange, kernelRange)) return false;
  if (recipe.initrd === undefined && recipe.modules.length > 0) return false;
  const free = without(ram, [
    LEGACY_HOLE,
    ...fixed,
    ...placeTaken(ram, recipe.taken, fixed, true),
  ]);
  const needed = [
    ...TABLES,
    recipe.initrd?.size ?? 0,
    ...recipe.setupData.map(({ size }) => size),
    ...recipe.modules.flatMap(({ size }) => [size, 2048]),
  ];
  // What finds no place below may take the first free RAM: an initrd with an address lies above that
  const end = initrdRange?.start ?? 2n * GIB;
  return hasRoom(free, needed, MIB, end < 2n * GIB ? end : 2n * GIB);
}

function layout(
  recipe: Recipe,
  protocol: BootProtocol,
  kernel: Layout["kernel"],
  initSize: bigint,
): RandomLayout {
  const ram = ramOf(recipe);
  const { kernelAddress, kernelRange, initrdRange } = fixedOf(recipe, initSize);
  const fixed = initrdRange === undefined ? [kernelRange] : [kernelRange, initrdRange];
  const { cmdline, initrd, rsdp, setupData, modules, dirt } = recipe;
  const last = endOf(ram.at(-1)!);
  const end = last > 4n * GIB ? last - GIB : last;
  let next = FIRST_ENTRY;
  const memoryMap = recipe.entries.map(({ size, type }): MemoryMapEntry => {
    const start = next;
    next += 2n * PAGE;
    return { start, size: BigInt(size), type };
  });
  const options: LayoutOptions = {
    protocol,
    cmdline,
    kernelAddress,
    reservations: placeTaken(ram, recipe.taken, fixed, true),
    memoryMap,
    ...(initrd === undefined ? {} : { initrd: bytesOfBlob(initrd) }),
    ...(initrdRange === undefined ? {} : { initrdAddress: initrdRange.start }),
    ...(typeof initrd?.where === "string" ? { initrdPlacement: initrd.where } : {}),
    ...(rsdp === undefined ? {} : { rsdp: BigInt(rsdp) * 16n }),
    ...(setupData.length === 0
      ? {}
      : { setupData: setupData.map((item) => ({ type: item.type, data: bytesOfBlob(item) })) }),
    ...(modules.length === 0 ? {} : {
      modules: modules.map((item) => ({ source: bytesOfBlob(item), cmdline: item.cmdline })),
    }),
  };
  return {
    kernel,
    options,
    dirt: dirtOf(ram, dirt),
    ram,
    ramSize: (end + MIB - 1n) / MIB * MIB,
  };
}
