import fc from "fast-check";
import { pattern } from "../arbitraries/images.ts";
import type { Region } from "../arbitraries/layouts.ts";
import { CanaryGuest, hex, sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

const TOP = 1n << 64n;

/** Regions that touch, and some that do not, at one of some places, or up to the last address. */
const regions = fc.record({
  base: fc.constantFrom(0n, 0x1000n, (1n << 32n) - 16n, TOP),
  parts: fc.array(
    fc.record({ size: fc.constantFrom(1, 16, 64, 3), hole: fc.constantFrom(0, 0, 0, 1, 32) }),
    { minLength: 1, maxLength: 4 },
  ),
  shuffled: fc.boolean(),
}).map(({ base, parts, shuffled }) => {
  const span = parts.reduce((sum, { size, hole }) => sum + size + hole, 0) - parts.at(-1)!.hole;
  let at = base === TOP ? TOP - BigInt(span) : base;
  const ram = parts.map(({ size, hole }): Region => {
    const region = { start: at, size };
    at += BigInt(size + hole);
    return region;
  });
  return shuffled ? ram.reverse() : ram;
});

export default property({
  name: "model-memory",
  says: "guest memory reads and writes what is behind its addresses, all of it or nothing",
  inputs: fc.record({
    ram: regions,
    accesses: fc.array(
      fc.record({
        kind: fc.constantFrom("read", "write"),
        // From the end of a region
        region: fc.nat(3),
        at: fc.oneof(
          { arbitrary: fc.integer({ min: -66, max: 2 }).map(BigInt), weight: 9 },
          { arbitrary: fc.constantFrom(TOP, -TOP, 1n << 63n), weight: 1 },
        ),
        size: fc.constantFrom(1, 0, 2, 5, 17, 17, 80),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  check({ ram, accesses }, library) {
    for (const { kind, region, at, size } of accesses) {
      const guest = new CanaryGuest(library, ram);
      const near = ram[region % ram.length];
      const start = near.start + BigInt(near.size) + at;
      const there = size > 0 ? guest.peek(start, size) : undefined;
      const bytes = pattern(size, 9);
      const { value, refused } = judge(0, () => {
        return kind === "read" ? guest.memory.read(start, size) : guest.memory.write(start, bytes);
      });
      const what = `${kind} of ${size} at ${hex(start)}`;
      if (size > 0 && (refused === undefined) !== (there !== undefined)) {
        throw new Violation("an access outside RAM, or none inside", what);
      }
      const leaves = start < 0n || start + BigInt(size) > TOP;
      if (refused && refused.code !== (leaves ? "ADDRESS_OVERFLOW" : "OUTSIDE_RAM")) {
        throw new Violation(`${refused.code} is said`, what);
      }
      if (refused || kind === "read") requireNone(`${what} writes`, guest.changes());
      if (!there) continue;
      if (kind === "write") {
        requireNone(`${what} writes elsewhere`, guest.changes([{ start, size: BigInt(size) }]));
        if (!sameBytes(guest.peek(start, size)!, bytes)) throw new Violation("other bytes", what);
        continue;
      }
      if (!value || !sameBytes(value, there)) throw new Violation("other bytes", what);
      value.fill(0);
      requireNone("what was read is guest memory itself", guest.changes());
    }
  },
});
