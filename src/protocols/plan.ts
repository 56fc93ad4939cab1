import { type AddressRange, formatAddress } from "../address.ts";
import type { CpuState } from "../cpu/state.ts";
import { LoaderError } from "../errors.ts";
import { MAX_CMDLINE_SIZE } from "../limits.ts";
import { checkedLayout, type RamLayout } from "../memory/guest_memory.ts";
import type { Placement } from "../memory/placement.ts";
import type { Arm64Machine } from "../params/arm64_machine.ts";
import { checkCmdline, type CmdlineLimit } from "../params/cmdline.ts";
import type { MemoryMapEntry, Reservation } from "../params/memory_map.ts";
import * as is from "../params/option_checks.ts";
import type { Riscv64Machine } from "../params/riscv64_machine.ts";
import type { SetupDataItem } from "../params/zero_page.ts";
import { type KernelSource, sourceOf } from "../source.ts";

/** A boot protocol: who says how the kernel is entered and what it is told. */
export type BootProtocol = "linux64" | "linux32" | "pvh" | "arm64" | "riscv64";

/** An additional module of a PVH guest. */
export interface BootModule {
  /** The module's bytes. */
  readonly source: Uint8Array | KernelSource;
  /** Its command line. */
  readonly cmdline?: string;
}

/**
 * What a VMM chooses. Only `kernel` is needed; each default is named with its option. An option that
 * the protocol has no use for is refused.
 */
export interface BootOptions {
  /** The kernel: an ELF vmlinux, a bzImage, or an Image of arm64 or riscv64. */
  readonly kernel: Uint8Array | KernelSource;
  /** The initrd. Default: none. */
  readonly initrd?: Uint8Array | KernelSource;
  /** The command line, printable ASCII; anything with a `toString`, such as a `Cmdline`. Default: empty. */
  readonly cmdline?: string | { toString(): string };
  /**
   * Default: `"pvh"` for an ELF with a PVH note, else `"linux64"` for a kernel with a 64-bit entry,
   * `"linux32"` for one without; an Image's own architecture.
   */
  readonly protocol?: BootProtocol;
  /** Where the kernel is loaded, guest-physical. Default: where it prefers to be. An ELF says so itself. */
  readonly kernelAddress?: bigint;
  /** Where the initrd is, guest-physical, page-aligned. Default: `initrdPlacement`. */
  readonly initrdAddress?: bigint;
  /**
   * x86: `"low"` stays below the kernel's initrd_addr_max (4 GiB for PVH) and is the default;
   * `"high"` takes the highest free RAM, where the kernel allows that (by linux32 none does).
   */
  readonly initrdPlacement?: "low" | "high";
  /** Guest ranges that are taken. Default: none. */
  readonly reservations?: readonly Reservation[];
  /** Entries of the memory map outside RAM. Default: none. */
  readonly memoryMap?: readonly MemoryMapEntry[];
  /** The longest command line in bytes, without the NUL. Default: what the kernel's header or its architecture says. */
  readonly maxCmdlineSize?: number;
  /** x86: guest-physical address of the ACPI RSDP. Default: none. */
  readonly rsdp?: bigint;
  /** linux64, linux32: setup_data to hand over. Default: none. */
  readonly setupData?: readonly SetupDataItem[];
  /** pvh: modules after the initrd. Default: none. */
  readonly modules?: readonly BootModule[];
  /** arm64, riscv64: a device tree to complete, or the machine to build one for. There is no default. */
  readonly deviceTree?: Uint8Array | Arm64Machine | Riscv64Machine;
  /** arm64, riscv64: `/chosen` seeds. Default: none. */
  readonly seeds?: { readonly kaslr?: bigint; readonly rng?: Uint8Array };
  /** arm64: the exception level that the kernel is entered at. Default: 1. */
  readonly exceptionLevel?: 1 | 2;
  /** riscv64: the id of the hart that boots, for its a0 and the tree's `boot_cpuid_phys`. Default: 0. */
  readonly hartid?: bigint;
}

/** What lies where in the guest and how its first vCPU starts. */
export interface BootPlan {
  /** The guest's architecture; x86_64 for an i386 kernel, too: it runs on such a CPU. */
  readonly arch: "x86_64" | "aarch64" | "riscv64";
  /** The boot protocol. */
  readonly protocol: BootProtocol;
  /** Disjoint, inside RAM, clear of reservations; ascending. */
  readonly placements: readonly Placement[];
  /** Sorted and disjoint. */
  readonly memoryMap: readonly MemoryMapEntry[];
  /** How the first vCPU starts. */
  readonly cpu: CpuState;
  /** The RAM that the plan was made for. */
  readonly ram: readonly AddressRange[];
}

/** What a protocol plans for: options with their sources opened, for a kernel already described. */
export interface BootRequest extends Omit<BootOptions, "kernel" | "initrd" | "cmdline"> {
  /** The machine's RAM. */
  readonly layout: RamLayout;
  /** The kernel file. */
  readonly kernel: KernelSource;
  /** The initrd. */
  readonly initrd?: KernelSource;
  /** The command line. */
  readonly cmdline: string;
}

/** Every option, and what it must be. A name that is not here is refused: it may be a typing error. */
const OPTIONS: { readonly [K in keyof BootOptions]-?: is.OptionCheck } = {
  kernel: is.elsewhere,
  initrd: is.elsewhere,
  cmdline: is.text,
  protocol: is.string,
  kernelAddress: is.address,
  initrdAddress: is.address,
  initrdPlacement: is.string,
  reservations: is.list(is.record({ name: is.string, start: is.bigint, size: is.bigint })),
  memoryMap: is.list(is.record({ start: is.bigint, size: is.bigint, type: is.string })),
  maxCmdlineSize: is.number,
  rsdp: is.address,
  setupData: is.list(is.record({ type: is.uint32, data: is.bytes })),
  modules: is.list(is.record({ cmdline: is.optional(is.string) })),
  deviceTree: is.object,
  seeds: is.record({ kaslr: is.optional(is.address), rng: is.optional(is.bytes) }),
  exceptionLevel: is.number,
  hartid: is.address,
};

/** The options that only some protocols have a use for. */
const ONLY_FOR: { readonly [K in keyof BootOptions]?: readonly BootProtocol[] } = {
  initrdPlacement: ["linux64", "linux32", "pvh"],
  rsdp: ["linux64", "linux32", "pvh"],
  setupData: ["linux64", "linux32"],
  modules: ["pvh"],
  deviceTree: ["arm64", "riscv64"],
  seeds: ["arm64", "riscv64"],
  exceptionLevel: ["arm64"],
  hartid: ["riscv64"],
};

/**
 * Checks the options that every protocol shares.
 *
 * @param layout The machine's RAM.
 * @param protocol The protocol that was chosen.
 * @param options What the caller asks for.
 * @returns The request.
 * @throws {LoaderError} `INVALID_OPTION`, `EMPTY_INITRD`, `LIMIT_EXCEEDED`; `INVALID_MEMORY` or
 * `ADDRESS_OVERFLOW` if the layout is none.
 * @throws {TypeError} If an option or the layout is of another type than it says.
 */
export function requestOf(
  layout: RamLayout,
  protocol: BootProtocol,
  options: BootOptions,
): BootRequest {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(OPTIONS, name)) {
      throw invalidOption(
        name,
        `there is none of that name, only ${Object.keys(OPTIONS).join(", ")}`,
      );
    }
    OPTIONS[name as keyof BootOptions](value, name);
  }
  for (const [name, protocols] of Object.entries(ONLY_FOR)) {
    if (options[name as keyof BootOptions] === undefined || protocols.includes(protocol)) continue;
    throw invalidOption(
      name,
      `protocol ${protocol} has no use for it, it is for ${protocols.join(", ")}`,
    );
  }
  const { initrdPlacement } = options;
  if (initrdPlacement !== undefined && !["low", "high"].includes(initrdPlacement)) {
    throw invalidOption("initrdPlacement", `${initrdPlacement}, "low" or "high" is wanted`);
  }
  const { kernel, initrd, cmdline, ...rest } = options;
  const request = {
    ...rest,
    layout: checkedLayout(layout?.ram),
    kernel: sourceOf(kernel, "kernel"),
    cmdline: String(cmdline ?? ""),
  };
  if (initrd === undefined) return request;
  const source = sourceOf(initrd, "initrd");
  if (source.size === 0) {
    throw new LoaderError(
      "EMPTY_INITRD",
      "Cannot place initrd: it is empty, at least 1 byte is wanted (leave the option out for none)",
      { field: "initrd", expected: "at least 1 byte", actual: "0 bytes" },
    );
  }
  return { ...request, initrd: source };
}

/**
 * The command line as the guest reads it.
 *
 * @param request What is asked for.
 * @param limit What the kernel takes, unless the caller says otherwise.
 * @returns The bytes, with the NUL.
 * @throws {LoaderError} `CMDLINE_ASCII`, `CMDLINE_TOO_LONG`, `INVALID_OPTION`.
 */
export function cmdlineBytes(request: BootRequest, limit: CmdlineLimit): Uint8Array {
  const { maxCmdlineSize: own } = request;
  if (own === undefined) {
    const maxLength = Math.min(limit.maxLength, MAX_CMDLINE_SIZE);
    return checkCmdline(request.cmdline, maxLength, limit.where);
  }
  if (!Number.isInteger(own) || own < 0 || own > MAX_CMDLINE_SIZE) {
    throw invalidOption("maxCmdlineSize", `${own}, between 0 and ${MAX_CMDLINE_SIZE} is wanted`);
  }
  return checkCmdline(request.cmdline, own, "option maxCmdlineSize");
}

/**
 * The error of an option that cannot be.
 *
 * @param name The option.
 * @param what What is, what is wanted.
 * @returns The error.
 */
export function invalidOption(name: string, what: string): LoaderError {
  return new LoaderError("INVALID_OPTION", `Cannot use option ${name}: ${what}`, { field: name });
}

/**
 * A plan as plain data: addresses as hex strings, contents by their kind, so that it can be printed
 * or stored as JSON.
 *
 * @param plan The plan.
 * @returns An object without bigints and bytes.
 *
 * @example
 * ```ts
 * import { type BootPlan, planToJson } from "@vmm/linux-loader";
 *
 * function print(plan: BootPlan) {
 *   console.log(JSON.stringify(planToJson(plan), null, 2));
 * }
 * ```
 */
export function planToJson(plan: BootPlan): PlanJson {
  const placements = plan.placements.map((placement) => ({
    ...placement,
    content: placement.content.kind,
  }));
  return hexed({ ...plan, placements }) as PlanJson;
}

/** A plan as plain data; every address, size and register is a hex string such as `"0x1000"`. */
export interface PlanJson {
  /** The guest's architecture. */
  readonly arch: string;
  /** The boot protocol. */
  readonly protocol: string;
  /** What lies where. */
  readonly placements: readonly { name: string; start: string; size: string; content: string }[];
  /** The memory map. */
  readonly memoryMap: readonly { start: string; size: string; type: string }[];
  /** How the first vCPU starts. */
  readonly cpu: Readonly<Record<string, unknown>>;
  /** The RAM that the plan was made for. */
  readonly ram: readonly { start: string; size: string }[];
}

function hexed(value: unknown): unknown {
  if (typeof value === "bigint") return formatAddress(value);
  if (Array.isArray(value)) return value.map(hexed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hexed(item)]));
}

/**
 * A plan as text for a person: what lies where, the memory map, and where the CPU starts.
 *
 * @param plan The plan.
 * @returns Lines.
 */
export function formatPlan(plan: BootPlan): string {
  const row = (range: AddressRange, what: string) =>
    `  ${formatAddress(range.start).padStart(18)}  ${
      formatAddress(range.size).padStart(12)
    }  ${what}`;
  const start = plan.cpu.arch === "x86_64" ? plan.cpu.rip : plan.cpu.pc;
  return [
    `${plan.arch}, protocol ${plan.protocol}, entry ${formatAddress(start)}`,
    "placements (start, size, name)",
    ...plan.placements.map((placement) => row(placement, placement.name)),
    "memory map (start, size, type)",
    ...plan.memoryMap.map((entry) => row(entry, entry.type)),
  ].join("\n");
}
