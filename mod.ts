/**
 * Loads Linux kernels for virtual machine monitors: from a kernel file to guest memory and the first
 * vCPU's registers, in one call.
 *
 * ```ts
 * import { bootLinux, GuestMemory } from "@vmm/linux-loader";
 *
 * function boot(ram: Uint8Array, kernel: Uint8Array, initrd: Uint8Array) {
 *   const memory = GuestMemory.of([{ start: 0n, bytes: ram }]);
 *   return bootLinux(memory, { kernel, initrd, cmdline: "console=ttyS0" }).cpu;
 * }
 * ```
 *
 * @module
 */
export { applyPlan, bootLinux, planBoot } from "./src/boot.ts";
export {
  type BootModule,
  type BootOptions,
  type BootPlan,
  type BootProtocol,
  formatPlan,
  type PlanJson,
  planToJson,
} from "./src/protocols/plan.ts";
export {
  LoaderError,
  type LoaderErrorCode,
  type LoaderErrorDetails,
  type NamedRange,
} from "./src/errors.ts";
export type { AddressRange } from "./src/address.ts";
export type { KernelSource } from "./src/source.ts";
export { GuestMemory, type MemoryRegion, type RamLayout } from "./src/memory/guest_memory.ts";
export {
  BzImage,
  Elf,
  type ImageLoader,
  type ImageLoadOptions,
  type KernelLoader,
  type KernelLoaderResult,
  type KernelLoadOptions,
  loadCmdline,
  loadDtb,
  PE,
} from "./src/loader.ts";
export { BootParams } from "./src/params/boot_params.ts";
export {
  type BootConfigurator,
  FdtBootConfigurator,
  LinuxBootConfigurator,
  PvhBootConfigurator,
} from "./src/configurator.ts";
export type { PvhBootCapability } from "./src/protocols/elf_load.ts";
export type { ApplyOptions } from "./src/memory/apply.ts";
export type { Placement, PlacementContent } from "./src/memory/placement.ts";
export type {
  Arm64CpuState,
  CpuState,
  Riscv64CpuState,
  X86CpuState,
  X86DescriptorTable,
  X86Segment,
} from "./src/cpu/state.ts";
export {
  type BootableFormat,
  detectKernel,
  type KernelFormat,
  type WrappedFormat,
} from "./src/formats/detect.ts";
export { type ElfKernel, type ElfSegment, parseElf } from "./src/formats/elf.ts";
export { type ElfNote, findPvhNote } from "./src/formats/elf_notes.ts";
export {
  type BzImageKernel,
  parseBzImage,
  type PresentSetupHeader,
} from "./src/formats/bzimage.ts";
export {
  type Arm64Kernel,
  type FlatImage,
  type FlatKernel,
  parseArm64Image,
  parseRiscv64Image,
  type Riscv64Kernel,
} from "./src/formats/image.ts";
export { type FdtNode, type FdtProperty, type FdtTree, parseFdt } from "./src/formats/fdt.ts";
export { writeFdt } from "./src/formats/fdt_write.ts";
export { checkCmdline, Cmdline, CMDLINE_LIMITS, type CmdlineLimit } from "./src/params/cmdline.ts";
export type { MemoryMapEntry, MemoryType, Reservation } from "./src/params/memory_map.ts";
export type { SetupDataItem } from "./src/params/zero_page.ts";
export type {
  Arm64Cpu,
  Arm64Machine,
  Arm64Timer,
  Arm64Uart,
  Arm64VirtioMmio,
  GicV2,
  GicV3,
} from "./src/params/arm64_machine.ts";
export { buildArm64Tree } from "./src/params/arm64_tree.ts";
export type {
  Riscv64Machine,
  RiscvPlic,
  RiscvUart,
  RiscvVirtioMmio,
} from "./src/params/riscv64_machine.ts";
export { buildRiscv64Tree } from "./src/params/riscv64_tree.ts";
export {
  addChild,
  type CellCounts,
  decodeString,
  deleteProperty,
  encodeCells,
  encodeNumber,
  encodePhandle,
  encodeReg,
  encodeString,
  encodeStrings,
  ensureNode,
  findNode,
  getProperty,
  setProperty,
} from "./src/params/device_tree.ts";
export {
  addReservedMemory,
  type Chosen,
  reserve,
  type ReservedMemory,
  rootCells,
  setChosen,
  setMemory,
} from "./src/params/device_tree_edit.ts";
export * from "./src/structs/bootparam.ts";
export * from "./src/structs/edd.ts";
export * from "./src/structs/elf.ts";
export * from "./src/structs/fdt.ts";
export * from "./src/structs/image_header.ts";
export * from "./src/structs/start_info.ts";
export { type Field, type Fields, Struct } from "./src/structs/struct.ts";
export * from "./src/structs/x86_firmware.ts";
