import { dtb } from "../arbitraries/dtb.ts";
import { trees } from "../arbitraries/trees.ts";
import { encodeInput } from "../codec.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "round-trip-fdt",
  says: "a tree is the same after it was written and parsed, whoever wrote it",
  inputs: trees,
  check(tree, { parseFdt, writeFdt }) {
    const text = encodeInput(tree);
    const bytes = writeFdt(tree);
    if (encodeInput(parseFdt(bytes)) !== text) throw new Violation("write, parse: another tree");
    if (encodeInput(parseFdt(dtb(tree))) !== text) throw new Violation("parse: another tree");
    if (encodeInput(parseFdt(dtb(tree, 2))) !== text) throw new Violation("FDT_NOP changes a tree");
    if (writeFdt(parseFdt(bytes)).join() !== bytes.join()) throw new Violation("other bytes");
    if (encodeInput(tree) !== text) throw new Violation("writing changes the tree");
  },
});
