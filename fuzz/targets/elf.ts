import { Elf, findPvhNote, GuestMemory, parseElf } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";
import { elfOf, pvhNoteOf } from "../model/parsed_elf.ts";
import { reading, requireSaid } from "../model/said.ts";

const memory = GuestMemory.of([{ start: 0x100000n, bytes: new Uint8Array(1 << 16) }]);

/** Reads any bytes as an ELF file, as the model does, looks for its PVH note, and loads it. */
export function fuzz(data: Uint8Array): void {
  const source = sourceWith(data);
  const parsed = judge(data.length, () => parseElf(source));
  requireSaid(parsed, reading(() => elfOf(data)));
  const { value: elf } = parsed;
  if (elf) {
    const found = judge(data.length, () => findPvhNote(source, elf));
    requireSaid(found, reading(() => pvhNoteOf(data, elfOf(data))));
  }
  judge(data.length, () => Elf.load(memory, data));
}
