/** Every cap on what input controls, each with its reason. Sizes in bytes. */

/**
 * ELF program headers. The field itself ends at 65,534; past that PN_XNUM holds a 32-bit count that
 * would ask for 240 GiB of table. Linux' own vmlinux has five.
 */
export const MAX_PROGRAM_HEADERS = 1 << 17;

/**
 * All PT_NOTE segments together. A vmlinux has under 2 KiB; the notes are read before anything is
 * placed, so this bounds what a refusal may cost. Elf.load reads notes one by one, without what their
 * descriptors hold, and twice as much: a sparse file of 1 TiB would take a day.
 */
export const MAX_NOTES_SIZE = 1 << 20;

/** e820 entries in the zero page (boot.rst, E820_MAX_ENTRIES_ZEROPAGE); more go to setup_data. */
export const MAX_E820_ZERO_PAGE = 128;

/**
 * Entries of a memory map: 1,024 reservations in RAM leave 1,025 usable pieces, and a caller may add
 * 1,024 entries. A table of them is 96 KiB in start_info and fits below the legacy hole.
 */
export const MAX_MEMORY_MAP_ENTRIES = 4096;

/** Regions of guest memory: KVM's own limit is 32,764 memory slots. */
export const MAX_MEMORY_REGIONS = 32_764;

/** Guest ranges that a caller reserves, and modules and setup_data that it hands over. */
export const MAX_CALLER_ITEMS = 1024;

/** One positioned read: Deno and Node throw at 2^31, Linux reads at most 0x7ffff000 bytes at once. */
export const MAX_SINGLE_READ = 1 << 30;

/** A device tree (booting.rst: "must not exceed 2 megabytes in size"). */
export const MAX_FDT_SIZE = 2 << 20;

/** Nesting of device tree nodes. Real trees have under 10; libfdt's users recurse. */
export const MAX_FDT_DEPTH = 64;

/** Nodes of a device tree: with 12 bytes each at least, 2 MiB could hold 170,000. */
export const MAX_FDT_NODES = 65_536;

/** Properties of a device tree, all nodes together. */
export const MAX_FDT_PROPERTIES = 131_072;

/**
 * Name of a device tree node or property in bytes. The specification says 31, and vendors go beyond.
 * Any number of properties may point into one long string, so this bounds the work for each.
 */
export const MAX_FDT_NAME = 255;

/** A command line that a caller allows beyond the architecture's documented limit. */
export const MAX_CMDLINE_SIZE = 1 << 20;

/**
 * Sections or modules of BootParams that are added one by one: 43,690 entries of a memory map. What
 * lies between two of them is filled with zeros, so an address too far must not allocate.
 */
export const MAX_BOOT_PARAMS_LIST = 1 << 20;

/**
 * Compressed data inside compressed data. A vmlinux in a bzImage in a gzip file makes two, and so
 * does an Image in a zboot image that was packed once more.
 */
export const MAX_UNWRAPS = 4;

/**
 * A kernel that is decompressed, unless the caller says otherwise; a bzImage whose checksum is made.
 * A vmlinux with debug information has 500 MiB to 1 GiB; one without, under 100 MiB.
 */
export const MAX_KERNEL_SIZE = 1 << 30;

/**
 * Frames of a zstd file, members of a gzip file, blocks with SHA-256 of an xz file. Each is a call of
 * a library that costs up to 70 µs however little comes out; zstd and gzip make one, pzstd and xz one
 * for every few MiB.
 */
export const MAX_FRAMES = 4096;
