/** What the matchers know of a plan and of what was handed over, whatever the architecture. */
import { readFileSync } from "node:fs";
import type { BootPlan, KernelSource, Placement } from "../../mod.ts";
import type { Layout, Mismatch, Observation } from "../case.ts";

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

/**
 * The bytes of a kernel's file.
 *
 * @param kernel The kernel of a layout.
 * @returns The bytes.
 */
export function fileOf(kernel: Layout["kernel"]): Uint8Array {
  return kernel instanceof Uint8Array ? kernel : readFileSync(kernel.path);
}

/**
 * Judges that what the caller reserved is left alone.
 *
 * @param seen What was seen, and what was asked for.
 * @returns What lies on a reservation.
 */
export function judgeReservations({ plan, options }: Observation): Mismatch[] {
  return (options.reservations ?? []).flatMap((taken) =>
    plan.placements
      .filter(({ start, size }) => start < taken.start + taken.size && taken.start < start + size)
      .map(({ name, start }) => ({
        what: name,
        expected: `clear of ${taken.name}`,
        actual: `0x${start.toString(16)}`,
      }))
  );
}
