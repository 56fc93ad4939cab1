import { elfFiles, noteFiles } from "../arbitraries/elf_files.ts";
import fc from "fast-check";
import { judge } from "../judge.ts";
import { property } from "../property.ts";
import { sourceWith } from "../faulty_source.ts";
import { elfOf } from "../model/parsed_elf.ts";
import { reading, requireSaid } from "../model/said.ts";

export default property({
  name: "total-elf",
  says: "parseElf says all that the file does, or which field is wrong and where",
  inputs: fc.oneof({ arbitrary: elfFiles, weight: 5 }, { arbitrary: noteFiles, weight: 1 })
    .map(({ bytes }) => bytes),
  check(bytes, { parseElf }) {
    const parsed = judge(bytes.length, () => parseElf(sourceWith(bytes)));
    requireSaid(parsed, reading(() => elfOf(bytes)));
  },
});
