import { BzImage, GuestMemory, parseBzImage } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";
import { bzImageOf } from "../model/parsed_flat.ts";
import { reading, requireSaid } from "../model/said.ts";

const memory = GuestMemory.of([{ start: 0x100000n, bytes: new Uint8Array(1 << 16) }]);

/** Reads any bytes as a bzImage, as the model does, and loads it. */
export function fuzz(data: Uint8Array): void {
  const parsed = judge(data.length, () => parseBzImage(sourceWith(data)));
  requireSaid(parsed, reading(() => bzImageOf(data)));
  judge(data.length, () => BzImage.load(memory, data));
}
