/**
 * linux-loader's configurators: boot parameters that a VMM has built, into guest memory.
 *
 * @module
 */
import { ADDRESS_END, formatAddress, requireAddress } from "./address.ts";
import { LoaderError } from "./errors.ts";
import { MAX_BOOT_PARAMS_LIST } from "./limits.ts";
import { type GuestMemory, outsideRam } from "./memory/guest_memory.ts";
import type { Struct } from "./structs/struct.ts";

/**
 * Boot parameters and where they go, in linux-loader's shape: a header (zero page, hvm_start_info or
 * device tree), sections (the memory map of PVH) and modules (hvm_modlist_entry). Each is bytes, or
 * a struct's table and values for it.
 *
 * @example
 * ```ts
 * import {
 *   BootParams,
 *   HVM_MEMMAP_TABLE_ENTRY,
 *   HVM_START_INFO,
 *   type HvmStartInfo,
 * } from "@vmm/linux-loader";
 *
 * function bootParams(info: HvmStartInfo) {
 *   const params = BootParams.of(HVM_START_INFO, info, 0x6000n);
 *   const ram = { addr: 0n, size: 0x1000_0000n, type: 1, reserved: 0 };
 *   params.setSections(HVM_MEMMAP_TABLE_ENTRY, [ram], 0x7000n);
 *   return params;
 * }
 * ```
 */
export class BootParams {
  /** The header, which is always written. */
  header: Uint8Array;
  /** Guest-physical address of the header. */
  headerStart: bigint;
  /** The sections, one after the other. */
  sections: Uint8Array | undefined;
  /** Guest-physical address of the first section. */
  sectionsStart: bigint | undefined;
  /** The modules, one after the other. */
  modules: Uint8Array | undefined;
  /** Guest-physical address of the first module. */
  modulesStart: bigint | undefined;

  /**
   * Boot parameters with a header and nothing else.
   *
   * @param header The header's bytes, e.g. those of a device tree; they are not copied.
   * @param headerStart Guest-physical address of the header.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   */
  constructor(header: Uint8Array, headerStart: bigint) {
    this.header = header;
    this.headerStart = requireAddress(headerStart, "headerStart");
  }

  /**
   * Boot parameters with a typed header and nothing else.
   *
   * @typeParam T The struct's fields.
   * @param struct What the header is: `BOOT_PARAMS`, `HVM_START_INFO`.
   * @param header A value for every field.
   * @param headerStart Guest-physical address of the header.
   * @returns The boot parameters.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {RangeError} If a value does not fit its field.
   */
  static of<T extends object>(struct: Struct<T>, header: T, headerStart: bigint): BootParams {
    return new BootParams(struct.encode(header), headerStart);
  }

  /**
   * Sets all sections, instead of those there are.
   *
   * @typeParam T The struct's fields.
   * @param struct What a section is: `HVM_MEMMAP_TABLE_ENTRY` for PVH.
   * @param sections A value for each.
   * @param sectionsStart Guest-physical address of the first; the others follow.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {RangeError} If a value does not fit its field.
   */
  setSections<T extends object>(
    struct: Struct<T>,
    sections: readonly T[],
    sectionsStart: bigint,
  ): void {
    this.sectionsStart = requireAddress(sectionsStart, "sectionsStart");
    this.sections = encodeAll(struct, sections);
  }

  /**
   * Adds a section.
   *
   * @param section The section's bytes, e.g. `HVM_MEMMAP_TABLE_ENTRY.encode(entry)`.
   * @param address Where it goes. After the last one if not given. What lies between is filled with
   * zeros, what is there is overwritten; the first one's address is that of all sections.
   * @returns Its guest-physical address.
   * @throws {LoaderError} `BOOT_PARAMS_MISSING` if there is no address to start from,
   * `INVALID_OPTION` if it lies before the sections, `ADDRESS_OVERFLOW`, `LIMIT_EXCEEDED`; the
   * sections are then as they were.
   */
  addSection(section: Uint8Array, address?: bigint): bigint {
    const { bytes, start, at } = added("section", section, address, {
      bytes: this.sections,
      start: this.sectionsStart,
    });
    [this.sections, this.sectionsStart] = [bytes, start];
    return at;
  }

  /**
   * Sets all modules, instead of those there are.
   *
   * @typeParam T The struct's fields.
   * @param struct What a module is: `HVM_MODLIST_ENTRY` for PVH.
   * @param modules A value for each.
   * @param modulesStart Guest-physical address of the first; the others follow.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {RangeError} If a value does not fit its field.
   */
  setModules<T extends object>(
    struct: Struct<T>,
    modules: readonly T[],
    modulesStart: bigint,
  ): void {
    this.modulesStart = requireAddress(modulesStart, "modulesStart");
    this.modules = encodeAll(struct, modules);
  }

  /**
   * Adds a module, by the rules of {@linkcode BootParams.addSection}.
   *
   * @param module The module's bytes, e.g. `HVM_MODLIST_ENTRY.encode(entry)`.
   * @param address Where it goes.
   * @returns Its guest-physical address.
   * @throws {LoaderError} As {@linkcode BootParams.addSection}.
   */
  addModule(module: Uint8Array, address?: bigint): bigint {
    const { bytes, start, at } = added("module", module, address, {
      bytes: this.modules,
      start: this.modulesStart,
    });
    [this.modules, this.modulesStart] = [bytes, start];
    return at;
  }
}

/** What writes boot parameters of one protocol, in the shape of linux-loader's trait of this name. */
export interface BootConfigurator {
  /**
   * Writes boot parameters into guest memory.
   *
   * @param params What, and where. What the protocol has no use for is not looked at.
   * @param memory The guest's RAM; untouched after an error.
   * @throws {LoaderError} `OUTSIDE_RAM` if a part does not fit; `BOOT_PARAMS_MISSING` if one is
   * missing, or has no address.
   */
  writeBootparams(params: BootParams, memory: GuestMemory): void;
}

/** Writes the zero page of the Linux boot protocol: the header. */
export const LinuxBootConfigurator: BootConfigurator = {
  writeBootparams(params, memory) {
    write(memory, [headerOf(params, "zero page")]);
  },
};

/** Writes a device tree: the header. */
export const FdtBootConfigurator: BootConfigurator = {
  writeBootparams(params, memory) {
    write(memory, [headerOf(params, "device tree")]);
  },
};

/** Writes what a PVH guest is handed: memory map (sections), hvm_start_info (header) and modules. */
export const PvhBootConfigurator: BootConfigurator = {
  writeBootparams(params, memory) {
    const { sections, sectionsStart, modules, modulesStart } = params;
    const parts = [listPart("memory map", sections, sectionsStart), headerOf(params, "start info")];
    for (const part of parts) requireRam(memory, part);
    if (modules !== undefined) {
      const part = listPart("modules", modules, modulesStart);
      if (modules.length > 0) parts.push(part);
    }
    write(memory, parts);
  },
};

/** Bytes and where they go. */
interface Part {
  readonly name: string;
  readonly start: bigint;
  readonly bytes: Uint8Array;
}

function headerOf({ header, headerStart }: BootParams, name: string): Part {
  return { name, start: headerStart, bytes: header };
}

function listPart(name: string, bytes: Uint8Array | undefined, start: bigint | undefined): Part {
  if (bytes === undefined) throw missing(name, "none was given");
  if (start === undefined) throw missing(name, "its guest-physical address was not given");
  return { name, start, bytes };
}

function requireRam(memory: GuestMemory, { name, start, bytes }: Part): void {
  const range = { start, size: BigInt(bytes.length) };
  if (!memory.contains(range)) throw outsideRam(name, range, memory);
}

/** Writes parts in order, once all of them are known to fit: they may lie on each other. */
function write(memory: GuestMemory, parts: readonly Part[]): void {
  for (const part of parts) requireRam(memory, part);
  for (const { start, bytes } of parts) memory.write(start, bytes);
}

function missing(name: string, what: string): LoaderError {
  return new LoaderError("BOOT_PARAMS_MISSING", `Cannot write boot parameters: ${name}: ${what}`, {
    field: name,
  });
}

function encodeAll<T extends object>(struct: Struct<T>, values: readonly T[]): Uint8Array {
  const bytes = new Uint8Array(values.length * struct.size);
  for (const [i, value] of values.entries()) struct.write(bytes, value, i * struct.size);
  return bytes;
}

/** A list with an element added, and where the element is. */
function added(
  name: string,
  element: Uint8Array,
  address: bigint | undefined,
  list: { readonly bytes: Uint8Array | undefined; readonly start: bigint | undefined },
): { bytes: Uint8Array; start: bigint; at: bigint } {
  if (address !== undefined) requireAddress(address, "address");
  const start = list.start ?? address;
  if (start === undefined) throw missing(name, "neither it nor the list has an address");
  const old = list.bytes ?? new Uint8Array(0);
  const at = address ?? start + BigInt(old.length);
  if (at < start) {
    throw new LoaderError(
      "INVALID_OPTION",
      `Cannot add ${name} at ${formatAddress(at)}: the list starts at ${formatAddress(start)}`,
      { field: "address", expected: `at least ${formatAddress(start)}`, actual: formatAddress(at) },
    );
  }
  const end = at + BigInt(element.length);
  if (end > ADDRESS_END) {
    throw new LoaderError(
      "ADDRESS_OVERFLOW",
      `Cannot add ${name} at ${formatAddress(at)}: its ${element.length} bytes pass 2^64`,
      { field: "address", actual: formatAddress(at) },
    );
  }
  if (end - start > BigInt(MAX_BOOT_PARAMS_LIST)) {
    throw new LoaderError(
      "LIMIT_EXCEEDED",
      `Cannot add ${name} at ${formatAddress(at)}: the list from ${
        formatAddress(start)
      } on would take ${end - start} bytes, at most ${MAX_BOOT_PARAMS_LIST} are kept`,
      { field: "address", expected: `at most ${MAX_BOOT_PARAMS_LIST}`, actual: `${end - start}` },
    );
  }
  const bytes = new Uint8Array(Math.max(old.length, Number(end - start)));
  bytes.set(old);
  bytes.set(element, Number(at - start));
  return { bytes, start, at };
}
