/** Random numbers that are the same for the same seed, in every runtime: sfc32. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed Any number. */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    this.#d = 1;
    for (let i = 0; i < 12; i++) this.next();
  }

  /**
   * The next number.
   *
   * @returns 32 bits, unsigned.
   */
  next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21 | this.#c >>> 11) + sum) | 0;
    return sum >>> 0;
  }

  /**
   * A number below another one.
   *
   * @param bound The other one, 1 or more.
   * @returns 0 to bound - 1.
   */
  below(bound: number): number {
    return this.next() % bound;
  }

  /**
   * One of some things.
   *
   * @param from The things.
   * @returns One.
   */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}
