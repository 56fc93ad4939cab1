import type { PackedInput } from "./input.ts";

export const MAX_CODE_LENGTH = 20;
/** Codes up to this length are looked up at once. */
export const LOOKUP_BITS = 10;

/** Bits, the most significant first. */
export class Bits {
  readonly #input: PackedInput;
  /** The next bits, at the top of the lowest `count`. */
  buffer = 0;
  count = 0;
  next: number;

  constructor(input: PackedInput) {
    this.#input = input;
    this.next = input.at;
  }

  /** The byte that the next bit lies in. */
  get at(): number {
    return this.next - (this.count + 7 >> 3);
  }

  /** Up to 24 bits. */
  read(size: number): number {
    while (this.count < size) {
      if (this.next >= this.#input.bytes.length) throw this.#input.truncated("data");
      this.buffer = this.buffer << 8 | this.#input.bytes[this.next++];
      this.count += 8;
    }
    this.count -= size;
    return this.buffer >>> this.count & (1 << size) - 1;
  }

  /** Goes to the next whole byte. */
  end(): number {
    return this.at + (this.count & 7 ? 1 : 0);
  }
}

/** A Huffman code: codes of up to ten bits by a table, longer ones by their limits. */
export class Code {
  /** Symbol and length, `symbol << 5 | length`; 0 for longer codes. */
  readonly lookup = new Uint16Array(1 << LOOKUP_BITS);
  /** By length: the first code that is longer, at 20 bits. */
  readonly limits = new Int32Array(MAX_CODE_LENGTH + 2);
  /** By length: what to take off a code for its place in `symbols`. */
  readonly bases = new Int32Array(MAX_CODE_LENGTH + 2);
  readonly symbols = new Uint16Array(258);

  set(lengths: Uint8Array): void {
    this.lookup.fill(0);
    let code = 0;
    let place = 0;
    for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
      this.bases[length] = code - place;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        this.symbols[place++] = symbol;
        if (length <= LOOKUP_BITS) {
          const spare = LOOKUP_BITS - length;
          this.lookup.fill(symbol << 5 | length, code << spare, code + 1 << spare);
        }
        code++;
      }
      this.limits[length] = code << MAX_CODE_LENGTH - length;
      code <<= 1;
    }
  }
}
