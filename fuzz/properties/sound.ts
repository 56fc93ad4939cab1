import type { BootPlan } from "../../mod.ts";
import { type BootCase, boots } from "../arbitraries/boots.ts";
import { faults, NO_HOLE, X86_HOLE } from "../arbitraries/plans.ts";
import { plan, reservedBy } from "../boot_run.ts";
import { hex, type Range } from "../guest.ts";
import { readTree, reservedIn } from "../model/fdt.ts";
import { property, requireNone } from "../property.ts";

const endOf = ({ start, size }: Range) => start + size;
const inside = (address: bigint, range: Range) => address >= range.start && address < endOf(range);

/** What a device tree reserves that the case brings. */
function reservedByTree({ options: { deviceTree } }: BootCase): Range[] {
  if (!(deviceTree instanceof Uint8Array)) return [];
  const tree = readTree(deviceTree);
  return tree ? reservedIn(tree) : [];
}

/** Rules that hold on every machine. */
function* commonFaults(boot: BootCase, plan: BootPlan): Generator<string> {
  const { placements, cpu } = plan;
  const at = (name: string) => placements.find((placement) => placement.name === name);
  const start = cpu.arch === "x86_64" ? cpu.rip : cpu.pc;
  const entered = placements.find((range) => inside(start, range));
  const isFile = entered?.name.startsWith("kernel") && entered.content.kind === "source";
  if (!isFile) yield `the entry ${hex(start)} is not in bytes of the kernel's file`;
  const initrd = at("initrd");
  if ((initrd !== undefined) !== (boot.options.initrd !== undefined)) yield "an initrd too many";
  if (initrd && initrd.start % 4096n !== 0n) yield `the initrd at ${hex(initrd.start)}`;
  if (initrd?.start === 0n && plan.arch === "x86_64") yield "an initrd at 0, which means none";
  const chosen = boot.options.initrdAddress;
  if (initrd && chosen !== undefined && initrd.start !== chosen) yield "not the initrd's address";
  for (const { content, size, name } of placements) {
    if (content.kind === "bytes" && BigInt(content.bytes.length) !== size) {
      yield `${name} has bytes of another size`;
    }
  }
}

/** x86: what registers point at, alignments, addresses below 4 GiB, and the initrd's limit. */
function* x86Faults(
  boot: BootCase,
  { placements, protocol, cpu, memoryMap }: BootPlan,
): Generator<string> {
  if (cpu.arch !== "x86_64") return;
  const find = (name: string) => placements.find((placement) => placement.name === name);
  const need: [string, bigint, bigint][] = protocol === "pvh"
    ? [["start info", cpu.rbx, 8n]]
    : [["zero page", cpu.rsi, 4096n]];
  if (protocol === "linux64") need.push(["page tables", cpu.cr3, 4096n]);
  need.push(["gdt", cpu.gdt.base, 8n]);
  for (const [name, register, align] of need) {
    const placement = find(name);
    if (!placement || placement.start !== register || register % align !== 0n) {
      yield `no ${name} at ${hex(register)}`;
    }
  }
  if (!find("command line")?.start) yield "no command line, or one at 0";
  for (const { name, start, size } of placements) {
    const isOurs = !/^(kernel|initrd|module \d+$)/.test(name);
    if (isOurs && start + size > 1n << 32n) yield `${name} lies above 4 GiB`;
    if (isOurs && start < 0x500n) yield `${name} lies over the real-mode vectors`;
    if (start + size > 1n << 47n && protocol === "linux64") yield `${name} cannot be mapped`;
    if (start + size > 1n << 32n && protocol === "linux32") yield `${name} is out of reach`;
  }
  if (
    memoryMap.some(({ type, start }) => type === "usable" && start >= 0x9fc00n && start < 1n << 20n)
  ) {
    yield "usable memory in the legacy hole";
  }
  const initrd = find("initrd");
  const isElf = boot.kernel[0] === 0x7f;
  if (initrd && protocol === "linux64" && !isElf && boot.options.initrdPlacement !== "high") {
    const view = new DataView(boot.kernel.buffer, boot.kernel.byteOffset);
    const max = BigInt(view.getUint32(0x22c, true));
    const mayBeHigh = (boot.kernel[0x236] & 2) !== 0;
    const asked = mayBeHigh && boot.options.initrdAddress !== undefined;
    if (endOf(initrd) - 1n > max && !asked) yield "the initrd passes initrd_addr_max";
  }
}

/** Device tree machines: the tree's own block, its size, and where the kernel lies. */
function* treeFaults(
  boot: BootCase,
  { placements, cpu }: BootPlan,
): Generator<string, void> {
  if (cpu.arch === "x86_64") return;
  const tree = placements.find(({ name }) => name === "device tree");
  const pointer = cpu.arch === "aarch64" ? cpu.x0 : (cpu as { a1: bigint }).a1;
  if (!tree || tree.start !== pointer) return yield "no device tree where the CPU is told";
  if (tree.start % 8n !== 0n) yield "a device tree that is not 8-byte aligned";
  if (tree.size > 2n << 20n) yield "a device tree past 2 MiB";
  const kernel = placements.filter(({ name }) => name.startsWith("kernel"));
  const textOffset = new DataView(boot.kernel.buffer, boot.kernel.byteOffset).getBigUint64(8, true);
  const imageSize = new DataView(boot.kernel.buffer, boot.kernel.byteOffset).getBigUint64(16, true);
  const offset = imageSize === 0n ? 0x80000n : textOffset;
  if ((kernel[0].start - offset) % (2n << 20n) !== 0n) yield "a base that is not 2 MiB aligned";
  if (kernel[0].start < offset) yield "a base below 0";
  const covered = kernel.reduce((sum, { size }) => sum + size, 0n);
  if (covered < imageSize) yield "less memory than image_size";
  // Linux' setup_bootmem reserves whole blocks
  const isWhole = endOf(kernel[kernel.length - 1]) % (2n << 20n) === 0n;
  if (cpu.arch === "riscv64" && !isWhole) yield "the kernel's last block is not its own";
  if (cpu.arch !== "aarch64") return;
  const block = { start: tree.start - tree.start % (2n << 20n), size: 2n << 20n };
  for (const other of placements) {
    if (other === tree) continue;
    if (other.start < endOf(block) && endOf(other) > block.start) {
      yield `${other.name} lies in the device tree's block`;
    }
  }
  const initrd = placements.find(({ name }) => name === "initrd");
  if (!initrd) return;
  const low = [initrd, ...kernel].reduce((low, { start }) => start < low ? start : low, 1n << 64n);
  const high = [initrd, ...kernel].reduce((high, range) => {
    return endOf(range) > high ? endOf(range) : high;
  }, 0n);
  const gib = 1n << 30n;
  if ((high + gib - 1n) / gib - low / gib > 32n) yield "an initrd outside the kernel's window";
}

export default property({
  name: "sound",
  says: "plans are disjoint, aligned, in RAM and clear of reservations; the memory map covers RAM",
  inputs: boots,
  check(boot, library) {
    const { value } = plan(library, boot);
    if (!value) return;
    const isX86 = value.arch === "x86_64";
    const taken = [...reservedBy(boot.options), ...isX86 ? [] : reservedByTree(boot)];
    requireNone("an unsound plan", [
      ...faults(value, taken, isX86 ? X86_HOLE : NO_HOLE),
      ...commonFaults(boot, value),
      ...x86Faults(boot, value),
      ...treeFaults(boot, value),
    ]);
  },
});
