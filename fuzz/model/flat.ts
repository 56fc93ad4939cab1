/**
 * Boots of flat Images: arm64's booting.rst; riscv's boot.rst and boot-image-header.rst.
 *
 * @module
 */
import type { BootCase } from "../arbitraries/boots.ts";
import type { Tree } from "../arbitraries/dtb.ts";
import { cmdlineOf, type Expected } from "./expected.ts";
import { cellsOf, childOf, rangesIn, readTree, reservedIn, valueOf } from "./fdt.ts";
import { memoryMap } from "./memory_map.ts";
import { Room, type Span } from "./room.ts";
import { need, needSections, number, Refusal, TOP, up } from "./verdict.ts";

const MIB2 = 2n << 20n;
const GIB = 1n << 30n;

/** What differs between the architectures. */
const RULES = {
  arm64: { cmdline: 2047n, endAlign: 1n, end: 1n << 48n },
  riscv64: { cmdline: 1023n, endAlign: MIB2, end: 1n << 56n },
};

/**
 * A boot of a flat Image.
 *
 * @param boot The case.
 * @param arch The architecture.
 * @returns What must come of it.
 */
export function expectFlat(boot: BootCase, arch: "arm64" | "riscv64"): Expected {
  const { kernel, options } = boot;
  const rules = RULES[arch];
  const imageSize = number(kernel, 0x10, 8);
  need(arch === "arm64" || imageSize !== 0n, "IMAGE_FIELD");
  if (arch === "riscv64") need((options.hartid ?? 0n) < TOP, "INVALID_OPTION");
  const tree = treeOf(boot, arch);
  need((number(kernel, 0x18, 8) & 1n) === 0n, "IMAGE_BIG_ENDIAN");
  needSections(kernel);
  const treeReserved = tree ? reservedBy(tree) : [];
  const textOffset = imageSize === 0n ? 0x80000n : number(kernel, 0x08, 8);

  const ram = boot.ram.map(({ start, size }) => ({ start, size: BigInt(size) }));
  const map = memoryMap(ram, options, false, treeReserved);
  const room = new Room(ram);
  for (const range of [...options.reservations ?? [], ...treeReserved]) room.remove(range);
  cmdlineOf(boot, rules.cmdline);

  const fileSize = BigInt(kernel.length);
  const size = imageSize > fileSize ? imageSize : fileSize;
  // Linux' setup_bootmem (riscv) rounds where it ends up, wherever it starts
  const kept = up(textOffset % MIB2 + size, rules.endAlign) - textOffset % MIB2;
  const start = placeKernel(room, textOffset, kept, options.kernelAddress, rules.end);
  const covered = { start, size: kept };
  const after = start + kept;
  const isHigh = imageSize === 0n;

  /** Above the kernel in some window if there is room, else anywhere in one. */
  const find = (size: bigint, align: bigint, windows: readonly [bigint, bigint][]): bigint => {
    for (const [min, max] of [...windows.map(([, max]) => [after, max]), ...windows]) {
      const at = isHigh
        ? room.highestFor(size, align, min, max)
        : room.lowestFor(size, align, min, max);
      if (at === undefined) continue;
      room.remove({ start: at, size });
      return at;
    }
    throw new Refusal("NO_SPACE");
  };
  const base = start - textOffset;
  const near = base + (512n << 20n);
  const dtb = find(MIB2, MIB2, [[base, near < rules.end ? near : rules.end], [0n, rules.end]]);
  const initrd = placeInitrd(boot, covered, arch, room, find, rules.end);
  return {
    protocol: arch,
    writes: [
      { name: "kernel", start, bytes: kernel },
      ...initrd ? [{ name: "initrd", start: initrd.start, bytes: options.initrd! }] : [],
    ],
    zeros: size > fileSize ? [{ start: start + fileSize, size: size - fileSize }] : [],
    meaningful: [{ name: "device tree", start: dtb, size: MIB2 }],
    map,
    registers: arch === "arm64"
      ? { pc: start, x0: dtb, el: BigInt(options.exceptionLevel ?? 1) }
      : { pc: start, a0: options.hartid ?? 0n, a1: dtb },
  };
}

/** The tree must be one; what is odd about a machine is not modelled. */
function treeOf(
  { options: { deviceTree } }: BootCase,
  arch: "arm64" | "riscv64",
): Tree | undefined {
  need(deviceTree !== undefined, "INVALID_OPTION");
  if (!(deviceTree instanceof Uint8Array)) {
    need((arch === "arm64" ? "gic" : "plic") in deviceTree, "INVALID_OPTION");
    return undefined;
  }
  const tree = readTree(deviceTree);
  need(tree !== undefined, ...TREE_CODES);
  return tree;
}

const TREE_CODES = [
  ...["FDT_MAGIC", "FDT_STRUCTURE", "FDT_VALUE", "FDT_TOO_BIG", "TRUNCATED", "LIMIT_EXCEEDED"],
];

function reservedBy(tree: Tree): Span[] {
  const cells = cellsOf(tree.root);
  const reserved = childOf(tree.root, "reserved-memory");
  for (const node of reserved?.children ?? []) {
    const status = valueOf(node, "status");
    const text = status && new TextDecoder("latin1").decode(status).split("\0")[0];
    if (text !== undefined && text !== "okay" && text !== "ok") continue;
    const reg = valueOf(node, "reg");
    if (!reg) continue;
    need(cells !== undefined && rangesIn(reg, cells) !== undefined, "FDT_VALUE");
  }
  return reservedIn(tree);
}

function placeKernel(
  room: Room,
  textOffset: bigint,
  size: bigint,
  chosen: bigint | undefined,
  end: bigint,
): bigint {
  const skew = textOffset % MIB2;
  if (chosen !== undefined) {
    need(chosen % MIB2 === skew && chosen >= textOffset, "MISALIGNED");
    need(chosen + size <= TOP, "ADDRESS_OVERFLOW", "OUTSIDE_RAM");
    room.claim([{ start: chosen, size }]);
    return chosen;
  }
  const lowest = up(room.lowest, MIB2) + textOffset - skew;
  const base = room.lowestFor(skew + size, MIB2, lowest, end);
  need(base !== undefined, "NO_SPACE");
  room.remove({ start: base, size: skew + size });
  return base + skew;
}

function placeInitrd(
  { options: { initrd, initrdAddress } }: BootCase,
  kernel: Span,
  arch: "arm64" | "riscv64",
  room: Room,
  find: (size: bigint, align: bigint, windows: readonly [bigint, bigint][]) => bigint,
  end: bigint,
): Span | undefined {
  need(initrd !== undefined || initrdAddress === undefined, "INVALID_OPTION");
  if (!initrd) return undefined;
  const size = BigInt(initrd.length);
  const kernelEnd = kernel.start + kernel.size;
  if (initrdAddress === undefined) {
    const first = kernel.start / GIB * GIB;
    const last = up(kernelEnd, GIB);
    const windows: [bigint, bigint][] = arch === "riscv64"
      ? [[0n, end]]
      : [[first, first + 32n * GIB], [last > 32n * GIB ? last - 32n * GIB : 0n, last]];
    return { start: find(size, 4096n, windows), size };
  }
  need(initrdAddress % 4096n === 0n, "MISALIGNED");
  need(initrdAddress + size <= TOP, "ADDRESS_OVERFLOW");
  if (arch === "arm64") {
    const low = initrdAddress < kernel.start ? initrdAddress : kernel.start;
    const high = initrdAddress + size > kernelEnd ? initrdAddress + size : kernelEnd;
    need(up(high, GIB) - low / GIB * GIB <= 32n * GIB, "NO_SPACE");
  }
  room.claim([{ start: initrdAddress, size }]);
  return { start: initrdAddress, size };
}
