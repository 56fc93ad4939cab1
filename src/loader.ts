/**
 * linux-loader's building blocks: a kernel file into guest memory, and nothing else. They take what
 * linux-loader takes, which is more than boots.
 *
 * @module
 */
import { ADDRESS_END, formatAddress, requireAddress } from "./address.ts";
import { fieldError, LoaderError, wrongType } from "./errors.ts";
import { type BzImageKernel, parseBzImage, setupHeaderField } from "./formats/bzimage.ts";
import { parseArm64Image, parseRiscv64Image } from "./formats/image.ts";
import { MAX_FDT_SIZE } from "./limits.ts";
import { applyPlacements } from "./memory/apply.ts";
import { type GuestMemory, outsideRam } from "./memory/guest_memory.ts";
import type { PlacementContent } from "./memory/placement.ts";
import type { Cmdline } from "./params/cmdline.ts";
import { planElfLoad, type PvhBootCapability } from "./protocols/elf_load.ts";
import { type KernelSource, readBytes, sourceOf } from "./source.ts";
import {
  ENTRY_64_OFFSET,
  SETUP_HEADER,
  SETUP_HEADER_OFFSET,
  XLF_KERNEL_64,
} from "./structs/bootparam.ts";

/** Where a kernel is loaded. */
export interface KernelLoadOptions {
  /**
   * ELF: added to every p_paddr and to e_entry; the PVH entry is ignored then. bzImage: the address
   * to load at, code32_start if not given. Image: the 2 MiB aligned base, 0 if not given.
   */
  readonly kernelOffset?: bigint;
  /** ELF: the lowest e_entry that is taken. bzImage: the lowest code32_start. Image: no meaning. */
  readonly highmemStart?: bigint;
}

/** Where an Image is loaded. */
export interface ImageLoadOptions extends KernelLoadOptions {
  /** The guest's architecture: an Image of the other one is refused. */
  readonly arch: "aarch64" | "riscv64";
}

/** What a loader did. Addresses are guest-physical. */
export interface KernelLoaderResult {
  /**
   * What linux-loader calls kernel_load: for an ELF its entry (e_entry + kernelOffset), else where
   * the kernel's first byte is.
   */
  readonly kernelLoad: bigint;
  /**
   * Where the first vCPU starts. ELF: kernelLoad, or where it is loaded if e_entry is a virtual address.
   * bzImage: the 64-bit entry if it has one, else the 32-bit entry. Image: its first byte.
   */
  readonly entry: bigint;
  /** One past the kernel's last byte, the BSS of an ELF included; 0 for an ELF without PT_LOAD. */
  readonly kernelEnd: bigint;
  /**
   * bzImage: setup_header as it is in the file, 123 bytes, with code32_start as it was loaded.
   * `SETUP_HEADER.read` takes it apart.
   */
  readonly setupHeader?: Uint8Array;
  /** What an ELF says of PVH; ignored for the other formats. */
  readonly pvhBootCap: PvhBootCapability;
}

/** What loads kernels of one format, in the shape of linux-loader's trait of this name. */
export interface KernelLoader {
  /**
   * Loads a kernel.
   *
   * @param memory The guest's RAM. After an error it is as it was, but for `PARTIALLY_APPLIED`: the
   * source failed while it was read.
   * @param image The kernel file.
   * @param options Where.
   * @returns Where the kernel is.
   * @throws {LoaderError} If it cannot be loaded.
   * @throws {TypeError} If the kernel is neither bytes nor a source, or an option is of another type.
   */
  load(
    memory: GuestMemory,
    image: Uint8Array | KernelSource,
    options?: KernelLoadOptions,
  ): KernelLoaderResult;
}

/** What loads Images: a {@linkcode KernelLoader} that is told the architecture. */
export interface ImageLoader {
  /**
   * Loads a kernel.
   *
   * @param memory The guest's RAM. After an error it is as it was, but for `PARTIALLY_APPLIED`: the
   * source failed while it was read.
   * @param image The kernel file.
   * @param options Which architecture, and where.
   * @returns Where the kernel is.
   * @throws {LoaderError} If it cannot be loaded.
   * @throws {TypeError} If the kernel is neither bytes nor a source, or an option is of another type.
   */
  load(
    memory: GuestMemory,
    image: Uint8Array | KernelSource,
    options: ImageLoadOptions,
  ): KernelLoaderResult;
}

/**
 * Loads ELF files (vmlinux): every PT_LOAD where its p_paddr says, BSS zeroed. A file that is not a
 * kernel loads as well; 32-bit files, segments that overlap and segments outside RAM do not.
 *
 * @example
 * ```ts
 * import { Elf, GuestMemory } from "@vmm/linux-loader";
 *
 * function load(ram: Uint8Array, vmlinux: Uint8Array) {
 *   const memory = GuestMemory.of([{ start: 0n, bytes: ram }]);
 *   return Elf.load(memory, vmlinux, { highmemStart: 0x10_0000n }).pvhBootCap;
 * }
 * ```
 */
export const Elf: KernelLoader = {
  load(memory, image, options = {}) {
    const { kernelOffset, highmemStart } = checkedOptions(options);
    const source = sourceOf(image, "kernel");
    const { placements, ...result } = planElfLoad(memory, source, kernelOffset, highmemStart);
    applyPlacements(memory, placements);
    return result;
  },
};

/** Loads bzImages: everything after the setup, to the end of the file. */
export const BzImage: KernelLoader = {
  load(memory, image, options = {}) {
    const { kernelOffset, highmemStart } = checkedOptions(options);
    const source = sourceOf(image, "kernel");
    const kernel = parseBzImage(source);
    // All of it, whatever byte 0x201 says; the setup that was parsed is longer
    const setupHeader = readBytes(
      source,
      SETUP_HEADER_OFFSET,
      SETUP_HEADER.size,
      "setup_header",
    );
    const { code32_start } = SETUP_HEADER.read(setupHeader);
    if (highmemStart !== undefined && BigInt(code32_start) < highmemStart) {
      throw fieldError(
        "BELOW_HIGHMEM",
        setupHeaderField("code32_start"),
        `at least highmemStart, ${formatAddress(highmemStart)}`,
        formatAddress(code32_start),
      );
    }
    const kernelLoad = kernelOffset ?? BigInt(code32_start);
    SETUP_HEADER.write(setupHeader, { code32_start: Number(BigInt.asUintN(32, kernelLoad)) });
    const kernelEnd = loadWhole(memory, source, kernelLoad, kernel.setupSize);
    const entry = has64BitEntry(kernel) ? kernelLoad + BigInt(ENTRY_64_OFFSET) : kernelLoad;
    return { kernelLoad, entry, kernelEnd, setupHeader, pvhBootCap: { kind: "ignored" } };
  },
};

/** Loads arm64 and riscv64 Images: the whole file, text_offset bytes from a 2 MiB aligned base. */
export const PE: ImageLoader = {
  load(memory, image, options) {
    const { kernelOffset = 0n } = checkedOptions(options);
    const source = sourceOf(image, "kernel");
    const { textOffset } = parseImage(options.arch, source);
    if (kernelOffset % IMAGE_ALIGN !== 0n) {
      throw new LoaderError(
        "MISALIGNED",
        `Cannot load kernel at kernelOffset ${
          formatAddress(kernelOffset)
        }: expected a multiple of ${formatAddress(IMAGE_ALIGN)}`,
        { field: "kernelOffset", actual: formatAddress(kernelOffset) },
      );
    }
    const kernelLoad = kernelOffset + textOffset;
    if (kernelLoad >= ADDRESS_END) {
      throw fieldError(
        "ADDRESS_OVERFLOW",
        { field: "text_offset", offset: 8 },
        "a sum with kernelOffset below 2^64",
        `${formatAddress(kernelOffset)} + ${formatAddress(textOffset)}`,
      );
    }
    const kernelEnd = loadWhole(memory, source, kernelLoad, 0);
    return { kernelLoad, entry: kernelLoad, kernelEnd, pvhBootCap: { kind: "ignored" } };
  },
};

/** booting.rst and boot.rst of riscv: an Image's base. */
const IMAGE_ALIGN = 2n << 20n;

/**
 * Writes a device tree into guest memory. It is not looked at.
 *
 * @param memory The guest's RAM; untouched after an error.
 * @param address Guest-physical address of its first byte.
 * @param dtb The device tree, at most 2 MiB.
 * @throws {LoaderError} `FDT_TOO_BIG`, `OUTSIDE_RAM`, `INVALID_OPTION`; `PARTIALLY_APPLIED` if the
 * source failed while it was read.
 * @throws {TypeError} If the address is not a bigint, or the tree neither bytes nor a source.
 */
export function loadDtb(
  memory: GuestMemory,
  address: bigint,
  dtb: Uint8Array | KernelSource,
): void {
  requireAddress(address, "address");
  const source = sourceOf(dtb, "device tree");
  if (source.size > MAX_FDT_SIZE) {
    throw new LoaderError(
      "FDT_TOO_BIG",
      `Cannot load device tree: ${source.size} bytes, at most ${MAX_FDT_SIZE} are wanted`,
      { field: "totalsize", expected: `at most ${MAX_FDT_SIZE}`, actual: `${source.size}` },
    );
  }
  const content = { kind: "source", source, offset: 0 } as const;
  place(memory, "device tree", address, BigInt(source.size), content);
}

/**
 * Writes a command line and its NUL into guest memory.
 *
 * @param memory The guest's RAM; untouched after an error.
 * @param address Guest-physical address of its first byte.
 * @param cmdline The command line.
 * @throws {LoaderError} `CMDLINE_NO_BOOT_ARGS`, `CMDLINE_NUL`, `OUTSIDE_RAM`, `INVALID_OPTION`.
 * @throws {TypeError} If the address is not a bigint, or the line not a {@linkcode Cmdline}.
 */
export function loadCmdline(memory: GuestMemory, address: bigint, cmdline: Cmdline): void {
  requireAddress(address, "address");
  if (typeof cmdline?.asCString !== "function") throw wrongType("cmdline", "a Cmdline", cmdline);
  const bytes = cmdline.asCString();
  place(memory, "command line", address, BigInt(bytes.length), { kind: "bytes", bytes });
}

/** Loads all of a file from an offset on; says where it ends in memory. */
function loadWhole(
  memory: GuestMemory,
  source: KernelSource,
  start: bigint,
  offset: number,
): bigint {
  const size = BigInt(source.size - offset);
  place(memory, "kernel", start, size, { kind: "source", source, offset });
  return start + size;
}

function place(
  memory: GuestMemory,
  name: string,
  start: bigint,
  size: bigint,
  content: PlacementContent,
): void {
  const range = { start, size };
  if (size > 0n && !memory.contains(range)) throw outsideRam(name, range, memory);
  applyPlacements(memory, [{ name, ...range, content }]);
}

function checkedOptions({ kernelOffset, highmemStart }: KernelLoadOptions): KernelLoadOptions {
  if (kernelOffset !== undefined) requireAddress(kernelOffset, "kernelOffset");
  if (highmemStart !== undefined) requireAddress(highmemStart, "highmemStart");
  return { kernelOffset, highmemStart };
}

function has64BitEntry({ header, fileKernelSize }: BzImageKernel): boolean {
  return ((header.xloadflags ?? 0) & XLF_KERNEL_64) !== 0 && fileKernelSize > ENTRY_64_OFFSET;
}

function parseImage(arch: ImageLoadOptions["arch"], source: KernelSource): { textOffset: bigint } {
  switch (arch) {
    case "aarch64":
      return parseArm64Image(source);
    case "riscv64":
      return parseRiscv64Image(source);
    default:
      arch satisfies never;
      throw new TypeError(`Cannot load Image: arch ${arch}, expected "aarch64" or "riscv64"`);
  }
}
