/** What the matchers know of a plan: its ranges by name, and the bytes of what was handed over. */
import type { BootPlan, KernelSource, Placement } from "../../mod.ts";

/**
 * A placement by its name.
 *
 * @param plan The plan.
 * @param name The name.
 * @returns The placement, undefined if the plan has none.
 */
export function placementOf(plan: BootPlan, name: string): Placement | undefined {
  return plan.placements.find((placement) => placement.name === name);
}

/**
 * All bytes of something that was handed over.
 *
 * @param input Bytes, or a source.
 * @returns The bytes.
 */
export function bytesOf(input: Uint8Array | KernelSource): Uint8Array {
  if (input instanceof Uint8Array) return input;
  const bytes = new Uint8Array(input.size);
  for (let done = 0; done < bytes.length;) {
    const count = input.readAt(done, bytes.subarray(done));
    if (count <= 0) throw new Error(`Cannot read source: it ended at ${done} of ${input.size}`);
    done += count;
  }
  return bytes;
}
