import { addressAdd, MIB } from "../address.ts";
import { riscv64CpuState } from "../cpu/riscv64.ts";
import { fieldError } from "../errors.ts";
import type { Riscv64Kernel } from "../formats/image.ts";
import { CMDLINE_LIMITS } from "../params/cmdline.ts";
import type { Riscv64Machine } from "../params/riscv64_machine.ts";
import { buildRiscv64Tree } from "../params/riscv64_tree.ts";
import { RISCV64_IMAGE_HEADER } from "../structs/image_header.ts";
import { baseTree, type FlatRules, placeFlat } from "./flat_guest.ts";
import type { BootPlan, BootRequest } from "./plan.ts";

/** Privileged ISA, "Sv39": physical addresses have 56 bits. */
const MEMORY_END = 1n << 56n;

const RULES: FlatRules = {
  cmdlineLimit: CMDLINE_LIMITS.riscv64,
  // Linux' setup_bootmem (arch/riscv/mm/init.c) reserves whole blocks: an initrd in the last one is
  // refused as "overlaps in-use memory region"
  endAlign: 2n * MIB,
  memoryEnd: MEMORY_END,
  initrdWindows: () => [{ min: 0n, max: MEMORY_END }],
  checkInitrd: ({ start, size }) => void addressAdd(start, size, "initrd"),
};

/**
 * Plans a boot of a riscv64 Image in supervisor mode: Documentation/arch/riscv/boot.rst. Firmware that
 * stays resident is a reservation.
 *
 * @param image What the Image says.
 * @param request What the caller asks for.
 * @returns The plan.
 * @throws {LoaderError} `IMAGE_FIELD`, `IMAGE_BIG_ENDIAN`, `FDT_*`, or the reason why something does
 * not fit.
 */
export function planRiscv64(image: Riscv64Kernel, request: BootRequest): BootPlan {
  if (image.imageSize === undefined) {
    const { offset } = RISCV64_IMAGE_HEADER.fields.image_size;
    // boot-image-header.rst: "image_size field is mandatory"
    throw fieldError("IMAGE_FIELD", { field: "image_size", offset }, "more than 0", "0x0");
  }
  const machine = request.deviceTree as Uint8Array | Riscv64Machine;
  const tree = baseTree(machine, "plic", buildRiscv64Tree);
  // Devicetree specification, "boot_cpuid_phys", which has 32 bits
  if (request.hartid !== undefined) tree.bootCpuId = Number(request.hartid & 0xffff_ffffn);
  const { entry, dtb, placements, memoryMap } = placeFlat(image, request, tree, RULES);
  return {
    arch: "riscv64",
    protocol: "riscv64",
    placements,
    memoryMap,
    cpu: riscv64CpuState({ pc: entry, dtb, hartid: request.hartid ?? 0n }),
    ram: request.layout.ram,
  };
}
