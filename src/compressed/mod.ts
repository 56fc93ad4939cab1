/**
 * Kernels as they are shipped: compressed, in a bzImage, in an EFI zboot image.
 *
 * ```ts
 * import { bootLinux, GuestMemory } from "@vmm/linux-loader";
 * import { unwrapKernel } from "@vmm/linux-loader/compressed";
 *
 * async function boot(memory: GuestMemory, file: Uint8Array) {
 *   const kernel = await unwrapKernel(file, { maxSize: 256 << 20 });
 *   return bootLinux(memory, { kernel, cmdline: "console=ttyS0" });
 * }
 * ```
 *
 * @module
 */
export {
  type KernelLayer,
  unwrapKernel,
  type UnwrapOptions,
  type UnwrappedKernel,
} from "./unwrap.ts";
export { type CompressedFormat, decompress, type DecompressOptions } from "./decompress.ts";
export { type BzImageChecksum, bzImageChecksum } from "./bzimage_crc.ts";
export { parseZboot, type ZbootImage } from "../formats/zboot.ts";
export * from "../structs/zboot.ts";
