import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import {
  decodeGzip,
  decodeZstd,
  nativeEngine,
  Output,
  PackedInput,
  streamInflate,
  wasmEngine,
  type ZstdEngine,
} from "../inside.ts";
import { fixture, type FixtureName, sample } from "../arbitraries/compressed.ts";
import { FIXTURES } from "../arbitraries/compressed_fixtures.ts";
import { HAND_MADE } from "../arbitraries/hand_made_streams.ts";
import { sometimes } from "../arbitraries/numbers.ts";
import { sameBytes } from "../guest.ts";
import { judged, type Refused } from "../judge.ts";
import { type Library, property, requireNone, Violation } from "../property.ts";

const SAMPLE = sample();
/** Formats of which one file may follow another. */
const IN_A_ROW = ["gzip", "bzip2", "xz", "lz4-legacy", "lz4", "zstd"];
/** Bytes around what is handed over, which are nobody's. */
const GUARD = 16;
/** Between where it may be and the data's size, where an output is given. */
const ROOMS = [0, 0, 100, 200_000, 1 << 20, -1, -4096];

const inputs = fc.record({
  name: fc.oneof(
    { arbitrary: fc.constantFrom(...Object.keys(FIXTURES) as FixtureName[]), weight: 2 },
    // What has more than one engine
    { arbitrary: fc.constantFrom<FixtureName>("gzip", "gzip", "zstd", "zstdSize"), weight: 1 },
  ),
  change: fc.oneof(
    { arbitrary: fc.constant({ kind: "whole" as const }), weight: 3 },
    fc.record({
      kind: fc.constant("cut" as const),
      share: fc.integer({ min: 0, max: 999 }).map((n) => n / 1000),
    }),
    fc.record({ kind: fc.constant("cut" as const), share: fc.constantFrom(0.9999, 0.998, 0.002) }),
    fc.record({ kind: fc.constant("tail" as const), size: fc.constantFrom(1, 2, 3, 4, 5, 8, 600) }),
    fc.record({ kind: fc.constant("zeros" as const), size: fc.constantFrom(1, 3, 4, 8) }),
    fc.constant({ kind: "twice" as const }),
    fc.constant({ kind: "damage" as const }),
  ),
  maxSize: fc.constantFrom(...ROOMS),
  output: sometimes(fc.constantFrom(...ROOMS), 1),
  expected: sometimes(fc.constantFrom(0, 0, 1, -1, 1 << 21), 2),
  base: fc.constantFrom(0, 1, 0x4000),
  other: fc.nat(2).map((n) => n > 0),
});

/** Where the last checksum lies from the end, and what is said of it; there is none where not given. */
const LAST_SUMS: Readonly<Record<string, readonly [at: number, code: string, said: number]>> = {
  gzip: [-6, "COMPRESSED_CHECKSUM", -8],
  bzip2: [-3, "COMPRESSED_CHECKSUM", -5],
  xz: [-10, "COMPRESSED_CHECKSUM", -12],
  xzX86: [-10, "COMPRESSED_CHECKSUM", -12],
  xzArm64: [-10, "COMPRESSED_CHECKSUM", -12],
  lz4: [-2, "COMPRESSED_CHECKSUM", -4],
  // A library's answer, for the whole frame
  zstd: [-2, "COMPRESSED_CORRUPT", -fixture("zstd").length],
};

type Input = typeof inputs extends fc.Arbitrary<infer T> ? T : never;

/** What a changed stream comes to where there is room: data, or a code and where it is said to be. */
function dueOf({ name, change }: Input, whole: number, size: number): string | number {
  const { format } = FIXTURES[name];
  const isRow = IN_A_ROW.includes(format);
  switch (change.kind) {
    case "whole":
      return SAMPLE.length;
    case "damage": {
      const [, code, said] = LAST_SUMS[name] ?? [];
      return said === undefined ? SAMPLE.length : `${code} ${whole + said}`;
    }
    case "cut":
      return size === whole ? SAMPLE.length : `TRUNCATED ${size}`;
    case "twice":
      return isRow ? 2 * SAMPLE.length : `COMPRESSED_TRAILING ${whole}`;
    case "zeros":
      // xz: stream padding, by fours
      if (format === "xz" && change.size % 4 === 0) return SAMPLE.length;
      return `COMPRESSED_TRAILING ${whole}`;
    default:
      return `COMPRESSED_TRAILING ${whole}`;
  }
}

function changed({ name, change }: Input): { whole: number; stream: Uint8Array } {
  const file = fixture(name);
  const whole = file.length;
  if (change.kind === "whole") return { whole, stream: file };
  if (change.kind === "damage") {
    const [at] = LAST_SUMS[name] ?? [];
    if (at !== undefined) file[whole + at] ^= 0xff;
    return { whole, stream: file };
  }
  if (change.kind === "cut") {
    return { whole, stream: file.slice(0, Math.floor(change.share * whole)) };
  }
  const more = change.kind === "twice"
    ? file
    : new Uint8Array(change.size).fill(change.kind === "zeros" ? 0 : 0xab);
  const stream = new Uint8Array(whole + more.length);
  stream.set(file);
  stream.set(more, whole);
  return { whole, stream };
}

/** Bytes in the middle of others, at an odd place. */
function guarded(bytes: Uint8Array): { view: Uint8Array; isSound: () => boolean } {
  const all = new Uint8Array(bytes.length + 2 * GUARD + 1).fill(0xcc);
  const view = all.subarray(GUARD + 1, GUARD + 1 + bytes.length);
  view.set(bytes);
  const isSound = () =>
    all.subarray(0, GUARD + 1).every((byte) => byte === 0xcc) &&
    all.subarray(-GUARD).every((byte) => byte === 0xcc);
  return { view, isSound };
}

let wasm: Promise<ZstdEngine> | undefined;

/** An engine that looks at the bounds that it is given. */
function watched(engine: ZstdEngine, room: number): ZstdEngine {
  let left = room;
  return (frame, bounds) => {
    if (bounds.room > left) throw new Violation("an engine may give more than is allowed");
    const data = engine(frame, bounds);
    if (data && data.length > bounds.room) throw new Violation("an engine gives more than it may");
    left -= data?.length ?? 0;
    return data;
  };
}

/** Decompresses with what other runtimes have. */
async function byOthers(
  format: string,
  bytes: Uint8Array,
  options: compressed.DecompressOptions,
): Promise<Uint8Array> {
  const { maxSize = 0, expectedSize, output: buffer, offset } = options;
  const input = new PackedInput(bytes, format, offset);
  if (bytes.length === 0) throw input.truncated("data");
  const output = new Output(input, { maxSize, expectedSize, buffer });
  if (format === "gzip") await decodeGzip(input, output, streamInflate);
  else await decodeZstd(input, output, watched(await (wasm ??= wasmEngine()), output.limit));
  return output.finish();
}

/** Runs with a zlib that looks at the bounds that it is given. */
async function watchingZlib<T>(most: number, run: () => Promise<T>): Promise<T> {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule: (name: string) => Record<string, unknown> };
  };
  const original = process.getBuiltinModule;
  let left = most;
  process.getBuiltinModule = (name) => {
    const found = original.call(process, name);
    if (name !== "node:zlib") return found;
    type Options = { maxOutputLength: number; chunkSize: number };
    const inflateRawSync = (bytes: Uint8Array, options: Options) => {
      const likely = Math.max(1024, Math.min(left, 1032 * bytes.length) + 1);
      if (options.chunkSize > likely) throw new Violation("zlib makes too large a chunk");
      if (options.maxOutputLength > Math.max(left, 1)) {
        throw new Violation("zlib may give more than is allowed", `${options.maxOutputLength}`);
      }
      type Inflated = { buffer: Uint8Array };
      const inflated = (found.inflateRawSync as (...args: unknown[]) => Inflated)(bytes, options);
      left -= inflated.buffer.length;
      return inflated;
    };
    return { ...found, inflateRawSync };
  };
  try {
    return await run();
  } finally {
    process.getBuiltinModule = original;
  }
}

async function check(input: Input, library: Library): Promise<void> {
  const { name, base, expected } = input;
  const { format } = FIXTURES[name];
  const { decompress } = { ...compressed, ...library };
  const { whole, stream } = changed(input);
  const due = dueOf(input, whole, stream.length);
  const size = typeof due === "number" ? due : SAMPLE.length;
  const [source, target] = [
    guarded(stream),
    input.output === undefined
      ? undefined
      : guarded(new Uint8Array(Math.max(size + input.output, 0))),
  ];
  const maxSize = Math.max(size + input.maxSize, 0);
  const most = Math.min(maxSize, target?.view.length ?? Infinity);
  const expectedSize = expected === undefined ? undefined : size + expected;
  const options = { maxSize, expectedSize, output: target?.view, offset: base };
  // DecompressionStream does not tell where a member ends
  const isOther = input.other &&
    (format === "zstd" ||
      format === "gzip" && ["whole", "cut", "damage"].includes(input.change.kind));
  const limit = Math.min(most, expectedSize ?? Infinity);
  let data: Uint8Array | undefined;
  let refused: Refused | undefined;
  try {
    data = isOther
      ? await byOthers(format, source.view, options)
      : await watchingZlib(limit, () => decompress(format, source.view, options));
  } catch (error) {
    if (error instanceof Violation) throw error;
    if ((error as Error).cause instanceof Violation) throw (error as Error).cause;
    refused = judged(error, base + stream.length);
  }
  const faults: string[] = [];
  if (!source.isSound() || !sameBytes(source.view, stream)) faults.push("the input is changed");
  if (target && !target.isSound()) faults.push("something is written beside the output");
  const told = refused ? `${refused.code} ${refused.offset! - base}` : data!.length;
  const isTooLarge = size > limit || (expectedSize ?? size) > most;
  // What is wrong first depends on the format where more than one thing is
  const isWrongSize = isTooLarge || expectedSize !== undefined && expectedSize !== size;
  const dues = [
    ...isWrongSize ? ["COMPRESSED_SIZE 0"] : [due],
    ...typeof due === "string" ? [due] : [],
  ];
  // Nothing is looked at where what must come out may not
  const isHopeless = stream.length > 0 && (expectedSize ?? 0) > most;
  if (isHopeless) dues.splice(0, dues.length, "COMPRESSED_SIZE 0");
  // In WebAssembly what may come to a block more than there is room for is not told from damage
  const isWasm = format === "zstd" && (isOther || nativeEngine() === undefined);
  const isUntold = input.change.kind === "damage" && limit + (128 << 10) < 256 << 10;
  if (isWasm && isUntold) dues.push("COMPRESSED_SIZE 0");
  // Deno's DecompressionStream does not miss an end; the checksum does
  const isShort = isOther && format === "gzip" && input.change.kind === "cut";
  const isDue = dues.includes(told) || isShort && refused?.code === "COMPRESSED_CHECKSUM";
  if (!isDue) faults.push(`${told} where ${dues.join(" or ")} is due: ${refused?.message}`);
  if (refused && refused.field!.split(" ")[0] !== format) {
    faults.push(`${refused.field} is no field`);
  }
  if (data) {
    if (target && data.buffer !== target.view.buffer) faults.push("another buffer than was given");
    const parts = [data.subarray(0, SAMPLE.length), data.subarray(SAMPLE.length)];
    if (parts.some((part) => part.length > 0 && !sameBytes(part, SAMPLE))) {
      faults.push("other bytes");
    }
  }
  requireNone(`${format}, ${input.change.kind}`, faults);
}

/** A frame of nothing: a single segment, one raw block. */
const NOTHING = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];

/** An engine by itself, with too little room and with enough. */
function checkEngine(engine: ZstdEngine): void {
  const nothing = engine(Uint8Array.from(NOTHING), { room: 10, most: 0 });
  if (nothing?.length !== 0) throw new Violation("libzstd makes something of nothing");
  for (const room of [SAMPLE.length, SAMPLE.length - 1, 1]) {
    const data = watched(engine, room)(fixture("zstd"), { room, most: 1 << 18 });
    if ((data?.length ?? 0) !== (room === SAMPLE.length ? room : 0)) {
      throw new Violation("libzstd gives another answer", `${data?.length} of ${room}`);
    }
  }
}

/** A frame whose headers say that it is too large is not handed to an engine. */
async function checkAnnounced(): Promise<void> {
  const stream = HAND_MADE["zstd that says to be too large"].make(new Uint8Array(0));
  const input = new PackedInput(stream, "zstd");
  const engine = () => {
    throw new Error("Cannot be asked");
  };
  try {
    await decodeZstd(input, new Output(input, { maxSize: 1 << 20 }), engine);
  } catch (error) {
    const { code } = judged(error, stream.length);
    if (code !== "COMPRESSED_SIZE") throw new Violation("an engine is asked for too much", code);
  }
}

/** Sizes that are none. */
const NO_SIZES = [-1, 0.5, NaN, Infinity, 2 ** 53];

async function checkOptions(library: Library): Promise<void> {
  const { decompress, unwrapKernel } = { ...compressed, ...library };
  for (const size of NO_SIZES) {
    for (const name of ["maxSize", "expectedSize"]) {
      const calls = [() => decompress("gzip", fixture("gzip"), { [name]: size })];
      if (name === "maxSize") {
        calls.push(async () => {
          await unwrapKernel(fixture("gzip"), { maxSize: size });
          return SAMPLE;
        });
      }
      for (const call of calls) {
        const error = await call().then(() => undefined, (error) => error);
        const { code, field } = error ?? {};
        if (code === "INVALID_OPTION" && field === name) continue;
        throw new Violation("a size is none", `${name} ${size}: ${code ?? "data"}`);
      }
    }
  }
}

export default property({
  name: "unpack-whole",
  says: "a stream that is whole, cut off or followed comes to the same in every format and engine",
  inputs,
  isAsync: true,
  share: 0.8,
  async check(input, library) {
    await check(input, library);
    const native = nativeEngine();
    if (input.name === "zstd" && native) checkEngine(native);
    if (input.name === "zstdSize") checkEngine(await (wasm ??= wasmEngine()));
    if (input.name === "zstdSize") await checkAnnounced();
    if (input.name === "gzip") await checkOptions(library);
  },
});
