/** CRC-32 as zlib and the probe guests have it: polynomial 0x04c11db7, reflected, inverted. */

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/**
 * The CRC-32 of some bytes.
 *
 * @param bytes The bytes.
 * @returns An unsigned 32-bit number.
 */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crc >>> 8 ^ TABLE[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

/**
 * A CRC-32 as the guests print it.
 *
 * @param bytes The bytes.
 * @returns E.g. `0x00c0ffee`.
 */
export function formatCrc32(bytes: Uint8Array): string {
  return `0x${crc32(bytes).toString(16).padStart(8, "0")}`;
}
