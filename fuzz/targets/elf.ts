import { Elf, findPvhNote, GuestMemory, parseElf } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";

const memory = GuestMemory.of([{ start: 0x100000n, bytes: new Uint8Array(1 << 16) }]);

/** Reads any bytes as an ELF file, looks for its PVH note, and loads it. */
export function fuzz(data: Uint8Array): void {
  const source = sourceWith(data);
  const { value: elf } = judge(data.length, () => parseElf(source));
  for (const { offset, fileSize } of [...elf?.segments ?? [], ...elf?.notes ?? []]) {
    if (offset + fileSize > data.length) throw new Error("a segment outside the file");
  }
  if (elf) judge(data.length, () => findPvhNote(source, elf));
  judge(data.length, () => Elf.load(memory, data));
}
