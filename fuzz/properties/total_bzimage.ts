import fc from "fast-check";
import { bzImageFiles } from "../arbitraries/flat_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { bzImageOf } from "../model/parsed_flat.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

export default property({
  name: "total-bzimage",
  says: "parseBzImage says all that the file does, or which field is wrong and where",
  inputs: fc.oneof(
    { arbitrary: bzImageFiles.map(({ bytes }) => bytes), weight: 6 },
    { arbitrary: fc.uint8Array({ maxLength: 700 }), weight: 1 },
  ),
  check(bytes, { parseBzImage }) {
    const parsed = judge(bytes.length, () => parseBzImage(sourceWith(bytes)));
    requireSaid(parsed, reading(() => bzImageOf(bytes)));
  },
});
