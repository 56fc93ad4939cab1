/** .lzma files and LZMA2 chunks of any steps. */
import fc from "fast-check";
import { le } from "./hand_made_bytes.ts";
import { type LzmaProperties, LzmaWriter, propertiesByte, USUAL } from "./lzma_writer.ts";
import { interpret, type Reach, type Step } from "./steps.ts";

/** What an LZMA match can be. */
export const LZMA_REACH: Reach = { minLength: 1, maxLength: 273, maxDistance: 1 << 20 };

/** LZMA2 takes an lc + lp of at most 4. */
export const lzmaProperties: fc.Arbitrary<LzmaProperties> = fc.constantFrom(
  ...[USUAL, [0, 0, 0], [4, 0, 0], [0, 4, 1], [2, 2, 4], [1, 3, 3]] as LzmaProperties[],
);

/** Copies of one byte are longer where they cannot be written. */
function write(writer: LzmaWriter, list: readonly Step[]): LzmaWriter {
  for (const { literals, distance, length, variant } of list) {
    for (const byte of literals) writer.literal(byte);
    if (length === 0) continue;
    const which = writer.distances.indexOf(distance);
    const size = which === 0 ? length : Math.max(length, 2);
    if (which >= 0 && (variant < 12 || size === 1)) writer.again(size, which);
    else writer.match(distance, size);
  }
  return writer;
}

/**
 * A .lzma file.
 *
 * @param list Steps in LZMA's reach.
 * @param properties lc, lp and pb.
 * @param hasMark Whether it says no size and has an end mark.
 * @returns The file, and what it comes to.
 */
export function lzmaFile(
  list: readonly Step[],
  properties: LzmaProperties,
  hasMark: boolean,
): { bytes: number[]; data: number[] } {
  const writer = write(new LzmaWriter(properties), list);
  if (hasMark) writer.end();
  const { data } = writer;
  const size = hasMark ? Array<number>(8).fill(255) : le(data.length, 8);
  const header = [propertiesByte(properties), ...le(1 << 20, 4), ...size];
  return { bytes: [...header, ...writer.bytes()], data };
}

/** An LZMA2 chunk: what it forgets before, and what is in it. */
export interface Chunk {
  readonly resets: "nothing" | "state" | "properties" | "all" | "raw";
  readonly properties: LzmaProperties;
  readonly steps: readonly Step[];
}

/**
 * LZMA2 chunks, the end included. The first forgets everything, and what follows a raw one its state.
 *
 * @param chunks Chunks; each holds a byte at least.
 * @returns Their bytes, and what they come to.
 */
export function lzma2Chunks(chunks: readonly Chunk[]): { bytes: number[]; data: number[] } {
  const [bytes, data]: [number[], number[]] = [[], []];
  let writer = new LzmaWriter();
  let properties: LzmaProperties | undefined;
  let isAfterRaw = false;
  chunks.forEach(({ resets, steps, ...own }, i) => {
    const needed = properties ? isAfterRaw ? 1 : 0 : 2;
    const wanted = { nothing: 0, state: 1, properties: 2, all: 3, raw: 0 }[resets];
    const kind = i === 0 ? 3 : Math.max(wanted, needed);
    if (kind === 3) writer = new LzmaWriter();
    const dictionary = writer.data;
    const start = dictionary.length;
    const list = steps.map((step) => {
      // Half of them reach into the chunks before
      return step.variant & 1 ? { ...step, distance: step.distance + start } : step;
    });
    isAfterRaw = resets === "raw";
    if (isAfterRaw) {
      interpret(list, dictionary);
      const raw = dictionary.slice(start);
      bytes.push(i === 0 ? 1 : 2, raw.length - 1 >> 8, raw.length - 1 & 255, ...raw);
    } else {
      if (kind >= 2) properties = own.properties;
      const packed = write(writer.restart(kind >= 1, properties), list).bytes();
      const size = dictionary.length - start - 1;
      bytes.push(0x80 | kind << 5 | size >> 16, size >> 8 & 255, size & 255);
      bytes.push(packed.length - 1 >> 8, packed.length - 1 & 255);
      if (kind >= 2) bytes.push(propertiesByte(properties!));
      bytes.push(...packed);
    }
    data.push(...dictionary.slice(start));
  });
  return { bytes: [...bytes, 0], data };
}
