import { detectKernel } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";

/** Says what any bytes are. */
export function fuzz(data: Uint8Array): void {
  judge(data.length, () => detectKernel(sourceWith(data)));
}
