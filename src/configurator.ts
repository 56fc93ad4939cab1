/**
 * linux-loader's configurators: boot parameters that a VMM has built, into guest memory.
 *
 * @module
 */
import { type GuestMemory, outsideRam } from "./memory/guest_memory.ts";
import { type BootParams, missingBootParams } from "./params/boot_params.ts";

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
  if (bytes === undefined) throw missingBootParams(name, "none was given");
  if (start === undefined) {
    throw missingBootParams(name, "its guest-physical address was not given");
  }
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
