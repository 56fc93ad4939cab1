import { type AddressRange, formatAddress } from "../address.ts";
import { IDENTITY_MAP_END, x86CpuState } from "../cpu/x86.ts";
import { fieldError, LoaderError } from "../errors.ts";
import type { ElfKernel } from "../formats/elf.ts";
import { type ElfNote, findPvhNote } from "../formats/elf_notes.ts";
import { checkCmdline, CMDLINE_LIMITS } from "../params/cmdline.ts";
import { buildStartInfo, type StartInfoModule, startInfoSize } from "../params/start_info.ts";
import { sourceOf } from "../source.ts";
import { placeElf, resolveEntry } from "./elf_segments.ts";
import { CMDLINE_START, FALLBACK_MIN, LOW_END, START_INFO_START } from "./layout_x86.ts";
import { type BootPlan, type BootRequest, cmdlineBytes, invalidOption } from "./plan.ts";
import { X86Guest } from "./x86_guest.ts";

/**
 * Plans a boot by the PVH protocol: Xen docs/misc/pvh.pandoc, "x86/HVM direct boot ABI".
 *
 * @param elf An ELF64 kernel for x86_64 or an ELF32 one for i386, with a XEN_ELFNOTE_PHYS32_ENTRY note.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} `PVH_NOT_PRESENT` or `NOTE_MALFORMED` if the kernel has no PVH entry, or the
 * reason why something does not fit.
 */
export function planPvh(elf: ElfKernel, request: BootRequest): BootPlan {
  if (request.kernelAddress !== undefined) {
    throw invalidOption("kernelAddress", "an ELF kernel says itself where it is loaded (p_paddr)");
  }
  const guest = new X86Guest(request);
  const kernel = placeElf(elf, request.kernel, guest.space);
  guest.add(kernel);
  const rip = pvhEntry(elf, request);
  const line = cmdlineBytes(request, CMDLINE_LIMITS.x86_64);
  const end = modulesEnd(request);
  const initrdAt = () => guest.placeInitrd(end, "where a 32-bit guest can reach");
  const fixed = request.initrdAddress === undefined ? undefined : initrdAt();
  const cmdline = guest.placeCmdline(line);
  const gdt = guest.placeGdt("protected");
  const modules = placeModules(guest, fixed ?? initrdAt(), end);
  const { memoryMap } = guest;
  const startInfo = guest.place(
    "start info",
    startInfoSize(modules.length, memoryMap.length),
    START_INFO_START,
    (start) => buildStartInfo({ cmdline, modules, memoryMap, rsdp: request.rsdp }, start),
  );
  return guest.plan("pvh", x86CpuState({ mode: "protected", rip, gdt, rbx: startInfo }));
}

/** The entry is a 32-bit physical address, in a descriptor of 4 or 8 bytes. */
function pvhEntry(elf: ElfKernel, request: BootRequest): bigint {
  const note = findPvhNote(request.kernel, elf);
  if (!note) {
    throw new LoaderError(
      "PVH_NOT_PRESENT",
      "Cannot boot kernel by PVH: it has no XEN_ELFNOTE_PHYS32_ENTRY note (CONFIG_PVH), " +
        `try protocol linux${elf.elfClass}`,
      { field: "PT_NOTE", expected: 'a note of type 18 named "Xen"', actual: "none" },
    );
  }
  const entry = entryOf(note);
  const field = { field: "XEN_ELFNOTE_PHYS32_ENTRY", offset: note.descriptorOffset };
  if (entry >= LOW_END) {
    throw fieldError("NOTE_MALFORMED", field, "an address below 4 GiB", formatAddress(entry));
  }
  return resolveEntry(elf, entry, field, false);
}

function entryOf({ descriptor, offset }: ElfNote): bigint {
  const view = new DataView(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength);
  if (descriptor.length === 4) return BigInt(view.getUint32(0, true));
  if (descriptor.length === 8) return view.getBigUint64(0, true);
  throw fieldError(
    "NOTE_MALFORMED",
    { field: "n_descsz", offset: offset + 4 },
    "4 or 8 bytes for XEN_ELFNOTE_PHYS32_ENTRY",
    `${descriptor.length}`,
  );
}

/** One past the highest address that a module may cover. */
function modulesEnd({ initrdPlacement, initrdAddress }: BootRequest): bigint {
  const isHigh = initrdPlacement === "high" || (initrdAddress ?? 0n) >= LOW_END;
  return isHigh ? IDENTITY_MAP_END : LOW_END;
}

/** The initrd is module 0; the others follow, as high as may be. */
function placeModules(
  guest: X86Guest,
  initrd: AddressRange | undefined,
  end: bigint,
): StartInfoModule[] {
  const { modules = [] } = guest.request;
  if (modules.length > 0 && !initrd) {
    throw invalidOption("modules", "there is no initrd, which is the first module");
  }
  const placed: StartInfoModule[] = initrd ? [initrd] : [];
  for (const [i, module] of modules.entries()) {
    const name = `module ${i + 1}`;
    const source = sourceOf(module.source, name);
    if (source.size === 0) throw invalidOption("modules", `${name} is empty, bytes are wanted`);
    const size = BigInt(source.size);
    const bounds = { min: FALLBACK_MIN, max: end };
    const start = guest.space.allocate({ name, size, align: 4096n, ...bounds, from: "high" });
    guest.add([{ name, start, size, content: { kind: "source", source, offset: 0 } }]);
    placed.push({ start, size, cmdline: placeModuleCmdline(guest, name, module.cmdline) });
  }
  return placed;
}

function placeModuleCmdline(
  guest: X86Guest,
  module: string,
  cmdline: string | undefined,
): bigint | undefined {
  if (cmdline === undefined) return undefined;
  const { maxLength, where } = CMDLINE_LIMITS.x86_64;
  const bytes = checkCmdline(cmdline, maxLength, where);
  return guest.place(
    `${module} command line`,
    BigInt(bytes.length),
    CMDLINE_START,
    () => bytes,
    1n,
  );
}
