import type { AddressRange } from "../address.ts";
import type { KernelSource } from "../source.ts";

/** What a placement writes. */
export type PlacementContent =
  /** Bytes of a source from `offset` on, as many as the placement's size: a VMM may map them. */
  | { readonly kind: "source"; readonly source: KernelSource; readonly offset: number }
  /** Bytes that the planner made, exactly as many as the placement's size. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Zeros: BSS. Skipped when the caller says that its memory is fresh. */
  | { readonly kind: "zeros" }
  /** Nothing: memory that the kernel will use and that must be free, such as the rest of init_size. */
  | { readonly kind: "claim" };

/** Something that lies in guest memory: its name, where it is, and what is written there. */
export interface Placement extends AddressRange {
  /** Unique in its plan, e.g. `"zero page"`, `"kernel segment 0"`, `"initrd"`. */
  readonly name: string;
  /** What is written. */
  readonly content: PlacementContent;
}
