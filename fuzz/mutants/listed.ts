/**
 * Faults that loaders really had, planted one at a time: where, what it was, what it becomes.
 *
 * @module
 */
import { ASKED } from "./listed/asked.ts";
import { COMPRESSED } from "./listed/compressed.ts";
import { FACES } from "./listed/faces.ts";
import type { ListedFault } from "./listed/fault.ts";
import { FORMATS } from "./listed/formats.ts";
import { GROUND } from "./listed/ground.ts";
import { LZMAS } from "./listed/lzma.ts";
import { MACHINES } from "./listed/machines.ts";
import { PACKERS } from "./listed/packers.ts";
import { PARAMS } from "./listed/params.ts";
import { PARSERS } from "./listed/parsers.ts";
import { PLACES } from "./listed/places.ts";
import { PROTOCOLS } from "./listed/protocols.ts";
import { SECOND_LOOK } from "./listed/second_look.ts";
import { STREAMS } from "./listed/streams.ts";
import { STRUCTS } from "./listed/structs.ts";
import { TREES } from "./listed/trees.ts";
import { ROOM } from "./listed/room.ts";
import { SCALE } from "./listed/scale.ts";
import { TOLD } from "./listed/told.ts";
import { TREE_BOOTS } from "./listed/tree_boots.ts";
import { X86_BOOTS } from "./listed/x86_boots.ts";

/** All of them. */
export const LISTED: readonly ListedFault[] = [
  ...GROUND,
  ...FORMATS,
  ...PARAMS,
  ...PROTOCOLS,
  ...ROOM,
  ...X86_BOOTS,
  ...TREE_BOOTS,
  ...MACHINES,
  ...TOLD,
  ...ASKED,
  ...SCALE,
  ...FACES,
  ...COMPRESSED,
  ...PLACES,
  ...PARSERS,
  ...TREES,
  ...STREAMS,
  ...PACKERS,
  ...LZMAS,
  ...STRUCTS,
  ...SECOND_LOOK,
];
