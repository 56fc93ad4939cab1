/**
 * Where things lie in an x86 guest, in address order. Every address is the first choice: what is
 * taken there already (a reservation, a kernel segment) moves what we place to the next free RAM.
 */
import { type AddressRange, GIB, KIB, MIB } from "../address.ts";

/** Above the real-mode interrupt vectors and the BIOS data area. */
export const GDT_START = 0x500n;
/** hvm_start_info with the module list and the memory map behind it. */
export const START_INFO_START = 0x6000n;
/** struct boot_params. */
export const ZERO_PAGE_START = 0x7000n;
/** Top table first; 24 KiB map the first 4 GiB. */
export const PAGE_TABLES_START = 0x9000n;
/** Up to 2 KiB for every kernel so far. */
export const CMDLINE_START = 0x20000n;
/** The chain of setup_data. */
export const SETUP_DATA_START = 0x40000n;

/** Nothing is placed below: page 0 holds the real-mode vectors, and Linux reserves it. */
export const FALLBACK_MIN = 0x1000n;

/** The EBDA as PCs have it: boot.rst, "Memory layout". */
const EBDA: AddressRange = { start: 0x9fc00n, size: KIB };
/** The system ROM; Linux looks for firmware tables there. */
const BIOS_ROM: AddressRange = { start: 0xf0000n, size: 64n * KIB };
/**
 * From the EBDA to 1 MiB: video memory and ROMs on a PC, RAM behind them or not. Nothing is placed
 * here and no usable entry of the memory map covers it.
 */
export const LEGACY_HOLE: AddressRange = { start: EBDA.start, size: MIB - EBDA.start };
/** What the memory map says of the legacy hole; video memory and option ROMs have no entry. */
export const LEGACY_RESERVED: readonly AddressRange[] = [EBDA, BIOS_ROM];

/** A relocatable kernel without pref_address goes here or above: boot.rst, "HIMEM". */
export const HIGH_MEMORY_START: bigint = MIB;
/** The structures that 32-bit code or 32-bit fields point to lie below. */
export const LOW_END: bigint = 4n * GIB;
/** initrd_addr_max of a kernel that has no header: what Linux' own x86_64 header says. */
export const VMLINUX_INITRD_ADDR_MAX = 0x7fffffff;
