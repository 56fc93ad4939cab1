/** Packs kernels as they are shipped, for cases: what is tested is the unpacking. */
import * as zlib from "node:zlib";
import { crc32 } from "./crc32.ts";
import {
  ZBOOT_HEADER,
  ZBOOT_LINUX_PE_MAGIC,
  ZBOOT_MAGIC,
  ZBOOT_MZ_MAGIC,
} from "../src/compressed/mod.ts";

/** What {@linkcode pack} makes. */
export type Packing = "gzip" | "xz" | "zstd";

/**
 * Packs bytes.
 *
 * @param bytes The bytes.
 * @param packing In which format.
 * @returns The packed bytes.
 */
export function pack(bytes: Uint8Array, packing: Packing): Uint8Array {
  switch (packing) {
    case "gzip":
      return new Uint8Array(zlib.gzipSync(bytes, { level: 1 }));
    case "xz":
      return storeXz(bytes);
    case "zstd":
      return storeZstd(bytes);
    default:
      return packing satisfies never;
  }
}

/**
 * Makes an EFI zboot image, without the PE header and the code, which no loader but EFI's reads.
 *
 * @param bytes What goes inside.
 * @param packing In which format.
 * @returns The image.
 */
export function wrapInZboot(bytes: Uint8Array, packing: Packing): Uint8Array {
  const packed = pack(bytes, packing);
  const payload = 0x1000;
  const image = new Uint8Array(payload + packed.length + 4 + 512);
  const type = packing === "xz" ? "xzkern" : packing === "zstd" ? "zstd22" : packing;
  const name = new Uint8Array(32);
  name.set(new TextEncoder().encode(type));
  ZBOOT_HEADER.write(image, {
    mz_magic: ZBOOT_MZ_MAGIC,
    magic: ZBOOT_MAGIC,
    payload_offset: payload,
    payload_size: packed.length,
    compression_type: name,
    linux_pe_magic: ZBOOT_LINUX_PE_MAGIC,
    pe_header_offset: 0x40,
  });
  image.set(packed, payload);
  // Makefile.zboot: the size word, which gzip has of its own
  if (packing !== "gzip") image.set(littleEndian(bytes.length), payload + packed.length);
  return image;
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function join(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** RFC 8878: raw blocks of 128 KiB in a frame that says neither its size nor a checksum. */
function storeZstd(bytes: Uint8Array): Uint8Array {
  const block = 128 << 10;
  const parts: (Uint8Array | number[])[] = [[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88]];
  for (let at = 0; at < bytes.length; at += block) {
    const part = bytes.subarray(at, at + block);
    const isLast = at + block >= bytes.length ? 1 : 0;
    parts.push(littleEndian(part.length << 3 | isLast).subarray(0, 3), part);
  }
  return join(parts);
}

/** The .xz File Format: LZMA2 chunks that are stored, in one block with a CRC-32. */
function storeXz(bytes: Uint8Array): Uint8Array {
  const withCrc = (part: Uint8Array) => join([part, littleEndian(crc32(part))]);
  const pad = (size: number) => new Uint8Array((4 - size % 4) % 4);
  const flags = Uint8Array.of(0, 1);
  const header = withCrc(Uint8Array.of(2, 0, 0x21, 1, 28, 0, 0, 0));
  const chunks: (Uint8Array | number[])[] = [];
  for (let at = 0; at < bytes.length; at += 1 << 16) {
    const part = bytes.subarray(at, at + (1 << 16));
    chunks.push([at === 0 ? 1 : 2, part.length - 1 >> 8, part.length - 1 & 0xff], part);
  }
  const data = join([...chunks, [0]]);
  const sizes = join([[0, 1], number(header.length + data.length + 4), number(bytes.length)]);
  const index = withCrc(join([sizes, pad(sizes.length)]));
  const footer = join([littleEndian(index.length / 4 - 1), flags]);
  return join([
    [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    withCrc(flags),
    header,
    data,
    pad(data.length),
    littleEndian(crc32(bytes)),
    index,
    littleEndian(crc32(footer)),
    footer,
    [0x59, 0x5a],
  ]);
}

/** The .xz File Format, 1.2. */
function number(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push(value % 128 | 0x80);
  return [...bytes, value];
}
