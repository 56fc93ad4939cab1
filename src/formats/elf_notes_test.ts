import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  elfImage,
  type Note,
  noteBytes,
  pattern,
  poke,
  word,
} from "../../fuzz/arbitraries/images.ts";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { parseElf } from "./elf.ts";
import { findPvhNote } from "./elf_notes.ts";

/** Where the first segment's bytes are, with so many segments. */
const dataStart = (segments: number) => 64 + 56 * segments;

/** Finds the PVH note among PT_NOTE segments of these bytes. */
function find(...segments: (Uint8Array | { bytes: Uint8Array; align: number })[]) {
  const file = elfImage({
    segments: segments.map((segment) =>
      segment instanceof Uint8Array
        ? { p_type: 4, p_align: 4, bytes: segment }
        : { p_type: 4, p_align: segment.align, bytes: segment.bytes }
    ),
  });
  const source = sourceOf(file);
  return findPvhNote(source, parseElf(source));
}

const xen = (descriptor: Uint8Array): Note => ({ descriptor });
const GNU: Note = { name: "GNU\0", type: 3, descriptor: pattern(20) }; // a build id
const DUMMY: Note = { name: "dummy\0", type: 1, descriptor: pattern(3) };

describe("findPvhNote", () => {
  it("finds the note among others and says where it is", () => {
    const note = find(noteBytes([DUMMY, xen(word(0x1e1fe1f)), GNU]));
    // DUMMY: 12 + 6, padded to 20, + 3, padded to 24
    assertEquals(note, {
      type: 18,
      name: Uint8Array.from([0x58, 0x65, 0x6e, 0]),
      descriptor: Uint8Array.from([0x1f, 0xfe, 0xe1, 0x01]),
      offset: dataStart(1) + 24,
      descriptorOffset: dataStart(1) + 24 + 16,
    });
  });

  it("reads descriptors of 8 bytes", () => {
    assertEquals(find(noteBytes([xen(word(0x123456789an, 8))]))?.descriptor.length, 8);
  });

  it("reads notes packed to 8 bytes, also where p_align says 4, and the reverse", () => {
    for (const packing of [4, 8] as const) {
      // Only the first note's padding differs: 12 + 4 + 4 = 20, or 24
      const bytes = noteBytes([{ ...GNU, descriptor: word(7) }, xen(word(0x100000))], packing);
      for (const align of [1, 4, 8, 0, 13]) {
        const note = find({ bytes, align });
        assertEquals(note?.descriptor, word(0x100000), `packed to ${packing}, p_align ${align}`);
        assertEquals(note?.offset, dataStart(1) + (packing === 4 ? 20 : 24));
      }
    }
  });

  it("takes the first, within a segment and over several", () => {
    const [first, second] = [xen(word(0x100000)), xen(word(0x200000))];
    assertEquals(find(noteBytes([first, second]))?.descriptor, word(0x100000));
    assertEquals(
      find(noteBytes([GNU]), noteBytes([second]), noteBytes([first]))?.descriptor,
      word(0x200000),
    );
  });

  it("wants type 18 and the name Xen with its NUL", () => {
    const descriptor = word(0x100000);
    const others: Note[] = [
      { name: "GNU\0", type: 18, descriptor },
      { name: "XEN\0", type: 18, descriptor },
      { name: "Xen", type: 18, descriptor },
      { name: "Xen\0\0", type: 18, descriptor },
      { name: "Xenx", type: 18, descriptor },
      { name: "Xen\0", type: 17, descriptor },
      { name: "Xen\0", type: 19, descriptor },
      { name: "Xen\0", type: 0x12000000, descriptor },
      { name: "", type: 18, descriptor },
    ];
    for (const note of others) {
      assertEquals(find(noteBytes([note])), undefined, JSON.stringify(note.name));
      assertEquals(find(noteBytes([note, xen(word(5))]))?.descriptor, word(5));
    }
  });

  it("finds none where there are no notes", () => {
    assertEquals(find(), undefined);
    assertEquals(find(new Uint8Array(0)), undefined);
  });

  it("lets zeros follow the last note, fewer than a header too", () => {
    for (const zeros of [1, 4, 11, 12, 40]) {
      const bytes = new Uint8Array([...noteBytes([GNU]), ...new Uint8Array(zeros)]);
      assertEquals(find(bytes, noteBytes([xen(word(1))]))?.descriptor, word(1), `${zeros} zeros`);
    }
  });
});

describe("findPvhNote with a malformed note", () => {
  const at = dataStart(1);

  it("refuses a segment smaller than a note's header", () => {
    for (let size = 1; size < 12; size++) {
      assertEquals(refusal(() => find(new Uint8Array(size))), {
        code: "NOTE_MALFORMED",
        field: "Elf64_Nhdr",
        offset: at,
      });
    }
  });

  it("refuses a name or a descriptor that leaves the segment", () => {
    for (const size of [5, 100, 0xfffffffd, 0xffffffff]) {
      const badName = noteBytes([{ name: "Xen\0", descriptor: new Uint8Array(0), namesz: size }]);
      assertEquals(refusal(() => find(badName)), {
        code: "NOTE_MALFORMED",
        field: "n_namesz",
        offset: at,
      });
      const badDescriptor = noteBytes([{ descriptor: word(0), descsz: size }]);
      assertEquals(refusal(() => find(badDescriptor)), {
        code: "NOTE_MALFORMED",
        field: "n_descsz",
        offset: at + 4,
      });
    }
  });

  it("does not skip it to find one that is whole", () => {
    const broken = noteBytes([{ name: "GNU\0", type: 3, descriptor: word(0), descsz: 4000 }]);
    assertEquals(
      refusal(() => find(broken, noteBytes([xen(word(0x100000))]))).code,
      "NOTE_MALFORMED",
    );
  });

  it("refuses rubbish after a note", () => {
    const bytes = new Uint8Array([...noteBytes([GNU]), 1, 2, 3, 4]);
    assertEquals(refusal(() => find(bytes)), {
      code: "NOTE_MALFORMED",
      field: "Elf64_Nhdr",
      offset: at + 36,
    });
  });

  it("does not mind what follows the PVH note", () => {
    const bytes = noteBytes([xen(word(0x100000)), GNU]);
    poke(bytes, 20 + 4, 4, 0xffffffff); // GNU's n_descsz
    assertEquals(find(bytes)?.descriptor, word(0x100000));
  });
});
