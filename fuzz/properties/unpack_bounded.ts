import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { fixture, type FixtureName } from "../arbitraries/compressed.ts";
import { FIXTURES } from "../arbitraries/compressed_fixtures.ts";
import { HAND_MADE } from "../arbitraries/hand_made_streams.ts";
import { pattern } from "../arbitraries/images.ts";
import { boundary32, sometimes } from "../arbitraries/numbers.ts";
import { property, Violation } from "../property.ts";
import { allocationOfLater } from "../work.ts";

/** The output doubles as it grows; a copy of some of it. */
const PER_BYTE = 8;
/** A block of the formats, and their tables: 8 MiB of lz4 twice, 900,000 words of bzip2. */
const CONSTANT = 40 << 20;

const NAMES = Object.keys(HAND_MADE);
const handMade = (names: readonly string[]) =>
  fc.constantFrom(...names).map((name) => {
    const { format, make } = HAND_MADE[name];
    return { format, stream: make(pattern(300)) };
  });
const made = handMade(NAMES);
/** What says to have a lot, and does not. */
const promising = handMade(NAMES.filter((name) => name.includes("says to")));
/** zstd frames of 128 KiB of one byte each: the output grows and grows. */
const FRAME = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x50, 3, 0, 0x10, 0x61];
const growing = fc.constant({
  format: "zstd" as const,
  stream: Uint8Array.from(Array(200).fill(FRAME).flat()),
});

/** A fixture with a number in its header that promises a lot, or many of them in a row. */
const real = fc.record({
  name: fc.constantFrom(...Object.keys(FIXTURES) as FixtureName[]),
  at: sometimes(fc.nat(40), 1),
  value: boundary32,
  times: fc.constantFrom(1, 1, 12),
}).map(({ name, at, value, times }) => {
  const file = fixture(name);
  const stream = new Uint8Array(times * file.length);
  for (let i = 0; i < times; i++) stream.set(file, i * file.length);
  if (at !== undefined) new DataView(stream.buffer).setUint32(at, value, true);
  return { format: FIXTURES[name].format, stream };
});

/** Streams that hold nothing: what is made for each of them is too much. */
const EMPTY = [0x42, 0x5a, 0x68, 0x39, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0];
const empty = fc.constantFrom(20, 100).map((times) => {
  return { format: "bzip2" as const, stream: Uint8Array.from(Array(times).fill(EMPTY).flat()) };
});

export default property({
  name: "unpack-bounded",
  says: "decompressing allocates some times what goes in and comes out, whatever a header promises",
  inputs: fc.noShrink(
    fc.oneof(
      { arbitrary: made, weight: 8 },
      { arbitrary: real, weight: 8 },
      { arbitrary: promising, weight: 5 },
      { arbitrary: empty, weight: 2 },
      { arbitrary: growing, weight: 1 },
    ),
  ),
  isAsync: true,
  share: 0.4,
  async check({ format, stream }, library) {
    // A test's broken copy brings its own
    const { decompress } = { ...compressed, ...library };
    let size = 0;
    const bytes = await allocationOfLater(async () => {
      size = (await decompress(format, stream)).length;
    });
    const most = PER_BYTE * (stream.length + size) + CONSTANT;
    if (bytes <= most) return;
    throw new Violation(`${format} allocates too much`, `${bytes} bytes of at most ${most}`);
  },
});
