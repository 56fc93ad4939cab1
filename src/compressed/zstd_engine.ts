/**
 * Who decompresses a zstd frame: the runtime's own libzstd where it has one (Deno, Bun, Node from
 * 22.15 on), else libzstd in WebAssembly, which every browser runs and which is a quarter slower
 * (measured), and whose memory never shrinks again. It is loaded when it is needed.
 */

import { nodeZlib } from "./node_zlib.ts";

/** How much a frame may come to. */
export interface FrameBounds {
  /** What may come out. */
  readonly room: number;
  /** What comes out at most, by the frame's own headers. */
  readonly most: number;
}

/**
 * Decompresses one whole frame. Returns what came out, or `undefined` if it is more than `room`.
 * Throws anything if the frame is damaged.
 */
export type ZstdEngine = (frame: Uint8Array, bounds: FrameBounds) => Uint8Array | undefined;

/** One chunk for all of it is a third faster than many (measured); but a header may promise a lot. */
const MAX_CHUNK = 64 << 20;
const MIN_CHUNK = 1 << 10;
/** What the memory of the WebAssembly one can hold: 2 GiB, less its own. */
const MAX_MEMORY = 2 ** 31 - 2 ** 26;
/** RFC 8878, 3.1.1.2.4: what one more block can add. */
const MAX_BLOCK = 128 << 10;

/**
 * The runtime's own engine.
 *
 * @returns It, or `undefined` if there is none.
 */
export function nativeEngine(): ZstdEngine | undefined {
  const decompress = nodeZlib()?.zstdDecompressSync;
  if (decompress === undefined) return undefined;
  return (frame, { room, most }) => {
    const chunkSize = Math.max(MIN_CHUNK, Math.min(room, most, MAX_CHUNK));
    try {
      const data = decompress(frame, { maxOutputLength: Math.max(room, 1), chunkSize });
      return new Uint8Array(data.buffer, data.byteOffset, data.length); // it was a Buffer
    } catch (error) {
      if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return undefined;
      throw error;
    }
  };
}

/**
 * The engine in WebAssembly.
 *
 * @returns It.
 */
export async function wasmEngine(): Promise<ZstdEngine> {
  const { ZSTDDecoder } = await import("zstddec");
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const decode = (frame: Uint8Array, capacity: number): Uint8Array => {
    // Past its memory it would write over itself
    if (capacity + frame.length > MAX_MEMORY) throw new Error("too large for WebAssembly");
    return decoder.decode(frame, capacity);
  };
  return (frame, { room, most }) => {
    if (most === 0) return new Uint8Array(0);
    // An error of any kind is 0 bytes
    const data = decode(frame, Math.max(1, Math.min(room, most)));
    if (data.length > 0) return data;
    // Unless the frame holds nothing: then a byte that follows it is what comes out
    if (decode(withByte(frame), 1).length === 1) return data;
    if (most > room) {
      // Damaged or too large? A quarter more tells them apart, unless it is much more
      const capacity = Math.min(most, room + Math.max(MAX_BLOCK, room >> 2));
      if (capacity < most || decode(frame, capacity).length > 0) return undefined;
    }
    throw new Error("a block or the checksum is damaged");
  };
}

/** RFC 8878: a frame of one raw byte, in one segment. */
const BYTE_FRAME = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 0x61];

function withByte(frame: Uint8Array): Uint8Array {
  const both = new Uint8Array(frame.length + BYTE_FRAME.length);
  both.set(frame);
  both.set(BYTE_FRAME, frame.length);
  return both;
}

let engine: Promise<ZstdEngine> | undefined;

/**
 * The best engine that there is.
 *
 * @returns It, the same every time.
 */
export function zstdEngine(): Promise<ZstdEngine> {
  return engine ??= Promise.resolve(nativeEngine() ?? wasmEngine());
}
