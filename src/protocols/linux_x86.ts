import type { AddressRange } from "../address.ts";
import type { X86Mode } from "../cpu/x86.ts";
import type { BzImageKernel } from "../formats/bzimage.ts";
import { LoaderError } from "../errors.ts";
import { ehdrField, type ElfKernel } from "../formats/elf.ts";
import { MAX_E820_ZERO_PAGE } from "../limits.ts";
import { CMDLINE_LIMITS, type CmdlineLimit } from "../params/cmdline.ts";
import { buildSetupData, buildZeroPage, e820Overflow, setupDataSize } from "../params/zero_page.ts";
import {
  BOOT_FLAG_MAGIC,
  BOOT_PARAMS_SIZE,
  DEFAULT_CMDLINE_SIZE,
  DEFAULT_INITRD_ADDR_MAX,
  HDRS_MAGIC,
  LOADED_HIGH,
  type SetupHeader,
  XLF_CAN_BE_LOADED_ABOVE_4G,
} from "../structs/bootparam.ts";
import { type BzImageEntry, placeBzImage } from "./bzimage_placement.ts";
import { placeElf, requireClass, resolveEntry } from "./elf_segments.ts";
import { LOW_END, SETUP_DATA_START, ZERO_PAGE_START } from "./layout_x86.ts";
import { type BootRequest, cmdlineBytes, invalidOption } from "./plan.ts";
import { X86Guest } from "./x86_guest.ts";

/** What tells the Linux protocols of x86 apart. */
export interface LinuxX86Protocol {
  /** Its name. */
  readonly name: "linux32" | "linux64";
  /** The one that boots what this one does not. */
  readonly other: "linux32" | "linux64";
  /** The mode in which the kernel is entered. */
  readonly mode: X86Mode;
  /** The ELF class whose e_entry is code for that mode. */
  readonly elfClass: 32 | 64;
  /** How a bzImage is entered. */
  readonly bzImage: BzImageEntry;
  /** initrd_addr_max, inclusive, for a vmlinux, which has no header that says it. */
  readonly vmlinuxInitrdAddrMax: number;
}

/** A kernel with everything that it is told, in guest memory. Addresses are guest-physical. */
export interface PlacedLinux {
  /** The guest so far. */
  readonly guest: X86Guest;
  /** Where the kernel is entered. */
  readonly rip: bigint;
  /** Where the GDT is. */
  readonly gdt: bigint;
  /** Where the zero page is. */
  readonly zeroPage: bigint;
}

/** What the zero page and the CPU need to know of the kernel, whichever file it came in. */
interface LoadedKernel {
  readonly load: bigint;
  readonly entry: bigint;
  readonly headerBytes: Uint8Array;
  readonly header: Partial<SetupHeader>;
  readonly cmdlineLimit: CmdlineLimit;
  /** Inclusive. */
  readonly initrdAddrMax: number;
  readonly initrdMayBeHigh: boolean;
  readonly takesSetupData: boolean;
}

/** boot.rst, "version": the protocol whose fields the synthesized header has. */
const SYNTHESIZED_VERSION = 0x020c;
/** boot.rst, "kernel_alignment": what Linux' own header says. */
const SYNTHESIZED_ALIGNMENT = 0x200000;

/**
 * Places a kernel, its command line, initrd, setup_data and zero page: what the 32-bit and the 64-bit
 * protocol share.
 *
 * @param kernel The kernel.
 * @param request What the caller asks for.
 * @param protocol The protocol.
 * @returns What lies where.
 * @throws {LoaderError} If the protocol cannot enter this kernel, or something does not fit.
 */
export function placeLinux(
  kernel: BzImageKernel | ElfKernel,
  request: BootRequest,
  protocol: LinuxX86Protocol,
): PlacedLinux {
  const guest = new X86Guest(request);
  const loaded = kernel.format === "elf"
    ? loadVmlinux(kernel, guest, protocol)
    : loadBzImage(kernel, guest, protocol);
  const line = cmdlineBytes(request, loaded.cmdlineLimit);
  const initrdAt = () => placeInitrd(guest, loaded, protocol.bzImage.end);
  const fixed = request.initrdAddress === undefined ? undefined : initrdAt();
  const cmdline = guest.placeCmdline(line);
  const gdt = guest.placeGdt(protocol.mode);
  const setupData = placeSetupData(guest, loaded);
  const initrd = fixed ?? initrdAt();
  const zeroPage = guest.place(
    "zero page",
    BigInt(BOOT_PARAMS_SIZE),
    ZERO_PAGE_START,
    () =>
      buildZeroPage({
        headerBytes: loaded.headerBytes,
        header: loaded.header,
        kernel: loaded.load,
        cmdline,
        initrd,
        rsdp: request.rsdp,
        setupData,
        memoryMap: guest.memoryMap,
      }),
    BigInt(BOOT_PARAMS_SIZE),
  );
  return { guest, rip: loaded.entry, gdt, zeroPage };
}

function loadBzImage(
  kernel: BzImageKernel,
  guest: X86Guest,
  protocol: LinuxX86Protocol,
): LoadedKernel {
  const { load, entry, header, placements } = placeBzImage(
    kernel,
    protocol.bzImage,
    guest.request,
    guest.space,
  );
  guest.add(placements);
  const { cmdline_size, initrd_addr_max, xloadflags } = kernel.header;
  return {
    load,
    entry,
    headerBytes: kernel.headerBytes,
    header,
    cmdlineLimit: cmdline_size === undefined
      ? { maxLength: DEFAULT_CMDLINE_SIZE, where: "boot.rst, kernels without cmdline_size" }
      : { maxLength: cmdline_size, where: "setup_header.cmdline_size of this kernel" },
    initrdAddrMax: initrd_addr_max ?? DEFAULT_INITRD_ADDR_MAX,
    initrdMayBeHigh: ((xloadflags ?? 0) & XLF_CAN_BE_LOADED_ABOVE_4G) !== 0,
    takesSetupData: kernel.header.setup_data !== undefined,
  };
}

/** A vmlinux has no setup_header: the zero page gets one that says what a loader must say. */
function loadVmlinux(elf: ElfKernel, guest: X86Guest, protocol: LinuxX86Protocol): LoadedKernel {
  if (guest.request.kernelAddress !== undefined) {
    throw invalidOption("kernelAddress", "an ELF kernel says itself where it is loaded (p_paddr)");
  }
  requireClass(elf, protocol.elfClass, protocol);
  const placements = placeElf(elf, guest.request.kernel, guest.space);
  guest.add(placements);
  return {
    load: placements.reduce((low, { start }) => start < low ? start : low, placements[0].start),
    entry: resolveEntry(elf, elf.entry, ehdrField(elf.elfClass, "e_entry"), true),
    headerBytes: new Uint8Array(0),
    header: {
      boot_flag: BOOT_FLAG_MAGIC,
      header: HDRS_MAGIC,
      version: SYNTHESIZED_VERSION,
      loadflags: LOADED_HIGH,
      kernel_alignment: SYNTHESIZED_ALIGNMENT,
      initrd_addr_max: protocol.vmlinuxInitrdAddrMax,
      cmdline_size: CMDLINE_LIMITS.x86_64.maxLength,
    },
    cmdlineLimit: CMDLINE_LIMITS.x86_64,
    initrdAddrMax: protocol.vmlinuxInitrdAddrMax,
    initrdMayBeHigh: true,
    takesSetupData: true,
  };
}

/**
 * boot.rst, "initrd_addr_max": inclusive. It binds unless the kernel can be above 4 GiB, that was
 * asked for, and the protocol reaches there.
 */
function placeInitrd(
  guest: X86Guest,
  { initrdMayBeHigh, initrdAddrMax }: LoadedKernel,
  end: bigint,
): AddressRange | undefined {
  const { initrdPlacement, initrdAddress } = guest.request;
  const isHigh = end > LOW_END && initrdMayBeHigh &&
    (initrdPlacement === "high" || (initrdAddress ?? 0n) > BigInt(initrdAddrMax));
  return isHigh
    ? guest.placeInitrd(end, "what page tables can map")
    : guest.placeInitrd(BigInt(initrdAddrMax) + 1n, "initrd_addr_max of this kernel");
}

function placeSetupData(guest: X86Guest, { takesSetupData }: LoadedKernel): bigint | undefined {
  const { setupData = [] } = guest.request;
  const overflow = e820Overflow(guest.memoryMap);
  const items = [...setupData, ...overflow];
  if (items.length === 0) return undefined;
  if (!takesSetupData) {
    const what = "this kernel's setup_header has no setup_data, which boot protocol 2.09 brought";
    if (setupData.length > 0) throw invalidOption("setupData", what);
    throw new LoaderError(
      "LIMIT_EXCEEDED",
      `Cannot tell the kernel of ${guest.memoryMap.length} memory map entries, ` +
        `${MAX_E820_ZERO_PAGE} are possible: ${what}`,
      { field: "memoryMap", expected: `at most ${MAX_E820_ZERO_PAGE}` },
    );
  }
  const build = (start: bigint) => buildSetupData(items, start);
  return guest.place("setup_data", setupDataSize(items), SETUP_DATA_START, build);
}
