import { parseFdt, writeFdt } from "../../mod.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { treeIn } from "../model/fdt.ts";
import { reading, requireSaid } from "../model/said.ts";

/** Reads any bytes as a device tree, as the model does, and writes it again. */
export function fuzz(data: Uint8Array): void {
  const parsed = judge(data.length, () => parseFdt(data));
  requireSaid(parsed, reading(() => treeIn(data)));
  const { value: tree } = parsed;
  if (!tree) return;
  const { value: bytes } = judge(data.length, () => writeFdt(tree));
  if (bytes && encodeInput(parseFdt(bytes)) !== encodeInput(tree)) throw new Error("another tree");
}
