/**
 * Sources that count, and misbehave: short reads, a read that fails, a file that shrinks, lies.
 *
 * @module
 */
import type { TestSource } from "./arbitraries/machines.ts";

/** What is wrong with a source. */
export type Fault =
  | { readonly kind: "none" }
  /** No read gives more than so many bytes. */
  | { readonly kind: "short"; readonly most: number }
  /** The n-th read throws, after it has written half of what was asked for. */
  | { readonly kind: "throws"; readonly read: number }
  /** From the n-th read on the file ends at a place, in 1/256 of its size. */
  | { readonly kind: "shrinks"; readonly read: number; readonly to: number }
  /** The n-th read returns something that is no count of bytes. */
  | {
    readonly kind: "lies";
    readonly read: number;
    readonly returns: "more" | "negative" | "half";
  };

/** A source that counts. */
export interface CountingSource extends TestSource {
  /** Reads so far. */
  reads: number;
  /** Bytes delivered so far. */
  delivered: number;
  /** Whether the fault has happened. */
  failed: boolean;
}

/**
 * A source over bytes.
 *
 * @param bytes The bytes.
 * @param fault What is wrong with it.
 * @returns The source.
 */
export function sourceWith(bytes: Uint8Array, fault: Fault = { kind: "none" }): CountingSource {
  const source: CountingSource = {
    size: bytes.length,
    reads: 0,
    delivered: 0,
    failed: false,
    readAt(offset, target) {
      const count = source.reads++;
      let part = bytes.subarray(offset, offset + target.length);
      if (fault.kind === "short") part = part.subarray(0, fault.most);
      if (fault.kind === "shrinks" && count >= fault.read) {
        const end = Math.floor(bytes.length * fault.to / 256);
        part = part.subarray(0, Math.max(end - offset, 0));
        source.failed ||= part.length < target.length;
      }
      if (fault.kind === "throws" && count === fault.read) {
        source.failed = true;
        target.set(part.subarray(0, target.length >> 1));
        throw new Error("Input/output error (os error 5)");
      }
      target.set(part);
      source.delivered += part.length;
      if (fault.kind === "lies" && count === fault.read) {
        source.failed = true;
        return { more: target.length + 1, negative: -1, half: 0.5 }[fault.returns];
      }
      return part.length;
    },
  };
  return source;
}
