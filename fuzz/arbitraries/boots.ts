/** Whole boots: a kernel, a machine around it, and what a VMM asks for. */
import fc from "fast-check";
import type { BootOptions, Reservation } from "../../mod.ts";
import { cmdlines } from "./cmdlines.ts";
import { elfFiles, type KernelFile, noteFiles } from "./elf_files.ts";
import { arm64Files, bzImageFiles, riscv64Files } from "./flat_files.ts";
import { pattern } from "./images.ts";
import { ACROSS_4_GIB, layOut, type LayoutRecipe, layouts, type Region } from "./layouts.ts";
import { machines, riscvMachines } from "./device_machines.ts";
import { VIRT_ARM64, VIRT_RISCV64 } from "./virt.ts";
import { boundary, sometimes } from "./numbers.ts";
import { bootDtbs } from "./tree_files.ts";

/** Options whose sources are bytes, so that a case can be stored. */
export type CaseOptions = Omit<BootOptions, "kernel" | "initrd" | "cmdline"> & {
  readonly initrd?: Uint8Array;
  readonly cmdline?: string;
};

/** A boot that is tried. */
export interface BootCase {
  readonly ram: readonly Region[];
  readonly kernel: Uint8Array;
  readonly options: CaseOptions;
}

/** An address near something: resolved when it is known where things lie. */
interface Near {
  readonly which: number;
  readonly plus: bigint;
}

const near: fc.Arbitrary<Near> = fc.record({
  which: fc.nat(30),
  plus: fc.constantFrom(0n, 0n, 0n, 0x1000n, -0x1000n, 1n, -1n, 0x200000n),
});

/** Addresses at which something begins or ends. */
function anchors(ram: readonly Region[], file: KernelFile): bigint[] {
  return [
    ...[file.low, file.high, file.high + 0x1000n, file.low],
    ...ram.flatMap(({ start, size }) => [start, start + BigInt(size)]),
    ...[0n, 0x500n, 0x6000n, 0x7000n, 0x9000n, 0x20000n, 0x40000n, 0x9fc00n, 0x100000n],
    ...[0n, 1n << 32n, 1n << 47n, 1n << 48n, 1n << 64n],
  ];
}

const nearRange = fc.record({ at: near, size: fc.constantFrom(0x1000n, 1n, 0x20000n, 0n, 0x333n) });

/** What every protocol takes. */
const common = {
  initrd: sometimes(fc.constantFrom(1, 100, 0x1000, 0x1234, 0x5000, 0), 1),
  cmdline: sometimes(cmdlines, 1),
  maxCmdlineSize: sometimes(fc.constantFrom(0, 5, 64, 2047, 5000, -1), 8),
  kernelAddress: sometimes(near, 2),
  initrdAddress: sometimes(near, 2),
  reservations: sometimes(
    fc.array(
      fc.record({
        range: nearRange,
        type: fc.constantFrom(undefined, undefined, "acpi" as const, "nvs" as const, "unusable"),
      }),
      { maxLength: 4 },
    ),
    2,
  ),
  memoryMap: sometimes(
    fc.array(
      fc.record({ range: nearRange, type: fc.constantFrom("reserved" as const, "acpi" as const) }),
      { maxLength: 3 },
    ),
    2,
  ),
  protocol: sometimes(
    fc.constantFrom("linux64" as const, "linux32" as const, "pvh" as const, "arm64" as const),
    5,
  ),
};
const bytesOf = fc.constantFrom(1, 7, 8, 100, 0).map((size) => pattern(size, 8));
const x86Only = {
  initrdPlacement: sometimes(fc.constantFrom("low" as const, "high" as const, "high" as const), 1),
  rsdp: sometimes(boundary, 5),
  setupData: sometimes(
    fc.array(fc.record({ type: fc.constantFrom(0, 1, 2, 9, 0xffffffff), data: bytesOf }), {
      maxLength: 3,
    }),
    3,
  ),
  modules: sometimes(
    fc.array(
      fc.record({ source: bytesOf, cmdline: sometimes(cmdlines, 2) }, { noNullPrototype: true }),
      { maxLength: 3 },
    ),
    2,
  ),
};
const treeOnly = (own: fc.Arbitrary<CaseOptions["deviceTree"]>) => ({
  deviceTree: fc.oneof(
    { arbitrary: bootDtbs, weight: 12 },
    { arbitrary: own, weight: 4 },
    { arbitrary: fc.oneof(machines, riscvMachines), weight: 1 },
    { arbitrary: fc.constant(undefined), weight: 1 },
  ),
  seeds: sometimes(
    fc.record({ kaslr: sometimes(boundary, 1), rng: sometimes(bytesOf, 1) }),
    4,
  ),
  exceptionLevel: sometimes(fc.constantFrom(1 as const, 2 as const), 3),
  hartid: sometimes(boundary, 3),
});

/** The last pages below what an initrd may reach. */
const INITRD_LIMITS = [
  ...[0x37ff_f000n, 0x7fff_f000n, 0xffff_f000n, 1n << 32n, (1n << 47n) - 0x1000n],
];
/** booting.rst: 32 GiB from the GiB on in which an arm64 kernel begins that lies at 1 GiB. */
const WINDOW_END = 0x8_4000_0000n;
const AROUND_WINDOW_END: Region = { start: WINDOW_END - 0x8000n, size: 0x10000 };
/** Pages at which a loader may want to have things of its own. */
const LOW_PAGES = [0x6000n, 0x7000n, 0x9000n, 0x20000n, 0x40000n];
/** RAM for a high initrd: above 4 GiB; across a GiB of the second 512; up to what can be mapped. */
const HIGH_RAM: readonly Region[] = [
  { start: 1n << 32n, size: 0x10000 },
  { start: (0x3ffn << 30n) - 0x8000n, size: 0x9000 },
  { start: (1n << 47n) - 0x8000n, size: 0x8000 },
];

/** Which of a case's odd things stay: from 6 on all of them, which few boots survive. */
const mixed = fc.oneof(
  { arbitrary: fc.nat(5), weight: 3 },
  { arbitrary: fc.integer({ min: 6, max: 9 }), weight: 1 },
);

// deno-lint-ignore no-explicit-any
type Asked = any;

/** Takes out of most cases what alone would have them refused: else few boots would get far. */
function calmed(asked: Asked, layout: LayoutRecipe, mixed: number): [Asked, LayoutRecipe] {
  if (mixed > 5) return [{ ...asked }, { ...layout }];
  const { cmdline, initrd, initrdPlacement } = asked;
  // Else there is no RAM for a high initrd
  const isAcross = layout.extra?.start === ACROSS_4_GIB.start;
  const extra = initrdPlacement === "high" && !isAcross
    ? { extra: HIGH_RAM[mixed % HIGH_RAM.length] }
    : {};
  return [
    {
      ...asked,
      cmdline: cmdline !== undefined && /^[ -~]{0,2047}$/.test(cmdline) ? cmdline : undefined,
      initrd: initrd === 0 ? undefined : initrd,
      maxCmdlineSize: undefined,
      protocol: undefined,
      kernelAddress: mixed === 0 || mixed === 5 ? asked.kernelAddress : undefined,
      initrdAddress: (mixed === 1 || mixed === 4) && initrd ? asked.initrdAddress : undefined,
      memoryMap: mixed === 2 ? asked.memoryMap : undefined,
    },
    {
      ...layout,
      ...extra,
      before: Math.max(layout.before, 0),
      after: mixed === 3 ? layout.after : Math.max(layout.after, 0x2000),
      cuts: mixed === 3 ? layout.cuts : layout.cuts.map(({ at }) => ({ at, hole: 0 })),
    },
  ];
}

function resolve(file: KernelFile, ram: readonly Region[], asked: Asked): BootCase {
  const places = anchors(ram, file);
  const at = ({ which, plus }: Near) => {
    const address = places[which % places.length] + plus;
    return address < 0n ? 0n : address;
  };
  const range = ({ at: where, size }: { at: Near; size: bigint }) => ({ start: at(where), size });
  const options: Record<string, unknown> = { ...asked };
  if (asked.initrd !== undefined) options.initrd = pattern(asked.initrd, 6);
  const { kernelAddress, initrdAddress } = asked;
  if (initrdAddress) {
    const { which } = initrdAddress;
    const places = [INITRD_LIMITS, LOW_PAGES][which % 4];
    options.initrdAddress = places ? places[which % places.length] : at(initrdAddress);
  }
  if (kernelAddress) {
    const { loads = [] } = file;
    const { which } = kernelAddress;
    options.kernelAddress = which % 4 === 0 || loads.length === 0
      ? at(kernelAddress)
      : loads[which % loads.length];
  }
  let before: Reservation | undefined;
  options.reservations = asked.reservations?.map((
    { range: where, type }: Asked,
    i: number,
  ): Reservation => {
    const place = range(where);
    // Some start inside the one before
    const isInside = before && where.at.which % 4 === 0;
    const start = isInside ? before!.start + before!.size / 2n : place.start;
    return before = { name: `reservation ${i}`, ...place, start, ...type && { type } };
  });
  options.memoryMap = asked.memoryMap?.map(({ range: where, type }: Asked) => ({
    // Mostly where no RAM is, and often at each other
    ...where.at.which % 3 > 0
      ? { start: 0xfec0_0000n + BigInt(where.at.which % 2), size: where.size }
      : range(where),
    type,
  }));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) delete options[name];
  }
  if (typeof options.kernelAddress === "bigint" && options.kernelAddress < 0n) {
    options.kernelAddress = 0n;
  }
  return { ram, kernel: file.bytes, options: options as unknown as CaseOptions };
}

const LOW_RAM = [0x20000, 0x20000, 0x10000, 0x9fc00, 0x48000, 0x8000, 0x2000, 0, 0x110000];
const x86Layouts = layouts(LOW_RAM, [0x10000, 0x40000, 0x2000]);
/** A device tree takes a block of 2 MiB. */
const treeLayouts = layouts([0, 0, 0, 0x10000], [0x700000, 0x600000, 0x600000, 0x420000, 0x200000]);

/** Whether "Xen" and its NUL occur after a note header of type 18. */
function hasPvhNote(bytes: Uint8Array): boolean {
  const wanted = [18, 0, 0, 0, 0x58, 0x65, 0x6e, 0];
  for (let at = bytes.indexOf(0x58); at > 0; at = bytes.indexOf(0x58, at + 1)) {
    if (wanted.every((byte, i) => bytes[at - 4 + i] === byte)) return true;
  }
  return false;
}

/** A module list is only for PVH, setup_data only for Linux' protocols: mostly, the wrong one is left out. */
function x86Boots(files: fc.Arbitrary<KernelFile>): fc.Arbitrary<BootCase> {
  return fc.record({
    file: files,
    layout: x86Layouts,
    asked: fc.record({ ...common, ...x86Only }),
    mixed,
  }).map(({ file, layout, asked, mixed }) => {
    const [options, around] = calmed(asked, layout, mixed);
    if (mixed < 3) options.kernelAddress = asked.kernelAddress;
    // An ELF says itself where it goes
    if (mixed < 9 && file.bytes[0] === 0x7f) delete options.kernelAddress;
    const isPvh = hasPvhNote(file.bytes) && !options.protocol?.startsWith("linux");
    if (mixed !== 9) delete options[isPvh ? "setupData" : "modules"];
    if (mixed < 6) {
      if (!options.initrd) delete options.modules;
      if (mixed < 3) {
        options.modules = options.modules?.filter(({ source }: Asked) => source.length > 0);
      }
      around.low = Math.max(around.low, 0x10000);
    }
    return resolve(file, layOut(around, file.low, file.high), options);
  });
}

function treeBoots(
  files: fc.Arbitrary<KernelFile>,
  isArm: boolean,
): fc.Arbitrary<BootCase> {
  return fc.record({
    file: files,
    layout: treeLayouts,
    asked: fc.record({ ...common, ...treeOnly(isArm ? machines : riscvMachines) }),
    mixed,
  }).map(({ file, layout, asked, mixed }) => {
    const [options, around] = calmed(asked, layout, mixed);
    if (mixed !== 7) delete options[isArm ? "hartid" : "exceptionLevel"];
    if (mixed < 6 && mixed % 3 === 0) options.deviceTree = isArm ? VIRT_ARM64 : VIRT_RISCV64;
    // Room for a device tree
    if (mixed < 6 && mixed !== 3) {
      Object.assign(around, { after: Math.max(around.after, 0x500000) });
    }
    const isAtEnd = isArm && mixed === 4 && options.initrd && options.initrdAddress;
    if (isAtEnd) {
      options.deviceTree = VIRT_ARM64;
      delete options.reservations;
      Object.assign(around, { after: 0x500000, cuts: [], extra: AROUND_WINDOW_END });
    }
    const boot = resolve(file, layOut(around, file.low, file.high), options);
    if (!isAtEnd) return boot;
    const initrdAddress = WINDOW_END - 0x1000n * BigInt(asked.initrdAddress!.which % 3);
    return { ...boot, options: { ...boot.options, initrdAddress } };
  });
}

/** Boots of ELF kernels. */
export const elfBoots: fc.Arbitrary<BootCase> = x86Boots(
  fc.oneof({ arbitrary: elfFiles, weight: 5 }, { arbitrary: noteFiles, weight: 1 }),
);
/** Boots of bzImages. */
export const bzImageBoots: fc.Arbitrary<BootCase> = x86Boots(bzImageFiles);
/** Boots of arm64 Images. */
export const arm64Boots: fc.Arbitrary<BootCase> = treeBoots(arm64Files, true);
/** Boots of riscv64 Images. */
export const riscv64Boots: fc.Arbitrary<BootCase> = treeBoots(riscv64Files, false);

/** Boots of every kind. Few need much RAM, for a run's cost is that of its RAM. */
export const boots: fc.Arbitrary<BootCase> = fc.oneof(
  { arbitrary: elfBoots, weight: 4 },
  { arbitrary: bzImageBoots, weight: 3 },
  { arbitrary: arm64Boots, weight: 1 },
  { arbitrary: riscv64Boots, weight: 1 },
);
