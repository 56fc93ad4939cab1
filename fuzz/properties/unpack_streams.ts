import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { HAND_MADE } from "../arbitraries/hand_made_streams.ts";
import { pattern } from "../arbitraries/images.ts";
import { sameBytes } from "../guest.ts";
import { judged, type Refused } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** Some of the streams want more, one gets it. */
const MAX_SIZE = 4 << 20;

export default property({
  name: "unpack-streams",
  says:
    "streams written by hand come to what their format's document says: data, or an error there",
  inputs: fc.record({
    name: fc.constantFrom(...Object.keys(HAND_MADE)),
    size: fc.oneof(fc.constantFrom(1, 2, 64, 300, 4096), fc.integer({ min: 1, max: 1000 })),
  }),
  isAsync: true,
  share: 2,
  async check({ name, size }, library) {
    // A test's broken copy brings its own
    const { decompress } = { ...compressed, ...library };
    const { format, make, code, gives, at, field } = HAND_MADE[name];
    const data = pattern(size);
    const stream = make(data);
    let bytes: Uint8Array | undefined;
    let refused: Refused | undefined;
    try {
      bytes = await decompress(format, stream, { maxSize: MAX_SIZE });
    } catch (error) {
      refused = judged(error, stream.length);
    }
    if (refused?.code !== code) {
      const came = refused ? `${refused.code}: ${refused.message}` : "data";
      throw new Violation(`${name} is wrong`, `${came}, not ${code ?? "data"}`);
    }
    const isElsewhere = at !== undefined && refused?.offset !== at(size);
    if (refused && (isElsewhere || field !== undefined && refused.field !== field)) {
      throw new Violation(
        `${name} is called something else`,
        `${refused.message}, not ${at?.(size)}`,
      );
    }
    if (bytes && !sameBytes(bytes, gives ?? data)) throw new Violation(`${name} gives other bytes`);
  },
});
