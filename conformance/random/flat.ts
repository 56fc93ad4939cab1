/** Random layouts of guests whose kernel is a flat Image: arm64 and riscv64. */
import fc from "fast-check";
import type { AddressRange } from "../../mod.ts";
import type { Layout, LayoutOptions } from "../case.ts";
import { type Machine, machineOptions } from "../machines.ts";
import {
  type Blob,
  blobs,
  bytesOfBlob,
  cmdlines,
  dirtOf,
  dirts,
  endOf,
  GIB,
  hasRoom,
  MIB,
  overlaps,
  PAGE,
  placeTaken,
  type RandomFamily,
  type RandomLayout,
  type Taken,
  takens,
  without,
} from "./layouts.ts";

/** Numbers of pages, unless said otherwise. */
interface Recipe {
  /** The first region begins behind this: QEMU's own tree, or that and more. */
  readonly lead: number;
  readonly main: number;
  /** More regions, each behind a hole; some lie above 4 GiB. */
  readonly beyond: readonly { readonly hole: number; readonly size: number }[];
  /** In steps of 2 MiB above the first in RAM. */
  readonly kernel?: number;
  readonly cmdline: string;
  /** With an address: pages before the end of the first region. */
  readonly initrd?: Blob & { readonly before?: number };
  readonly taken: readonly Taken[];
  readonly kaslr?: number;
  readonly rng?: Blob;
  readonly el: 1 | 2;
  readonly dirt?: number;
}

const STEP = 2n * MIB;
/** More than image_size and text_offset of each probe, to the end of a block. */
const IMAGE = 4n * MIB;

const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const RECIPES: fc.Arbitrary<Recipe> = fc.record({
  lead: fc.oneof(fc.constant(0), fc.integer({ min: 0x100, max: 0x2000 })),
  main: fc.integer({ min: 0x1000, max: 0x2000 }),
  beyond: fc.array(
    fc.record({
      hole: fc.integer({ min: 1, max: 0x6_0000 }),
      size: fc.integer({ min: 1, max: 0x400 }),
    }),
    { maxLength: 3 },
  ),
  kernel: option(fc.nat({ max: 10 })),
  cmdline: cmdlines,
  initrd: option(
    blobs(3 << 20).chain((blob) =>
      option(fc.integer({ min: 1, max: 0x800 })).map((before) => ({ ...blob, before }))
    ),
  ),
  taken: takens,
  kaslr: option(fc.nat()),
  rng: option(blobs(200)),
  el: fc.constantFrom(1, 2),
  dirt: dirts,
});

function ramOf(machine: Machine, { lead, main, beyond }: Recipe): AddressRange[] {
  const ram = [{ start: machine.ramStart + BigInt(lead) * PAGE, size: BigInt(main) * PAGE }];
  for (const { hole, size } of beyond) {
    ram.push({ start: endOf(ram.at(-1)!) + BigInt(hole) * PAGE, size: BigInt(size) * PAGE });
  }
  return ram;
}

function fixedOf(machine: Machine, recipe: Recipe) {
  const [main] = ramOf(machine, recipe);
  const first = (main.start + STEP - 1n) / STEP * STEP;
  const { kernel, initrd } = recipe;
  const kernelAddress = kernel === undefined ? undefined : first + IMAGE + BigInt(kernel) * STEP;
  const initrdAddress = initrd?.before === undefined
    ? undefined
    : endOf(main) - BigInt(initrd.before) * PAGE;
  const ranges = [
    ...(kernelAddress === undefined ? [] : [{ start: kernelAddress, size: IMAGE }]),
    ...(initrdAddress === undefined ? [] : [{ start: initrdAddress, size: BigInt(initrd!.size) }]),
  ];
  return { kernelAddress, initrdAddress, ranges };
}

/** What QEMU writes itself, then what was drawn, clear of it and of each other. */
function reservationsOf(machine: Machine, recipe: Recipe) {
  const ram = ramOf(machine, recipe);
  const own = machineOptions(machine, ram).reservations;
  const kept = [...own, ...fixedOf(machine, recipe).ranges];
  return [...own, ...placeTaken(ram, recipe.taken, kept, false)];
}

function mustBoot(machine: Machine, recipe: Recipe): boolean {
  const ram = ramOf(machine, recipe);
  const { kernelAddress, initrdAddress, ranges } = fixedOf(machine, recipe);
  const kept = [...machineOptions(machine, ram).reservations, ...ranges];
  if (ranges.some((range) => without([range], [ram[0]]).length > 0)) return false;
  if (kept.some((range, i) => kept.some((other, j) => i < j && overlaps(range, other)))) {
    return false;
  }
  const free = without(ram, [...ranges, ...reservationsOf(machine, recipe)]);
  // Image and device tree are aligned to 2 MiB and may lose as much; the tree lies above the Image
  const needed = [Number(IMAGE + STEP), Number(2n * STEP), recipe.initrd?.size ?? 0];
  return hasRoom(free, needed, kernelAddress ?? 0n, initrdAddress ?? 16n * GIB);
}

/** arch/riscv/include/uapi/asm/setup.h, COMMAND_LINE_SIZE 1024; x86 and arm64 have twice that. */
const RISCV64_CMDLINE = 1023;

/**
 * The layouts of a probe.
 *
 * @param machine The machine that it runs on.
 * @param kernel The probe's file.
 * @returns The family.
 */
export function flatLayouts(machine: Machine, kernel: Layout["kernel"]): RandomFamily<unknown> {
  const isArm64 = machine.arch === "aarch64";
  const layoutOf = (recipe: Recipe): RandomLayout => {
    const ram = ramOf(machine, recipe);
    const { kernelAddress, initrdAddress } = fixedOf(machine, recipe);
    const { initrd, cmdline, kaslr, rng, el, dirt } = recipe;
    const options: LayoutOptions = {
      deviceTree: machine.deviceTree,
      reservations: reservationsOf(machine, recipe),
      cmdline: isArm64 ? cmdline : cmdline.slice(0, RISCV64_CMDLINE).trimEnd(),
      kernelAddress,
      ...(isArm64 ? { exceptionLevel: el } : {}),
      ...(initrd === undefined ? {} : { initrd: bytesOfBlob(initrd), initrdAddress }),
      seeds: {
        kaslr: kaslr === undefined ? undefined : BigInt(kaslr) << 20n,
        rng: rng && bytesOfBlob(rng),
      },
    };
    const size = endOf(ram.at(-1)!) - machine.ramStart;
    const ramSize = (size + MIB - 1n) / MIB * MIB;
    return { kernel, options, dirt: dirtOf(ram, dirt), ram, ramSize };
  };
  return {
    recipes: RECIPES.filter((recipe) => mustBoot(machine, recipe)),
    layoutOf: layoutOf as RandomFamily<unknown>["layoutOf"],
  };
}
