import fc from "fast-check";
import type { KernelLoaderResult } from "../../mod.ts";
import { elfFiles, type KernelFile, noteFiles } from "../arbitraries/elf_files.ts";
import { arm64Files, bzImageFiles, riscv64Files } from "../arbitraries/flat_files.ts";
import { layOut, layouts } from "../arbitraries/layouts.ts";
import { peek } from "../arbitraries/images.ts";
import { boundary, sometimes } from "../arbitraries/numbers.ts";
import { covered } from "../arbitraries/plans.ts";
import { CanaryGuest, hex, sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { type LoadKind, loadOf, mistakeOf, pvhOf } from "../model/load.ts";
import { type Library, property, requireNone, Violation } from "../property.ts";

const inputs = fc.record({
  kind: fc.constantFrom<LoadKind>("elf", "elf", "bzimage", "aarch64", "riscv64"),
  elf: fc.oneof(elfFiles, noteFiles),
  bzimage: bzImageFiles,
  aarch64: arm64Files,
  riscv64: riscv64Files,
  offset: sometimes(
    fc.oneof(
      fc.constantFrom(0n, 0x200000n, 0x100000n, 0x40000000n, 1n << 64n, -1n),
      boundary,
      fc.constant("past" as const),
    ),
    1,
  ),
  highmem: sometimes(
    fc.oneof(
      { arbitrary: fc.constantFrom("entry" as const, "above" as const), weight: 3 },
      { arbitrary: fc.oneof(fc.constantFrom(0n, 0x100000n, 0x100001n, -1n), boundary), weight: 2 },
    ),
    3,
  ),
  layout: layouts([0, 0x10000, 0x110000], [0x1000, 0x10000, 0]),
  exact: fc.boolean(),
}).map(({ kind, offset: asked, highmem, layout, exact, ...files }) => {
  const file: KernelFile = files[kind];
  // Where an Image's text_offset, if it is 2 MiB or more, leads past 2^64
  const textOffset = file.bytes.length >= 64 ? peek(file.bytes, 8, 8) : 0n;
  const past = (1n << 64n) - (textOffset & -0x20_0000n);
  const offset = asked !== "past" ? asked : past < 1n << 64n ? past : undefined;
  // RAM where a bzImage goes by itself, or where the offset moves the kernel
  const base = kind === "bzimage" ? 0x100000n : kind === "elf" ? file.low : 0n;
  const low = offset !== undefined && offset >= 0n && offset < 1n << 48n
    ? kind === "elf" ? base + offset : offset
    : base;
  const high = low + BigInt(file.bytes.length) + 0x1000n;
  // What it is compared with, and one more
  const own = kind === "elf" ? [0x18, 8] as const : kind === "bzimage" ? [0x214, 4] as const : [];
  const said = own.length > 0 && file.bytes.length >= own[0] + own[1]
    ? peek(file.bytes, own[0], own[1])
    : 0n;
  const near = highmem === "entry" ? said : highmem === "above" ? said + 1n : highmem;
  const recipe = exact ? layout : { ...layout, before: 0, after: 0x10000, cuts: [] };
  return { kind, file: file.bytes, offset, highmem: near, ram: layOut(recipe, low, high) };
});

/** Whether an Image must be taken: its magic is right, and all of it lies in RAM. */
function isLoadable(input: typeof inputs extends fc.Arbitrary<infer T> ? T : never): boolean {
  const { kind, file, offset, ram } = input;
  if (kind === "elf" || kind === "bzimage") return false;
  const magic = { aarch64: 0x644d5241n, riscv64: 0x05435352n }[kind];
  if (file.length < 64 || peek(file, 0x38, 4) !== magic || mistakeOf(kind, file, input)) {
    return false;
  }
  const { writes: [{ start, bytes }] } = loadOf(kind, file, offset);
  const real = ram.map(({ start, size }) => ({ start, size: BigInt(size) }));
  return covered({ start, size: BigInt(bytes.length) }, real) === BigInt(bytes.length);
}

function load(
  { Elf, BzImage, PE }: Library,
  { kind, file, offset, highmem }: {
    kind: LoadKind;
    file: Uint8Array;
    offset?: bigint;
    highmem?: bigint;
  },
  memory: CanaryGuest["memory"],
): KernelLoaderResult {
  const options = {
    ...offset !== undefined && { kernelOffset: offset },
    ...highmem !== undefined && { highmemStart: highmem },
  };
  if (kind === "elf") return Elf.load(memory, file, options);
  if (kind === "bzimage") return BzImage.load(memory, file, options);
  return PE.load(memory, file, { ...options, arch: kind });
}

export default property({
  name: "load",
  says:
    "Elf, BzImage and PE load what the model says and nothing else, or refuse and change nothing",
  inputs,
  share: 4,
  check(input, library) {
    const guest = new CanaryGuest(library, input.ram);
    const { value, refused } = judge(
      Math.max(input.file.length, 64),
      () => load(library, input, guest.memory),
    );
    // Those are of plans: segments have codes of their own
    if (["OVERLAP", "INVALID_PLAN"].includes(refused?.code ?? "")) {
      throw new Violation(`refused with ${refused?.code}`, refused?.message);
    }
    const mistakes = ["BELOW_HIGHMEM", "MISALIGNED", "INVALID_OPTION"];
    if (refused && mistakes.includes(refused.code)) {
      const mistake = mistakeOf(input.kind, input.file, input);
      if (mistake !== refused.code) throw new Violation(`not ${refused.code}`, refused.message);
    }
    if (refused && isLoadable(input)) throw new Violation("an Image is refused", refused.message);
    if (refused?.code === "OUTSIDE_RAM" && input.kind !== "elf") {
      const { kernelLoad } = loadOf(input.kind, input.file, input.offset);
      if (kernelLoad >= 1n << 64n) throw new Violation("a sum past 2^64 is not noticed");
    }
    if (refused) return requireNone(`written before ${refused.code}`, guest.changes());
    const mistake = mistakeOf(input.kind, input.file, input);
    if (mistake !== undefined) throw new Violation(`${mistake} is not noticed`);
    const wanted = loadOf(input.kind, input.file, input.offset);
    const faults: string[] = [];
    if (value.kernelLoad !== wanted.kernelLoad) faults.push(`kernelLoad ${hex(value.kernelLoad)}`);
    if (value.kernelEnd !== wanted.kernelEnd) faults.push(`kernelEnd ${hex(value.kernelEnd)}`);
    if (input.kind === "elf") {
      const { pvhBootCap: cap } = value;
      const pvh = pvhOf(input.file, input.offset);
      if ((cap.kind === "present" ? cap.entry : cap.kind) !== pvh) faults.push(`PVH ${cap.kind}`);
    }
    if (value.entry !== wanted.entry) faults.push(`entry ${hex(value.entry)}`);
    if (value.setupHeader?.join() !== wanted.setupHeader?.join()) faults.push("setupHeader");
    for (const { start, bytes } of wanted.writes) {
      const there = guest.peek(start, bytes.length);
      if (!there || !sameBytes(there, bytes)) faults.push(`the bytes at ${hex(start)}`);
    }
    for (const { start, size } of wanted.zeros) {
      const there = guest.peek(start, Number(size));
      if (!there || there.some((byte) => byte !== 0)) faults.push(`no zeros at ${hex(start)}`);
    }
    const allowed = [
      ...wanted.writes.map(({ start, bytes }) => ({ start, size: BigInt(bytes.length) })),
      ...wanted.zeros,
    ];
    faults.push(...guest.changes(allowed).map((at) => `something else is written at ${at}`));
    requireNone("a load is not as the model says", faults);
  },
});
