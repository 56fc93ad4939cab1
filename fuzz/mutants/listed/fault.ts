/** What the lists of this folder hold. */
import type { Patch } from "../../repository_copy.ts";

/** A deliberate fault. */
export interface ListedFault extends Patch {
  /** Its name, which is unique. */
  readonly id: string;
  /** What is wrong with it, in a few words. */
  readonly what: string;
}
