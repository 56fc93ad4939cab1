import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { xz } from "../arbitraries/hand_made_xz_file.ts";
import { bzip2 } from "../arbitraries/bzip2_writer.ts";
import {
  type Chunk,
  lzma2Chunks,
  LZMA_REACH,
  lzmaFile,
  lzmaProperties,
} from "../arbitraries/lzma_files.ts";
import { interpret, steps } from "../arbitraries/steps.ts";
import { sameBytes } from "../guest.ts";
import { judged } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** A stream, and what it comes to. */
interface Packed {
  readonly format: "lzma" | "xz" | "bzip2";
  readonly stream: Uint8Array;
  readonly data: Uint8Array;
}

const lzmaFiles = fc.tuple(steps(LZMA_REACH), lzmaProperties, fc.boolean())
  .map((made): Packed => {
    const { bytes, data } = lzmaFile(...made);
    return { format: "lzma", stream: bytesOf(bytes), data: bytesOf(data) };
  });

const chunk: fc.Arbitrary<Chunk> = fc.record({
  resets: fc.constantFrom("nothing", "nothing", "state", "properties", "all", "raw"),
  properties: lzmaProperties,
  steps: steps(LZMA_REACH),
});

const xzFiles = fc.array(chunk, { minLength: 1, maxLength: 4 }).map((chunks): Packed => {
  const { bytes, data } = lzma2Chunks(chunks);
  // The end belongs to the file; 1 MiB
  const stream = xz({ chunk: bytes.slice(0, -1), header: [0, 0x21, 1, 16] })(bytesOf(data));
  return { format: "xz", stream, data: bytesOf(data) };
});

const bzip2Files = steps({ minLength: 1, maxLength: 300, maxDistance: 900 }).map((list): Packed => {
  const data = bytesOf(interpret(list));
  return { format: "bzip2", stream: bzip2()(data), data };
});

const bytesOf = (numbers: readonly number[]) => Uint8Array.from(numbers);

export default property({
  name: "unpack-matches",
  says: "literals and matches of every length and distance come to what they say",
  inputs: fc.oneof(
    bzip2Files,
    { arbitrary: lzmaFiles, weight: 3 },
    { arbitrary: xzFiles, weight: 2 },
  ),
  isAsync: true,
  async check({ format, stream, data }, library) {
    // A test's broken copy brings its own
    const { decompress } = { ...compressed, ...library };
    let bytes: Uint8Array;
    try {
      bytes = await decompress(format, stream, { maxSize: data.length });
    } catch (error) {
      const { message } = judged(error, stream.length);
      throw new Violation(`a ${format} stream is refused`, message);
    }
    if (!sameBytes(bytes, data)) throw new Violation(`${format} gives other bytes`);
  },
});
