import { fieldError } from "../errors.ts";
import { parseBzImage, setupHeaderField } from "../formats/bzimage.ts";
import { MAX_KERNEL_SIZE } from "../limits.ts";
import { type KernelSource, readBytes, readExactly, sourceOf } from "../source.ts";
import { updateCrc32 } from "./checksums.ts";

/** What a bzImage's checksum came to. */
export interface BzImageChecksum {
  /**
   * - `valid`: the file is as it was built.
   * - `mismatch`: it was changed (signed, for instance), or it was built without a checksum, as newer
   *   kernels are.
   * - `truncated`: the file ends before what syssize says.
   */
  readonly state: "valid" | "mismatch" | "truncated";
  /** The last four bytes of the range: where the checksum is, if there is one. */
  readonly stored: number | undefined;
  /** The checksum of everything before them. */
  readonly computed: number | undefined;
}

const CHUNK = 1 << 20;
const CHECKSUM_SIZE = 4;

/**
 * Checks a bzImage's own CRC-32, over byte 0 to setup + syssize × 16 (boot.rst, "The image
 * checksum"). It is information: a kernel with a wrong one boots.
 *
 * @param kernel The file.
 * @returns What came of it.
 * @throws {LoaderError} `BZIMAGE_*` or `TRUNCATED` if it is no bzImage; `LIMIT_EXCEEDED` past
 * {@linkcode MAX_KERNEL_SIZE}; `SOURCE_FAILED`.
 * @throws {TypeError} If it is neither bytes nor a source.
 */
export function bzImageChecksum(kernel: Uint8Array | KernelSource): BzImageChecksum {
  const source = sourceOf(kernel, "kernel");
  const { setupSize, kernelSize } = parseBzImage(source);
  const end = setupSize + kernelSize - CHECKSUM_SIZE;
  if (end + CHECKSUM_SIZE > source.size || end < setupSize) {
    return { state: "truncated", stored: undefined, computed: undefined };
  }
  if (kernelSize > MAX_KERNEL_SIZE) { // a sparse file may be that large: minutes
    const expected = `at most ${MAX_KERNEL_SIZE} bytes`;
    throw fieldError("LIMIT_EXCEEDED", setupHeaderField("syssize"), expected, `${kernelSize}`);
  }
  let register = -1;
  const chunk = new Uint8Array(Math.min(CHUNK, end));
  for (let at = 0; at < end; at += CHUNK) {
    const part = chunk.subarray(0, Math.min(CHUNK, end - at));
    readExactly(source, at, part, "bzImage");
    register = updateCrc32(register, part);
  }
  const word = readBytes(source, end, CHECKSUM_SIZE, "bzImage CRC-32");
  const stored = new DataView(word.buffer).getUint32(0, true);
  const computed = register >>> 0; // not inverted: the whole range comes to 0
  return { state: stored === computed ? "valid" : "mismatch", stored, computed };
}
