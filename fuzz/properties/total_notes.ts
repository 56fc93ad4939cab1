import fc from "fast-check";
import { PvhEntryReader } from "../inside.ts";
import { elfFiles, noteFiles } from "../arbitraries/elf_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { elfOf, pvhEntryIn, pvhNoteOf } from "../model/parsed_elf.ts";
import { reading, requireSaid } from "../model/said.ts";
import { property } from "../property.ts";

export default property({
  name: "total-notes",
  says: "findPvhNote gives the first PVH note, or none, or says which note is wrong and where",
  inputs: fc.record({
    bytes: fc.oneof(elfFiles, noteFiles).map(({ bytes }) => bytes),
    // Beyond what the program header says
    more: fc.constantFrom(0n, 0n, 1n, 4n, 1n << 32n),
  }),
  check({ bytes, more }, { parseElf, findPvhNote }) {
    const source = sourceWith(bytes);
    const { value: elf } = judge(bytes.length, () => parseElf(source));
    if (!elf) return;
    const found = judge(bytes.length, () => findPvhNote(source, elf));
    requireSaid(found, reading(() => pvhNoteOf(bytes, elfOf(bytes))));
    const reader = new PvhEntryReader(source);
    for (const { offset, fileSize, index } of elf.notes) {
      const [p_type, p_offset, p_filesz] = [4, BigInt(offset), BigInt(fileSize) + more];
      const row = { p_flags: 0, p_vaddr: 0n, p_paddr: 0n, p_memsz: 0n, p_align: 4n };
      const segment = { ...row, p_type, p_offset, p_filesz };
      const entry = judge(bytes.length, () => reader.read(segment, index));
      requireSaid(entry, reading(() => pvhEntryIn(bytes, segment, index)));
    }
  },
});
