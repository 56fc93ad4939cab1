import fc from "fast-check";
import { elfFiles, noteFiles } from "../arbitraries/elf_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { elfOf, pvhNoteOf } from "../model/parsed_elf.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

export default property({
  name: "total-notes",
  says: "findPvhNote gives the first PVH note, or none, or says which note is wrong and where",
  inputs: fc.oneof(elfFiles, noteFiles).map(({ bytes }) => bytes),
  check(bytes, { parseElf, findPvhNote }) {
    const source = sourceWith(bytes);
    const { value: elf } = judge(bytes.length, () => parseElf(source));
    if (!elf) return;
    const found = judge(bytes.length, () => findPvhNote(source, elf));
    requireSaid(found, reading(() => pvhNoteOf(bytes, elfOf(bytes))));
  },
});
