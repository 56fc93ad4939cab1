/**
 * The vmlinux inside a bzImage, for the cases that boot it by PVH: just zstd, which Debian's 6.12 has,
 * with the size word as the bound. The library's own way comes with its "./compressed" entry point.
 */
import * as zlib from "node:zlib";
import { parseBzImage } from "../mod.ts";
import { openFile } from "../src/files.ts";
import { bytesOf } from "./matchers/content.ts";

/** RFC 8878, 3.1.1: the magic of a zstd frame, as a little-endian number. */
const ZSTD = 0xfd2fb528;
/** More than any kernel: an absurd size word is not believed. */
const MAX_VMLINUX = 512 << 20;

/**
 * Unpacks the payload of a bzImage.
 *
 * @param path The bzImage.
 * @returns The vmlinux, with a relocation table behind it.
 * @throws {Error} If the payload is not zstd, or does not unpack to its size.
 */
export function extractVmlinux(path: string): Uint8Array {
  using file = openFile(path);
  const { header, setupSize } = parseBzImage(file);
  const { payload_offset, payload_length } = header;
  if (!payload_offset || !payload_length) throw new Error(`Cannot unpack ${path}: no payload`);
  const start = setupSize + payload_offset;
  const packed = bytesOf(file).subarray(start, start + payload_length - 4);
  const view = new DataView(packed.buffer, packed.byteOffset, payload_length);
  const size = view.getUint32(payload_length - 4, true);
  if (size > MAX_VMLINUX) throw new Error(`Cannot unpack ${path}: ${size} bytes are too many`);
  if (view.getUint32(0, true) !== ZSTD) throw new Error(`Cannot unpack ${path}: not zstd`);
  const vmlinux = unpackZstd(packed, size);
  if (vmlinux.length !== size) {
    throw new Error(`Cannot unpack ${path}: ${vmlinux.length} bytes, ${size} are wanted`);
  }
  return vmlinux;
}

/** In node:zlib since Node 22.15 and in Deno, but not yet in the types of Node 20. */
type Zstd = (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

function unpackZstd(packed: Uint8Array, size: number): Uint8Array {
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: Zstd };
  if (!zstdDecompressSync) throw new Error("Cannot unpack zstd: node:zlib here has no zstd");
  return zstdDecompressSync(packed, { maxOutputLength: size });
}
