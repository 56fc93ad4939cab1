import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { fixture, type FixtureName, sample } from "../arbitraries/compressed.ts";
import { FIXTURES } from "../arbitraries/compressed_fixtures.ts";
import { type Bend, bends, bent, type Place } from "../arbitraries/numbers.ts";
import { bzImage } from "../arbitraries/images.ts";
import { sameBytes } from "../guest.ts";
import { judged, type Refused } from "../judge.ts";
import { property, Violation } from "../property.ts";

const NAMES = Object.keys(FIXTURES) as FixtureName[];
const SAMPLE = sample();
/** Headers are what matters in compressed data: every byte of the first 40, and numbers there. */
const PLACES: readonly Place[] = [
  ...Array.from({ length: 40 }, (_, at): Place => [at, 1]),
  ...Array.from({ length: 20 }, (_, at): Place => [2 * at, 2]),
  ...Array.from({ length: 10 }, (_, at): Place => [4 * at, 4]),
];

/** What has no checksum may come out as other bytes. */
const UNCHECKED: readonly FixtureName[] = ["lzma", "xzBlocks", "lz4Legacy", "lz4Plain", "zstdSize"];

const inputs = fc.record({
  name: fc.constantFrom(...NAMES),
  bends: fc.oneof(
    { arbitrary: bends(PLACES), weight: 4 },
    {
      arbitrary: fc.array(
        fc.record({ kind: fc.constant("flip" as const), bit: fc.nat(8 * 1500) }),
        { minLength: 1, maxLength: 2 },
      ),
      weight: 2,
    },
  ) as fc.Arbitrary<Bend[]>,
  maxSize: fc.constantFrom(1 << 20, 1 << 20, 4096, 4095, 0),
  inside: fc.constantFrom("nothing", "nothing", "bzImage"),
  atEnd: fc.boolean(),
}).map(({ name, bends, maxSize, inside, atEnd }) => {
  const whole = fixture(name);
  const moved = bends.map((bend): Bend => {
    if (!atEnd || bend.kind !== "field") return bend;
    return { ...bend, place: [whole.length - 40 + bend.place[0], bend.place[1]] };
  });
  const stream = bent(whole, moved);
  const isChecked = !UNCHECKED.includes(name);
  const { format } = FIXTURES[name];
  return { format, bends: bends.length, isChecked, stream, maxSize, inside };
});

/** What came out, or why nothing did. */
async function outcome(
  size: number,
  run: () => Promise<{ readonly bytes?: Uint8Array }>,
): Promise<{ bytes?: Uint8Array; refused?: Refused }> {
  try {
    return await run();
  } catch (error) {
    return { refused: judged(error, size) };
  }
}

/** A bzImage whose payload is a stream, and the size word behind it. */
function wrapped(stream: Uint8Array): Uint8Array {
  const kernel = new Uint8Array(0x400 + Math.ceil((stream.length + 4) / 16) * 16);
  kernel.set(stream, 0x400);
  new DataView(kernel.buffer).setUint32(0x400 + stream.length, SAMPLE.length, true);
  return bzImage({ kernel, payload_offset: 0x400, payload_length: stream.length + 4 });
}

export default property({
  name: "unpack",
  says: "decompressors give what was packed or a LoaderError, and never more than was allowed",
  inputs,
  isAsync: true,
  share: 0.25,
  async check({ format, stream, maxSize, inside, bends, isChecked }, library) {
    // A test's broken copy brings its own
    const { decompress, unwrapKernel } = { ...compressed, ...library };
    const { bytes, refused } = await outcome(stream.length, async () => {
      return { bytes: await decompress(format, stream, { maxSize }) };
    });
    if (bytes && bytes.length > maxSize) throw new Violation("more than was allowed", format);
    if (bytes && (bends === 0 || isChecked) && !sameBytes(bytes, SAMPLE)) {
      throw new Violation("other bytes", format);
    }
    if (refused && bends === 0 && maxSize >= SAMPLE.length) {
      throw new Violation("a valid stream is refused", refused.message);
    }
    if (inside !== "bzImage") return;
    const file = wrapped(stream);
    await outcome(Math.max(file.length, SAMPLE.length, bytes?.length ?? 0), async () => {
      const kernel = await unwrapKernel(file, { maxSize });
      if (kernel.size > maxSize) throw new Violation("a kernel larger than was allowed");
      return {};
    });
  },
});
