/** Writes .xz files as it is told, right or wrong. */
import { be, crc32, le, padded } from "./hand_made_bytes.ts";

/** What may be odd about an xz file. */
export interface Xz {
  /** The control byte of the first LZMA2 chunk: 1 resets the dictionary. */
  readonly control?: number;
  readonly indexPlus?: number;
  readonly unpaddedPlus?: number;
  readonly countPlus?: number;
  readonly padding?: number;
  readonly backwardPlus?: number;
  readonly checkPlus?: number;
  readonly filter?: number;
  /** What the block's header says of the data's size beyond what it is; nothing if not given. */
  readonly headerSizePlus?: number;
  /** Whether the last filter's properties lie behind the block's header. */
  readonly isHeaderShort?: boolean;
  readonly footerCheck?: number;
  readonly after?: readonly number[];
  /** The chunks, instead of an uncompressed one. */
  readonly chunk?: readonly number[];
  /** The block's header up to its padding, without its size. */
  readonly header?: readonly number[];
  readonly headerPadding?: number;
  /** The check's id, and the check. */
  readonly checkId?: number;
  readonly check?: (data: Uint8Array) => readonly number[];
  /** What is added to the CRC32 of the stream flags, of the block's header, of the index, of the footer. */
  readonly plus?: readonly [number, number, number, number];
  readonly magic?: readonly number[];
  /** What the block comes to, where its chunks or filters make something else of the data. */
  readonly gives?: readonly number[];
}

/** A number's bytes: The .xz file format, 1.1.0, 1.2. */
export function number(value: number): number[] {
  const parts = [];
  for (let rest = value; parts.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    parts.push(rest % 128 | (rest >= 128 ? 128 : 0));
  }
  return parts;
}

/** With a CRC32 behind, or something near it. */
export const sealed = (part: readonly number[], plus = 0): number[] => [
  ...part,
  ...le((crc32(part) + plus) % 2 ** 32, 4),
];

/** The .xz file format, 1.1.0: one block of one uncompressed LZMA2 chunk, CRC32. */
export const xz = (odd: Xz = {}) => (data: Uint8Array): Uint8Array => {
  const bytes = data.length === 0 ? Uint8Array.of(0) : data;
  const { control = 1, indexPlus = 0, unpaddedPlus = 0, countPlus = 0, padding = 0 } = odd;
  const { backwardPlus = 0, checkPlus = 0, filter = 0x21, checkId = 1, after = [] } = odd;
  const { footerCheck = checkId, headerSizePlus, isHeaderShort = false } = odd;
  const { plus = [0, 0, 0, 0], magic = [0x59, 0x5a], headerPadding = 0 } = odd;
  const given = odd.header ??
    (headerSizePlus === undefined
      ? [0, filter, 1, 0]
      : [0x80, ...number(bytes.length + headerSizePlus), 0x21, 1, 0]);
  const sized = padded([0, ...given], headerPadding);
  let header = sealed([sized.length / 4, ...sized.slice(1)], plus[1]);
  // Two x86 filters first; the CRC32's first byte is to be a dictionary's size
  for (let start = 0; isHeaderShort && (start === 0 || header[12] > 40); start++) {
    header = sealed([3, 2, 4, 4, ...le(start, 4), 4, 0, 0x21, 1]);
  }
  const chunk = [...odd.chunk ?? [control, ...be(bytes.length - 1, 2), ...bytes], 0];
  const gives = odd.gives ?? [...bytes];
  const check = odd.check?.(bytes) ?? le((crc32(gives) + checkPlus) % 2 ** 32, 4);
  const unpadded = header.length + chunk.length + check.length;
  const index = sealed(
    padded([
      ...[0, ...number(1 + countPlus)],
      ...number(unpadded + unpaddedPlus),
      ...number(gives.length + indexPlus),
    ], padding),
    plus[2],
  );
  const footer = [...le(index.length / 4 - 1 + backwardPlus, 4), 0, footerCheck];
  return Uint8Array.from([
    ...[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    ...sealed([0, checkId], plus[0]),
    ...header,
    ...padded(chunk, padding),
    ...check,
    ...index,
    ...le((crc32(footer) + plus[3]) % 2 ** 32, 4),
    ...footer,
    ...magic,
    ...after,
  ]);
};
