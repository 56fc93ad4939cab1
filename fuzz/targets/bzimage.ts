import { BzImage, GuestMemory, parseBzImage } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";

const memory = GuestMemory.of([{ start: 0x100000n, bytes: new Uint8Array(1 << 16) }]);

/** Reads any bytes as a bzImage, and loads it. */
export function fuzz(data: Uint8Array): void {
  judge(data.length, () => parseBzImage(sourceWith(data)));
  judge(data.length, () => BzImage.load(memory, data));
}
