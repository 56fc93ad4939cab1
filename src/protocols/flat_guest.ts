import {
  type AddressRange,
  alignUp,
  byStart,
  disjointPieces,
  formatAddress,
  MIB,
  PAGE_SIZE,
  rangeEnd,
} from "../address.ts";
import { fieldError, LoaderError } from "../errors.ts";
import { type FdtTree, parseFdt } from "../formats/fdt.ts";
import { writeFdt } from "../formats/fdt_write.ts";
import { type FlatKernel, requireSections } from "../formats/image.ts";
import type { Placement } from "../memory/placement.ts";
import { Space, type SpaceRequest } from "../memory/space.ts";
import type { CmdlineLimit } from "../params/cmdline.ts";
import {
  addReservedMemory,
  reservedRanges,
  setChosen,
  setMemory,
} from "../params/device_tree_edit.ts";
import { deriveMemoryMap, type MemoryMapEntry, type Reservation } from "../params/memory_map.ts";
import { type BootRequest, cmdlineBytes, invalidOption } from "./plan.ts";

/** A window of guest-physical addresses: [min, max). */
export interface Window {
  /** The first address. */
  readonly min: bigint;
  /** One past the last address. */
  readonly max: bigint;
}

/** What an architecture says about its flat Images. */
export interface FlatRules {
  /** The command line's limit. */
  readonly cmdlineLimit: CmdlineLimit;
  /** Alignment of the end of what the kernel keeps for itself, in bytes. */
  readonly endAlign: bigint;
  /** One past the highest address that the kernel can be at. */
  readonly memoryEnd: bigint;
  /** Where an initrd may lie for a kernel that lies there, the first choice first. */
  readonly initrdWindows: (kernel: AddressRange) => readonly [Window, ...Window[]];
  /** Checks an address that the caller chose for the initrd. */
  readonly checkInitrd: (initrd: AddressRange, kernel: AddressRange) => void;
}

/** A flat Image, its device tree and its initrd in guest memory. */
export interface PlacedFlat {
  /** Where the Image starts, which is where it is entered. */
  readonly entry: bigint;
  /** Where the device tree is. */
  readonly dtb: bigint;
  /** Everything that was placed, ascending. */
  readonly placements: readonly Placement[];
  /** The guest's memory map. */
  readonly memoryMap: readonly MemoryMapEntry[];
}

/** booting.rst and boot.rst (riscv): a 2 MiB aligned base. */
const BASE_ALIGN = 2n * MIB;
/** booting.rst: the device tree has 2 MiB to itself, for it is mapped in blocks of that size. */
const DTB_BLOCK = 2n * MIB;
const DTB_REACH = 512n * MIB;

/**
 * Places a flat Image, its device tree and its initrd, and completes the tree.
 *
 * @param image What the Image says.
 * @param request What the caller asks for.
 * @param tree The machine's tree; it is changed.
 * @param rules What the architecture says.
 * @returns What lies where.
 * @throws {LoaderError} `IMAGE_BIG_ENDIAN`, `FDT_*`, or the reason why something does not fit.
 */
export function placeFlat(
  image: FlatKernel,
  request: BootRequest,
  tree: FdtTree,
  rules: FlatRules,
): PlacedFlat {
  if (image.bigEndian) {
    throw fieldError(
      "IMAGE_BIG_ENDIAN",
      { field: "flags", offset: 0x18 },
      "bit 0 clear: a little-endian kernel",
      formatAddress(image.header.flags),
    );
  }
  requireSections(request.kernel);
  const { ram } = request.layout;
  const own = request.reservations ?? [];
  const reservations: Reservation[] = [...own, ...reservedRanges(tree)];
  const memoryMap = deriveMemoryMap({ ram, reservations, extra: request.memoryMap });
  const space = new Space(request.layout);
  space.reserve(reservations);

  const cmdline = cmdlineBytes(request, rules.cmdlineLimit);
  const kernel = placeKernel(image, request, space, rules);
  const covered = { start: kernel[0].start, size: rangeEnd(kernel.at(-1)!) - kernel[0].start };
  // An Image that does not say how much it needs has everything else as far away as can be.
  const from = image.imageSize === undefined ? "high" : "low";
  const base = covered.start - image.textOffset;
  const dtb = placeAbove(covered, dtbWindows(base, rules), space, {
    name: "device tree",
    size: DTB_BLOCK,
    align: DTB_BLOCK,
    from,
  });
  const initrd = placeInitrd(request, space, covered, rules, from);

  setMemory(tree, ram);
  addReservedMemory(tree, disjointPieces(own).map(asNode));
  setChosen(tree, {
    bootargs: new TextDecoder().decode(cmdline.subarray(0, -1)),
    initrd: initrd ?? null,
    kaslrSeed: request.seeds?.kaslr,
    rngSeed: request.seeds?.rng,
  });
  const bytes = writeFdt(tree);
  const placements: Placement[] = [...kernel, {
    name: "device tree",
    start: dtb,
    size: BigInt(bytes.length),
    content: { kind: "bytes", bytes },
  }];
  if (initrd) placements.push(initrd);
  return { entry: kernel[0].start, dtb, placements: placements.sort(byStart), memoryMap };
}

/**
 * The tree that a boot starts from.
 *
 * @param deviceTree The caller's tree or machine.
 * @param controller The property that only machines of the kernel's architecture have.
 * @param build Builds a tree for a machine.
 * @returns A tree of its own.
 * @throws {LoaderError} `INVALID_OPTION` if there is neither, or the machine is of another
 * architecture than the kernel's file; `FDT_*`.
 */
export function baseTree<M extends object>(
  deviceTree: Uint8Array | M | undefined,
  controller: string & keyof M,
  build: (machine: M) => FdtTree,
): FdtTree {
  if (deviceTree instanceof Uint8Array) return parseFdt(deviceTree);
  if (deviceTree && controller in deviceTree) return build(deviceTree);
  if (deviceTree) {
    throw invalidOption(
      "deviceTree",
      `it describes a machine without ${controller}, and this kernel is for a machine that has one`,
    );
  }
  throw invalidOption(
    "deviceTree",
    "there is none, and this kernel boots with one: bytes of a device tree (DTB), or a " +
      "description of the machine to build one from, are wanted",
  );
}

/** A reservation as a node under /reserved-memory, which has its own rules for names. */
function asNode({ name, start, size }: Reservation): { name: string; start: bigint; size: bigint } {
  const nodeName = name.replace(/[^A-Za-z0-9,._+-]+/g, "-").slice(0, 31);
  return { name: nodeName || "reserved", start, size };
}

/** The Image, and what it needs beyond its file: BSS, zeroed since a flat file cannot say where it starts. */
function placeKernel(
  image: FlatKernel,
  request: BootRequest,
  space: Space,
  rules: FlatRules,
): [Placement, ...Placement[]] {
  const fileSize = BigInt(request.kernel.size);
  const needed = image.imageSize ?? 0n;
  const size = needed > fileSize ? needed : fileSize;
  // It is the end that is aligned: the start is where text_offset puts it in its block.
  const skew = image.textOffset % BASE_ALIGN;
  const kept = alignUp(skew + size, rules.endAlign) - skew;
  const start = takeKernel(image, request, kept, space, rules);
  const content = { kind: "source", source: request.kernel, offset: 0 } as const;
  const placements: [Placement, ...Placement[]] = [
    { name: "kernel", start, size: fileSize, content },
  ];
  const follow = (name: string, from: bigint, to: bigint, kind: "zeros" | "claim") => {
    if (from < to) {
      placements.push({ name, start: start + from, size: to - from, content: { kind } });
    }
  };
  follow("kernel bss", fileSize, size, "zeros");
  follow("kernel work area", size, kept, "claim");
  return placements;
}

/** The lowest base in RAM that has room, or the caller's choice. */
function takeKernel(
  { textOffset }: FlatKernel,
  { layout: { ram }, kernelAddress: chosen }: BootRequest,
  size: bigint,
  space: Space,
  { memoryEnd }: FlatRules,
): bigint {
  const skew = textOffset % BASE_ALIGN;
  if (chosen !== undefined) {
    if (chosen % BASE_ALIGN === skew && chosen >= textOffset) {
      space.claim([{ name: "kernel", start: chosen, size }]);
      return chosen;
    }
    throw new LoaderError(
      "MISALIGNED",
      `Cannot place kernel at ${formatAddress(chosen)}: a multiple of ${
        formatAddress(BASE_ALIGN)
      } plus its text_offset ${formatAddress(textOffset)} is wanted`,
      { field: "kernelAddress", ranges: [{ name: "kernel", start: chosen, size }] },
    );
  }
  // The base itself lies in RAM: an Image is at least text_offset above the lowest.
  const min = alignUp(ram[0].start, BASE_ALIGN) + textOffset - skew;
  const base = { name: "kernel", size: skew + size, align: BASE_ALIGN, min, max: memoryEnd };
  return space.allocate(base) + skew;
}

/**
 * Finds room in one of some windows: above the kernel if there is any, since older kernels do not
 * use memory below the Image (booting.rst: before 4.6), else anywhere.
 */
function placeAbove(
  kernel: AddressRange,
  windows: readonly [Window, ...Window[]],
  space: Space,
  request: SpaceRequest,
): bigint {
  const rooms = [...windows.map(({ max }) => ({ min: rangeEnd(kernel), max })), ...windows];
  const room = rooms.find((window) => space.find({ ...request, ...window }) !== undefined);
  return space.allocate({ ...request, ...room ?? windows[0] });
}

/** booting.rst: before 4.2 "within the 512 MB region starting at text_offset bytes below the kernel". */
function dtbWindows(base: bigint, { memoryEnd }: FlatRules): [Window, Window] {
  const near = base + DTB_REACH;
  return [
    { min: base, max: near < memoryEnd ? near : memoryEnd },
    { min: 0n, max: memoryEnd },
  ];
}

/** Page-aligned, where the architecture allows it. */
function placeInitrd(
  { initrd, initrdAddress }: BootRequest,
  space: Space,
  kernel: AddressRange,
  rules: FlatRules,
  from: "low" | "high",
): Placement | undefined {
  if (!initrd) {
    if (initrdAddress === undefined) return undefined;
    throw invalidOption("initrdAddress", "there is no initrd, an initrd is wanted");
  }
  const size = BigInt(initrd.size);
  const name = "initrd";
  let start = initrdAddress;
  if (start === undefined) {
    const request = { name, size, align: PAGE_SIZE, from };
    start = placeAbove(kernel, rules.initrdWindows(kernel), space, request);
  } else {
    if (start % PAGE_SIZE !== 0n) {
      throw new LoaderError(
        "MISALIGNED",
        `Cannot place initrd at ${formatAddress(start)}: a multiple of ${
          formatAddress(PAGE_SIZE)
        } is wanted`,
        { field: "initrdAddress", ranges: [{ name, start, size }] },
      );
    }
    rules.checkInitrd({ start, size }, kernel);
    space.claim([{ name, start, size }]);
  }
  return { name, start, size, content: { kind: "source", source: initrd, offset: 0 } };
}
