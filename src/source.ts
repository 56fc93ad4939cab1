import { requireBytes } from "./bytes.ts";
import { LoaderError } from "./errors.ts";
import { MAX_SINGLE_READ } from "./limits.ts";

/**
 * Where a kernel, an initrd or a module comes from: synchronous positioned reads over something
 * whose size is known up front.
 */
export interface KernelSource {
  /** Size in bytes. */
  readonly size: number;
  /**
   * Reads up to `target.length` bytes from `offset` into `target`.
   *
   * @param offset Bytes from the start.
   * @param target Where the bytes go: a view of guest memory, at most 1 GiB.
   * @returns How many bytes were read; a short read is not an error, 0 is the end.
   */
  readAt(offset: number, target: Uint8Array): number;
}

/** A source over bytes that are in memory already. */
class BytesSource implements KernelSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  readAt(offset: number, target: Uint8Array): number {
    const part = this.#bytes.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }
}

/**
 * Bytes or a source, as a source.
 *
 * @param input Bytes, which are not copied and must not change until the plan is applied; or a source.
 * @param name Named in the error.
 * @returns A source.
 * @throws {TypeError} If it is neither.
 */
export function sourceOf(input: Uint8Array | KernelSource, name = "source"): KernelSource {
  if (input instanceof Uint8Array) return new BytesSource(input);
  const source = input as Partial<KernelSource> | null | undefined;
  if (
    typeof source?.readAt !== "function" || !Number.isSafeInteger(source.size) || source.size! < 0
  ) {
    throw new TypeError(
      `Cannot read ${name}: expected a Uint8Array or a KernelSource { size, readAt }`,
    );
  }
  return source as KernelSource;
}

/**
 * Reads exactly `target.length` bytes, however short the single reads are.
 *
 * @param source Where from.
 * @param offset Bytes from the start.
 * @param target Where to; as long as what is wanted.
 * @param field What is being read, named in the error.
 * @throws {LoaderError} `TRUNCATED` if the source is too small, `SOURCE_FAILED` if it does not
 * deliver what it promised.
 */
export function readExactly(
  source: KernelSource,
  offset: number,
  target: Uint8Array,
  field: string,
): void {
  requireBytes(source.size, offset, target.length, field);
  let done = 0;
  while (done < target.length) {
    const part = target.subarray(done, done + Math.min(target.length - done, MAX_SINGLE_READ));
    let count: number;
    try {
      count = source.readAt(offset + done, part);
    } catch (cause) {
      throw sourceFailed(field, offset + done, "the source threw", cause);
    }
    if (!Number.isInteger(count) || count <= 0 || count > part.length) {
      throw sourceFailed(
        field,
        offset + done,
        count === 0 ? "the source ended before its size" : `the source returned ${count}`,
      );
    }
    done += count;
  }
}

/**
 * Reads a part of a source into bytes of its own.
 *
 * @param source Where from.
 * @param offset Bytes from the start.
 * @param size How many bytes. The source is known to be that large before they are allocated.
 * @param field What is being read, named in the error.
 * @returns The bytes.
 * @throws {LoaderError} As {@linkcode readExactly}.
 */
export function readBytes(
  source: KernelSource,
  offset: number,
  size: number,
  field: string,
): Uint8Array {
  requireBytes(source.size, offset, size, field);
  const bytes = new Uint8Array(size);
  readExactly(source, offset, bytes, field);
  return bytes;
}

/**
 * Reads what there is of a header: as much as `size`, less at the end of the source.
 *
 * @param source Where from.
 * @param size How many bytes from the start at most.
 * @param field What is being read, named in the error.
 * @returns Between 0 and `size` bytes.
 * @throws {LoaderError} `SOURCE_FAILED` if the source does not deliver what it promised.
 */
export function readHead(source: KernelSource, size: number, field: string): Uint8Array {
  return readBytes(source, 0, Math.min(size, source.size), field);
}

function sourceFailed(field: string, offset: number, what: string, cause?: unknown): LoaderError {
  const reason = cause instanceof Error ? `${what} (${cause.message})` : what;
  return new LoaderError(
    "SOURCE_FAILED",
    `Cannot read ${field} at 0x${offset.toString(16)}: ${reason}`,
    { field, offset, cause },
  );
}
