import {
  decodeBzip2,
  decodeLz4,
  decodeLz4Legacy,
  decodeLzma,
  decodeLzma2,
  decodeLzo,
  LzmaDecoder,
  Output,
  PackedInput,
} from "../inside.ts";
import { judge } from "../judge.ts";

/** What is decompressed at most, in bytes. */
const MOST = 1 << 16;

/** The decoders that are our own, and need not wait for anything. */
const DECODERS: readonly [string, (input: PackedInput, output: Output) => void][] = [
  ["bzip2", decodeBzip2],
  ["lzma", decodeLzma],
  ["lzo", decodeLzo],
  ["lz4-legacy", decodeLz4Legacy],
  ["lz4", decodeLz4],
  ["xz", (input, output) => decodeLzma2(input, output, new LzmaDecoder(input), 1 << 16)],
];

/** Decompresses any bytes; the first says in which format. */
export function fuzz(data: Uint8Array): void {
  const [format, decode] = DECODERS[(data[0] ?? 0) % DECODERS.length];
  const stream = data.subarray(1);
  const { value } = judge(stream.length, () => {
    const input = new PackedInput(stream, format);
    const output = new Output(input, { maxSize: MOST });
    decode(input, output);
    return output.finish();
  });
  if (value && value.length > MOST) throw new Error("more than was allowed");
}
