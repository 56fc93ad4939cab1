import fc from "fast-check";
import { elfFiles, noteFiles } from "../arbitraries/elf_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { property, Violation } from "../property.ts";

export default property({
  name: "total-notes",
  says: "findPvhNote gives the first PVH note, which lies in a PT_NOTE segment, or a LoaderError",
  inputs: fc.oneof(elfFiles, noteFiles).map(({ bytes }) => bytes),
  check(bytes, { parseElf, findPvhNote }) {
    const source = sourceWith(bytes);
    const { value: elf } = judge(bytes.length, () => parseElf(source));
    if (!elf) return;
    const { value: note } = judge(bytes.length, () => findPvhNote(source, elf));
    if (!note) return;
    const inside = elf.notes.some(({ offset, fileSize }) =>
      note.offset >= offset && note.descriptorOffset >= note.offset + 12 &&
      note.descriptorOffset + note.descriptor.length <= offset + fileSize
    );
    if (!inside) throw new Violation("a note outside its segment", `at ${note.offset}`);
    const name = new TextDecoder().decode(note.name);
    if (note.type !== 18 || name !== "Xen\0") {
      throw new Violation("a note that is not PVH's", `${note.type} ${JSON.stringify(name)}`);
    }
    const there = bytes.subarray(
      note.descriptorOffset,
      note.descriptorOffset + note.descriptor.length,
    );
    if (there.join() !== note.descriptor.join()) throw new Violation("a descriptor from elsewhere");
  },
});
