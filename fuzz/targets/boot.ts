import * as library from "../../mod.ts";
import { faults, NO_HOLE, X86_HOLE } from "../arbitraries/plans.ts";
import type { BootCase, CaseOptions } from "../arbitraries/boots.ts";
import { plan } from "../boot_run.ts";
import { verdictOn } from "../model/boot.ts";

/** The bytes before the kernel: what is asked for. */
export const PREFIX = 8;

const INITRD = new Uint8Array(0x5000).fill(7);
const RAM = [
  { start: 0n, size: 0x20000 },
  { start: 0x100000n, size: 0x40000 },
  { start: 0x1000000n, size: 0x40000 },
  { start: 0x40000000n, size: 0x800000 },
];
/** An empty root, in a tree of version 17. */
const TREE = Uint8Array.of(
  ...[0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0, 72, 0, 0, 0, 56, 0, 0, 0, 72, 0, 0, 0, 40],
  ...[0, 0, 0, 17, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 9],
);

/** What the prefix asks for: a bit or two for each option. */
function optionsOf(data: Uint8Array): CaseOptions {
  const [flags = 0, initrd = 0, where = 0, length = 0, kernel = 0] = data;
  const isTree = (flags & 8) !== 0;
  return {
    ...initrd > 0 && { initrd: INITRD.subarray(0, initrd * 80) },
    ...where > 0 && { initrdAddress: BigInt(where) << 20n },
    ...length > 0 && { cmdline: "x".repeat(length * 9) },
    ...kernel > 0 && { kernelAddress: BigInt(kernel) << 20n },
    ...(flags & 1) !== 0 && { reservations: [{ name: "r", start: 0x7000n, size: 0x3000n }] },
    ...(flags & 2) !== 0 && { initrdPlacement: "high" },
    ...(flags & 4) !== 0 && { protocol: "linux64" },
    ...(flags & 16) !== 0 && { protocol: "linux32" },
    ...isTree && { deviceTree: TREE },
  };
}

/** Plans a boot of any bytes, and compares with the model. */
export function fuzz(data: Uint8Array): void {
  const boot: BootCase = {
    ram: RAM,
    kernel: data.subarray(PREFIX),
    options: optionsOf(data.subarray(0, PREFIX)),
  };
  const { value, refused } = plan(library, boot);
  const verdict = verdictOn(boot);
  const wanted = "refused" in verdict ? verdict.refused.join(" or ") : "a plan";
  if (refused ? !("refused" in verdict) : "refused" in verdict) {
    throw new Error(`${refused?.code ?? "a plan"}, the model says ${wanted}`);
  }
  if (!value) return;
  const taken = boot.options.reservations ?? [];
  const found = faults(value, taken, value.arch === "x86_64" ? X86_HOLE : NO_HOLE);
  if (found.length > 0) throw new Error(found[0]);
}
