import { type AddressRange, formatAddress, rangeEnd } from "../address.ts";
import { buildPageTables, IDENTITY_MAP_END, planPageTables, x86CpuState } from "../cpu/x86.ts";
import { LoaderError } from "../errors.ts";
import type { BzImageKernel } from "../formats/bzimage.ts";
import type { ElfKernel } from "../formats/elf.ts";
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
import { ELF64_EHDR } from "../structs/elf.ts";
import { placeBzImage } from "./bzimage_placement.ts";
import { placeElf, resolveEntry } from "./elf_segments.ts";
import {
  LOW_END,
  PAGE_TABLES_START,
  SETUP_DATA_START,
  VMLINUX_INITRD_ADDR_MAX,
  ZERO_PAGE_START,
} from "./layout_x86.ts";
import { type BootPlan, type BootRequest, cmdlineBytes, invalidOption } from "./plan.ts";
import { X86Guest } from "./x86_guest.ts";

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
}

/** boot.rst, "version": the protocol whose fields the synthesized header has. */
const SYNTHESIZED_VERSION = 0x020c;
/** boot.rst, "kernel_alignment": what Linux' own x86_64 header says. */
const SYNTHESIZED_ALIGNMENT = 0x200000;

/**
 * Plans a boot by the 64-bit Linux protocol: boot.rst, "64-bit BOOT PROTOCOL".
 *
 * @param kernel A bzImage with a 64-bit entry, or an x86_64 vmlinux.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} If the kernel has no 64-bit entry, or something does not fit.
 */
export function planLinux64(kernel: BzImageKernel | ElfKernel, request: BootRequest): BootPlan {
  const guest = new X86Guest(request);
  const loaded = kernel.format === "elf" ? loadVmlinux(kernel, guest) : loadBzImage(kernel, guest);
  const cmdline = guest.placeCmdline(cmdlineBytes(request, loaded.cmdlineLimit));
  const gdt = guest.placeGdt("long");
  const setupData = placeSetupData(guest);
  const initrd = placeInitrd(guest, loaded);
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
  const pageTables = placePageTables(guest);
  return guest.plan(
    "linux64",
    x86CpuState({ mode: "long", rip: loaded.entry, gdt, pageTables, rsi: zeroPage }),
  );
}

function loadBzImage(kernel: BzImageKernel, guest: X86Guest): LoadedKernel {
  const { load, entry, header, placements } = placeBzImage(kernel, guest.request, guest.space);
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
  };
}

/** A vmlinux has no setup_header: the zero page gets one that says what a loader must say. */
function loadVmlinux(elf: ElfKernel, guest: X86Guest): LoadedKernel {
  if (guest.request.kernelAddress !== undefined) {
    throw invalidOption("kernelAddress", "an ELF kernel says itself where it is loaded (p_paddr)");
  }
  const placements = placeElf(elf, guest.request.kernel, guest.space);
  guest.add(placements);
  const field = { field: "e_entry", offset: ELF64_EHDR.fields.e_entry.offset };
  return {
    load: placements.reduce((low, { start }) => start < low ? start : low, placements[0].start),
    entry: resolveEntry(elf, elf.entry, field, true),
    headerBytes: new Uint8Array(0),
    header: {
      boot_flag: BOOT_FLAG_MAGIC,
      header: HDRS_MAGIC,
      version: SYNTHESIZED_VERSION,
      loadflags: LOADED_HIGH,
      kernel_alignment: SYNTHESIZED_ALIGNMENT,
      initrd_addr_max: VMLINUX_INITRD_ADDR_MAX,
      cmdline_size: CMDLINE_LIMITS.x86_64.maxLength,
    },
    cmdlineLimit: CMDLINE_LIMITS.x86_64,
    initrdAddrMax: VMLINUX_INITRD_ADDR_MAX,
    initrdMayBeHigh: true,
  };
}

/** boot.rst, "initrd_addr_max": inclusive. It binds unless the kernel can be above 4 GiB and that was asked for. */
function placeInitrd(guest: X86Guest, kernel: LoadedKernel): AddressRange | undefined {
  const { initrdPlacement, initrdAddress } = guest.request;
  const isHigh = kernel.initrdMayBeHigh &&
    (initrdPlacement === "high" || (initrdAddress ?? 0n) > BigInt(kernel.initrdAddrMax));
  return isHigh
    ? guest.placeInitrd(IDENTITY_MAP_END, "what page tables can map")
    : guest.placeInitrd(BigInt(kernel.initrdAddrMax) + 1n, "initrd_addr_max of this kernel");
}

function placeSetupData(guest: X86Guest): bigint | undefined {
  const items = [...guest.request.setupData ?? [], ...e820Overflow(guest.memoryMap)];
  if (items.length === 0) return undefined;
  const build = (start: bigint) => buildSetupData(items, start);
  return guest.place("setup_data", setupDataSize(items), SETUP_DATA_START, build);
}

/** Last, since they map everything else. */
function placePageTables(guest: X86Guest): bigint {
  for (const placement of guest.placements) {
    if (rangeEnd(placement) <= IDENTITY_MAP_END) continue;
    const { name, start, size } = placement;
    throw new LoaderError(
      "NO_SPACE",
      `Cannot map ${name} up to ${formatAddress(rangeEnd(placement))}: 4-level page tables end at ${
        formatAddress(IDENTITY_MAP_END)
      }`,
      {
        ranges: [
          { name, start, size },
          { name: "identity map", start: 0n, size: IDENTITY_MAP_END },
        ],
      },
    );
  }
  const beyond = guest.placements.filter((range) => rangeEnd(range) > LOW_END);
  const tables = planPageTables(beyond);
  const build = (start: bigint) => buildPageTables(tables, start);
  return guest.place("page tables", tables.size, PAGE_TABLES_START, build, 4096n);
}
