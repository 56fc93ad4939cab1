import { LoaderError, quoteText } from "./errors.ts";
import { type BzImageKernel, parseBzImage } from "./formats/bzimage.ts";
import { detectKernel, type KernelFormat } from "./formats/detect.ts";
import { type ElfKernel, parseElf } from "./formats/elf.ts";
import { findPvhNote } from "./formats/elf_notes.ts";
import { type FlatKernel, parseArm64Image, parseRiscv64Image } from "./formats/image.ts";
import { type ApplyOptions, applyPlacements } from "./memory/apply.ts";
import { type GuestMemory, outsideRam, type RamLayout } from "./memory/guest_memory.ts";
import { planArm64 } from "./protocols/arm64.ts";
import { planLinux32 } from "./protocols/linux32.ts";
import { planLinux64 } from "./protocols/linux64.ts";
import {
  type BootOptions,
  type BootPlan,
  type BootProtocol,
  invalidOption,
  requestOf,
} from "./protocols/plan.ts";
import { planPvh } from "./protocols/pvh.ts";
import { planRiscv64 } from "./protocols/riscv64.ts";
import { type KernelSource, sourceOf } from "./source.ts";
import { XLF_KERNEL_64 } from "./structs/bootparam.ts";

/**
 * From a kernel file to guest memory and the first vCPU's registers: plans the boot and applies the
 * plan.
 *
 * @param memory The guest's RAM, written in place.
 * @param options What to boot, and what the VMM chooses for itself.
 * @returns The plan that was applied: `cpu` is what the first vCPU starts with.
 * @throws {LoaderError} As {@linkcode planBoot} and {@linkcode applyPlan}. Guest memory is then as it
 * was, but for the code `PARTIALLY_APPLIED`: a source failed while it was read into planned ranges.
 * @throws {TypeError} If an option is of another type than it says.
 *
 * @example
 * ```ts
 * import { bootLinux, GuestMemory } from "@vmm/linux-loader";
 *
 * function boot(ram: Uint8Array, kernel: Uint8Array, initrd: Uint8Array) {
 *   const memory = GuestMemory.of([{ start: 0n, bytes: ram }]);
 *   const { cpu } = bootLinux(memory, { kernel, initrd, cmdline: "console=ttyS0" });
 *   return cpu; // { arch: "x86_64", rip, rsi, cr0, cr3, cr4, efer, segments, gdt, … }
 * }
 * ```
 */
export function bootLinux(memory: GuestMemory, options: BootOptions & ApplyOptions): BootPlan {
  const { fresh, ...rest } = options;
  const plan = planBoot(memory, rest);
  applyPlan(memory, plan, { fresh });
  return plan;
}

/**
 * Plans a boot without writing anything: what lies where, and how the first vCPU starts.
 *
 * @param layout The guest's RAM: a {@linkcode GuestMemory}, or just its ranges, in any order.
 * @param options What to boot, and what the VMM chooses for itself.
 * @returns The plan.
 * @throws {LoaderError} If the kernel cannot be booted: `UNKNOWN_FORMAT`, `UNSUPPORTED_FORMAT`,
 * `TRUNCATED`, `ELF_*`, `NOTE_MALFORMED`, `PVH_NOT_PRESENT`, `ENTRY_OUTSIDE_KERNEL`, `BZIMAGE_*`,
 * `IMAGE_*`, `LIMIT_EXCEEDED`, `SOURCE_FAILED`. If an option cannot be: `INVALID_OPTION`,
 * `PROTOCOL_MISMATCH`, `EMPTY_INITRD`, `CMDLINE_ASCII`, `CMDLINE_TOO_LONG`, `FDT_*`. If RAM cannot be,
 * or something does not fit: `INVALID_MEMORY`, `OUTSIDE_RAM`, `OVERLAP`, `MISALIGNED`, `NO_SPACE`,
 * `ADDRESS_OVERFLOW`.
 * @throws {TypeError} If RAM or an option is of another type than it says.
 */
export function planBoot(layout: RamLayout, options: BootOptions): BootPlan {
  const source = sourceOf(options.kernel, "kernel");
  const format = detectKernel(source);
  const kernel = parseKernel(format, source);
  const protocol = options.protocol ?? defaultProtocol(kernel, source);
  const request = requestOf(layout, protocol, options);
  switch (protocol) {
    case "linux64":
      if (kernel.format === "elf" || kernel.format === "bzimage") {
        return planLinux64(kernel, request);
      }
      break;
    case "linux32":
      if (kernel.format === "elf" || kernel.format === "bzimage") {
        return planLinux32(kernel, request);
      }
      break;
    case "pvh":
      if (kernel.format === "elf") return planPvh(kernel, request);
      break;
    case "arm64":
      if (kernel.format === "arm64-image") return planArm64(kernel, request);
      break;
    case "riscv64":
      if (kernel.format === "riscv64-image") return planRiscv64(kernel, request);
      break;
    default:
      protocol satisfies never;
      throw invalidOption(
        "protocol",
        `${quoteText(String(protocol))}, one of ${Object.keys(WANTED).join(", ")} is wanted`,
      );
  }
  throw new LoaderError(
    "PROTOCOL_MISMATCH",
    `Cannot boot kernel by protocol ${protocol}: it is ${NAMES[kernel.format]}, ${
      WANTED[protocol]
    } is wanted`,
    { field: "protocol", expected: WANTED[protocol], actual: NAMES[kernel.format] },
  );
}

/**
 * Writes a plan to guest memory. Everything is checked before the first byte is written.
 *
 * @param memory The guest's RAM.
 * @param plan What {@linkcode planBoot} returned.
 * @param options How.
 * @throws {LoaderError} `INVALID_PLAN`, `INVALID_MEMORY`, `OUTSIDE_RAM` or `OVERLAP` if the plan does
 * not fit this memory, and then nothing was written; `PARTIALLY_APPLIED` if a source failed while it was read.
 */
export function applyPlan(memory: GuestMemory, plan: BootPlan, options: ApplyOptions = {}): void {
  for (const range of plan.ram) {
    // The guest is told of this RAM: it must be there, placements or not.
    if (!memory.contains(range)) throw outsideRam("RAM of the plan", range, memory);
  }
  applyPlacements(memory, plan.placements, options);
}

type Kernel = ElfKernel | BzImageKernel | FlatKernel;

const NAMES: { readonly [K in Kernel["format"]]: string } = {
  elf: "an ELF file",
  bzimage: "a bzImage",
  "arm64-image": "an arm64 Image",
  "riscv64-image": "a riscv64 Image",
};

const WANTED: { readonly [K in BootProtocol]: string } = {
  linux64: "a bzImage or an ELF vmlinux for x86_64",
  linux32: "a bzImage or an ELF vmlinux for i386",
  pvh: "an ELF vmlinux with a PVH note",
  arm64: "an arm64 Image",
  riscv64: "a riscv64 Image",
};

function parseKernel(format: KernelFormat, source: KernelSource): Kernel {
  switch (format) {
    case "elf":
      return parseElf(source);
    case "bzimage":
      return parseBzImage(source);
    case "arm64-image":
      return parseArm64Image(source);
    case "riscv64-image":
      return parseRiscv64Image(source);
    default:
      throw unsupported(
        `${format} data: unwrap it first (unwrapKernel of the entry point ./compressed)`,
      );
  }
}

function unsupported(what: string): LoaderError {
  return new LoaderError("UNSUPPORTED_FORMAT", `Cannot boot kernel: it is ${what}`, {
    field: "magic",
    offset: 0,
    expected: "an ELF vmlinux, a bzImage, or an Image",
    actual: what,
  });
}

/** A PVH note is a kernel's own word on how it wants to be entered; else the widest entry it has. */
function defaultProtocol(kernel: Kernel, source: KernelSource): BootProtocol {
  switch (kernel.format) {
    case "elf":
      if (findPvhNote(source, kernel)) return "pvh";
      return kernel.elfClass === 64 ? "linux64" : "linux32";
    case "bzimage":
      return (kernel.header.xloadflags ?? 0) & XLF_KERNEL_64 ? "linux64" : "linux32";
    case "arm64-image":
      return "arm64";
    case "riscv64-image":
      return "riscv64";
    default:
      return kernel satisfies never;
  }
}
