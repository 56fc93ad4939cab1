/** What a guest's process is told to do: a file of JSON, with bigints and bytes in it. */
import { Buffer } from "node:buffer";
import type { AddressRange, BootOptions } from "../../../mod.ts";
import { bytesOf } from "../../matchers/content.ts";

/** A guest to boot. */
export interface Job {
  /** The kernel file. */
  readonly kernel: string;
  /** Guest RAM; page aligned. */
  readonly ram: readonly AddressRange[];
  /** What else the library is asked for. */
  readonly options: Omit<BootOptions, "kernel">;
  /** The byte that guest memory is filled with before; fresh memory if not given. */
  readonly dirt?: number;
  /** Whether the machine has interrupt controllers and a timer. */
  readonly interrupts: boolean;
  /** Where {@linkcode describePlan} of the plan goes, before the guest runs. */
  readonly planFile: string;
}

/**
 * A job as text. Sources are read, so that the text is whole.
 *
 * @param job The job.
 * @returns JSON.
 */
export function encodeJob(job: Job): string {
  const { cmdline, ...options } = job.options;
  const text = cmdline === undefined ? {} : { cmdline: String(cmdline) };
  return JSON.stringify(encode({ ...job, options: { ...options, ...text } }));
}

function encode(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: `0x${value.toString(16)}` };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array || "readAt" in value) {
    const bytes = bytesOf(value as Parameters<typeof bytesOf>[0]);
    return { $bytes: Buffer.from(bytes).toString("base64") };
  }
  if (Array.isArray(value)) return value.map(encode);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
}

/**
 * Reads what {@linkcode encodeJob} wrote.
 *
 * @param text JSON.
 * @returns The job.
 * @throws {SyntaxError} If it is no JSON.
 */
export function decodeJob(text: string): Job {
  return JSON.parse(text, (_, value) => {
    if (typeof value?.$bigint === "string") return BigInt(value.$bigint);
    if (typeof value?.$bytes === "string") {
      return new Uint8Array(Buffer.from(value.$bytes, "base64"));
    }
    return value;
  });
}
