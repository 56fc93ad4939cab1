import { Bits, Code, LOOKUP_BITS, MAX_CODE_LENGTH } from "./bzip2_code.ts";
import type { PackedInput } from "./input.ts";
import type { Output } from "./output.ts";

/** "BZh" and the block size in 100 kB. There is no document but bzip2's source, decompress.c. */
const MAGIC = [0x42, 0x5a, 0x68];
const LEVEL_UNIT = 100_000;
/** The first and last 24 bits of pi and of its square root, in BCD. */
const BLOCK_START = [0x314159, 0x265359] as const;
const STREAM_END = [0x177245, 0x385090] as const;

const MIN_TABLES = 2;
const MAX_TABLES = 6;
/** Symbols that are decoded with one table. */
const GROUP = 50;
/** bzip2.c's BZ_MAX_SELECTORS, 2 + 900,000 / 50; more are there in files of old lbzip2, and unused. */
const MAX_SELECTORS = 18_002;
/** The symbols that are digits of a run's length. */
const RUN_B = 1;
/** Longest run of a symbol: a whole block's. */
const MAX_RUN = 1 << 21;
/** Four equal bytes are followed by the count of more. */
const RUN_START = 4;
/** Made room for at a time. */
const STEP = 1 << 20;

/** MSB first, the polynomial of IEEE 802.3. */
const CRC_TABLE = new Int32Array(256).map((_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  return crc;
});

/**
 * Decompresses .bz2 files: streams in a row, the CRC of each block and stream.
 *
 * @param input From the magic on.
 * @param output Where it goes.
 */
export function decodeBzip2(input: PackedInput, output: Output): void {
  const block = new Block(input);
  do {
    if (input.at > 0 && input.bytes[input.at] !== MAGIC[0]) input.end();
    decodeStream(input, output, block);
  } while (input.rest > 0);
}

function decodeStream(input: PackedInput, output: Output, block: Block): void {
  for (const byte of MAGIC) {
    const actual = input.u8("magic");
    if (actual !== byte) {
      throw input.corrupt("magic", input.at - 1, `0x${byte.toString(16)}`, actual);
    }
  }
  const level = input.u8("block size") - 0x30;
  if (level < 1 || level > 9) throw input.corrupt("block size", input.at - 1, "1 to 9", level);
  block.startStream(level * LEVEL_UNIT);
  let combined = 0;
  for (;;) {
    const at = block.bits.at;
    const start = [block.bits.read(24), block.bits.read(24)];
    const isEnd = start[0] === STREAM_END[0] && start[1] === STREAM_END[1];
    if (!isEnd && (start[0] !== BLOCK_START[0] || start[1] !== BLOCK_START[1])) {
      throw input.corrupt("block start", at, "0x314159265359 or 0x177245385090", start[0]);
    }
    const stored = (block.bits.read(16) << 16 | block.bits.read(16)) >>> 0;
    if (isEnd) {
      input.verify("stream CRC", at + 6, stored, combined >>> 0);
      input.at = block.bits.end();
      return;
    }
    const crc = block.decode(output);
    input.verify("block CRC", at + 6, stored, crc >>> 0);
    combined = (combined << 1 | combined >>> 31) ^ crc;
  }
}

/** What decodes blocks: one for all streams, which may be 14 bytes each. */
class Block {
  bits: Bits;
  readonly #input: PackedInput;
  #size = 0;
  /**
   * Low 8 bits: the bytes after the transform; above: where the next one is. Made for the first
   * block that needs it: a stream may have none.
   */
  #links = new Uint32Array(0);
  readonly #codes = Array.from({ length: MAX_TABLES }, () => new Code());
  readonly #selectors = new Uint8Array(MAX_SELECTORS);
  readonly #counts = new Int32Array(256);

  constructor(input: PackedInput) {
    this.#input = input;
    this.bits = new Bits(input);
  }

  /** Starts at the input's place, with blocks of up to this size. */
  startStream(size: number): void {
    this.#size = size;
    this.bits = new Bits(this.#input);
  }

  /** Decodes a block from after its CRC on, and returns the CRC of what came out. */
  decode(output: Output): number {
    const at = this.bits.at;
    const corrupt = (what: string, expected: string, actual: string | number) =>
      this.#input.corrupt(what, at, expected, actual);
    if (this.bits.read(1) !== 0) {
      const code = "COMPRESSED_UNSUPPORTED"; // bzip2 0.9.0 and before, 1998
      throw this.#input.corrupt("randomised", at, "a block that is not", "one", code);
    }
    const origin = this.bits.read(24);
    const used = this.#readUsedBytes();
    if (used.length === 0) throw corrupt("byte map", "at least one byte", "none");
    const selectorCount = this.#readCodes(used.length + 2, corrupt);
    if (this.#links.length < this.#size) this.#links = new Uint32Array(this.#size);
    const length = this.#readSymbols(used, selectorCount, corrupt);
    if (origin >= length) throw corrupt("origin", `below ${length}`, origin);
    this.#link(length);
    return this.#write(length, origin, output, corrupt);
  }

  #readUsedBytes(): Uint8Array {
    const ranges = this.bits.read(16);
    const used: number[] = [];
    for (let high = 0; high < 16; high++) {
      if ((ranges & 0x8000 >> high) === 0) continue;
      const map = this.bits.read(16);
      for (let low = 0; low < 16; low++) if (map & 0x8000 >> low) used.push(high << 4 | low);
    }
    return Uint8Array.from(used);
  }

  /** Reads selectors and code lengths; returns the number of selectors. */
  #readCodes(alphabet: number, corrupt: Corrupt): number {
    const bits = this.bits;
    const tables = bits.read(3);
    if (tables < MIN_TABLES || tables > MAX_TABLES) throw corrupt("table count", "2 to 6", tables);
    const count = bits.read(15);
    if (count === 0) throw corrupt("selector count", "at least 1", 0);
    const recent = Uint8Array.from({ length: tables }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      let place = 0;
      while (bits.read(1) === 1) {
        if (++place >= tables) throw corrupt("selector", `below ${tables}`, place);
      }
      const table = recent[place]; // not splice(): eight selectors may lie in a byte
      for (let i = place; i > 0; i--) recent[i] = recent[i - 1];
      recent[0] = table;
      if (i < MAX_SELECTORS) this.#selectors[i] = table;
    }
    const lengths = new Uint8Array(alphabet);
    for (let table = 0; table < tables; table++) {
      let length = bits.read(5);
      for (let symbol = 0; symbol < alphabet; symbol++) {
        for (;;) {
          if (length < 1 || length > MAX_CODE_LENGTH) {
            throw corrupt("code length", "1 to 20", length);
          }
          if (bits.read(1) === 0) break;
          length += bits.read(1) === 0 ? 1 : -1;
        }
        lengths[symbol] = length;
      }
      const space = lengths.reduce((sum, length) => sum + (1 << MAX_CODE_LENGTH - length), 0);
      if (space > 1 << MAX_CODE_LENGTH) throw corrupt("code lengths", "a prefix code", "too many");
      this.#codes[table].set(lengths);
    }
    return Math.min(count, MAX_SELECTORS);
  }

  /** Reads the symbols: move-to-front places, and runs of the front. Returns the block's length. */
  #readSymbols(used: Uint8Array, selectorCount: number, corrupt: Corrupt): number {
    // An argument: the loop's own variable would be slow if a closure had it
    const broken = (next: number, ...what: Parameters<Corrupt>): Error =>
      next > bytes.length ? this.#input.truncated("data") : corrupt(...what); // zeros were read
    const { bytes } = this.#input;
    const links = this.#links;
    const counts = this.#counts.fill(0);
    const front = used.slice();
    const endOfBlock = used.length + 1;
    const size = this.#size;
    let { buffer, count, next } = this.bits;
    let position = 0;
    let run = 0;
    let digit = 1;
    for (let group = 0; group < selectorCount; group++) {
      const { lookup, limits, bases, symbols } = this.#codes[this.#selectors[group]];
      if (next > bytes.length + 3) throw this.#input.truncated("data");
      for (let i = 0; i < GROUP; i++) {
        while (count < MAX_CODE_LENGTH) { // zeros past the end: noticed at the next group
          buffer = buffer << 8 | bytes[next++];
          count += 8;
        }
        let symbol: number;
        const entry = lookup[buffer >>> count - LOOKUP_BITS & (1 << LOOKUP_BITS) - 1];
        if (entry !== 0) {
          symbol = entry >>> 5;
          count -= entry & 31;
        } else {
          const code = buffer >>> count - MAX_CODE_LENGTH & (1 << MAX_CODE_LENGTH) - 1;
          let length = LOOKUP_BITS + 1;
          while (length <= MAX_CODE_LENGTH && code >= limits[length]) length++;
          if (length > MAX_CODE_LENGTH) throw broken(next, "code", "one of the table's", code);
          symbol = symbols[(code >>> MAX_CODE_LENGTH - length) - bases[length]];
          count -= length;
        }

        if (symbol <= RUN_B) {
          run += digit << symbol;
          digit <<= 1;
          if (digit > MAX_RUN) throw broken(next, "run", `at most ${size} bytes`, "more");
          continue;
        }
        if (run > 0) {
          if (run > size - position) throw broken(next, "block", `at most ${size} bytes`, "more");
          const byte = front[0];
          counts[byte] += run;
          links.fill(byte, position, position + run);
          position += run;
          run = 0;
          digit = 1;
        }
        if (symbol === endOfBlock) {
          for (; count >= 8; count -= 8, next--) buffer >>>= 8; // gives back what lies past the end
          if (next > bytes.length) throw this.#input.truncated("data");
          this.bits.buffer = buffer;
          this.bits.count = count;
          this.bits.next = next;
          return position;
        }
        if (position === size) throw broken(next, "block", `at most ${size} bytes`, "more");
        const place = symbol - 1;
        const byte = front[place];
        if (place < 16) { for (let i = place; i > 0; i--) front[i] = front[i - 1]; }
        else front.copyWithin(1, 0, place);
        front[0] = byte;
        counts[byte]++;
        links[position++] = byte;
      }
    }
    throw broken(next, "selectors", "an end of the block", "none");
  }

  /** Undoes the Burrows-Wheeler transform: each byte learns where the next one is. */
  #link(length: number): void {
    const links = this.#links;
    const counts = this.#counts;
    let sum = 0;
    for (let byte = 0; byte < 256; byte++) {
      const count = counts[byte];
      counts[byte] = sum;
      sum += count;
    }
    for (let i = 0; i < length; i++) links[counts[links[i] & 0xff]++] |= i << 8;
  }

  /** Follows the links, expands runs of four and more, returns the CRC. */
  #write(length: number, origin: number, output: Output, corrupt: Corrupt): number {
    const links = this.#links;
    let link = links[origin];
    let crc = -1;
    let last = -1;
    let equal = 0;
    let out = output.makeRoom(STEP);
    let position = output.length;
    for (let i = 0; i < length; i++) {
      link = links[link >>> 8];
      const byte = link & 0xff;
      const repeat = equal === RUN_START ? byte : 1;
      if (repeat > out.length - position) {
        output.length = position;
        output.reserve(repeat);
        out = output.makeRoom(STEP);
      }
      if (equal === RUN_START) {
        equal = 0;
        out.fill(last, position, position + byte);
        position += byte;
        for (let i = byte; i > 0; i--) crc = crc << 8 ^ CRC_TABLE[crc >>> 24 ^ last];
        last = -1;
        continue;
      }
      equal = byte === last ? equal + 1 : 1;
      last = byte;
      out[position++] = byte;
      crc = crc << 8 ^ CRC_TABLE[crc >>> 24 ^ byte];
    }
    output.length = position;
    if (equal === RUN_START) throw corrupt("run", "a count after four equal bytes", "the end");
    return ~crc;
  }
}

type Corrupt = (what: string, expected: string, actual: string | number) => Error;
