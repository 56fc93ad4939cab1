import {
  type AddressRange,
  alignUp,
  formatAddress,
  formatRange,
  isPowerOfTwo,
  mergeRanges,
  subtractRanges,
} from "../address.ts";
import { fieldError, LoaderError, type LoaderErrorCode } from "../errors.ts";
import {
  type BzImageKernel,
  type PresentSetupHeader,
  setupHeaderField,
} from "../formats/bzimage.ts";
import { requireSections } from "../formats/image.ts";
import type { Placement } from "../memory/placement.ts";
import type { Space } from "../memory/space.ts";
import {
  BOOT_FLAG_MAGIC,
  type SetupHeader,
  XLF_CAN_BE_LOADED_ABOVE_4G,
} from "../structs/bootparam.ts";
import { HIGH_MEMORY_START, LOW_END } from "./layout_x86.ts";
import type { BootRequest } from "./plan.ts";

/** How a protocol enters a bzImage. */
export interface BzImageEntry {
  /** Bytes from where the kernel is loaded. */
  readonly offset: number;
  /** The oldest boot protocol that has this entry and what comes with it, and why. */
  readonly minVersion: number;
  readonly minVersionWhy: string;
  /** Throws if the kernel's header, which has that version, does not have the entry. */
  readonly check?: (header: PresentSetupHeader) => void;
  /** One past the highest address that the kernel may cover, whatever its header says. */
  readonly end: bigint;
}

/** A bzImage in guest memory. */
export interface PlacedBzImage {
  /** Where it is loaded. */
  readonly load: bigint;
  /** Where it is entered. */
  readonly entry: bigint;
  /** Fields of setup_header that the placement changed. */
  readonly header: Partial<SetupHeader>;
  /** The kernel, and the memory it works in. */
  readonly placements: readonly Placement[];
}

/** How the kernel may be placed: its header, with the defaults filled in and checked. */
interface Rules {
  /** Bytes of the protected-mode kernel. */
  readonly size: bigint;
  /** Bytes that must be free from where it runs. */
  readonly initSize: bigint;
  /** Alignments that it accepts, the preferred one first. */
  readonly alignments: readonly bigint[];
  readonly relocatable: boolean;
  /** Where a kernel that is not relocatable runs, and below which no relocatable one does. */
  readonly prefAddress: bigint;
  /** One past the highest address it may cover, and who says so. */
  readonly end: bigint;
  readonly endWhy: string;
}

/** bootparam.h: edd_mbr_sig_buffer follows setup_header in the zero page. */
const MAX_HEADER_END = 0x290;
const HEADER_START = 0x1f1;

/**
 * Takes memory for a bzImage.
 *
 * @param kernel The kernel.
 * @param entry How it is entered.
 * @param request What the caller asks for.
 * @param space The guest's memory.
 * @returns Where it is.
 * @throws {LoaderError} `BZIMAGE_*` if it has no such entry or its header cannot be; `TRUNCATED`;
 * `NO_SPACE`, `OUTSIDE_RAM`, `OVERLAP`, `MISALIGNED` if it does not fit.
 */
export function placeBzImage(
  kernel: BzImageKernel,
  entry: BzImageEntry,
  request: BootRequest,
  space: Space,
): PlacedBzImage {
  checkBootable(kernel, entry);
  checkPayload(kernel);
  requireSections(request.kernel);
  const rules = rulesOf(kernel, entry);
  const { load, alignment } = request.kernelAddress === undefined
    ? chooseAddress(rules, space)
    : checkAddress(rules, request.kernelAddress);
  requireReach(rules, runAddress(rules, load, alignment), setupHeaderField("pref_address"));
  const ranges = rangesOf(rules, load, alignment);
  space.claim([{ name: "kernel", ...ranges.kernel }, ...ranges.work]);
  const source = request.kernel;
  return {
    load,
    entry: load + BigInt(entry.offset),
    // boot.rst, "min_alignment": a loader that uses it says so here.
    header: rules.relocatable ? { kernel_alignment: Number(alignment) } : {},
    placements: [
      {
        name: "kernel",
        ...ranges.kernel,
        content: { kind: "source", source, offset: kernel.setupSize },
      },
      ...ranges.work.map((range): Placement => ({ ...range, content: { kind: "claim" } })),
    ],
  };
}

/** The checks that kexec makes, too. */
function checkBootable(
  { header, headerBytes, kernelSize, fileKernelSize }: BzImageKernel,
  entry: BzImageEntry,
): void {
  const refuse = (
    code: LoaderErrorCode,
    name: keyof SetupHeader,
    expected: string,
    actual: string,
  ) => fieldError(code, setupHeaderField(name), expected, actual);
  if (header.boot_flag !== BOOT_FLAG_MAGIC) {
    throw refuse("BZIMAGE_BOOT_FLAG", "boot_flag", "0xaa55", formatAddress(header.boot_flag));
  }
  if (HEADER_START + headerBytes.length > MAX_HEADER_END) {
    const end = formatAddress(HEADER_START + headerBytes.length);
    throw refuse(
      "BZIMAGE_FIELD",
      "jump",
      "a header that ends at or below 0x290",
      `an end at ${end}`,
    );
  }
  if (header.version < entry.minVersion) {
    throw refuse(
      "BZIMAGE_VERSION",
      "version",
      `at least ${formatAddress(entry.minVersion)}, ${entry.minVersionWhy}`,
      formatAddress(header.version),
    );
  }
  entry.check?.(header);
  if (kernelSize <= entry.offset) {
    throw refuse(
      "BZIMAGE_FIELD",
      "syssize",
      `more than ${entry.offset} bytes, the offset of the entry`,
      `${kernelSize} bytes`,
    );
  }
  // syssize counts 16-byte units: a file may lack the padding of the last.
  if (kernelSize > fileKernelSize + 15) {
    const at = setupHeaderField("syssize");
    throw new LoaderError(
      "TRUNCATED",
      `Cannot read the kernel that ${at.field} at ${
        formatAddress(at.offset)
      } names: it has ${kernelSize} ` +
        `bytes, the file ends after ${fileKernelSize} of them: it is cut off, copy it again`,
      { ...at, expected: `${kernelSize} bytes`, actual: `${fileKernelSize} bytes` },
    );
  }
}

/** The padding of the last unit aside, the payload must be there: it is what the kernel unpacks. */
function checkPayload({ header, fileKernelSize }: BzImageKernel): void {
  const { payload_offset = 0, payload_length = 0 } = header;
  const end = payload_offset + payload_length;
  if (payload_length === 0 || end <= fileKernelSize) return;
  const at = setupHeaderField("payload_length");
  throw new LoaderError(
    "TRUNCATED",
    `Cannot read the payload that ${at.field} at ${
      formatAddress(at.offset)
    } names: it ends ${end} ` +
      `bytes into the kernel, the file after ${fileKernelSize}: it is cut off, copy it again`,
    { ...at, expected: `${end} bytes`, actual: `${fileKernelSize} bytes` },
  );
}

function rulesOf(
  { header, kernelSize, fileKernelSize }: BzImageKernel,
  entry: BzImageEntry,
): Rules {
  const size = BigInt(Math.min(kernelSize, fileKernelSize));
  const initSize = BigInt(header.init_size ?? 0);
  const mayBeHigh = entry.end > LOW_END &&
    ((header.xloadflags ?? 0) & XLF_CAN_BE_LOADED_ABOVE_4G) !== 0;
  return {
    size,
    initSize: initSize > size ? initSize : size,
    alignments: alignmentsOf(header),
    relocatable: (header.relocatable_kernel ?? 0) !== 0,
    prefAddress: header.pref_address || HIGH_MEMORY_START,
    end: mayBeHigh ? entry.end : LOW_END,
    endWhy: entry.end > LOW_END ? "xloadflags, CAN_BE_LOADED_ABOVE_4G" : "32-bit entry",
  };
}

/** boot.rst, "min_alignment": try each power of two from kernel_alignment down to this one. */
function alignmentsOf({ kernel_alignment, min_alignment }: Partial<SetupHeader>): bigint[] {
  const preferred = BigInt(kernel_alignment ?? 1);
  if (!isPowerOfTwo(preferred)) {
    throw fieldError(
      "BZIMAGE_FIELD",
      setupHeaderField("kernel_alignment"),
      "a power of two",
      formatAddress(preferred),
    );
  }
  const alignments = [preferred];
  const least = 1n << BigInt(min_alignment ?? 0);
  if (!min_alignment) return alignments; // 0: the kernel takes nothing but kernel_alignment
  for (let align = preferred >> 1n; align >= least; align >>= 1n) alignments.push(align);
  return alignments;
}

/** Where the kernel runs once it is loaded: that address moves up, never down. */
function runAddress(rules: Rules, load: bigint, alignment: bigint): bigint {
  if (!rules.relocatable) return rules.prefAddress;
  const aligned = alignUp(load, alignment);
  const pref = alignUp(rules.prefAddress, alignment);
  return aligned > pref ? aligned : pref;
}

/** The preferred address, or for a relocatable kernel the lowest one above that has room. */
function chooseAddress(rules: Rules, space: Space): { load: bigint; alignment: bigint } {
  const { initSize: size, end, prefAddress, relocatable } = rules;
  if (!relocatable) return { load: prefAddress, alignment: rules.alignments[0] };
  for (const alignment of rules.alignments) {
    const min = alignUp(prefAddress, alignment);
    const load = space.find({ name: "kernel", size, align: alignment, min, max: end });
    if (load !== undefined) return { load, alignment };
  }
  const align = rules.alignments.at(-1)!;
  // Throws, naming what is in the way.
  const load = space.allocate({ name: "kernel", size, align, min: prefAddress, max: end });
  return { load, alignment: align };
}

/** Checks an address that the kernel would be loaded at, or run at. */
function requireReach(
  rules: Rules,
  start: bigint,
  field: { readonly field: string; readonly offset?: number },
): void {
  const size = rules.initSize;
  if (start + size <= rules.end) return;
  throw new LoaderError(
    "NO_SPACE",
    `Cannot place kernel at ${
      formatRange({ start, size })
    } (${field.field}): it must end at or below ${formatAddress(rules.end)} (${rules.endWhy})`,
    {
      ...field,
      ranges: [
        { name: "kernel", start, size },
        { name: "where this kernel can be loaded", start: 0n, size: rules.end },
      ],
    },
  );
}

function checkAddress(rules: Rules, load: bigint): { load: bigint; alignment: bigint } {
  requireReach(rules, load, { field: "kernelAddress" });
  if (!rules.relocatable) return { load, alignment: rules.alignments[0] };
  const alignment = rules.alignments.find((align) => load % align === 0n);
  if (alignment !== undefined) return { load, alignment };
  throw new LoaderError(
    "MISALIGNED",
    `Cannot place kernel at ${formatAddress(load)}: a multiple of ${
      formatAddress(rules.alignments.at(-1)!)
    } is wanted (kernel_alignment, min_alignment)`,
    { field: "kernelAddress", ranges: [{ name: "kernel", start: load, size: rules.size }] },
  );
}

/** The kernel, and what it works in beside: init_size from where it runs. */
function rangesOf(rules: Rules, load: bigint, alignment: bigint): {
  kernel: AddressRange;
  work: { name: string; start: bigint; size: bigint }[];
} {
  const kernel = { start: load, size: rules.size };
  const run = { start: runAddress(rules, load, alignment), size: rules.initSize };
  const work = subtractRanges(mergeRanges([run]), [kernel]);
  return {
    kernel,
    work: work.map((range, i) => ({
      name: i === 0 ? "kernel work area" : `kernel work area ${i}`,
      ...range,
    })),
  };
}
