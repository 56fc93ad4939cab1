/**
 * What an x86 CPU does with tables in memory, from Intel SDM vol. 3: a page walk (4.5, "4-level
 * paging") and a segment descriptor (3.4.5). Nothing here comes from the library.
 */

/** Reads eight bytes of guest-physical memory. */
export type ReadU64 = (address: bigint) => bigint;

/**
 * Translates a linear address.
 *
 * @param cr3 The top table.
 * @param linear The address.
 * @param read Guest-physical memory.
 * @returns The guest-physical address, or undefined for a page fault of a supervisor write.
 */
export function translate(cr3: bigint, linear: bigint, read: ReadU64): bigint | undefined {
  const canonical = BigInt.asUintN(64, BigInt.asIntN(48, linear)) === linear;
  if (!canonical) return undefined;
  const addressMask = 0x000f_ffff_ffff_f000n;
  let table = cr3 & addressMask;
  for (const shift of [39n, 30n, 21n, 12n]) {
    const entry = read(table + (linear >> shift & 0x1ffn) * 8n);
    if ((entry & 1n) === 0n || (entry & 2n) === 0n) return undefined; // present, writable
    const isLarge = (entry & 0x80n) !== 0n;
    if (isLarge && shift === 39n) return undefined; // reserved bit
    if (shift === 12n || isLarge) {
      const offset = (1n << shift) - 1n;
      // Bits between the page's address and bit 12 are reserved, but for PAT.
      if (isLarge && (entry & addressMask & offset & ~0x1000n) !== 0n) return undefined;
      return (entry & addressMask & ~offset) | (linear & offset);
    }
    table = entry & addressMask;
  }
  return undefined;
}

/** A segment descriptor, its fields as the SDM names them. */
export interface Descriptor {
  base: bigint;
  /** The last offset, granularity worked in. */
  limit: number;
  type: number;
  s: boolean;
  dpl: number;
  present: boolean;
  avl: boolean;
  l: boolean;
  db: boolean;
  g: boolean;
}

/**
 * Decodes a descriptor of 8 bytes.
 *
 * @param raw The descriptor.
 * @returns Its fields.
 */
export function descriptor(raw: bigint): Descriptor {
  const bit = (n: bigint) => (raw >> n & 1n) === 1n;
  const rawLimit = Number(raw & 0xffffn | (raw >> 48n & 0xfn) << 16n);
  return {
    base: raw >> 16n & 0xffffffn | (raw >> 56n & 0xffn) << 24n,
    limit: bit(55n) ? rawLimit * 4096 + 4095 : rawLimit,
    type: Number(raw >> 40n & 0xfn),
    s: bit(44n),
    dpl: Number(raw >> 45n & 3n),
    present: bit(47n),
    avl: bit(52n),
    l: bit(53n),
    db: bit(54n),
    g: bit(55n),
  };
}
