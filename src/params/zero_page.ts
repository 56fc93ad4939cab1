import { type AddressRange, alignUp } from "../address.ts";
import { MAX_E820_ZERO_PAGE } from "../limits.ts";
import {
  BOOT_E820_ENTRY,
  BOOT_PARAMS,
  E820_TABLE_OFFSET,
  LOADER_TYPE_UNDEFINED,
  SETUP_DATA,
  SETUP_E820_EXT,
  SETUP_HEADER,
  SETUP_HEADER_OFFSET,
  type SetupHeader,
  VID_MODE_NORMAL,
} from "../structs/bootparam.ts";
import { E820_TYPE, type MemoryMapEntry } from "./memory_map.ts";

/** A piece of setup_data: a type of bootparam.h (SETUP_*) and its data. */
export interface SetupDataItem {
  /** SETUP_DTB, SETUP_RNG_SEED, … */
  readonly type: number;
  /** The data. */
  readonly data: Uint8Array;
}

/** What the zero page says. Addresses are guest-physical. */
export interface ZeroPageInput {
  /** setup_header as it is in the kernel file; empty for a vmlinux, which has none. */
  readonly headerBytes: Uint8Array;
  /** Fields of setup_header to set over it. */
  readonly header: Partial<SetupHeader>;
  /** Where the kernel is loaded. */
  readonly kernel: bigint;
  /** Where the command line is; never 0. */
  readonly cmdline: bigint;
  /** Where the initrd is. */
  readonly initrd?: AddressRange;
  /** Where the ACPI RSDP is. */
  readonly rsdp?: bigint;
  /** Where the first setup_data is. */
  readonly setupData?: bigint;
  /** The memory map; entries past the 128th go to setup_data, see {@linkcode e820Overflow}. */
  readonly memoryMap: readonly MemoryMapEntry[];
}

const low32 = (value: bigint) => Number(value & 0xffffffffn);
const high32 = (value: bigint) => Number(value >> 32n);

/**
 * Builds the zero page (struct boot_params).
 *
 * @param input What it says.
 * @returns 4,096 bytes. The sentinel stays 0.
 */
export function buildZeroPage(input: ZeroPageInput): Uint8Array {
  const page = new Uint8Array(BOOT_PARAMS.size);
  page.set(input.headerBytes, SETUP_HEADER_OFFSET);
  const initrd = input.initrd ?? { start: 0n, size: 0n };
  SETUP_HEADER.write(page, {
    ...input.header,
    type_of_loader: LOADER_TYPE_UNDEFINED,
    vid_mode: VID_MODE_NORMAL,
    code32_start: low32(input.kernel),
    cmd_line_ptr: low32(input.cmdline),
    ramdisk_image: low32(initrd.start),
    ramdisk_size: low32(initrd.size),
    setup_data: input.setupData ?? 0n,
  }, SETUP_HEADER_OFFSET);
  BOOT_PARAMS.write(page, {
    acpi_rsdp_addr: input.rsdp ?? 0n,
    ext_ramdisk_image: high32(initrd.start),
    ext_ramdisk_size: high32(initrd.size),
    ext_cmd_line_ptr: high32(input.cmdline),
    e820_entries: Math.min(input.memoryMap.length, MAX_E820_ZERO_PAGE),
  });
  page.set(encodeE820(input.memoryMap.slice(0, MAX_E820_ZERO_PAGE)), E820_TABLE_OFFSET);
  return page;
}

/**
 * The setup_data that holds what the zero page's e820 table has no room for.
 *
 * @param memoryMap The whole memory map.
 * @returns One item, or none if 128 entries are enough.
 */
export function e820Overflow(memoryMap: readonly MemoryMapEntry[]): SetupDataItem[] {
  const rest = memoryMap.slice(MAX_E820_ZERO_PAGE);
  return rest.length === 0 ? [] : [{ type: SETUP_E820_EXT, data: encodeE820(rest) }];
}

/** A setup_data starts on 8 bytes, as its `next` asks for. */
const SETUP_DATA_ALIGN = 8n;

/**
 * The size of a chain of setup_data.
 *
 * @param items What it holds.
 * @returns Bytes.
 */
export function setupDataSize(items: readonly SetupDataItem[]): bigint {
  return items.reduce((total, { data }) => total + nodeSize(data), 0n);
}

/**
 * Builds a chain of setup_data, one after the other.
 *
 * @param items What it holds.
 * @param start Guest-physical address of the first; 8-byte aligned.
 * @returns `setupDataSize(items)` bytes.
 */
export function buildSetupData(items: readonly SetupDataItem[], start: bigint): Uint8Array {
  const bytes = new Uint8Array(Number(setupDataSize(items)));
  let at = 0;
  for (const [i, { type, data }] of items.entries()) {
    const nextAt = at + Number(nodeSize(data));
    const next = i === items.length - 1 ? 0n : start + BigInt(nextAt);
    SETUP_DATA.write(bytes, { next, type, len: data.length }, at);
    bytes.set(data, at + SETUP_DATA.size);
    at = nextAt;
  }
  return bytes;
}

function nodeSize(data: Uint8Array): bigint {
  return alignUp(BigInt(SETUP_DATA.size + data.length), SETUP_DATA_ALIGN);
}

function encodeE820(entries: readonly MemoryMapEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * BOOT_E820_ENTRY.size);
  for (const [i, { start, size, type }] of entries.entries()) {
    const entry = { addr: start, size, type: E820_TYPE[type] };
    BOOT_E820_ENTRY.write(bytes, entry, i * BOOT_E820_ENTRY.size);
  }
  return bytes;
}
