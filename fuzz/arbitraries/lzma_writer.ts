/**
 * Writes LZMA data as it is told, right or wrong: the LZMA specification, "The main loop of decoder",
 * read from the other side; lc 3, lp 0, pb 2.
 */

const MIN_MATCH = 2;
/** The range coder's low grows without end here, and its bytes are taken at the end. */
const TOP = 1n << 24n;

/** A stream of symbols. */
export class LzmaWriter {
  /** What has come out. */
  readonly data: number[] = [];
  #low = 0n;
  #range = 0xffff_ffffn;
  #size = 4;
  #chances = new Map<string, bigint>();
  #state = 0;
  #reps = [0, 0, 0, 0];

  /** A byte. */
  literal(byte: number): this {
    this.#bit(`match ${this.#state} ${this.#positionState}`, 0);
    const before = (this.data.at(-1) ?? 0) >> 5;
    if (this.#state >= 7) this.#foretold(byte, before);
    else this.#tree(`literal ${before}`, byte, 8);
    this.data.push(byte);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
    return this;
  }

  /** A copy from a distance of 1 on. */
  match(distance: number, length: number): this {
    this.#bit(`match ${this.#state} ${this.#positionState}`, 1);
    this.#bit(`rep ${this.#state}`, 0);
    this.#length("match length", length);
    this.#distance(distance - 1, length);
    this.#reps = [distance - 1, ...this.#reps.slice(0, 3)];
    this.#state = this.#state < 7 ? 7 : 10;
    return this.#copy(length);
  }

  /** A copy from the last distance. */
  again(length: number): this {
    this.#bit(`match ${this.#state} ${this.#positionState}`, 1);
    this.#bit(`rep ${this.#state}`, 1);
    this.#bit(`rep0 ${this.#state}`, 0);
    this.#bit(`rep0 long ${this.#state} ${this.#positionState}`, 1);
    this.#length("rep length", length);
    this.#state = this.#state < 7 ? 8 : 11;
    return this.#copy(length);
  }

  /** The end marker. */
  end(): this {
    this.#bit(`match ${this.#state} ${this.#positionState}`, 1);
    this.#bit(`rep ${this.#state}`, 0);
    this.#length("match length", MIN_MATCH);
    this.#distance(0xffff_ffff, MIN_MATCH);
    return this;
  }

  /** Forgets what was learnt, as a new chunk does; the data stays. */
  restart(isReset: boolean): this {
    [this.#low, this.#range, this.#size] = [0n, 0xffff_ffffn, 4];
    if (!isReset) return this;
    this.#chances = new Map();
    [this.#state, this.#reps] = [0, [0, 0, 0, 0]];
    return this;
  }

  /** What has been written since the start, or since the last new chunk. */
  bytes(): number[] {
    const bytes = Array.from(
      { length: this.#size },
      (_, i) => Number(this.#low >> BigInt(8 * i) & 255n),
    );
    return [0, ...bytes.reverse()];
  }

  get #positionState(): number {
    return this.data.length & 3;
  }

  #copy(length: number): this {
    const distance = this.#reps[0] + 1;
    for (let i = 0; i < length; i++) this.data.push(this.data.at(-distance) ?? 0);
    return this;
  }

  #scale(): void {
    if (this.#range >= TOP) return;
    [this.#low, this.#range, this.#size] = [this.#low << 8n, this.#range << 8n, this.#size + 1];
  }

  #bit(name: string, bit: number): void {
    const chance = this.#chances.get(name) ?? 1024n;
    const bound = (this.#range >> 11n) * chance;
    if (bit === 0) {
      this.#range = bound;
      this.#chances.set(name, chance + (2048n - chance >> 5n));
    } else {
      this.#low += bound;
      this.#range -= bound;
      this.#chances.set(name, chance - (chance >> 5n));
    }
    this.#scale();
  }

  #tree(name: string, value: number, width: number): void {
    let node = 1;
    for (let i = width - 1; i >= 0; i--) {
      const bit = value >>> i & 1;
      this.#bit(`${name} ${node}`, bit);
      node = 2 * node + bit;
    }
  }

  #foretold(byte: number, before: number): void {
    const wanted = this.data.at(-this.#reps[0] - 1) ?? 0;
    let node = 1;
    let isSame = true;
    for (let i = 7; i >= 0; i--) {
      const [bit, like] = [byte >> i & 1, wanted >> i & 1];
      this.#bit(`literal ${before} ${isSame ? `like ${like} ` : ""}${node}`, bit);
      isSame &&= bit === like;
      node = 2 * node + bit;
    }
  }

  #length(name: string, length: number): void {
    const value = length - MIN_MATCH;
    this.#bit(`${name} low`, value < 8 ? 0 : 1);
    if (value < 8) return this.#tree(`${name} low ${this.#positionState}`, value, 3);
    this.#bit(`${name} mid`, value < 16 ? 0 : 1);
    if (value < 16) return this.#tree(`${name} mid ${this.#positionState}`, value - 8, 3);
    this.#tree(`${name} high`, value - 16, 8);
  }

  #distance(value: number, length: number): void {
    const width = 32 - Math.clz32(value);
    const slot = value < 4 ? value : 2 * (width - 1) + (value >>> width - 2 & 1);
    this.#tree(`slot ${Math.min(length - MIN_MATCH, 3)}`, slot, 6);
    if (slot < 4) return;
    const bits = (slot >> 1) - 1;
    const rest = value % 2 ** bits;
    if (slot < 14) return this.#reverseTree(`special ${slot}`, rest, bits);
    for (let i = bits - 1; i >= 4; i--) {
      this.#range >>= 1n;
      if (Math.floor(rest / 2 ** i) % 2 === 1) this.#low += this.#range;
      this.#scale();
    }
    this.#reverseTree("align", rest % 16, 4);
  }

  #reverseTree(name: string, value: number, width: number): void {
    let node = 1;
    for (let i = 0; i < width; i++) {
      const bit = value >>> i & 1;
      this.#bit(`${name} ${node}`, bit);
      node = 2 * node + bit;
    }
  }
}
