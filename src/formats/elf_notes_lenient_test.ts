import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { type Note, noteBytes, pattern, poke, word } from "../../fuzz/arbitraries/images.ts";
import { failingSource, refusal, shortSource } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { ELF64_PHDR } from "../structs/elf.ts";
import { PvhEntryReader } from "./elf_notes.ts";

const segment = (p_offset: bigint, p_filesz: bigint) => ELF64_PHDR.make({ p_offset, p_filesz });

/** Reads a file that is all notes. */
function read(bytes: Uint8Array, offset = 0n, size = BigInt(bytes.length) - offset) {
  return new PvhEntryReader(sourceOf(bytes)).read(segment(offset, size), 3);
}

const XEN: Note = { descriptor: word(0x1e1fe1f) };

describe("PvhEntryReader.read", () => {
  it("finds the entry among other notes", () => {
    const others: Note[] = [
      { name: "dummy\0", type: 1, descriptor: pattern(3) },
      { name: "Xen\0", type: 6, descriptor: pattern(5000) }, // further than one read
      { name: "GNU\0", descriptor: word(9) }, // type 18 of another owner
    ];
    assertEquals(read(noteBytes([...others, XEN, { descriptor: word(1) }])), 0x1e1fe1fn);
    assertEquals(read(noteBytes(others)), undefined);
    assertEquals(read(new Uint8Array(0)), undefined);
  });

  it("takes the first 4 bytes of a longer descriptor", () => {
    assertEquals(read(noteBytes([{ descriptor: word(0x8_0000_0001n, 8) }])), 1n);
  });

  it("knows only a name of 4 bytes", () => {
    for (const namesz of [3, 5]) assertEquals(read(noteBytes([{ ...XEN, namesz }])), undefined);
  });

  it("looks past the segment's end if a note has begun before it", () => {
    const bytes = noteBytes([{ ...XEN, type: 1 }, XEN]);
    assertEquals(read(bytes, 0n, 21n), 0x1e1fe1fn);
    assertEquals(read(bytes, 0n, 20n), undefined);
  });

  it("refuses notes that the file cuts off, wherever", () => {
    const bytes = noteBytes([XEN]);
    for (
      const [end, field] of [[11, "Elf64_Nhdr"], [15, "note name"], [19, "PVH entry"]] as const
    ) {
      const said = refusal(() => read(bytes.subarray(0, end), 0n, 20n));
      assertEquals(said.code, "TRUNCATED");
      assertEquals(said.field?.startsWith(field), true, said.field);
    }
    const far = refusal(() => read(bytes, 1n << 63n, 1n));
    assertEquals(far, { code: "TRUNCATED", field: "p_offset[3]", offset: bytes.length });
    assertEquals(read(bytes, 1n << 63n, 0n), undefined); // nothing is read
  });

  it("refuses an entry of less than 4 bytes, and sizes that round up past 32 bits", () => {
    const short = refusal(() => read(noteBytes([{ ...XEN, descsz: 3 }])));
    assertEquals(short, { code: "NOTE_MALFORMED", field: "n_descsz", offset: 4 });
    for (const [field, offset] of [["n_namesz", 0], ["n_descsz", 4]] as const) {
      const bytes = noteBytes([{ ...XEN, type: 1 }]);
      poke(bytes, offset, 4, 0xffff_fffd);
      assertEquals(refusal(() => read(bytes)), { code: "NOTE_MALFORMED", field, offset });
      poke(bytes, offset, 4, 0xffff_fffc);
      assertEquals(read(bytes), undefined); // far past the end, where nothing is looked for
    }
  });

  it("reads in linear time, whatever the segments say", () => {
    const bytes = new Uint8Array(1 << 20); // 87,381 notes of nothing
    const reader = new PvhEntryReader(sourceOf(bytes));
    const whole = segment(0n, BigInt(bytes.length) - 4n);
    reader.read(whole, 0);
    const again = () => {
      for (let i = 1; i < 65_535; i++) reader.read(whole, i);
    };
    assertEquals(refusal(again).code, "LIMIT_EXCEEDED");
  });

  it("reads 2 MiB of a sparse file, however large it is", () => {
    const readAt = (_: number, target: Uint8Array) => target.fill(0).length;
    const reader = new PvhEntryReader({ size: 2 ** 40, readAt });
    const { code, field, offset } = refusal(() => reader.read(segment(0n, 1n << 40n), 0));
    assertEquals([code, field], ["LIMIT_EXCEEDED", "p_filesz"]);
    assertEquals(offset! < 3 << 20, true);
  });

  it("reads from sources that give little, and passes on what a source throws", () => {
    const bytes = noteBytes([{ ...XEN, type: 1 }, XEN]);
    const slow = new PvhEntryReader(shortSource(bytes, 3));
    assertEquals(slow.read(segment(0n, BigInt(bytes.length)), 0), 0x1e1fe1fn);
    const failing = new PvhEntryReader(failingSource(bytes, 5));
    assertEquals(refusal(() => failing.read(segment(0n, 40n), 0)).code, "SOURCE_FAILED");
  });
});
