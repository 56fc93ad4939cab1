import fc from "fast-check";
import { dtbFiles } from "../arbitraries/tree_files.ts";
import { judge } from "../judge.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "total-fdt",
  says:
    "parseFdt gives a tree that can be written again and does not share the input, or a LoaderError",
  inputs: fc.oneof(
    { arbitrary: dtbFiles, weight: 6 },
    { arbitrary: fc.uint8Array({ maxLength: 120 }), weight: 1 },
  ),
  check(bytes, { parseFdt, writeFdt }) {
    const input = bytes.slice();
    const { value: tree } = judge(bytes.length, () => parseFdt(input));
    if (input.join() !== bytes.join()) throw new Violation("parsing changes the input");
    if (!tree) return;
    const first = judge(bytes.length, () => writeFdt(tree));
    input.fill(0xff);
    const second = judge(bytes.length, () => writeFdt(tree));
    if (first.value?.join() !== second.value?.join()) {
      throw new Violation("a tree shares the input");
    }
  },
});
