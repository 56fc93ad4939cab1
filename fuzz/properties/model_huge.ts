import fc from "fast-check";
import type { BootPlan, GuestMemory, KernelSource } from "../../mod.ts";
import { arm64Image, bzImage, elfImage, pattern, peek, pvhImage } from "../arbitraries/images.ts";
import { faults, NO_HOLE, X86_HOLE } from "../arbitraries/plans.ts";
import { RISCV64_FIELDS } from "../arbitraries/flat_files.ts";
import { sometimes } from "../arbitraries/numbers.ts";
import { VIRT_ARM64, VIRT_RISCV64 } from "../arbitraries/virt.ts";
import { translate } from "../arbitraries/x86_walk.ts";
import { hex } from "../guest.ts";
import { judge } from "../judge.ts";
import { childOf, numberOf, readTree, valueOf } from "../model/fdt.ts";
import { type Library, property, requireNone, Violation } from "../property.ts";

const MIB = 1n << 20n;
const RAM = {
  ram: [{ start: 0n, size: 0x9f000n }, { start: MIB, size: (1n << 40n) - MIB }],
};
/** Both sides of 2^31 and 2^32, and where a number of 32 bits has come round. */
const sizes = fc.constantFrom(
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 32 + 0x1234, 2 ** 33 + 7],
);

/** A file of any size: its first bytes are there, the others are zero. */
function source(size: number, first: Uint8Array = new Uint8Array(0)): KernelSource {
  return {
    size,
    readAt(offset, target) {
      target.fill(0);
      target.set(first.subarray(offset, offset + target.length));
      return target.length;
    },
  };
}

/** A kernel whose file, or whose BSS, is as large as that; what its placements come to. */
function kernelOf(kind: Kind, size: number, isFile: boolean): { file: KernelSource; sum: bigint } {
  const wide = { p_memsz: size, ...isFile && { p_filesz: size } };
  const segments = [{ bytes: pattern(64), ...wide }];
  const files = {
    linux64: () => elfImage({ segments }),
    pvh: () => pvhImage(segments),
    // syssize has 32 bits and counts 16 bytes; init_size has 32 bits
    bzimage: () =>
      bzImage({
        setup_sects: 1,
        pref_address: 1n << 33n,
        ...isFile
          ? { syssize: Math.ceil(size / 16) }
          : { init_size: Math.min(size, 2 ** 32 - 1), kernel: pattern(0x1000) },
      }),
    arm64: () => arm64Image({ image_size: isFile ? 0x1000 : size }),
    riscv64: () => arm64Image({ ...RISCV64_FIELDS, image_size: isFile ? 0x1000 : size }),
  };
  const bytes = files[kind]();
  const before = { linux64: 64 + 56, pvh: 64 + 2 * 56, bzimage: 1024, arm64: 0, riscv64: 0 }[kind];
  const sum = kind === "bzimage" && !isFile ? Math.min(size, 2 ** 32 - 1) : size;
  return { file: source(isFile ? before + size : bytes.length, bytes), sum: BigInt(sum) };
}
type Kind = "linux64" | "bzimage" | "pvh" | "arm64" | "riscv64";

/** What the guest is told of its initrd, or of a module: where it lies, and how large it is. */
function said(plan: BootPlan, module = 0): { start: bigint; size: bigint } | undefined {
  const { cpu } = plan;
  const bytesAt = (at: bigint) => {
    const content = plan.placements.find(({ start }) => start === at)?.content;
    return content?.kind === "bytes" ? content.bytes : new Uint8Array(0);
  };
  if (cpu.arch !== "x86_64") {
    const tree = readTree(bytesAt(cpu.arch === "aarch64" ? cpu.x0 : cpu.a1));
    const chosen = tree && childOf(tree.root, "chosen");
    const [start, end] = ["start", "end"].map((name) => {
      return numberOf(chosen && valueOf(chosen, `linux,initrd-${name}`) || new Uint8Array(0));
    });
    return { start, size: end - start };
  }
  if (plan.protocol === "pvh") {
    const info = bytesAt(cpu.rbx);
    const row = Number(peek(info, 0x10, 8) - cpu.rbx) + 32 * module;
    return { start: peek(info, row, 8), size: peek(info, row + 8, 8) };
  }
  const page = bytesAt(cpu.rsi);
  const wide = (low: number, high: number) => peek(page, low, 4) | peek(page, high, 4) << 32n;
  return { start: wide(0x218, 0xc0), size: wide(0x21c, 0xc4) };
}

/** Page tables map the first and the last byte of everything. */
function* unmapped({ placements, cpu }: BootPlan): Generator<string> {
  if (cpu.arch !== "x86_64" || cpu.cr3 === 0n) return;
  const tables = placements.find(({ start }) => start === cpu.cr3)!;
  const read = (address: bigint) => {
    const at = Number(address - tables.start);
    return tables.content.kind === "bytes" ? peek(tables.content.bytes, at, 8) : 0n;
  };
  for (const { name, start, size } of placements) {
    for (const at of [start, start + size / 2n, start + size - 1n]) {
      if (translate(cpu.cr3, at, read) !== at) yield `${name} is not mapped at ${hex(at)}`;
    }
  }
}

/** Segments that lie far behind in the file are read from there. */
function* farFaults({ Elf, GuestMemory, bootLinux }: Library, at: number): Generator<string> {
  const file = elfImage({ segments: [{ bytes: pattern(64), p_offset: at }] });
  const kernel: KernelSource = {
    size: at + 64,
    readAt(offset, target) {
      if (offset >= at) target.fill(0xa5);
      else target.set(file.subarray(offset, offset + target.length));
      return target.length;
    },
  };
  const loads = {
    "Elf.load": (memory: GuestMemory) => void Elf.load(memory, kernel),
    bootLinux: (memory: GuestMemory) => void bootLinux(memory, { kernel }),
  };
  for (const [name, load] of Object.entries(loads)) {
    const bytes = new Uint8Array(0x200000);
    const { refused } = judge(Infinity, () => load(GuestMemory.of([{ start: 0n, bytes }])));
    if (refused) yield `${name}: ${refused.message}`;
    else if (!bytes.subarray(0x100000, 0x100040).every((byte) => byte === 0xa5)) yield name;
  }
}

export default property({
  name: "model-huge",
  says: "kernels, initrds and modules of 2 GiB, 4 GiB and more are placed and told of whole",
  inputs: fc.record({
    kind: fc.constantFrom<Kind>("linux64", "bzimage", "pvh", "arm64", "riscv64"),
    kernel: sometimes(sizes, 1),
    isFile: fc.boolean(),
    initrd: sizes,
    module: sizes,
    far: sometimes(fc.constantFrom(2 ** 31, 2 ** 32 - 32, 2 ** 32, 2 ** 33), 3),
  }),
  share: 0.2,
  check({ kind, kernel, isFile, initrd, module, far }, library) {
    if (far) requireNone("far behind in a file", [...farFaults(library, far)]);
    const { file, sum } = kernelOf(kind, kernel ?? 0x10000, isFile);
    const options = {
      kernel: file,
      initrd: source(initrd),
      ...kind === "pvh" && { modules: [{ source: source(module) }] },
      ...kind === "arm64" && { deviceTree: VIRT_ARM64 },
      ...kind === "riscv64" && { deviceTree: VIRT_RISCV64 },
      ...!kind.endsWith("v64") && kind !== "arm64" && { initrdPlacement: "high" as const },
    };
    const { value: plan, refused } = judge(Infinity, () => library.planBoot(RAM, options));
    if (!plan) throw new Violation(`${kind} is refused`, refused.message);
    const found = [...faults(plan, [], plan.arch === "x86_64" ? X86_HOLE : NO_HOLE)];
    found.push(...unmapped(plan));
    const parts = plan.placements.filter(({ name }) =>
      /^kernel (segment|bss) 0$|^kernel/.test(name)
    );
    const total = parts.reduce((sum, { size }) => sum + size, 0n);
    const slack = kind === "riscv64" ? 2n * MIB : kind === "bzimage" ? 16n : 1n;
    if (total < sum || total >= sum + slack) found.push(`the kernel takes ${hex(total)}`);
    const wanted = [["initrd", initrd], ...kind === "pvh" ? [["module 1", module]] : []] as const;
    for (const [i, [name, size]] of wanted.entries()) {
      const there = plan.placements.find((placement) => placement.name === name);
      if (there?.size !== BigInt(size)) found.push(`${name} takes ${there?.size}`);
      const told = said(plan, i);
      if (told?.start !== there?.start || told?.size !== BigInt(size)) {
        found.push(`the guest is told of ${name}: ${told?.start}, ${told?.size}`);
      }
    }
    requireNone("something huge", found);
  },
});
