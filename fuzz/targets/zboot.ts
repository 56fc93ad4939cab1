import { parseZboot } from "../../src/compressed/mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";
import { reading, requireSaid } from "../model/said.ts";
import { readZboot } from "../model/wrapped.ts";

/** Reads any bytes as an EFI zboot image, as the model does. */
export function fuzz(data: Uint8Array): void {
  const parsed = judge(data.length, () => parseZboot(sourceWith(data)));
  requireSaid(parsed, reading(() => readZboot(data)));
}
