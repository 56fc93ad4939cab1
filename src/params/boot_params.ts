import { ADDRESS_END, formatAddress, requireAddress } from "../address.ts";
import { LoaderError } from "../errors.ts";
import { MAX_BOOT_PARAMS_LIST } from "../limits.ts";
import type { Struct } from "../structs/struct.ts";

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
   * @throws {TypeError} If it is not a bigint.
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
   * @throws {TypeError} If it is not a bigint.
   * @throws {RangeError} If a value does not fit its field.
   */
  static of<T extends object>(struct: Struct<T>, header: T, headerStart: bigint): BootParams {
    return new BootParams(struct.encode(header), headerStart);
  }

  /**
   * Sets all sections, instead of those there are.
   *
   * @param sections Their bytes, one after the other; they are not copied.
   * @param sectionsStart Guest-physical address of the first.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {TypeError} If it is not a bigint.
   */
  setSections(sections: Uint8Array, sectionsStart: bigint): void;
  /**
   * Sets all sections, instead of those there are.
   *
   * @typeParam T The struct's fields.
   * @param struct What a section is: `HVM_MEMMAP_TABLE_ENTRY` for PVH.
   * @param sections A value for each.
   * @param sectionsStart Guest-physical address of the first; the others follow.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {TypeError} If it is not a bigint.
   * @throws {RangeError} If a value does not fit its field.
   */
  setSections<T extends object>(
    struct: Struct<T>,
    sections: readonly T[],
    sectionsStart: bigint,
  ): void;
  setSections<T extends object>(
    ...args: [Uint8Array, bigint] | [Struct<T>, readonly T[], bigint]
  ): void {
    const start = requireAddress(args[args.length - 1] as bigint, "sectionsStart");
    this.sections = args.length === 2 ? args[0] : encodeAll(args[0], args[1]);
    this.sectionsStart = start;
  }

  /**
   * Adds a section.
   *
   * @param section The section's bytes.
   * @param address Where it goes; after the last one if not given. What lies between is filled with
   * zeros, what is there is overwritten. The address of the first one is that of all.
   * @returns Its guest-physical address.
   * @throws {LoaderError} `BOOT_PARAMS_MISSING` if there is no address to start from,
   * `INVALID_OPTION` if it lies before the sections, `ADDRESS_OVERFLOW`, `LIMIT_EXCEEDED`; the
   * sections are then as they were.
   * @throws {TypeError} If the address is not a bigint.
   */
  addSection(section: Uint8Array, address?: bigint): bigint;
  /**
   * Adds a section.
   *
   * @typeParam T The struct's fields.
   * @param struct What it is: `HVM_MEMMAP_TABLE_ENTRY` for PVH.
   * @param section A value for every field.
   * @param address Where it goes, by the rules for bytes.
   * @returns Its guest-physical address.
   * @throws {LoaderError} `BOOT_PARAMS_MISSING` if there is no address to start from,
   * `INVALID_OPTION` if it lies before the sections, `ADDRESS_OVERFLOW`, `LIMIT_EXCEEDED`; the
   * sections are then as they were.
   * @throws {TypeError} If the address is not a bigint.
   * @throws {RangeError} If a value does not fit its field.
   */
  addSection<T extends object>(struct: Struct<T>, section: T, address?: bigint): bigint;
  addSection<T extends object>(...args: Element<T>): bigint {
    const list = { bytes: this.sections, start: this.sectionsStart };
    const { bytes, start, at } = added("section", elementOf(args), list);
    [this.sections, this.sectionsStart] = [bytes, start];
    return at;
  }

  /**
   * Sets all modules, instead of those there are.
   *
   * @param modules Their bytes, one after the other; they are not copied.
   * @param modulesStart Guest-physical address of the first.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {TypeError} If it is not a bigint.
   */
  setModules(modules: Uint8Array, modulesStart: bigint): void;
  /**
   * Sets all modules, instead of those there are.
   *
   * @typeParam T The struct's fields.
   * @param struct What a module is: `HVM_MODLIST_ENTRY` for PVH.
   * @param modules A value for each.
   * @param modulesStart Guest-physical address of the first; the others follow.
   * @throws {LoaderError} `INVALID_OPTION` if the address does not fit 64 bits.
   * @throws {TypeError} If it is not a bigint.
   * @throws {RangeError} If a value does not fit its field.
   */
  setModules<T extends object>(
    struct: Struct<T>,
    modules: readonly T[],
    modulesStart: bigint,
  ): void;
  setModules<T extends object>(
    ...args: [Uint8Array, bigint] | [Struct<T>, readonly T[], bigint]
  ): void {
    const start = requireAddress(args[args.length - 1] as bigint, "modulesStart");
    this.modules = args.length === 2 ? args[0] : encodeAll(args[0], args[1]);
    this.modulesStart = start;
  }

  /**
   * Adds a module.
   *
   * @param module The module's bytes.
   * @param address Where it goes; after the last one if not given. What lies between is filled with
   * zeros, what is there is overwritten. The address of the first one is that of all.
   * @returns Its guest-physical address.
   * @throws {LoaderError} `BOOT_PARAMS_MISSING` if there is no address to start from,
   * `INVALID_OPTION` if it lies before the modules, `ADDRESS_OVERFLOW`, `LIMIT_EXCEEDED`; the
   * modules are then as they were.
   * @throws {TypeError} If the address is not a bigint.
   */
  addModule(module: Uint8Array, address?: bigint): bigint;
  /**
   * Adds a module.
   *
   * @typeParam T The struct's fields.
   * @param struct What it is: `HVM_MODLIST_ENTRY` for PVH.
   * @param module A value for every field.
   * @param address Where it goes, by the rules for bytes.
   * @returns Its guest-physical address.
   * @throws {LoaderError} `BOOT_PARAMS_MISSING` if there is no address to start from,
   * `INVALID_OPTION` if it lies before the modules, `ADDRESS_OVERFLOW`, `LIMIT_EXCEEDED`; the
   * modules are then as they were.
   * @throws {TypeError} If the address is not a bigint.
   * @throws {RangeError} If a value does not fit its field.
   */
  addModule<T extends object>(struct: Struct<T>, module: T, address?: bigint): bigint;
  addModule<T extends object>(...args: Element<T>): bigint {
    const list = { bytes: this.modules, start: this.modulesStart };
    const { bytes, start, at } = added("module", elementOf(args), list);
    [this.modules, this.modulesStart] = [bytes, start];
    return at;
  }
}

/**
 * The error of boot parameters that are not all there.
 *
 * @param name What is missing, or has no address.
 * @param what Which of both.
 * @returns The error.
 */
export function missingBootParams(name: string, what: string): LoaderError {
  return new LoaderError("BOOT_PARAMS_MISSING", `Cannot write boot parameters: ${name}: ${what}`, {
    field: name,
  });
}

function encodeAll<T extends object>(struct: Struct<T>, values: readonly T[]): Uint8Array {
  const bytes = new Uint8Array(values.length * struct.size);
  for (const [i, value] of values.entries()) struct.write(bytes, value, i * struct.size);
  return bytes;
}

/** What `addSection` and `addModule` are called with. */
type Element<T extends object> =
  | [bytes: Uint8Array, address?: bigint]
  | [struct: Struct<T>, value: T, address?: bigint];

function elementOf<T extends object>(args: Element<T>): [Uint8Array, bigint | undefined] {
  if (args[0] instanceof Uint8Array) return [args[0], args[1] as bigint | undefined];
  return [args[0].encode(args[1] as T), args[2]];
}

/** A list with an element added, and where the element is. */
function added(
  name: string,
  [element, address]: [Uint8Array, bigint | undefined],
  list: { readonly bytes: Uint8Array | undefined; readonly start: bigint | undefined },
): { bytes: Uint8Array; start: bigint; at: bigint } {
  if (address !== undefined) requireAddress(address, "address");
  const start = list.start ?? address;
  if (start === undefined) throw missingBootParams(name, "neither it nor the list has an address");
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
