import { detectKernel } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";
import { formatOf } from "../model/wrapped.ts";

/** Says what any bytes are, as the model does. */
export function fuzz(data: Uint8Array): void {
  const { value } = judge(data.length, () => detectKernel(sourceWith(data)));
  if (value !== formatOf(data)) throw new Error(`${value}, not ${formatOf(data)}`);
}
