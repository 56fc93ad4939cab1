import { x86CpuState } from "../cpu/x86.ts";
import type { BzImageKernel } from "../formats/bzimage.ts";
import type { ElfKernel } from "../formats/elf.ts";
import { DEFAULT_INITRD_ADDR_MAX } from "../structs/bootparam.ts";
import { LOW_END } from "./layout_x86.ts";
import { type LinuxX86Protocol, placeLinux } from "./linux_x86.ts";
import type { BootPlan, BootRequest } from "./plan.ts";

const LINUX32: LinuxX86Protocol = {
  name: "linux32",
  other: "linux64",
  mode: "protected",
  elfClass: 32,
  bzImage: {
    offset: 0, // boot.rst: "the address of the 32-bit entry point is the load address"
    minVersion: 0x0202, // boot.rst, "cmd_line_ptr"
    minVersionWhy: "the first that takes the command line through cmd_line_ptr",
    end: LOW_END,
  },
  // Nothing says what an i386 kernel without a header takes: where the oldest one looks.
  vmlinuxInitrdAddrMax: DEFAULT_INITRD_ADDR_MAX,
};

/**
 * Plans a boot by the 32-bit Linux protocol: boot.rst, "32-bit BOOT PROTOCOL". Paging is off, so
 * everything lies below 4 GiB.
 *
 * @param kernel A bzImage, for i386 or x86_64, or an i386 vmlinux.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} If the kernel has no 32-bit entry, or something does not fit.
 */
export function planLinux32(kernel: BzImageKernel | ElfKernel, request: BootRequest): BootPlan {
  const { guest, rip, gdt, zeroPage } = placeLinux(kernel, request, LINUX32);
  return guest.plan("linux32", x86CpuState({ mode: "protected", rip, gdt, rsi: zeroPage }));
}
