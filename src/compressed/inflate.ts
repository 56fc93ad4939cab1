/**
 * Who inflates a raw deflate stream (RFC 1951): the runtime's own zlib where it has one, which tells
 * where the stream ends, else `DecompressionStream`, which every browser has and which does not.
 */

import { LoaderError } from "../errors.ts";
import type { PackedInput } from "./input.ts";
import { nodeZlib } from "./node_zlib.ts";
import type { Output } from "./output.ts";

/**
 * Inflates the stream at the input's place, and goes past it.
 *
 * @param input From the stream's first byte on.
 * @param output Where it goes.
 * @param trailerSize What follows the stream and ends the input, in bytes.
 * @throws {LoaderError} `TRUNCATED`, `COMPRESSED_CORRUPT` or `COMPRESSED_SIZE`.
 */
export type Inflate = (
  input: PackedInput,
  output: Output,
  trailerSize: number,
) => void | Promise<void>;

/** Deflate makes at most 258 bytes of 2 bits (RFC 1951, 3.2.5). */
const MAX_RATIO = 1032;
/** One chunk for all of it is faster than many (measured); but a trailer may promise a lot. */
const MAX_OUTPUT_CHUNK = 64 << 20;
/** Thousands of members may follow the first, and each has a chunk of its own. */
const MAX_LATER_CHUNK = 1 << 16;
/** The first one's data starts before this. */
const LIKELY_HEADER = 1 << 10;
const MIN_OUTPUT_CHUNK = 1 << 10;
/** The largest Buffer of Node 20. */
const MAX_BUFFER = 2 ** 32;
/** What is fed to the stream at once: more does not make it faster (measured). */
const MAX_INPUT_CHUNK = 1 << 16;
const MIN_INPUT_CHUNK = 1 << 10;

/**
 * The runtime's zlib.
 *
 * @returns It, or `undefined` if there is none.
 */
export function nativeInflate(): Inflate | undefined {
  const zlib = nodeZlib();
  if (zlib === undefined) return undefined;
  return (input, output) => {
    const start = input.at;
    const room = output.limit - output.length;
    // One more than what comes out, or zlib makes a second chunk to find nothing for it
    const likely = Math.min(room, MAX_RATIO * input.rest, lastWord(input)) + 1;
    const most = start < LIKELY_HEADER ? MAX_OUTPUT_CHUNK : MAX_LATER_CHUNK;
    const chunkSize = Math.max(MIN_OUTPUT_CHUNK, Math.min(likely, most));
    const maxOutputLength = Math.min(Math.max(room, 1), MAX_BUFFER);
    try {
      const deflated = input.bytes.subarray(start);
      const { buffer, engine } = zlib.inflateRawSync(deflated, {
        info: true,
        maxOutputLength,
        chunkSize,
      });
      output.append(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)); // was a Buffer
      input.at += engine.bytesWritten;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "ERR_BUFFER_TOO_LARGE") throw output.overflow();
      if (code === "Z_BUF_ERROR") throw input.truncated("data");
      throw error instanceof LoaderError ? error : broken(input, start, error);
    }
  };
}

/** ISIZE of a file that is whole (RFC 1952, 2.3.1): a hint, nothing is trusted to it. */
function lastWord({ bytes }: PackedInput): number {
  return new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
}

/**
 * By `DecompressionStream`. It has no limit on what comes out of a chunk, so the chunks get smaller
 * as the bound comes near: never more than 1 MiB beyond the bound is decompressed. Node's and Bun's
 * ignore what follows the end; that the trailer is the right one is then all that tells.
 */
export const streamInflate: Inflate = async (input, output, trailerSize) => {
  const { writable, readable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const start = input.at;
  const end = input.bytes.length - trailerSize;
  let isClosing = false;
  const feed = async (): Promise<void> => {
    while (input.at < end) {
      const room = output.limit - output.length;
      const wanted = Math.min(MAX_INPUT_CHUNK, Math.floor(room / MAX_RATIO));
      const size = Math.min(end - input.at, Math.max(MIN_INPUT_CHUNK, wanted));
      await writer.write(unshared(input.bytes.subarray(input.at, input.at + size)));
      input.at += size;
    }
    isClosing = true;
    await writer.close();
  };
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      output.reserve(value.length).set(value, output.length);
      output.length += value.length;
    }
  };
  // Reading fails when feeding does, and some runtimes leave a write to a dead stream pending
  let feedError: unknown;
  const feeding = feed().catch((error: unknown) => feedError = error);
  try {
    await read();
    await feeding;
  } catch (error) {
    feedError ??= error;
    reader.cancel(error).catch(() => {});
    writer.abort(error).catch(() => {});
    if (error instanceof LoaderError) throw error;
  }
  if (feedError === undefined) return;
  throw isClosing ? input.truncated("data") : broken(input, start, feedError);
};

/**
 * The best one that there is.
 *
 * @returns It.
 */
export function bestInflate(): Inflate {
  return nativeInflate() ?? streamInflate;
}

/** Web APIs refuse views of a SharedArrayBuffer. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
  return new Uint8Array(bytes);
}

function broken(input: PackedInput, start: number, cause: unknown): LoaderError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = input.corrupt("data", start, "a whole deflate stream", reason);
  error.cause = cause;
  return error;
}
