import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { framed, lz4Block, lzoBlock, sequences } from "../arbitraries/block_sequences.ts";
import { sameBytes } from "../guest.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "unpack-sequences",
  says: "literals and copies of every form come to what they say, whoever makes the room",
  inputs: fc.record({
    format: fc.constantFrom("lz4-legacy", "lz4", "lzo"),
    // Two blocks of one file
    blocks: fc.array(sequences, { minLength: 1, maxLength: 2 }),
    // Where the output ends: with the data, or behind
    room: fc.constantFrom(undefined, 0, 0, 7, 100),
  }),
  isAsync: true,
  share: 0.6,
  async check({ format, blocks, room }, library) {
    // A test's broken copy brings its own
    const { decompress } = { ...compressed, ...library };
    const some = format === "lz4-legacy" ? blocks.slice(0, 1) : blocks;
    const made = some.map(format === "lzo" ? lzoBlock : lz4Block);
    const data = new Uint8Array(made.reduce((sum, { data }) => sum + data.length, 0));
    made.reduce((at, { data: part }) => (data.set(part, at), at + part.length), 0);
    const stream = framed[format](made);
    const options = room === undefined ? {} : { output: new Uint8Array(data.length + room) };
    const bytes = await decompress(format, stream, { maxSize: 1 << 24, ...options });
    if (!sameBytes(bytes, data)) throw new Violation(`${format} gives other bytes`);
  },
});
