import { fieldError, LoaderError } from "../errors.ts";
import { parseBzImage, setupHeaderField } from "../formats/bzimage.ts";
import { type BootableFormat, detectKernel, type KernelFormat } from "../formats/detect.ts";
import { parseZboot } from "../formats/zboot.ts";
import { MAX_KERNEL_SIZE, MAX_UNWRAPS } from "../limits.ts";
import { requireBytes } from "../bytes.ts";
import { type KernelSource, readBytes, readExactly, sourceOf } from "../source.ts";
import { checkSize, type CompressedFormat, decompress } from "./decompress.ts";

/** How a kernel is unwrapped. */
export interface UnwrapOptions {
  /**
   * More than this never comes out of any layer; guest RAM is a good bound. Default: 1 GiB.
   */
  readonly maxSize?: number;
  /**
   * Where the kernel goes, if not to a buffer of its own: the bound is its size, too. After an error
   * it holds anything, so it should not be guest memory.
   */
  readonly output?: Uint8Array;
  /**
   * A bzImage boots as it is. `"extract"`, the default, takes the vmlinux out of it, which can also
   * be booted by PVH; `"keep"` leaves it whole, and still unwraps a bzImage that is compressed.
   */
  readonly bzImage?: "extract" | "keep";
}

/** One of the things that lie in each other in a kernel file. */
export interface KernelLayer {
  /** What it is. */
  readonly format: KernelFormat;
  /** Where it starts: bytes from the start of the layer before it, or of what that unpacks to. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/** A kernel that can be booted, and what it was taken out of. */
export interface UnwrappedKernel extends KernelSource {
  /** What it is. */
  readonly format: BootableFormat;
  /** From the file to the kernel, e.g. bzimage, zstd, elf. */
  readonly layers: readonly KernelLayer[];
  /** Its bytes, unless it is the source as it was given. */
  readonly bytes: Uint8Array | undefined;
}

/** Compressed (or bare) bytes in a file. */
interface Payload {
  readonly format: CompressedFormat | "elf";
  readonly offset: number;
  readonly size: number;
  /** What comes out, where the file says so. */
  readonly expectedSize?: number;
}

/** The size word after a bzImage's payload. */
const SIZE_WORD = 4;
/** Headers, and what formats add to noise: what cannot be compressed gets 1.6 % larger at most. */
const packedBound = (maxSize: number): number => maxSize + Math.floor(maxSize / 64) + (1 << 20);

/**
 * Takes a kernel out of whatever it is wrapped in: a vmlinux out of a bzImage, an Image or a vmlinux
 * out of compressed data, an Image out of an EFI zboot image, and any of these out of each other.
 * A kernel that is not wrapped stays what it is.
 *
 * All checksums are verified, and all sizes: there is no shorter result, only an error.
 *
 * @param kernel The kernel file.
 * @param options How much may come out, and where it goes.
 * @returns The kernel, for `bootLinux`.
 * @throws {LoaderError} What {@linkcode decompress} throws; `UNKNOWN_FORMAT` if it is no kernel, or
 * holds none; `BZIMAGE_*` and `ZBOOT_FIELD`; `COMPRESSED_NESTING` past four layers; `SOURCE_FAILED`.
 * @throws {TypeError} If the kernel is neither bytes nor a source.
 *
 * @example
 * ```ts
 * import { type BootPlan, bootLinux, GuestMemory } from "@vmm/linux-loader";
 * import { unwrapKernel } from "@vmm/linux-loader/compressed";
 *
 * async function boot(ram: Uint8Array, file: Uint8Array): Promise<BootPlan> {
 *   const kernel = await unwrapKernel(file, { maxSize: ram.length });
 *   return bootLinux(GuestMemory.of([{ start: 0n, bytes: ram }]), { kernel });
 * }
 * ```
 */
export async function unwrapKernel(
  kernel: Uint8Array | KernelSource,
  options: UnwrapOptions = {},
): Promise<UnwrappedKernel> {
  const { maxSize = MAX_KERNEL_SIZE, output, bzImage = "extract" } = options;
  checkSize("maxSize", maxSize);
  const bound = Math.min(maxSize, output?.length ?? Infinity);
  const layers: KernelLayer[] = [];
  let source = sourceOf(kernel, "kernel");
  let bytes: Uint8Array | undefined; // what was unpacked, once something was
  let isInOutput = false;
  let start = 0; // of the source in the layer before it
  for (let unwraps = 0;; unwraps++) {
    try {
      const format = detectKernel(source);
      layers.push({ format, offset: start, size: source.size });
      start = 0;
      if (isBootable(format) && (format !== "bzimage" || bzImage === "keep")) {
        return finish(format, source, bytes, isInOutput);
      }
      const payload = findPayload(format, source, bound);
      if (format === "bzimage" || format === "efi-zboot") {
        const { format, offset, size } = payload;
        layers.push({ format, offset, size });
      }
      if (unwraps === MAX_UNWRAPS) throw nestingError(layers);
      const packed = readPart(source, bytes, payload);
      if (payload.format === "elf") {
        layers.pop(); // it comes again as what it is
        start = payload.offset;
        bytes = packed;
      } else {
        const { format, expectedSize, offset } = payload;
        const goesTo: Uint8Array | undefined = isInOutput ? undefined : output; // never to where it is read from
        const sizes = { maxSize: bound, expectedSize };
        bytes = await decompress(format, packed, { ...sizes, output: goesTo, offset });
        isInOutput = goesTo !== undefined;
      }
    } catch (error) {
      throw unwraps > 0 && error instanceof LoaderError ? insideError(error, layers) : error;
    }
    source = sourceOf(bytes);
  }

  function finish(
    format: BootableFormat,
    source: KernelSource,
    bytes: Uint8Array | undefined,
    isInOutput: boolean,
  ): UnwrappedKernel {
    if (output === undefined || isInOutput) return asKernel(format, source, bytes, layers);
    if (source.size > bound) throw tooLarge(format, source.size, bound);
    const target = output.subarray(0, source.size);
    if (bytes === undefined) readExactly(source, 0, target, "kernel");
    else target.set(bytes);
    return asKernel(format, sourceOf(target), target, layers);
  }
}

const isBootable = (format: KernelFormat): format is BootableFormat =>
  (["elf", "bzimage", "arm64-image", "riscv64-image"] as KernelFormat[]).includes(format);

function asKernel(
  format: BootableFormat,
  source: KernelSource,
  bytes: Uint8Array | undefined,
  layers: readonly KernelLayer[],
): UnwrappedKernel {
  const readAt = (offset: number, target: Uint8Array) => source.readAt(offset, target);
  return { format, layers, bytes, size: source.size, readAt };
}

function findPayload(format: KernelFormat, source: KernelSource, bound: number): Payload {
  const payload = payloadOf(format, source);
  const most = payload.format === "elf" ? bound : packedBound(bound);
  if (payload.size > most) throw tooLarge(payload.format, payload.size, bound);
  return payload;
}

function payloadOf(format: KernelFormat, source: KernelSource): Payload {
  switch (format) {
    case "bzimage":
      return bzImagePayload(source);
    case "efi-zboot": {
      const { compression, payloadOffset, payloadSize, uncompressedSize } = parseZboot(source);
      const [offset, size] = [payloadOffset, payloadSize];
      return { format: compression, offset, size, expectedSize: uncompressedSize };
    }
    case "elf":
    case "arm64-image":
    case "riscv64-image":
      throw new TypeError(`Cannot unwrap ${format}: it is not wrapped`);
    default:
      return { format, offset: 0, size: source.size };
  }
}

/** boot.rst, "payload_offset", "payload_length": the payload goes by them, whatever lies before it. */
function bzImagePayload(source: KernelSource): Payload {
  const { header, setupSize } = parseBzImage(source);
  const { payload_offset: start = 0, payload_length: size = 0 } = header;
  if (start === 0 || size <= SIZE_WORD) {
    const field = start === 0 ? "payload_offset" : "payload_length";
    const actual = header[field] === undefined ? "none" : `${header[field]}`;
    throw fieldError("BZIMAGE_FIELD", setupHeaderField(field), "a payload", actual);
  }
  const offset = setupSize + start;
  requireBytes(source.size, offset, size, "bzImage payload (payload_offset, payload_length)");
  const format = detectKernel({
    size,
    readAt: (at, target) => source.readAt(offset + at, target.subarray(0, size - at)),
  });
  if (format === "elf") return { format, offset, size };
  if (isBootable(format) || format === "efi-zboot") {
    const place = { field: "bzImage payload", offset };
    throw fieldError("BZIMAGE_FIELD", place, "compressed data or an ELF", format);
  }
  const word = readBytes(source, offset + size - SIZE_WORD, SIZE_WORD, "bzImage size word");
  const expectedSize = new DataView(word.buffer).getUint32(0, true);
  // gzip has the size word of its own; behind the others the kernel's build puts one
  return { format, offset, size: format === "gzip" ? size : size - SIZE_WORD, expectedSize };
}

function readPart(
  source: KernelSource,
  bytes: Uint8Array | undefined,
  { offset, size, format }: Payload,
): Uint8Array {
  return bytes?.subarray(offset, offset + size) ??
    readBytes(source, offset, size, `${format} data`);
}

function tooLarge(format: KernelFormat, size: number, bound: number): LoaderError {
  return new LoaderError(
    "COMPRESSED_SIZE",
    `Cannot unwrap kernel: ${format} data of ${size} bytes, at most ${bound} bytes are wanted (maxSize, or the output that was given)`,
    { field: `${format} data`, offset: 0, expected: `at most ${bound}`, actual: `${size}` },
  );
}

const chainOf = (layers: readonly KernelLayer[]): string =>
  layers.map(({ format }) => format).join(" > ");

function nestingError(layers: readonly KernelLayer[]): LoaderError {
  const actual = chainOf(layers);
  return new LoaderError(
    "COMPRESSED_NESTING",
    `Cannot unwrap kernel: ${actual}, at most ${MAX_UNWRAPS} compressed layers are wanted`,
    { field: "kernel", offset: 0, expected: `at most ${MAX_UNWRAPS} layers`, actual },
  );
}

/** An error inside what was unpacked: its offsets are not the file's, and it says so. */
function insideError(error: LoaderError, layers: readonly KernelLayer[]): LoaderError {
  const { code, message, field, offset, expected, actual } = error;
  return new LoaderError(
    code,
    `${message} (in what was unpacked from ${chainOf(layers)}, offsets from its start)`,
    { field, offset, expected, actual, cause: error },
  );
}
