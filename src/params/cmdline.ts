import { LoaderError } from "../errors.ts";
import {
  characterError,
  formatMemorySize,
  INIT_ARGS_SEPARATOR,
  requireKey,
  requirePrintable,
  requireString,
  requireValue,
  splitInitArgs,
  trimSlice,
} from "./cmdline_rules.ts";

export { checkCmdline, CMDLINE_LIMITS, type CmdlineLimit } from "./cmdline_rules.ts";

/**
 * A kernel command line under construction, in linux-loader's vocabulary: the kernel's arguments,
 * then `" -- "` and the arguments for init, if there are any. An operation that fails leaves it as
 * it was.
 *
 * @example
 * ```ts
 * import { Cmdline } from "@vmm/linux-loader";
 *
 * const cmdline = new Cmdline(2048);
 * cmdline.insertStr("quiet");
 * cmdline.insert("console", "ttyS0");
 * cmdline.addVirtioMmioDevice(4096n, 0xd000_0000n, 5);
 * cmdline.insertInitArgs("single");
 * console.log(`${cmdline}`); // quiet console=ttyS0 virtio_mmio.device=4K@0xd0000000:5 -- single
 * ```
 */
export class Cmdline {
  readonly #capacity: number;
  #boot = "";
  #init = "";
  /** Bytes of the whole line, the separator included, the NUL not. */
  #size = 0;

  /**
   * Starts an empty command line.
   *
   * @param capacity Bytes the line may grow to, the NUL included.
   * @throws {LoaderError} `CMDLINE_CAPACITY` if that is not a positive integer.
   */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      const expected = "a positive integer";
      throw new LoaderError(
        "CMDLINE_CAPACITY",
        `Cannot create command line: capacity ${capacity}, expected ${expected}`,
        { field: "capacity", expected, actual: `${capacity}` },
      );
    }
    this.#capacity = capacity;
  }

  /**
   * Takes a whole command line apart, at the first `" -- "` that an even number of `"` precedes, and
   * trims both halves. As in linux-loader the characters are not checked here: what is not ASCII is
   * passed on as UTF-8, and counts as many bytes.
   *
   * @param raw The command line.
   * @param capacity Bytes the line may grow to, the NUL included.
   * @returns A command line to which more can be added.
   * @throws {LoaderError} `CMDLINE_CAPACITY` if that is not a positive integer or less than `raw`
   * needs; `CMDLINE_ASCII` if `raw` holds half a surrogate pair, which has no bytes.
   * @throws {TypeError} If `raw` is not a string.
   *
   * @example
   * ```ts
   * import { Cmdline } from "@vmm/linux-loader";
   *
   * const cmdline = Cmdline.tryFrom("quiet -- single", 2048);
   * cmdline.insert("root", "/dev/vda");
   * console.log(`${cmdline}`); // quiet root=/dev/vda -- single
   * ```
   */
  static tryFrom(raw: string, capacity: number): Cmdline {
    const cmdline = new Cmdline(capacity);
    requireString(raw, "command line");
    const half = raw.search(/\p{Surrogate}/u);
    if (half >= 0) {
      throw characterError("CMDLINE_ASCII", "command line", raw, half, 0, "whole characters");
    }
    const { boot, init } = splitInitArgs(raw);
    cmdline.#boot = boot.text;
    cmdline.#init = init.text;
    cmdline.#size = new TextEncoder().encode(cmdline.toString()).length;
    if (cmdline.#size >= capacity) {
      const actual = `${cmdline.#size + 1} bytes with the NUL`;
      throw new LoaderError(
        "CMDLINE_CAPACITY",
        `Cannot parse command line: ${actual}, the capacity is ${capacity}`,
        { field: "command line", expected: `at most ${capacity} bytes with the NUL`, actual },
      );
    }
    return cmdline;
  }

  /**
   * Adds `key=value` to the kernel's arguments.
   *
   * @param key Printable ASCII without a space or `=`.
   * @param value Printable ASCII; `"` only as the first or the last character, spaces only if it is both.
   * @throws {LoaderError} `CMDLINE_ASCII`, `CMDLINE_SPACE`, `CMDLINE_EQUALS`, `CMDLINE_QUOTE`,
   * `CMDLINE_QUOTE_SPACE`, `CMDLINE_TOO_LONG`; the offset is an index into `key` or `value`, the
   * field says which.
   * @throws {TypeError} If one is not a string.
   */
  insert(key: string, value: string): void {
    requireString(key, "key");
    requireString(value, "value");
    requireKey(key);
    requireValue(value, "value");
    this.#addBoot(`${key}=${value}`, "parameter");
  }

  /**
   * Adds `key=value,value,…` to the kernel's arguments.
   *
   * @param key As {@linkcode Cmdline.insert}'s.
   * @param values One or more, each as {@linkcode Cmdline.insert}'s.
   * @throws {LoaderError} As {@linkcode Cmdline.insert}, with the field `values[i]`, and
   * `CMDLINE_MISSING_VALUE` if there is none.
   * @throws {TypeError} If one is not a string.
   */
  insertMultiple(key: string, values: readonly string[]): void {
    requireString(key, "key");
    for (const [i, value] of values.entries()) requireString(value, `values[${i}]`);
    requireKey(key);
    if (values.length === 0) {
      throw new LoaderError(
        "CMDLINE_MISSING_VALUE",
        `Cannot insert ${key}: got no values, expected at least one`,
        { field: "values", expected: "at least one value", actual: "none" },
      );
    }
    for (const [i, value] of values.entries()) requireValue(value, `values[${i}]`);
    this.#addBoot(`${key}=${values.join(",")}`, "parameter");
  }

  /**
   * Adds text to the kernel's arguments. White space at its ends is dropped, line breaks included.
   *
   * @param slug Printable ASCII. An empty one still adds a space, as it does in linux-loader.
   * @throws {LoaderError} `CMDLINE_ASCII` (the offset is an index into `slug`), `CMDLINE_TOO_LONG`.
   * @throws {TypeError} If it is not a string.
   */
  insertStr(slug: string): void {
    requireString(slug, "slug");
    const trimmed = trimSlice({ text: slug, start: 0 });
    requirePrintable(trimmed, "slug");
    this.#addBoot(trimmed.text, "slug");
  }

  /**
   * Adds text to the arguments for init, which Linux does not look at.
   *
   * @param slug As {@linkcode Cmdline.insertStr}'s. The first costs four bytes more, for `" -- "`.
   * @throws {LoaderError} `CMDLINE_ASCII` (the offset is an index into `slug`), `CMDLINE_TOO_LONG`.
   * @throws {TypeError} If it is not a string.
   */
  insertInitArgs(slug: string): void {
    requireString(slug, "init arguments");
    const trimmed = trimSlice({ text: slug, start: 0 });
    requirePrintable(trimmed, "init arguments");
    const separator = this.#init === "" ? INIT_ARGS_SEPARATOR.length : 1;
    const size = this.#grow(separator + trimmed.text.length, "init arguments");
    if (this.#init !== "") this.#init += ` ${trimmed.text}`;
    else if (trimmed.text !== "") this.#init = trimmed.text;
    else return; // room for the separator was asked for, but it is not written
    this.#size = size;
  }

  /**
   * Tells the kernel of a virtio device over MMIO: `virtio_mmio.device=<size>@0x<base>:<irq>[:<id>]`.
   *
   * @param size Bytes of its register window.
   * @param base The window's guest-physical address.
   * @param irq Its interrupt, an unsigned 32-bit number.
   * @param id Its platform device id, an unsigned 32-bit number; the kernel counts by itself without.
   * @throws {LoaderError} `CMDLINE_MMIO_SIZE` if the size is 0, `CMDLINE_TOO_LONG`.
   * @throws {TypeError} If `size` or `base` is not a bigint.
   * @throws {RangeError} If a number does not fit its 64 or 32 bits.
   */
  addVirtioMmioDevice(size: bigint, base: bigint, irq: number, id?: number): void {
    const field = "virtio_mmio.device";
    if (BigInt.asUintN(64, size) !== size || BigInt.asUintN(64, base) !== base) {
      throw new RangeError(
        `Cannot insert ${field}: size ${size} and base ${base} must fit 64 bits, unsigned`,
      );
    }
    if (irq >>> 0 !== irq || (id !== undefined && id >>> 0 !== id)) {
      throw new RangeError(
        `Cannot insert ${field}: irq ${irq} and id ${id} must fit 32 bits, unsigned`,
      );
    }
    if (size === 0n) {
      throw new LoaderError(
        "CMDLINE_MMIO_SIZE",
        `Cannot insert ${field}: size 0, expected at least 1 byte`,
        { field, expected: "at least 1 byte", actual: "0" },
      );
    }
    const suffix = id === undefined ? "" : `:${id}`;
    this.#addBoot(
      `${field}=${formatMemorySize(size)}@0x${base.toString(16)}:${irq}${suffix}`,
      field,
    );
  }

  /**
   * The line as a kernel wants it.
   *
   * @returns Its bytes, UTF-8, with the NUL.
   * @throws {LoaderError} `CMDLINE_NO_BOOT_ARGS` if there are arguments for init only, `CMDLINE_NUL`
   * if {@linkcode Cmdline.tryFrom} was given a NUL; the offset is an index into `toString()`.
   */
  asCString(): Uint8Array {
    const field = "command line";
    if (this.#boot === "" && this.#init !== "") {
      const expected = "at least one argument for the kernel";
      throw new LoaderError(
        "CMDLINE_NO_BOOT_ARGS",
        `Cannot write ${field}: got arguments for init only, expected ${expected}`,
        { field, expected, actual: "arguments for init only" },
      );
    }
    const text = this.toString();
    const nul = text.indexOf("\0");
    if (nul >= 0) throw characterError("CMDLINE_NUL", field, text, nul, 0, "no NUL before the end");
    return new TextEncoder().encode(`${text}\0`);
  }

  /**
   * The line as people read it, without the NUL.
   *
   * @returns The text, also of a line that {@linkcode Cmdline.asCString} would refuse.
   */
  toString(): string {
    return this.#init === "" ? this.#boot : this.#boot + INIT_ARGS_SEPARATOR + this.#init;
  }

  #addBoot(text: string, field: string): void {
    const space = this.#boot === "" ? "" : " ";
    this.#size = this.#grow(space.length + text.length, field);
    this.#boot += space + text;
  }

  /** The line's size with `added` bytes more; nothing is changed yet. */
  #grow(added: number, field: string): number {
    const size = this.#size + added;
    if (size < this.#capacity) return size;
    const actual = `${size + 1} bytes with the NUL`;
    throw new LoaderError(
      "CMDLINE_TOO_LONG",
      `Cannot insert ${field}: the command line would take ${actual}, its capacity is ${this.#capacity}`,
      { field, expected: `at most ${this.#capacity} bytes with the NUL`, actual },
    );
  }
}
