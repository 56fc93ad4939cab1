import { parseFdt, writeFdt } from "../../mod.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { readTree } from "../model/fdt.ts";

/** Reads any bytes as a device tree, as the model does, and writes it again. */
export function fuzz(data: Uint8Array): void {
  const { value: tree } = judge(data.length, () => parseFdt(data));
  const wanted = readTree(data);
  if ((tree === undefined) !== (wanted === undefined)) throw new Error("not as the model says");
  if (!tree) return;
  const { value: bytes } = judge(data.length, () => writeFdt(tree));
  if (bytes && encodeInput(parseFdt(bytes)) !== encodeInput(tree)) throw new Error("another tree");
}
