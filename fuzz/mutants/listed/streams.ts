/** More faults of what all decoders have in common, and of unwrapping. */
import type { ListedFault } from "./fault.ts";

const OUTPUT = "src/compressed/output.ts";
const INPUT = "src/compressed/input.ts";
const COPY = "src/compressed/copy.ts";
const DECOMPRESS = "src/compressed/decompress.ts";
const CHECKSUMS = "src/compressed/checksums.ts";
const UNWRAP = "src/compressed/unwrap.ts";
const CRC = "src/compressed/bzimage_crc.ts";

export const STREAMS: readonly ListedFault[] = [
  {
    id: "output-makes-promise",
    what: "as much is allocated as a header promises",
    file: OUTPUT,
    find:
      "  announce(size: number | bigint): void {\n    if (size > this.limit - this.length) throw this.overflow();\n",
    replace:
      "  announce(size: number | bigint): void {\n    if (size > this.limit - this.length) throw this.overflow();\n    this.makeRoom(Number(size));\n",
  },
  {
    id: "output-makes-limit",
    what: "as much is allocated as may come out",
    file: OUTPUT,
    find: "new Uint8Array(Math.min(this.limit, first));",
    replace: "new Uint8Array(this.limit);",
  },
  {
    id: "output-grows-little",
    what: "the buffer grows by as much as is wanted: quadratic work",
    file: OUTPUT,
    find: "Math.max(wanted, 2 * this.bytes.length)",
    replace: "wanted",
  },
  {
    id: "output-expected-late",
    what: "an expected size that is more than may come out is not refused",
    file: OUTPUT,
    find: "if (expectedSize !== undefined && expectedSize > most) {",
    replace: "if (expectedSize !== undefined && expectedSize < 0) {",
  },
  {
    id: "output-buffer-ignored",
    what: "the output that was given is not a bound",
    file: OUTPUT,
    find: "const most = Math.min(maxSize, buffer?.length ?? Infinity);",
    replace: "const most = maxSize;",
  },
  {
    id: "output-buffer-replaced",
    what: "what a library returned takes the place of the output that was given",
    file: OUTPUT,
    find: "if (this.#isOwn && this.length === 0) this.bytes = data;",
    replace: "if (this.length === 0) this.bytes = data;",
  },
  {
    id: "output-append-over",
    what: "what a library returned takes the place of what is there",
    file: OUTPUT,
    find: "if (this.#isOwn && this.length === 0) this.bytes = data;",
    replace: "if (this.#isOwn) this.bytes = data;",
  },
  {
    id: "output-finish-whole",
    what: "the whole buffer comes out, written or not",
    file: OUTPUT,
    find:
      "    return this.bytes.subarray(0, this.length);\n  }\n\n  /**\n   * The error of a stream that holds",
    replace: "    return this.bytes;\n  }\n\n  /**\n   * The error of a stream that holds",
  },
  {
    id: "input-view-start",
    what: "numbers are read from the start of the buffer that the input is a view of",
    file: INPUT,
    find: "new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);",
    replace: "new DataView(bytes.buffer);",
  },
  {
    id: "input-end-unless",
    what: "what is less than a magic is not looked at",
    file: INPUT,
    find: "    if (this.rest < least) this.end();\n",
    replace: "    if (this.rest < least && this.rest > 3) this.end();\n",
  },
  {
    id: "copy-view-start",
    what: "a view of output is one of the buffer's start",
    file: COPY,
    find: "return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);",
    replace: "return new DataView(bytes.buffer);",
  },
  {
    id: "copy-words-overlap",
    what: "words are copied where they overlap",
    file: COPY,
    find: "distance >= 8 && length <= BULK",
    replace: "distance >= 3 && length <= BULK",
  },
  {
    id: "copy-words-past",
    what: "words are copied past what may be written",
    file: COPY,
    find: "position + length + 8 <= roomEnd",
    replace: "position + length <= roomEnd",
  },
  {
    id: "copy-far-overlap",
    what: "a copy that overlaps by a byte is made at once",
    file: COPY,
    find: "} else if (distance >= length) {",
    replace: "} else if (distance >= length - 1) {",
  },
  {
    id: "decompress-empty",
    what: "nothing is not refused",
    file: DECOMPRESS,
    find: '  if (bytes.length === 0) throw input.truncated("data");\n',
    replace: "  if (bytes.length === 0) return bytes;\n",
  },
  {
    id: "decompress-expected-lost",
    what: "the expected size is not handed on",
    file: DECOMPRESS,
    find: "new Output(input, { maxSize, expectedSize, buffer });",
    replace: "new Output(input, { maxSize, buffer });",
  },
  {
    id: "decompress-limit-lost",
    what: "the limit is not handed on",
    file: DECOMPRESS,
    find: "new Output(input, { maxSize, expectedSize, buffer });",
    replace: "new Output(input, { maxSize: MAX_KERNEL_SIZE, expectedSize, buffer });",
  },
  {
    id: "decompress-size-unchecked",
    what: "a limit may be a fraction, or nothing that is a number",
    file: DECOMPRESS,
    find: "if (Number.isSafeInteger(size) && size >= 0) return;",
    replace: "if (size >= 0 || size === undefined) return;",
  },
  {
    id: "crc32-tail",
    what: "the last bytes are left out of a CRC-32",
    file: CHECKSUMS,
    find: "for (; at < bytes.length; at++) crc = crc >>> 8 ^ t0",
    replace: "for (; at < bytes.length - 1; at++) crc = crc >>> 8 ^ t0",
  },
  {
    id: "adler32-modulo",
    what: "an Adler-32 is taken modulo 2^16",
    file: CHECKSUMS,
    find: "const ADLER_MODULO = 65521;",
    replace: "const ADLER_MODULO = 65536;",
  },
  {
    id: "unwrap-word-small",
    what: "a payload may be as small as its size word",
    file: UNWRAP,
    find: "if (start === 0 || size <= SIZE_WORD) {",
    replace: "if (start === 0 || size < SIZE_WORD) {",
  },
  {
    id: "unwrap-keep-ignored",
    what: "a bzImage that is to be kept is unpacked",
    file: UNWRAP,
    find: '(format !== "bzimage" || bzImage === "keep")',
    replace: '(format !== "bzimage" || bzImage === undefined)',
  },
  {
    id: "unwrap-packed-limit",
    what: "compressed data may have any size",
    file: UNWRAP,
    find: "  if (payload.size > most) throw tooLarge(payload.format, payload.size, bound);\n",
    replace: "",
  },
  {
    id: "unwrap-layer-size",
    what: "every layer is said to have the file's size",
    file: UNWRAP,
    find: "layers.push({ format, offset: start, size: source.size });",
    replace:
      "layers.push({ format, offset: start, size: (kernel as Uint8Array).length ?? source.size });",
  },
  {
    id: "unwrap-image-payload",
    what: "a bzImage's payload may be an Image",
    file: UNWRAP,
    find: 'if (isBootable(format) || format === "efi-zboot") {',
    replace: 'if (format === "efi-zboot") {',
  },
  {
    id: "unwrap-limit-lost",
    what: "the limit is not handed on to decoders",
    file: UNWRAP,
    find: "const sizes = { maxSize: bound, expectedSize };",
    replace: "const sizes = { expectedSize };",
  },
  {
    id: "unwrap-zboot-size",
    what: "a zboot image's size word is not looked at",
    file: UNWRAP,
    find: "return { format: compression, offset, size, expectedSize: uncompressedSize };",
    replace: "return { format: compression, offset, size };",
  },
  {
    id: "bzimage-crc-inverted",
    what: "a bzImage's checksum is inverted",
    file: CRC,
    find: "const computed = register >>> 0;",
    replace: "const computed = ~register >>> 0;",
  },
  {
    id: "bzimage-crc-range",
    what: "a bzImage's checksum covers itself",
    file: CRC,
    find: "Math.min(CHUNK, end - at)",
    replace: "Math.min(CHUNK, end + CHECKSUM_SIZE - at)",
  },
  {
    id: "bzimage-crc-truncated",
    what: "a bzImage that is cut off has a checksum",
    file: CRC,
    find: "if (end + CHECKSUM_SIZE > source.size || end < setupSize) {",
    replace: "if (end > source.size || end < setupSize) {",
  },
];
