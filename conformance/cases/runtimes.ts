/** The runtimes that every plan of a run is made in once more; what differs is a mismatch of the case that it is of. */
import { RUNTIME_NAMES } from "../../scripts/runtimes.ts";
import type { RuntimeCase } from "../case.ts";

/** A case for each runtime. */
export const RUNTIMES: readonly RuntimeCase[] = RUNTIME_NAMES.map((runtime) => ({
  kind: "runtime",
  id: {
    driver: "none",
    machine: "-",
    arch: "any",
    protocol: "any",
    kernel: "any",
    what: `plans-in-${runtime}`,
  },
  needs: [{ kind: "runtime", runtime }],
  runtime,
  requirement:
    `Every plan of the run is the same in ${runtime}: placements, bytes, memory map, CPU state`,
}));
