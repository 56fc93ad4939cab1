import * as compressed from "../../src/compressed/mod.ts";
import { zbootFiles } from "../arbitraries/wrapped_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { reading, requireSaid } from "../model/said.ts";
import { readZboot } from "../model/wrapped.ts";
import { property } from "../property.ts";

export default property({
  name: "model-zboot",
  says: "parseZboot says all that a zboot image does, or which field is wrong and where",
  inputs: zbootFiles,
  check(bytes, library) {
    // A test's broken copy brings its own
    const { parseZboot } = { ...compressed, ...library };
    const parsed = judge(bytes.length, () => parseZboot(sourceWith(bytes)));
    requireSaid(parsed, reading(() => readZboot(bytes)));
  },
});
