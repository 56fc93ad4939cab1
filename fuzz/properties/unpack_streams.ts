import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { HAND_MADE } from "../arbitraries/hand_made_streams.ts";
import { pattern } from "../arbitraries/images.ts";
import { sameBytes } from "../guest.ts";
import { judged, type Refused } from "../judge.ts";
import { type Library, property, requireNone, Violation } from "../property.ts";

/** Some of the streams want more, one gets it. */
const MAX_SIZE = 4 << 20;
/** As many at once as find each in every hundred runs. */
const AT_ONCE = 6;

/** Streams of no data but their own. */
const made = new Map<string, Uint8Array>();

/** A stream, and what is said of it where it does not lie at the file's start. */
async function checkOne(name: string, size: number, base: number, library: Library): Promise<void> {
  // A test's broken copy brings its own
  const { decompress } = { ...compressed, ...library };
  const { format, make, code, gives, field, at } = HAND_MADE[name];
  const data = pattern(size);
  const stream = made.get(name) ?? make(data);
  if (make.length === 0) made.set(name, stream);
  let bytes: Uint8Array | undefined;
  let refused: Refused | undefined;
  try {
    bytes = await decompress(format, stream, { maxSize: MAX_SIZE, offset: base });
  } catch (error) {
    refused = judged(error, base + stream.length);
  }
  if (refused?.code !== code) {
    const came = refused ? `${refused.code}: ${refused.message}` : "data";
    throw new Violation(`${name} is wrong`, `${came}, not ${code ?? "data"}`);
  }
  const wanted = typeof gives === "function" ? gives(data) : gives ?? data;
  if (bytes && !sameBytes(bytes, wanted)) throw new Violation(`${name} gives other bytes`);
  if (!refused) return;
  const faults: string[] = [];
  if (field !== undefined && refused.field !== `${format} ${field}`) faults.push(refused.field!);
  const place = typeof at === "function" ? at(size) : at;
  const isFromEnd = place !== undefined && (place < 0 || Object.is(place, -0));
  const offset = isFromEnd ? base + stream.length + place : base + (place ?? 0);
  const isPlace = place === undefined ? refused.offset! >= base : refused.offset === offset;
  if (!isPlace) faults.push(`at ${refused.offset} of ${base} + ${stream.length}`);
  requireNone(`${name} is refused for another field`, faults);
}

export default property({
  name: "unpack-streams",
  says: "streams written by hand come to what their format's document says: data, or that field",
  inputs: fc.record({
    names: fc.shuffledSubarray(Object.keys(HAND_MADE), { minLength: AT_ONCE, maxLength: AT_ONCE }),
    size: fc.oneof(fc.constantFrom(1, 2, 64, 300, 4096), fc.integer({ min: 1, max: 1000 })),
    base: fc.constantFrom(0, 0, 1, 4096),
  }),
  isAsync: true,
  share: 0.5,
  async check({ names, size, base }, library) {
    for (const name of names) await checkOne(name, size, base, library);
  },
});
