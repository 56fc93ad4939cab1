import fc from "fast-check";
import * as inside from "../inside.ts";
import { pattern } from "../arbitraries/images.ts";
import { faultsOfSources } from "../arbitraries/sources.ts";
import { sourceWith } from "../faulty_source.ts";
import { sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { requireSaid, type Said } from "../model/said.ts";
import { type Library, property, Violation } from "../property.ts";

const places = fc.oneof(fc.constantFrom(0, 1, 64, 300, 301, -1, 2 ** 40), fc.nat(310));

/** Sizes that no source has. */
const NO_SIZES = [-1, 0.5, NaN, 2 ** 53, "1", undefined];

function requireMistake({ planBoot }: Library): void {
  for (const size of NO_SIZES) {
    const kernel = { size: size as number, readAt: () => 0 };
    try {
      planBoot({ ram: [{ start: 0n, size: 1n << 26n }] }, { kernel });
    } catch (error) {
      if (error instanceof TypeError) continue;
    }
    throw new Violation("a source of no size is taken", String(size));
  }
}

export default property({
  name: "read-sources",
  says: "a part of a source is read whole, or refused where it fails, with what the source threw",
  inputs: fc.record({
    bytes: fc.constantFrom(0, 1, 300).map((size) => pattern(size)),
    offset: places,
    size: places,
    most: fc.constantFrom(1, 7, 64, 1000),
    fault: faultsOfSources,
  }),
  check({ bytes, offset, size, most, fault }, library) {
    // A test's broken copy brings its own
    const { readBytes, readHead } = { ...inside, ...library } as typeof inside;
    if (offset === 0) requireMistake(library);
    const source = sourceWith(bytes, fault);
    let at = offset;
    let thrown: unknown;
    let broken = false;
    const short = {
      size: bytes.length,
      readAt(from: number, target: Uint8Array) {
        if (broken) throw new Violation("what lied is read again");
        at = from;
        // A lie that fits the target is none that can be told
        const part = fault.kind === "lies" ? target : target.subarray(0, most);
        try {
          const count = source.readAt(from, part);
          broken = count === 0 || !Number.isInteger(count) || count < 0 || count > target.length;
          return count;
        } catch (error) {
          thrown = error;
          throw error;
        }
      },
    };
    const read = judge(bytes.length, () => readBytes(short, offset, size, "part"));
    const isInside = offset >= 0 && size >= 0 && offset + size <= bytes.length;
    if (!isInside) {
      const place = Math.min(Math.max(offset, 0), bytes.length);
      return requireSaid(read, { refused: { code: "TRUNCATED", field: "part", offset: place } });
    }
    const failed: Said = { code: "SOURCE_FAILED", field: "part", offset: at };
    const wanted = bytes.slice(offset, offset + size);
    requireSaid(read, thrown || broken ? { refused: failed } : { value: wanted });
    if (thrown && read.refused?.cause !== thrown) throw new Violation("what was thrown is lost");
    const head = readHead(sourceWith(bytes), Math.max(size, 0), "head");
    if (!sameBytes(head, bytes.subarray(0, Math.max(size, 0)))) throw new Violation("another head");
  },
});
