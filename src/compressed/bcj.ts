/**
 * Undoes the branch filters (BCJ) that kernels are packed with: absolute targets of branches become
 * relative again, as the CPU wants them. In place, over a whole block.
 */

/** A filter: turns absolute targets back into relative ones. */
export type BranchFilter = (bytes: Uint8Array, start: number) => void;

/** The x86 opcodes of a call (0xe8) and a jump (0xe9) with a 32-bit displacement. */
const CALL = 0xe8;
const CALL_OR_JUMP_MASK = 0xfe;
/** Indexed by which of the last 3 bytes were opcodes: whether a target is likely. */
const MASK_TO_ALLOWED = [true, true, true, false, true, false, false, false] as const;
/** Indexed likewise: which byte of the target to look at, from the lowest. */
const MASK_TO_BIT = [0, 1, 2, 2, 3, 3, 3, 3] as const;
/** The highest byte of a displacement within 16 MiB. */
const isSignByte = (byte: number): boolean => byte === 0x00 || byte === 0xff;

/**
 * x86: calls and jumps with 32-bit targets, by the heuristic of LZMA SDK's Bra86.c.
 *
 * @param bytes The block.
 * @param start The position that its first byte counts as.
 */
export function undoX86(bytes: Uint8Array, start: number): void {
  let mask = 0;
  let last = -1; // where the last opcode was
  const end = bytes.length - 4;
  for (let at = 0; at < end; at++) {
    if ((bytes[at] & CALL_OR_JUMP_MASK) !== CALL) continue;
    const distance = at - last;
    last = at;
    if (distance > 3) {
      mask = 0;
    } else {
      mask = mask << distance - 1 & 7;
      if (mask !== 0) {
        const byte = bytes[at + 4 - MASK_TO_BIT[mask]];
        if (!MASK_TO_ALLOWED[mask] || isSignByte(byte)) {
          mask = mask << 1 | 1;
          continue;
        }
      }
    }
    if (!isSignByte(bytes[at + 4])) {
      mask = mask << 1 | 1;
      continue;
    }
    let target = bytes[at + 1] | bytes[at + 2] << 8 | bytes[at + 3] << 16 | bytes[at + 4] << 24;
    const next = start + at + 5 | 0;
    for (;;) {
      target = target - next | 0;
      if (mask === 0) break;
      const bits = 8 * MASK_TO_BIT[mask];
      if (!isSignByte(target >>> 24 - bits & 0xff)) break;
      target ^= 2 ** (32 - bits) - 1;
    }
    bytes[at + 1] = target;
    bytes[at + 2] = target >>> 8;
    bytes[at + 3] = target >>> 16;
    bytes[at + 4] = target & 1 << 24 ? 0xff : 0;
    at += 4;
  }
}

/** Arm ARM, "BL": 6 bits of opcode, 26 bits of words. */
const BL = 0x94000000;
const BL_MASK = 0xfc000000;
/** Arm ARM, "ADRP": 1 bit, 2 low bits of pages, 5 bits, 19 high bits of pages, 5 bits of register. */
const ADRP = 0x90000000;
const ADRP_MASK = 0x9f000000;

/**
 * arm64: BL, and ADRP within 512 MiB (liblzma's arm64.c).
 *
 * @param bytes The block.
 * @param start The position that its first byte counts as.
 */
export function undoArm64(bytes: Uint8Array, start: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const pc = start + at | 0;
    let word = view.getUint32(at, true);
    if ((word & BL_MASK) >>> 0 === BL) {
      view.setUint32(at, BL | word - (pc >>> 2) & ~BL_MASK, true);
    } else if ((word & ADRP_MASK) >>> 0 === ADRP) {
      const source = word >>> 29 & 3 | word >>> 3 & 0x001ffffc;
      // Only targets within 512 MiB are converted, both ways
      if (source + 0x00020000 & 0x001c0000) continue;
      word &= 0x9000001f;
      const target = source - (pc >>> 12);
      word |= (target & 3) << 29;
      word |= (target & 0x0003fffc) << 3;
      word |= -(target & 0x00020000) & 0x00e00000;
      view.setUint32(at, word >>> 0, true);
    }
  }
}
