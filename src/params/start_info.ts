import { type AddressRange, alignUp } from "../address.ts";
import {
  HVM_MEMMAP_TABLE_ENTRY,
  HVM_MODLIST_ENTRY,
  HVM_START_INFO,
  HVM_START_INFO_VERSION,
  XEN_HVM_START_MAGIC_VALUE,
} from "../structs/start_info.ts";
import { E820_TYPE, type MemoryMapEntry } from "./memory_map.ts";

/** A module as the guest is told of it; addresses are guest-physical. */
export interface StartInfoModule extends AddressRange {
  /** Where its command line is, if it has one. */
  readonly cmdline?: bigint;
}

/** What hvm_start_info says. Addresses are guest-physical. */
export interface StartInfoInput {
  /** Where the command line is. */
  readonly cmdline: bigint;
  /** The modules; the first is the initrd. */
  readonly modules: readonly StartInfoModule[];
  /** The memory map. */
  readonly memoryMap: readonly MemoryMapEntry[];
  /** Where the ACPI RSDP is. */
  readonly rsdp?: bigint;
}

/** The three tables lie one after the other, each on 8 bytes. */
function offsets(modules: number, entries: number) {
  const modlist = Number(alignUp(BigInt(HVM_START_INFO.size), 8n));
  const memmap = modlist + modules * HVM_MODLIST_ENTRY.size;
  return { modlist, memmap, end: memmap + entries * HVM_MEMMAP_TABLE_ENTRY.size };
}

/**
 * The size of hvm_start_info with its module list and memory map behind it.
 *
 * @param modules How many modules.
 * @param entries How many entries of the memory map.
 * @returns Bytes.
 */
export function startInfoSize(modules: number, entries: number): bigint {
  return BigInt(offsets(modules, entries).end);
}

/**
 * Builds hvm_start_info, the module list and the memory map, one after the other.
 *
 * @param input What they say.
 * @param start Guest-physical address of hvm_start_info; 8-byte aligned.
 * @returns `startInfoSize(…)` bytes.
 */
export function buildStartInfo(input: StartInfoInput, start: bigint): Uint8Array {
  const { modules, memoryMap } = input;
  const { modlist, memmap, end } = offsets(modules.length, memoryMap.length);
  const bytes = new Uint8Array(end);
  HVM_START_INFO.write(bytes, {
    magic: XEN_HVM_START_MAGIC_VALUE,
    version: HVM_START_INFO_VERSION,
    nr_modules: modules.length,
    modlist_paddr: modules.length === 0 ? 0n : start + BigInt(modlist),
    cmdline_paddr: input.cmdline,
    rsdp_paddr: input.rsdp ?? 0n,
    memmap_paddr: start + BigInt(memmap),
    memmap_entries: memoryMap.length,
  });
  for (const [i, module] of modules.entries()) {
    HVM_MODLIST_ENTRY.write(bytes, {
      paddr: module.start,
      size: module.size,
      cmdline_paddr: module.cmdline ?? 0n,
    }, modlist + i * HVM_MODLIST_ENTRY.size);
  }
  for (const [i, entry] of memoryMap.entries()) {
    HVM_MEMMAP_TABLE_ENTRY.write(bytes, {
      addr: entry.start,
      size: entry.size,
      type: E820_TYPE[entry.type],
    }, memmap + i * HVM_MEMMAP_TABLE_ENTRY.size);
  }
  return bytes;
}
