import { elfFiles, noteFiles } from "../arbitraries/elf_files.ts";
import fc from "fast-check";
import { parseElfHeader, readProgramHeaders } from "../inside.ts";
import { judge } from "../judge.ts";
import { property } from "../property.ts";
import { sourceWith } from "../faulty_source.ts";
import { elfOf, headerOf, rowsOf } from "../model/parsed_elf.ts";
import { reading, requireSaid } from "../model/said.ts";

export default property({
  name: "total-elf",
  says: "parseElf says all that the file does, or which field is wrong and where",
  inputs: fc.oneof({ arbitrary: elfFiles, weight: 5 }, { arbitrary: noteFiles, weight: 1 })
    .map(({ bytes }) => bytes),
  check(bytes, { parseElf }) {
    const source = sourceWith(bytes);
    requireSaid(judge(bytes.length, () => parseElf(source)), reading(() => elfOf(bytes)));
    // What Elf.load reads: 64-bit files, and every program header
    const header = judge(bytes.length, () => parseElfHeader(source));
    requireSaid(header, reading(() => headerOf(bytes, [2]).header));
    const { value } = header;
    if (!value) return;
    const rows = judge(bytes.length, () => readProgramHeaders(source, value));
    requireSaid(rows, reading(() => rowsOf(bytes)));
  },
});
