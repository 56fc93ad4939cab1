import { elfFiles, noteFiles } from "../arbitraries/elf_files.ts";
import fc from "fast-check";
import { judge } from "../judge.ts";
import { property, requireNone } from "../property.ts";
import { sourceWith } from "../faulty_source.ts";

export default property({
  name: "total-elf",
  says: "parseElf describes parts that lie in the file, or throws a LoaderError",
  inputs: fc.oneof({ arbitrary: elfFiles, weight: 5 }, { arbitrary: noteFiles, weight: 1 })
    .map(({ bytes }) => bytes),
  check(bytes, { parseElf }) {
    const { value: elf } = judge(bytes.length, () => parseElf(sourceWith(bytes)));
    if (!elf) return;
    const headerSize = elf.elfClass === 32 ? 32 : 56;
    const faults: string[] = [];
    if (elf.elfClass !== 32 * bytes[4]) faults.push("the class is another one");
    for (const [kind, list] of [["segment", elf.segments], ["notes", elf.notes]] as const) {
      let last = -1;
      for (const { index, offset, fileSize, headerOffset, memSize, align } of list) {
        const what = `${kind} ${index}`;
        if (index <= last) faults.push(`${what} is not in the file's order`);
        last = index;
        if (![offset, fileSize, headerOffset].every((n) => Number.isSafeInteger(n) && n >= 0)) {
          faults.push(`${what} has a place that is no number`);
        }
        if (offset + fileSize > bytes.length) faults.push(`${what} leaves the file`);
        if (headerOffset + headerSize > bytes.length) {
          faults.push(`${what} has a header past the end`);
        }
        if (memSize < 0n || align < 0n) faults.push(`${what} has a negative size`);
      }
    }
    requireNone("an ELF description that is wrong", faults);
  },
});
