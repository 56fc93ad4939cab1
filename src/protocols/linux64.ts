import { formatAddress, rangeEnd } from "../address.ts";
import { buildPageTables, IDENTITY_MAP_END, planPageTables, x86CpuState } from "../cpu/x86.ts";
import { fieldError, LoaderError } from "../errors.ts";
import {
  type BzImageKernel,
  type PresentSetupHeader,
  setupHeaderField,
} from "../formats/bzimage.ts";
import type { ElfKernel } from "../formats/elf.ts";
import { ENTRY_64_OFFSET, XLF_KERNEL_64 } from "../structs/bootparam.ts";
import { LOW_END, PAGE_TABLES_START, VMLINUX_INITRD_ADDR_MAX } from "./layout_x86.ts";
import { type LinuxX86Protocol, placeLinux } from "./linux_x86.ts";
import type { BootPlan, BootRequest } from "./plan.ts";
import type { X86Guest } from "./x86_guest.ts";

const LINUX64: LinuxX86Protocol = {
  name: "linux64",
  other: "linux32",
  mode: "long",
  elfClass: 64,
  bzImage: {
    offset: ENTRY_64_OFFSET,
    minVersion: 0x020c, // boot.rst, "xloadflags"
    minVersionWhy: "the first with a 64-bit entry: try protocol linux32",
    check: requireKernel64,
    end: IDENTITY_MAP_END,
  },
  vmlinuxInitrdAddrMax: VMLINUX_INITRD_ADDR_MAX,
};

/**
 * Plans a boot by the 64-bit Linux protocol: boot.rst, "64-bit BOOT PROTOCOL".
 *
 * @param kernel A bzImage with a 64-bit entry, or an x86_64 vmlinux.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} If the kernel has no 64-bit entry, or something does not fit.
 */
export function planLinux64(kernel: BzImageKernel | ElfKernel, request: BootRequest): BootPlan {
  const { guest, rip, gdt, zeroPage } = placeLinux(kernel, request, LINUX64);
  const pageTables = placePageTables(guest);
  return guest.plan("linux64", x86CpuState({ mode: "long", rip, gdt, pageTables, rsi: zeroPage }));
}

function requireKernel64({ xloadflags }: PresentSetupHeader): void {
  if (((xloadflags ?? 0) & XLF_KERNEL_64) !== 0) return;
  throw fieldError(
    "BZIMAGE_NO_64BIT_ENTRY",
    setupHeaderField("xloadflags"),
    "XLF_KERNEL_64 (bit 0), a kernel with a 64-bit entry: try protocol linux32 for an i386 one",
    xloadflags === undefined ? "no such field" : formatAddress(xloadflags),
  );
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
