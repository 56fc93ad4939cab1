import {
  addressAdd,
  type AddressRange,
  alignDown,
  alignUp,
  formatRange,
  GIB,
  rangeEnd,
} from "../address.ts";
import { arm64CpuState } from "../cpu/arm64.ts";
import { LoaderError } from "../errors.ts";
import type { Arm64Kernel } from "../formats/image.ts";
import { buildArm64Tree } from "../params/arm64_tree.ts";
import type { Arm64Machine } from "../params/arm64_machine.ts";
import { CMDLINE_LIMITS } from "../params/cmdline.ts";
import { baseTree, type FlatRules, placeFlat, type Window } from "./flat_guest.ts";
import { type BootPlan, type BootRequest, invalidOption } from "./plan.ts";

/** booting.rst: initrd and kernel lie in "a 1GB aligned physical memory window of up to 32GB in size". */
const WINDOW_ALIGN: bigint = GIB;
const WINDOW_SIZE: bigint = 32n * GIB;

const RULES: FlatRules = {
  cmdlineLimit: CMDLINE_LIMITS.aarch64,
  endAlign: 1n,
  // booting.rst, "flags" bit 3: "anywhere in physical memory", for 48-bit addresses
  memoryEnd: 1n << 48n,
  initrdWindows,
  checkInitrd,
};

/**
 * Plans a boot of an arm64 Image: Documentation/arch/arm64/booting.rst.
 *
 * @param image What the Image says.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} `IMAGE_BIG_ENDIAN`, `FDT_*`, or the reason why something does not fit.
 */
export function planArm64(image: Arm64Kernel, request: BootRequest): BootPlan {
  const el = exceptionLevel(request);
  const machine = request.deviceTree as Uint8Array | Arm64Machine;
  const tree = baseTree(machine, "gic", buildArm64Tree);
  const { entry, dtb, placements, memoryMap } = placeFlat(image, request, tree, RULES);
  return {
    arch: "aarch64",
    protocol: "arm64",
    placements,
    memoryMap,
    cpu: arm64CpuState({ pc: entry, dtb, el }),
    ram: request.layout.ram,
  };
}

function exceptionLevel({ exceptionLevel: el = 1 }: BootRequest): 1 | 2 {
  if (el === 1 || el === 2) return el;
  throw invalidOption("exceptionLevel", `${el}, 1 or 2 is wanted`);
}

/** The window that starts with the kernel, and the one that ends with it. */
function initrdWindows(kernel: AddressRange): [Window, Window] {
  const first = alignDown(kernel.start, WINDOW_ALIGN);
  const last = alignUp(rangeEnd(kernel), WINDOW_ALIGN);
  return [
    { min: first, max: first + WINDOW_SIZE },
    { min: last > WINDOW_SIZE ? last - WINDOW_SIZE : 0n, max: last },
  ];
}

function checkInitrd(initrd: AddressRange, kernel: AddressRange): void {
  const end = addressAdd(initrd.start, initrd.size, "initrd");
  const low = initrd.start < kernel.start ? initrd.start : kernel.start;
  const high = end > rangeEnd(kernel) ? end : rangeEnd(kernel);
  if (alignUp(high, WINDOW_ALIGN) - alignDown(low, WINDOW_ALIGN) <= WINDOW_SIZE) return;
  throw new LoaderError(
    "NO_SPACE",
    `Cannot place initrd at ${formatRange(initrd)}: with the kernel at ${
      formatRange(kernel)
    } it must lie in one 1 GiB aligned window of 32 GiB (booting.rst)`,
    {
      field: "initrdAddress",
      ranges: [{ name: "initrd", ...initrd }, { name: "kernel", ...kernel }],
    },
  );
}
