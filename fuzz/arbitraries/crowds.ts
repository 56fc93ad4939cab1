/** Boots in crowded guests: hundreds of reservations, regions, modules, memory map entries. */
import fc from "fast-check";
import type { BootCase } from "./boots.ts";
import { bzImage, elfImage, pattern, pvhImage } from "./images.ts";
import type { Region } from "./layouts.ts";
import { sometimes } from "./numbers.ts";

const KERNEL = 0x100000;
/** The crowd starts here. */
const CROWD = 0x200000;
/** Around the zero page's 128 entries, and around blocks of 256 of anything. */
const COUNTS = [123, 124, 125, 126, 127, 130, 255, 260, 300];
const TYPES = [undefined, "acpi", "nvs", "unusable", "persistent"] as const;

const relocatable = { pref_address: KERNEL, kernel_alignment: 0x1000, min_alignment: 12 };
const KERNELS = {
  linux64: elfImage(),
  linux32: elfImage({ bits: 32 }),
  pvh: pvhImage(),
  bzimage: bzImage({ ...relocatable, init_size: 0x1800 }),
  // Before setup_data
  old: bzImage({ ...relocatable, version: 0x208, jump: 0x4eeb, xloadflags: 0, init_size: 0 }),
};

const repeat = <T>(count: number, make: (i: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

const recipe = fc.record({
  kernel: fc.constantFrom<keyof typeof KERNELS>("linux64", "linux32", "pvh", "bzimage", "old"),
  count: fc.constantFrom(...COUNTS),
  stride: fc.constantFrom(0x1000, 0x1800, 0x3800),
  size: fc.constantFrom(1, 0x400, 0x1000),
  /** Whether the crowd is one of regions or of reservations. */
  isRegions: fc.boolean(),
  /** RAM below 1 MiB: without, all must find its place in the crowd. */
  low: fc.constantFrom(0x90000, 0xff000, 0),
  /** Whether something is reserved inside the legacy hole, which may have RAM behind it. */
  inHole: fc.boolean(),
  initrd: sometimes(fc.constantFrom(1, 0x1001, 0x4000), 1),
  setupData: sometimes(fc.constant([{ type: 9, data: pattern(7) }]), 2),
  /** Large modules, and then as many small ones, which go to what those have left. */
  modules: fc.constantFrom(0, 3, 40),
  cmdline: sometimes(fc.constantFrom("module", ""), 1),
});

/** Gaps for two large modules each, and then small ones in what is left from the top on. */
const halved = fc.record({
  kernel: fc.constant("pvh" as const),
  count: fc.constant(300),
  stride: fc.constantFrom(0x2800, 0x3800),
  size: fc.constant(0x400),
  isRegions: fc.boolean(),
  low: fc.constantFrom(0x90000, 0),
  inHole: fc.constant(false),
  initrd: fc.constant(1),
  setupData: fc.constant(undefined),
  modules: fc.constant(270),
  cmdline: fc.constant(undefined),
});

/** Crowded x86 guests. */
export const crowds: fc.Arbitrary<BootCase> = fc.oneof(
  { arbitrary: recipe, weight: 9 },
  { arbitrary: halved, weight: 1 },
).map(
  (
    { kernel, count, stride, size, isRegions, low, initrd, setupData, modules, cmdline, inHole },
  ) => {
    const at = (i: number) => BigInt(CROWD + i * stride);
    const room = Math.max(stride - size, 0x800);
    const ram: Region[] = [
      ...low === 0 ? [] : [{ start: 0x1000n, size: low }],
      { start: BigInt(KERNEL), size: CROWD - KERNEL + (isRegions ? 0 : count * stride) },
      ...isRegions ? repeat(count, (i) => ({ start: at(i) + 1n, size: room })) : [],
    ];
    const reservations = repeat(count, (i) => {
      const type = TYPES[i % TYPES.length];
      return { name: `reservation ${i}`, start: at(i), size: BigInt(size), ...type && { type } };
    });
    const module = (size: number) => ({
      source: pattern(size),
      ...cmdline !== undefined && { cmdline },
    });
    return {
      ram: ram.filter(({ start }, i) => i === 0 || start > ram[i - 1].start),
      kernel: KERNELS[kernel],
      options: {
        reservations: [
          ...isRegions ? [] : reservations,
          ...inHole ? [{ name: "reservation in the hole", start: 0xa0000n, size: 0x1000n }] : [],
        ],
        ...initrd && { initrd: pattern(initrd) },
        ...setupData && kernel !== "pvh" && { setupData },
        ...kernel === "pvh" && initrd && modules > 0 && {
          modules: repeat(2 * modules, (i) => module(i < modules ? 0x1001 : 1)),
        },
      },
    };
  },
);
