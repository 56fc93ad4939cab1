/** Compares what an arm64 probe saw with the plan, and with what booting.rst fixes. */
import type { Mismatch, Observation } from "../case.ts";
import { formatCrc32 } from "../crc32.ts";
import { bytesOf, placementOf } from "./content.ts";
import { Facts } from "./facts.ts";

/** SPSR: all but the condition flags, which no protocol fixes. */
const PSTATE_MASK = 0x0fffffffn;

/**
 * Judges a probe.
 *
 * @param seen What was seen.
 * @returns What does not match.
 */
export function judgeArm64Probe(seen: Observation): Mismatch[] {
  const { plan, options } = seen;
  const facts = new Facts(seen.serial, "PROBE");
  const { cpu } = plan;
  if (cpu.arch !== "aarch64") return [{ what: "plan", expected: "aarch64", actual: cpu.arch }];

  facts.expectAll({ protocol: "arm64", fault: undefined, end: "1", "fdt.walk": "complete" });
  const { x0, x1, x2, x3, pc, el } = cpu;
  facts.expectAll({ x0, x1, x2, x3, pc, load: pc, currentel: el });
  // booting.rst: x1 to x3 zero, D, A, I and F masked, MMU off
  facts.expectAll({ x1: 0, x2: 0, x3: 0, daif: 0x3c0, "sctlr.m": "0" });
  const pstate = BigInt(facts.get("pstate") ?? -1);
  if ((pstate & PSTATE_MASK) !== cpu.pstate) {
    facts.note({
      what: "PROBE pstate",
      expected: `0x${cpu.pstate.toString(16)}`,
      actual: `0x${pstate.toString(16)}`,
    });
  }
  // A flat Image cannot say what is BSS: the library zeroes what image_size has beyond the file.
  facts.expect("bss.dirty", "0");

  const tree = placementOf(plan, "device tree");
  facts.expectAll({
    "fdt.address": tree?.start,
    "fdt.magic": 0xd00dfeed,
    "fdt.crc32": tree?.content.kind === "bytes" ? formatCrc32(tree.content.bytes) : "a device tree",
  });
  if (tree && tree.start % 8n !== 0n) {
    facts.note({
      what: "device tree",
      expected: "8-byte aligned",
      actual: `0x${tree.start.toString(16)}`,
    });
  }
  for (const [i, { start, size }] of plan.ram.entries()) {
    facts.expect(`memory[${i}]`, `0x${start.toString(16)} 0x${size.toString(16)}`);
  }
  for (const [i, { start, size }] of (options.reservations ?? []).entries()) {
    const said = facts.get(`reserved[${i}]`)?.split(" ").slice(1).join(" ");
    const wanted = `0x${start.toString(16)} 0x${size.toString(16)} 1`;
    if (said !== wanted) {
      facts.note({ what: `PROBE reserved[${i}]`, expected: wanted, actual: said ?? "absent" });
    }
  }
  expectChosen(facts, seen);
  return facts.mismatches;
}

function expectChosen(facts: Facts, { plan, options }: Observation): void {
  const cmdline = String(options.cmdline ?? "");
  const text = cmdline.replaceAll("\\", "\\x5c");
  const initrd = placementOf(plan, "initrd");
  facts.expectAll({
    "chosen.bootargs": text,
    "chosen.linux,initrd-start": initrd?.start,
    "chosen.linux,initrd-end": initrd && initrd.start + initrd.size,
    cmdline: text,
    "cmdline.length": `${cmdline.length}`,
    "initrd.address": initrd?.start,
    "initrd.size": initrd?.size,
    "initrd.crc32": options.initrd && formatCrc32(bytesOf(options.initrd)),
  });
  const { kaslr, rng } = options.seeds ?? {};
  facts.expect("chosen.kaslr-seed", kaslr);
  const hex = rng && Array.from(rng, (byte) => byte.toString(16).padStart(2, "0")).join("");
  facts.expect("chosen.rng-seed", hex && `0x${hex}`);
}
