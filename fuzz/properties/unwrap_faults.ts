import fc from "fast-check";
import * as compressed from "../../src/compressed/mod.ts";
import { arm64Image, bzImage, elfImage, pattern, poke } from "../arbitraries/images.ts";
import { stored, zbootImage } from "../arbitraries/wrapped_files.ts";
import { judged, type Refused } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** Where the payload is: a sector of setup and another, and what is not packed. */
const [START, SETUP] = [0x600, 0x400];
const KERNEL = elfImage({ segments: [{ bytes: pattern(600) }] });
const GZIP = stored("gzip", KERNEL);
/** A reserved flag, in a gzip file's fourth byte. */
const BENT = GZIP.with(3, 0x80);
const ZSTD = stored("zstd", KERNEL);

/** A bzImage with a payload, and fields that do not say what it is. */
function inBzImage(payload: Uint8Array, fields: Record<string, number> = {}): Uint8Array {
  const kernel = new Uint8Array(START - SETUP + payload.length + 16);
  kernel.set(payload, START - SETUP);
  const place = { payload_offset: START - SETUP, payload_length: payload.length };
  return bzImage({ kernel, ...place, ...fields });
}

/** With a size word behind. */
function sized(packed: Uint8Array, size: number): Uint8Array {
  const payload = new Uint8Array(packed.length + 4);
  payload.set(packed);
  poke(payload, packed.length, 4, size);
  return payload;
}

function bentZboot(at: number): Uint8Array {
  const file = zbootImage("zstd", KERNEL);
  file[64 + at] ^= 0xff;
  return file;
}

/** A gzip file that is no gzip file behind its magic. */
const large = (size: number) => () => {
  const file = new Uint8Array(size).fill(0xff);
  file.set([0x1f, 0x8b, 8]);
  return file;
};
/** What is read of compressed data at most where 1,024 bytes may come out. */
const MOST = 1024 + 16 + (1 << 20);

type Fault = readonly [
  make: () => Uint8Array,
  code: string,
  field: string,
  offset: number,
];

const SETUP_FIELD = "setup_header.payload_";
const FAULTS: readonly Fault[] = [
  [
    ...[() => inBzImage(GZIP, { payload_offset: 0 }), "BZIMAGE_FIELD"] as const,
    ...[`${SETUP_FIELD}offset`, 0x248] as const,
  ],
  ...[0, 4].map((payload_length): Fault => [
    ...[() => inBzImage(GZIP, { payload_length }), "BZIMAGE_FIELD"] as const,
    ...[`${SETUP_FIELD}length`, 0x24c] as const,
  ]),
  [
    ...[() => inBzImage(GZIP, { payload_length: GZIP.length + 17 }), "TRUNCATED"] as const,
    ...["bzImage payload (payload_offset, payload_length)", START] as const,
  ],
  [() => inBzImage(arm64Image({}, 256)), "BZIMAGE_FIELD", "bzImage payload", START],
  [() => inBzImage(zbootImage("gzip", KERNEL)), "BZIMAGE_FIELD", "bzImage payload", START],
  [() => inBzImage(pattern(100)), "UNKNOWN_FORMAT", "magic", 0],
  // "MZ" and "zimg", whose last letter is not the payload's any more
  [
    ...[
      () => inBzImage(zbootImage("gzip", KERNEL), { payload_length: 7 }),
      "UNKNOWN_FORMAT",
    ] as const,
    ...["magic", 0] as const,
  ],
  [() => inBzImage(BENT), "COMPRESSED_CORRUPT", "gzip flags", START + 3],
  [
    () => inBzImage(sized(ZSTD.with(4, 0x08), 1)),
    "COMPRESSED_CORRUPT",
    "zstd frame header descriptor",
    START + 4,
  ],
  [() => inBzImage(sized(ZSTD, KERNEL.length - 1)), "COMPRESSED_SIZE", "zstd data", START],
  [() => bentZboot(4), "COMPRESSED_CORRUPT", "zstd frame header descriptor", 64 + 4],
  [() => stored("gzip", BENT), "COMPRESSED_CORRUPT", "gzip flags", 3],
  [() => stored("lz4", inBzImage(BENT)), "COMPRESSED_CORRUPT", "gzip flags", START + 3],
  [() => stored("gzip", pattern(50)), "UNKNOWN_FORMAT", "magic", 0],
  [large(MOST), "COMPRESSED_CORRUPT", "gzip flags", 3],
  [large(MOST + 1), "COMPRESSED_SIZE", "gzip data", 0],
];

/** Any of these may be larger than what is wanted, but for what is in it. */
const MAX_SIZE = [1 << 20, 1024];

export default property({
  name: "unwrap-faults",
  says: "a kernel that cannot be unwrapped is refused with the field that is wrong, and its place",
  inputs: fc.constantFrom(...FAULTS.keys()),
  isAsync: true,
  share: 0.4,
  async check(index, library) {
    // A test's broken copy brings its own
    const { unwrapKernel } = { ...compressed, ...library };
    const [make, code, field, offset] = FAULTS[index];
    const file = make();
    const maxSize = file.length >= MOST ? MAX_SIZE[1] : MAX_SIZE[0];
    let refused: Refused | undefined;
    try {
      await unwrapKernel(file, { maxSize });
    } catch (error) {
      refused = judged(error, Math.max(file.length, 1 << 12));
    }
    if (refused?.code === code && refused.field === field && refused.offset === offset) return;
    const came = refused ? `${refused.code} ${refused.field} at ${refused.offset}` : "a kernel";
    throw new Violation("another answer", `${came}, not ${code} ${field} at ${offset} (${index})`);
  },
});
