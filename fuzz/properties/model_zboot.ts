import * as compressed from "../../src/compressed/mod.ts";
import { zbootFiles } from "../arbitraries/wrapped_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { readZboot } from "../model/wrapped.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "model-zboot",
  says: "parseZboot takes and reads exactly the zboot images that the plain reader does",
  inputs: zbootFiles,
  check(bytes, library) {
    // A test's broken copy brings its own
    const { parseZboot } = { ...compressed, ...library };
    const { value, refused } = judge(bytes.length, () => parseZboot(sourceWith(bytes)));
    const wanted = readZboot(bytes);
    if (!value || !wanted) {
      if (!value && !wanted) return;
      throw new Violation(value ? "no zboot image is taken" : "one is refused", refused?.message);
    }
    for (const [name, number] of Object.entries(wanted)) {
      const read = (value as unknown as Record<string, unknown>)[name];
      if (read !== number) throw new Violation(`${name} is wrong`, `${read}, not ${number}`);
    }
  },
});
