import { dtbFiles } from "../arbitraries/tree_files.ts";
import { judge } from "../judge.ts";
import { treeIn } from "../model/fdt.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

export default property({
  name: "model-fdt",
  says: "parseFdt reads what the plain reader does, or says which field is wrong and where",
  inputs: dtbFiles,
  check(bytes, { parseFdt }) {
    requireSaid(judge(bytes.length, () => parseFdt(bytes)), reading(() => treeIn(bytes)));
  },
});
