import { dtbFiles } from "../arbitraries/tree_files.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { readTree } from "../model/fdt.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "model-fdt",
  says: "parseFdt takes and reads exactly the device trees that the plain reader does",
  inputs: dtbFiles,
  check(bytes, { parseFdt }) {
    const { value, refused } = judge(bytes.length, () => parseFdt(bytes));
    const wanted = readTree(bytes);
    if ((value === undefined) !== (wanted === undefined)) {
      throw new Violation(
        wanted ? "a device tree is refused" : "no device tree is taken",
        refused?.message,
      );
    }
    if (value && encodeInput(value) !== encodeInput(wanted)) throw new Violation("another tree");
  },
});
