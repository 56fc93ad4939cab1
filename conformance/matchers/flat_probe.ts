/** What the probes of arm64 and riscv64 have in common: a flat Image, a device tree, and what it says. */
import type { AddressRange } from "../../mod.ts";
import type { Mismatch, Observation } from "../case.ts";
import { formatCrc32 } from "../crc32.ts";
import { bytesOf, fileOf, judgeReservations, placementOf } from "./content.ts";
import { Facts } from "./facts.ts";

/** booting.rst and riscv/boot.rst: a base that is a multiple of this. */
const BASE_ALIGN = 2n << 20n;
/** booting.rst, "3. Decompress the kernel image": text_offset where image_size is 0. */
const OLD_TEXT_OFFSET = 0x80000n;
/** Devicetree specification, chapter 5, and booting.rst. */
const TREE_ALIGN = 8n;
const TREE_MAX = 2n << 20n;

/** What of a tree may differ from the plan's. */
export interface TreeRules {
  /** Firmware edits the tree: what it adds is its own affair. */
  readonly edited: boolean;
}

/**
 * Judges what does not depend on the architecture.
 *
 * @param seen What was seen.
 * @param rules What is allowed of the tree.
 * @param judgeCpu Compares the CPU's state.
 * @returns What does not match.
 */
export function judgeFlatProbe(
  seen: Observation,
  rules: TreeRules,
  judgeCpu: (facts: Facts) => void,
): Mismatch[] {
  const facts = new Facts(seen.serial, "PROBE");
  const { protocol } = seen.plan;
  facts.expectAll({ protocol, fault: undefined, end: "1", "fdt.walk": "complete" });
  judgeCpu(facts);
  expectImage(facts, seen);
  expectTree(facts, seen, rules);
  expectReserved(facts, seen, rules);
  expectChosen(facts, seen);
  return [...facts.mismatches, ...judgeReservations(seen)];
}

/** By the file and its header, which are read here once more. */
function expectImage(facts: Facts, { kernel, plan, ram, options }: Observation): void {
  const file = fileOf(kernel);
  const header = new DataView(file.buffer, file.byteOffset, 64);
  const imageSize = header.getBigUint64(0x10, true);
  const textOffset = imageSize === 0n ? OLD_TEXT_OFFSET : header.getBigUint64(0x08, true);
  const load = numberOf(facts, "load");
  const base = load - textOffset;
  if (base < 0n || base % BASE_ALIGN !== 0n) {
    facts.note({
      what: "PROBE load",
      expected: `text_offset ${hex(textOffset)} from a multiple of ${hex(BASE_ALIGN)}`,
      actual: hex(load),
    });
  }
  const longer = imageSize > BigInt(file.length) ? imageSize : BigInt(file.length);
  // arch/riscv/mm/init.c, setup_bootmem: Linux keeps whole blocks
  const block = plan.arch === "riscv64" ? BASE_ALIGN : 1n;
  const needed = (longer + block - 1n) / block * block;
  const wanted = options.kernelAddress ??
    lowest(ram, options.reservations ?? [], needed, textOffset);
  facts.expectAll({ load: wanted, pc: wanted });
  const size = Number(numberOf(facts, "text.size"));
  const part = size > 64 && size <= file.length ? file.subarray(0, size) : undefined;
  facts.expect("text.crc32", part ? formatCrc32(part) : "of a part of the file");
  // A flat Image cannot say what is BSS: the library zeroes what image_size has beyond the file.
  facts.expectAll({ "bss.start": load + BigInt(file.length), "bss.dirty": "0" });
  if (imageSize !== 0n) facts.expect("bss.size", imageSize - BigInt(file.length));
  const others = plan.placements.filter(({ name }) => !name.startsWith("kernel"));
  const end = imageSize === 0n ? farEnd(ram.at(-1)!, others) : load + imageSize;
  for (const { name, start, size } of others) {
    if (start >= end || start + size <= load) continue;
    facts.note({ what: name, expected: `not below ${hex(end)}`, actual: hex(start) });
  }
}

/**
 * Where an Image lies that may be anywhere: booting.rst, "flags" bit 3, wants the base "as close as
 * possible to the base of DRAM", and kernels waste what is below it.
 */
function lowest(
  ram: readonly AddressRange[],
  reservations: readonly AddressRange[],
  size: bigint,
  textOffset: bigint,
): bigint | undefined {
  const first = (ram[0].start + BASE_ALIGN - 1n) / BASE_ALIGN * BASE_ALIGN;
  const { start, size: last } = ram.at(-1)!;
  for (let at = first + textOffset; at < start + last; at += BASE_ALIGN) {
    const isRam = ram.some((one) => at >= one.start && at + size <= one.start + one.size);
    const isTaken = reservations.some((one) => at < one.start + one.size && one.start < at + size);
    if (isRam && !isTaken) return at;
  }
  return undefined;
}

/** booting.rst: where image_size is 0, "as much memory as possible" is free behind the Image. */
function farEnd(ram: AddressRange, others: readonly AddressRange[]): bigint {
  const blocks = others.reduce((sum, { size }) => sum + size / BASE_ALIGN + 1n, 0n);
  return ram.start + ram.size - blocks * BASE_ALIGN;
}

function expectTree(facts: Facts, { plan, ram }: Observation, { edited }: TreeRules): void {
  const tree = placementOf(plan, "device tree");
  facts.expectAll({ "fdt.address": tree?.start, "fdt.magic": 0xd00dfeed });
  if (!edited) {
    const { content } = tree ?? {};
    facts.expect(
      "fdt.crc32",
      content?.kind === "bytes" ? formatCrc32(content.bytes) : "a device tree",
    );
  }
  const start = numberOf(facts, "fdt.address");
  if (start % TREE_ALIGN !== 0n) {
    facts.note({ what: "PROBE fdt.address", expected: "8-byte aligned", actual: hex(start) });
  }
  const size = numberOf(facts, "fdt.totalsize");
  if (size > TREE_MAX) {
    facts.note({ what: "PROBE fdt.totalsize", expected: "at most 2 MiB", actual: hex(size) });
  }
  for (const [i, { start, size }] of ram.entries()) {
    facts.expect(`memory[${i}]`, `${hex(start)} ${hex(size)}`);
  }
  facts.expect(`memory[${ram.length}]`, undefined);
}

/** What is announced, by address: names of nodes have rules of their own. */
function expectReserved(facts: Facts, { options }: Observation, { edited }: TreeRules): void {
  const said = Array.from({ length: facts.count("reserved") }, (_, i) => {
    return facts.get(`reserved[${i}]`)!.split(" ").slice(1).join(" ");
  });
  const wanted = (options.reservations ?? []).map(({ start, size }) =>
    `${hex(start)} ${hex(size)} 1`
  );
  for (const one of wanted.filter((one) => !said.includes(one))) {
    facts.note({ what: "PROBE reserved", expected: one, actual: said.join(", ") || "none" });
  }
  for (const one of edited ? [] : said.filter((one) => !wanted.includes(one))) {
    facts.note({ what: "PROBE reserved", expected: wanted.join(", ") || "none", actual: one });
  }
}

function expectChosen(facts: Facts, { plan, options }: Observation): void {
  const cmdline = String(options.cmdline ?? "");
  const text = cmdline.replaceAll("\\", "\\x5c");
  const initrd = placementOf(plan, "initrd");
  const bytes = options.initrd && bytesOf(options.initrd);
  const address = options.initrdAddress ?? initrd?.start;
  facts.expectAll({
    "chosen.bootargs": text,
    "chosen.linux,initrd-start": address,
    "chosen.linux,initrd-end": bytes && address !== undefined
      ? address + BigInt(bytes.length)
      : undefined,
    cmdline: text,
    "cmdline.length": `${cmdline.length}`,
    "initrd.address": address,
    "initrd.size": bytes?.length,
    "initrd.crc32": bytes && formatCrc32(bytes),
  });
  const { kaslr, rng } = options.seeds ?? {};
  facts.expect("chosen.kaslr-seed", kaslr);
  const seed = rng && Array.from(rng, (byte) => byte.toString(16).padStart(2, "0")).join("");
  facts.expect("chosen.rng-seed", seed && `0x${seed}`);
}

/** A fact that is a number; 0 if the guest did not say, which other comparisons tell. */
function numberOf(facts: Facts, name: string): bigint {
  const text = facts.get(name) ?? "";
  return /^0x[0-9a-f]+$/.test(text) ? BigInt(text) : 0n;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
