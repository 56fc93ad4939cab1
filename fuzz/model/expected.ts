/** What the parts of the model share: what must come of a boot, and of its command line. */
import type { BootCase } from "../arbitraries/boots.ts";
import { need } from "./verdict.ts";
import type { Entry } from "./memory_map.ts";
import type { Span } from "./room.ts";

/** What must be in memory afterwards. */
export interface Expected {
  readonly protocol: string;
  /** Bytes that are written, by name of what they are. */
  readonly writes: readonly {
    readonly name: string;
    readonly start: bigint;
    readonly bytes: Uint8Array;
  }[];
  /** What is zeroed. */
  readonly zeros: readonly Span[];
  /** What is written and judged by its meaning, not byte by byte. */
  readonly meaningful: readonly (Span & { readonly name: string })[];
  readonly map: readonly Entry[];
  /** Registers that differ from what they are after reset. */
  readonly registers: Readonly<Record<string, bigint>>;
}

/**
 * The command line's bytes.
 *
 * @param boot The case.
 * @param limit What the kernel takes.
 * @returns The bytes with the NUL.
 */
export function cmdlineOf(
  { options: { cmdline = "", maxCmdlineSize } }: BootCase,
  limit: bigint,
): Uint8Array {
  if (maxCmdlineSize !== undefined) {
    need(Number.isInteger(maxCmdlineSize) && maxCmdlineSize >= 0, "INVALID_OPTION");
  }
  return checkedCmdline(cmdline, maxCmdlineSize === undefined ? limit : BigInt(maxCmdlineSize));
}

/**
 * Checks a command line.
 *
 * @param cmdline The line.
 * @param limit Its longest.
 * @returns The bytes with the NUL.
 */
export function checkedCmdline(cmdline: string, limit: bigint): Uint8Array {
  const bytes = Array.from(cmdline, (char) => char.codePointAt(0)!);
  need(bytes.every((byte) => byte >= 0x20 && byte <= 0x7e), "CMDLINE_ASCII");
  need(BigInt(bytes.length) <= limit, "CMDLINE_TOO_LONG");
  return Uint8Array.from([...bytes, 0]);
}
