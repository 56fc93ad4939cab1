/** Cases that the library must refuse, without a byte written. */
import { Buffer } from "node:buffer";
import { bootLinux, LoaderError } from "../mod.ts";
import type { Capabilities } from "./capabilities.ts";
import type { RefusalCase, Verdict } from "./case.ts";
import { allocate, kernelPaths, openKernel } from "./layout_input.ts";

/** Memory is filled with this before a refusal, and must hold it after. */
const CANARY = 0x5a;
const CHUNK = 1 << 20;

/** Chunk by chunk: byte by byte takes half a second, in which nothing else runs. */
function holdsOnly(bytes: Uint8Array, value: number): boolean {
  const wanted = new Uint8Array(CHUNK).fill(value);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    if (Buffer.compare(chunk, wanted.subarray(0, chunk.length)) !== 0) return false;
  }
  return true;
}

/**
 * Runs a case that the library must refuse.
 *
 * @param test The case.
 * @param capabilities What is there.
 * @returns What came of it: the error code that is wanted, and memory as it was, is a pass.
 */
export async function refuse(test: RefusalCase, capabilities: Capabilities): Promise<Verdict> {
  const { kernel: wanted, options } = await test.layout(kernelPaths(capabilities));
  const kernel = openKernel(wanted);
  const memory = allocate(test.ram, CANARY);
  let refusal;
  try {
    bootLinux(memory, { ...options, kernel: kernel.source });
    return { outcome: "fail", reason: `it was booted, ${test.code} is wanted` };
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error;
    refusal = `${error.code}: ${error.message}`;
    if (error.code !== test.code) {
      return { outcome: "fail", reason: `${error.code} is not ${test.code}: ${error.message}` };
    }
  } finally {
    kernel.close();
  }
  const isUntouched = memory.regions.every(({ bytes }) => holdsOnly(bytes, CANARY));
  return isUntouched
    ? { outcome: "pass", refusal }
    : { outcome: "fail", reason: "guest memory was written", refusal };
}
