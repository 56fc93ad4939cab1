import {
  addressAdd,
  type AddressRange,
  alignDown,
  alignUp,
  byStart,
  disjointPieces,
  formatAddress,
  formatRange,
  GIB,
  MIB,
  PAGE_SIZE,
  rangeEnd,
} from "../address.ts";
import { arm64CpuState } from "../cpu/arm64.ts";
import { fieldError, LoaderError } from "../errors.ts";
import { type FdtTree, parseFdt } from "../formats/fdt.ts";
import { writeFdt } from "../formats/fdt_write.ts";
import type { FlatKernel } from "../formats/image.ts";
import { MAX_FDT_SIZE } from "../limits.ts";
import { placeBytes, type Placement } from "../memory/placement.ts";
import { Space, type SpaceRequest } from "../memory/space.ts";
import { buildArm64Tree } from "../params/arm64_tree.ts";
import { CMDLINE_LIMITS } from "../params/cmdline.ts";
import { addReservedMemory, setChosen, setMemory } from "../params/device_tree_edit.ts";
import { reservedRanges } from "../params/device_tree_reserved.ts";
import { deriveMemoryMap, type Reservation } from "../params/memory_map.ts";
import { ARM64_IMAGE_HEADER } from "../structs/image_header.ts";
import { type BootPlan, type BootRequest, cmdlineBytes, invalidOption } from "./plan.ts";

/** booting.rst: "a 2MB aligned base address". */
const BASE_ALIGN = 2n * MIB;
/** Where a kernel with 48-bit addresses can be. */
const MEMORY_END = 1n << 48n;
/** booting.rst: the device tree has 2 MiB to itself, for it is mapped in blocks of that size. */
const DTB_BLOCK = 2n * MIB;
/** booting.rst: before Linux 4.2 the tree lies within 512 MiB of the kernel's base. */
const DTB_WINDOW = 512n * MIB;
/** booting.rst: initrd and kernel lie in "a 1GB aligned physical memory window of up to 32GB in size". */
const WINDOW_ALIGN: bigint = GIB;
const WINDOW_SIZE: bigint = 32n * GIB;

/**
 * Plans a boot of an arm64 Image: Documentation/arch/arm64/booting.rst.
 *
 * @param image What the Image says.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} `IMAGE_BIG_ENDIAN`, `FDT_*`, or the reason why something does not fit.
 */
export function planArm64(image: FlatKernel, request: BootRequest): BootPlan {
  if (image.bigEndian) {
    throw fieldError(
      "IMAGE_BIG_ENDIAN",
      { field: "flags", offset: ARM64_IMAGE_HEADER.fields.flags.offset },
      "bit 0 clear: a little-endian kernel",
      formatAddress(image.header.flags),
    );
  }
  const tree = baseTree(request);
  const { ram } = request.layout;
  const own = request.reservations ?? [];
  const reservations: Reservation[] = [...own, ...reservedRanges(tree)];
  const memoryMap = deriveMemoryMap({ ram, reservations, extra: request.memoryMap });
  const space = new Space(request.layout);
  space.reserve(reservations);

  const cmdline = cmdlineBytes(request, CMDLINE_LIMITS.aarch64);
  const kernel = placeKernel(image, request, space);
  // Before 3.17 the Image did not say how much it needs: everything else then goes high.
  const from = image.imageSize === undefined ? "high" : "low";
  const [{ start: entry }] = kernel;
  const base = entry - image.textOffset % BASE_ALIGN;
  const windows = [{ min: base, max: base + DTB_WINDOW }, { min: 0n, max: MEMORY_END }];
  const dtb = placeAbove(kernel, windows, space, {
    name: "device tree",
    size: DTB_BLOCK,
    align: DTB_BLOCK,
    from,
  });
  const initrd = placeInitrd(request, space, kernel, from);

  setMemory(tree, ram);
  addReservedMemory(tree, disjointPieces(own).filter(({ size }) => size > 0n).map(asNode));
  setChosen(tree, {
    bootargs: new TextDecoder().decode(cmdline.subarray(0, -1)),
    initrd: initrd ? { start: initrd.start, size: initrd.size } : null,
    kaslrSeed: request.seeds?.kaslr,
    rngSeed: request.seeds?.rng,
  });
  const tableBytes = writeFdt(tree);
  if (tableBytes.length > MAX_FDT_SIZE) {
    throw new LoaderError(
      "FDT_TOO_BIG",
      `Cannot place device tree: ${tableBytes.length} bytes, at most ${MAX_FDT_SIZE} are allowed ` +
        "(booting.rst)",
      {
        field: "totalsize",
        offset: 4,
        expected: `at most ${MAX_FDT_SIZE}`,
        actual: `${tableBytes.length}`,
      },
    );
  }
  const placements = [
    ...kernel,
    placeBytes("device tree", dtb, tableBytes),
    ...initrd ? [initrd] : [],
  ];
  return {
    arch: "aarch64",
    protocol: "arm64",
    placements: placements.sort(byStart),
    memoryMap,
    cpu: arm64CpuState({ pc: entry, dtb, el: exceptionLevel(request) }),
    ram,
  };
}

function exceptionLevel({ exceptionLevel: el = 1 }: BootRequest): 1 | 2 {
  if (el === 1 || el === 2) return el;
  throw invalidOption("exceptionLevel", `${el}, 1 or 2 is wanted`);
}

function baseTree({ deviceTree }: BootRequest): FdtTree {
  if (deviceTree instanceof Uint8Array) return parseFdt(deviceTree);
  if (deviceTree) return buildArm64Tree(deviceTree);
  throw invalidOption(
    "deviceTree",
    "there is none, and an arm64 kernel boots with one: bytes of a device tree (DTB), or a " +
      "description of the machine ({ cpus, psci, gic, … }) to build one from, are wanted",
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
): [Placement, ...Placement[]] {
  const fileSize = BigInt(request.kernel.size);
  const needed = image.imageSize ?? 0n;
  const size = needed > fileSize ? needed : fileSize;
  const start = takeKernel(image, request, size, space);
  const kernel: Placement = {
    name: "kernel",
    start,
    size: fileSize,
    content: { kind: "source", source: request.kernel, offset: 0 },
  };
  const rest: Placement[] = size === fileSize ? [] : [{
    name: "kernel bss",
    start: start + fileSize,
    size: size - fileSize,
    content: { kind: "zeros" },
  }];
  return [kernel, ...rest];
}

/** The lowest base in RAM that has room, or the caller's choice. */
function takeKernel(
  { textOffset }: FlatKernel,
  { layout: { ram }, kernelAddress: chosen }: BootRequest,
  size: bigint,
  space: Space,
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
  const base = { name: "kernel", size: skew + size, align: BASE_ALIGN, min, max: MEMORY_END };
  return space.allocate(base) + skew;
}

/**
 * Finds room in one of some windows: above the kernel if there is any, since before Linux 4.6 memory
 * below the Image was not used (booting.rst), else anywhere.
 */
function placeAbove(
  kernel: readonly Placement[],
  windows: readonly { min: bigint; max: bigint }[],
  space: Space,
  request: SpaceRequest,
): bigint {
  const end = rangeEnd(kernel.at(-1)!);
  const rooms = [...windows.map(({ max }) => ({ min: end, max })), ...windows];
  const room = rooms.find((window) => space.find({ ...request, ...window }) !== undefined);
  return space.allocate({ ...request, ...room ?? windows[0] });
}

/** Page-aligned, in the window that also covers the kernel. */
function placeInitrd(
  { initrd, initrdAddress }: BootRequest,
  space: Space,
  kernel: readonly Placement[],
  from: "low" | "high",
): Placement | undefined {
  if (!initrd) {
    if (initrdAddress === undefined) return undefined;
    throw invalidOption("initrdAddress", "there is no initrd, an initrd is wanted");
  }
  const size = BigInt(initrd.size);
  const name = "initrd";
  const covered = { start: kernel[0].start, size: rangeEnd(kernel.at(-1)!) - kernel[0].start };
  let start = initrdAddress;
  if (start === undefined) {
    const request = { name, size, align: PAGE_SIZE, from };
    start = placeAbove(kernel, windowsAround(covered), space, request);
  } else {
    checkInitrdAddress({ start, size }, covered);
    space.claim([{ name, start, size }]);
  }
  return { name, start, size, content: { kind: "source", source: initrd, offset: 0 } };
}

/** The window that starts with the kernel, and the one that ends with it. */
function windowsAround(kernel: AddressRange): { min: bigint; max: bigint }[] {
  const first = alignDown(kernel.start, WINDOW_ALIGN);
  const last = alignUp(rangeEnd(kernel), WINDOW_ALIGN);
  return [
    { min: first, max: first + WINDOW_SIZE },
    { min: last > WINDOW_SIZE ? last - WINDOW_SIZE : 0n, max: last },
  ];
}

function checkInitrdAddress(initrd: AddressRange, kernel: AddressRange): void {
  const end = addressAdd(initrd.start, initrd.size, "initrd");
  const ranges = [{ name: "initrd", ...initrd }, { name: "kernel", ...kernel }];
  if (initrd.start % PAGE_SIZE !== 0n) {
    throw new LoaderError(
      "MISALIGNED",
      `Cannot place initrd at ${formatAddress(initrd.start)}: a multiple of ${
        formatAddress(PAGE_SIZE)
      } is wanted`,
      { field: "initrdAddress", ranges },
    );
  }
  const low = initrd.start < kernel.start ? initrd.start : kernel.start;
  const high = end > rangeEnd(kernel) ? end : rangeEnd(kernel);
  if (alignUp(high, WINDOW_ALIGN) - alignDown(low, WINDOW_ALIGN) > WINDOW_SIZE) {
    throw new LoaderError(
      "NO_SPACE",
      `Cannot place initrd at ${formatRange(initrd)}: with the kernel at ${
        formatRange(kernel)
      } it must lie in one 1 GiB aligned window of 32 GiB (booting.rst)`,
      { field: "initrdAddress", ranges },
    );
  }
}
