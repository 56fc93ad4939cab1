/** Which accelerator a guest runs on, as QEMU itself says: its monitor is asked before the first instruction. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Accelerator, Mismatch } from "../case.ts";

/** Read as if typed: the machine stands still (-S) until QEMU has answered. */
const COMMANDS = "info kvm\ninfo jit\ncont\n";

/**
 * Writes what the monitor is asked. Plain files do for the two pipes of QEMU's "pipe" character
 * device, so that there is no socket to wait for.
 *
 * @param directory The guest's directory.
 * @returns The arguments of QEMU.
 */
export function monitorArguments(directory: string): string[] {
  const path = join(directory, "monitor");
  writeFileSync(`${path}.in`, COMMANDS);
  writeFileSync(`${path}.out`, "");
  return ["-S", "-chardev", `pipe,id=monitor,path=${path}`, "-mon", "chardev=monitor"];
}

/**
 * Reads what QEMU answered.
 *
 * @param directory The guest's directory.
 * @returns The accelerator; undefined if it did not say.
 */
export function confirmedAccelerator(directory: string): Accelerator | undefined {
  return acceleratorIn(readFileSync(join(directory, "monitor.out"), "utf8"));
}

/**
 * The accelerator in QEMU's answers.
 *
 * @param said What the monitor printed.
 * @returns The accelerator; undefined if it is not in there, or if QEMU says both.
 */
export function acceleratorIn(said: string): Accelerator | undefined {
  const isKvm = /^kvm support: enabled\s*$/m.test(said);
  // `info jit` is an error on any other accelerator than TCG
  const isTcg = /^TB count\s+\d/m.test(said);
  if (isKvm === isTcg) return undefined;
  return isKvm ? "kvm" : "tcg";
}

/**
 * Compares what QEMU confirms with what it was asked for.
 *
 * @param asked What it was asked for.
 * @param confirmed What it confirms.
 * @returns A mismatch, or none.
 */
export function judgeAccelerator(
  asked: Accelerator,
  confirmed: Accelerator | undefined,
): Mismatch[] {
  if (asked === confirmed) return [];
  const actual = confirmed ?? "no answer";
  return [{ what: "the accelerator that QEMU confirms", expected: asked, actual }];
}
