/**
 * Faults that loaders really had, planted one at a time: where, what it was, what it becomes.
 *
 * @module
 */
import type { Patch } from "../repository_copy.ts";
import { COMPRESSED } from "./listed/compressed.ts";
import { FACES } from "./listed/faces.ts";
import { FORMATS } from "./listed/formats.ts";
import { GROUND } from "./listed/ground.ts";
import { PARAMS } from "./listed/params.ts";
import { PROTOCOLS } from "./listed/protocols.ts";

/** A deliberate fault. */
export interface ListedFault extends Patch {
  /** Its name, which is unique. */
  readonly id: string;
  /** What is wrong with it, in a few words. */
  readonly what: string;
}

/** All of them. */
export const LISTED: readonly ListedFault[] = [
  ...GROUND,
  ...FORMATS,
  ...PARAMS,
  ...PROTOCOLS,
  ...FACES,
  ...COMPRESSED,
];
