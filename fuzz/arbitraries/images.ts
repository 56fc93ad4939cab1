/**
 * Kernel files made by hand: an ELF vmlinux, a bzImage, an arm64 Image, each valid unless a field is
 * overridden. Nothing here comes from the library: every offset is written down a second time, from
 * the specifications, so that a test that uses these files checks the library's tables too.
 */

import { type Overrides, pattern, type Place, pokeAll } from "./wire.ts";

export * from "./elf_images.ts";
export { type Overrides, pattern, peek, poke } from "./wire.ts";

/** boot.rst, "Details of header fields": offsets from the start of the file. */
export const SETUP = {
  setup_sects: [0x1f1, 1],
  root_flags: [0x1f2, 2],
  syssize: [0x1f4, 4],
  ram_size: [0x1f8, 2],
  vid_mode: [0x1fa, 2],
  root_dev: [0x1fc, 2],
  boot_flag: [0x1fe, 2],
  jump: [0x200, 2],
  header: [0x202, 4],
  version: [0x206, 2],
  realmode_swtch: [0x208, 4],
  start_sys_seg: [0x20c, 2],
  kernel_version: [0x20e, 2],
  type_of_loader: [0x210, 1],
  loadflags: [0x211, 1],
  setup_move_size: [0x212, 2],
  code32_start: [0x214, 4],
  ramdisk_image: [0x218, 4],
  ramdisk_size: [0x21c, 4],
  bootsect_kludge: [0x220, 4],
  heap_end_ptr: [0x224, 2],
  ext_loader_ver: [0x226, 1],
  ext_loader_type: [0x227, 1],
  cmd_line_ptr: [0x228, 4],
  initrd_addr_max: [0x22c, 4],
  kernel_alignment: [0x230, 4],
  relocatable_kernel: [0x234, 1],
  min_alignment: [0x235, 1],
  xloadflags: [0x236, 2],
  cmdline_size: [0x238, 4],
  hardware_subarch: [0x23c, 4],
  hardware_subarch_data: [0x240, 8],
  payload_offset: [0x248, 4],
  payload_length: [0x24c, 4],
  setup_data: [0x250, 8],
  pref_address: [0x258, 8],
  init_size: [0x260, 4],
  handover_offset: [0x264, 4],
  kernel_info_offset: [0x268, 4],
} as const satisfies Record<string, Place>;

/** A bzImage. */
export interface BzImage extends Overrides<typeof SETUP> {
  /** The protected-mode kernel. 4 KiB if not given. */
  readonly kernel?: Uint8Array;
}

/**
 * A bzImage of protocol 2.15 as Linux 6.x is: relocatable, 64-bit, wants 2 MiB alignment and to be at
 * 16 MiB; but small: 1 KiB of setup, 64 KiB to work in.
 *
 * @param image What differs.
 * @returns The file.
 */
export function bzImage({ kernel = pattern(4096), ...fields }: BzImage = {}): Uint8Array {
  const setup = new Uint8Array((Number(fields.setup_sects || 1) + 1) * 512);
  setup.fill(0xee, 0, 0x1f1); // boot code, and a sentinel that must not reach the zero page
  setup.fill(0xee, 0x26c);
  pokeAll(setup, 0, SETUP, {
    setup_sects: 1,
    syssize: Math.ceil(kernel.length / 16),
    boot_flag: 0xaa55,
    jump: 0x6aeb, // the header ends at 0x202 + 0x6a = 0x26c
    header: 0x53726448, // "HdrS"
    version: 0x020f,
    loadflags: 1, // LOADED_HIGH
    code32_start: 0x100000,
    initrd_addr_max: 0x7fffffff,
    kernel_alignment: 0x200000,
    relocatable_kernel: 1,
    min_alignment: 21,
    xloadflags: 0b11, // XLF_KERNEL_64, XLF_CAN_BE_LOADED_ABOVE_4G
    cmdline_size: 2047,
    pref_address: 0x1000000,
    init_size: 0x10000,
    ...fields,
  });
  const file = new Uint8Array(setup.length + kernel.length);
  file.set(setup);
  file.set(kernel, setup.length);
  return file;
}

/** booting.rst, "4. Call the kernel image": the 64-byte header. */
export const IMAGE = {
  code0: [0x00, 4],
  code1: [0x04, 4],
  text_offset: [0x08, 8],
  image_size: [0x10, 8],
  flags: [0x18, 8],
  res2: [0x20, 8],
  res3: [0x28, 8],
  res4: [0x30, 8],
  magic: [0x38, 4],
  res5: [0x3c, 4],
} as const satisfies Record<string, Place>;

/**
 * An arm64 Image as Linux 5.10 and later are: text_offset 0, 4 KiB pages, may be anywhere.
 *
 * @param fields What differs.
 * @param size Size of the file in bytes.
 * @returns The file.
 */
export function arm64Image(fields: Overrides<typeof IMAGE> = {}, size = 4096): Uint8Array {
  const file = pattern(size, 5);
  file.fill(0, 0, 64);
  pokeAll(file, 0, IMAGE, {
    code0: 0x91005a4d, // "MZ", as an EFI stub has it
    image_size: 0x3000,
    flags: 0b1010,
    magic: 0x644d5241, // "ARM\x64"
    ...fields,
  });
  return file;
}
