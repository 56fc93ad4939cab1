/** What may be wrong with a source. */
import fc from "fast-check";
import type { Fault } from "../faulty_source.ts";

const read = fc.oneof(
  { arbitrary: fc.nat(12), weight: 4 },
  { arbitrary: fc.nat(200), weight: 1 },
);

/** Faults. */
export const faultsOfSources: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant("short" as const), most: fc.constantFrom(1, 7, 64, 511) }),
  fc.record({ kind: fc.constant("throws" as const), read }),
  fc.record({ kind: fc.constant("shrinks" as const), read, to: fc.nat(255) }),
  fc.record({
    kind: fc.constant("lies" as const),
    read,
    returns: fc.constantFrom("more" as const, "negative" as const, "half" as const),
  }),
);
