/** What a Linux x86 zero page must hold of a kernel, by the kernel's file and boot.rst alone. */
import type { BootProtocol } from "../../mod.ts";

/** boot.rst, "The Real-Mode Kernel Header": where it begins, in the file and in the zero page. */
const HEADER = 0x1f1;
/** boot.rst, "jump": its second byte says where the header ends, from here. */
const JUMP_END = 0x202;
/** boot.rst, "64-bit Boot Protocol": the entry, from where the kernel is loaded. */
const ENTRY_64 = 0x200n;

const VMLINUX_INITRD_ADDR_MAX = { linux32: 0x37ffffffn, linux64: 0x7fffffffn };

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Whether a file is an ELF.
 *
 * @param file The file.
 * @returns True if it begins as one does.
 */
export function isElf(file: Uint8Array): boolean {
  return viewOf(file).getUint32(0) === 0x7f454c46;
}

/**
 * The highest address that a byte of the initrd may have.
 *
 * @param file The kernel's file. An ELF says nothing: what Linux' own header says then.
 * @param protocol The protocol.
 * @returns Inclusive.
 */
export function initrdAddrMax(file: Uint8Array, protocol: BootProtocol): bigint {
  if (!isElf(file)) return BigInt(viewOf(file).getUint32(0x22c, true));
  return protocol === "linux32" ? VMLINUX_INITRD_ADDR_MAX.linux32 : VMLINUX_INITRD_ADDR_MAX.linux64;
}

/**
 * A zero page that has only what comes of the kernel: its header, and where it was loaded.
 *
 * @param file The kernel's file.
 * @param protocol The protocol.
 * @param rip Where the guest was entered.
 * @returns 4,096 bytes.
 */
export function kernelPage(file: Uint8Array, protocol: BootProtocol, rip: bigint): Uint8Array {
  const page = new Uint8Array(4096);
  const view = viewOf(page);
  const code32Start = (load: bigint) => view.setUint32(0x214, Number(load & 0xffffffffn), true);
  if (isElf(file)) {
    view.setUint16(0x1fe, 0xaa55, true); // boot_flag
    view.setUint32(0x202, 0x53726448, true); // header, "HdrS"
    view.setUint16(0x206, 0x020c, true); // version: the first with xloadflags
    view.setUint8(0x211, 1); // loadflags: LOADED_HIGH, and not the obsolete KEEP_SEGMENTS
    view.setUint32(0x22c, Number(initrdAddrMax(file, protocol)), true);
    view.setUint32(0x230, 0x200000, true); // kernel_alignment
    view.setUint32(0x238, 2047, true); // cmdline_size: COMMAND_LINE_SIZE without the NUL
    code32Start(lowestSegment(file));
    return page;
  }
  page.set(file.subarray(HEADER, JUMP_END + file[JUMP_END - 1]), HEADER);
  const load = protocol === "linux64" ? rip - ENTRY_64 : rip;
  code32Start(load);
  // boot.rst, "min_alignment": a loader that takes less than kernel_alignment says so there
  let alignment = BigInt(view.getUint32(0x230, true));
  while (view.getUint8(0x234) !== 0 && load % alignment !== 0n) alignment >>= 1n;
  view.setUint32(0x230, Number(alignment), true);
  return page;
}

/** ELF: the lowest p_paddr of what is loaded. */
function lowestSegment(file: Uint8Array): bigint {
  const view = viewOf(file);
  const is64 = file[4] === 2;
  const phoff = is64 ? Number(view.getBigUint64(0x20, true)) : view.getUint32(0x1c, true);
  const [phentsize, phnum] = is64 ? [0x36, 0x38] : [0x2a, 0x2c];
  const size = view.getUint16(phentsize, true);
  return Array.from({ length: view.getUint16(phnum, true) }, (_, i) => phoff + i * size)
    .filter((at) => {
      const memsz = is64 ? view.getBigUint64(at + 0x28, true) : view.getUint32(at + 0x14, true);
      return view.getUint32(at, true) === 1 && BigInt(memsz) > 0n;
    })
    .map((at) => is64 ? view.getBigUint64(at + 0x18, true) : BigInt(view.getUint32(at + 0xc, true)))
    .reduce((low, address) => address < low ? address : low);
}
