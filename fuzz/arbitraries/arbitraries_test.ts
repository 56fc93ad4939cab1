import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import * as library from "../../mod.ts";
import { plan } from "../boot_run.ts";
import { decodeInput, encodeInput } from "../codec.ts";
import { sourceWith } from "../faulty_source.ts";
import { arm64Boots, type BootCase, bzImageBoots, elfBoots, riscv64Boots } from "./boots.ts";
import { noteFiles } from "./elf_files.ts";
import { elfImage } from "./images.ts";
import { layOut, layouts } from "./layouts.ts";
import { bends, bent } from "./numbers.ts";
import { dtbFiles } from "./tree_files.ts";

const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) =>
  fc.sample(arbitrary, { numRuns, seed: 42 });

/** What comes of boots: codes, and protocols of plans. */
function outcomes(boots: fc.Arbitrary<BootCase>, runs: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const boot of sample(boots, runs)) {
    const { value, refused } = plan(library, boot);
    const key = refused?.code ?? value!.protocol;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

const KINDS: [string, fc.Arbitrary<BootCase>, string[], string[]][] = [
  ["elfBoots", elfBoots, ["linux64", "linux32", "pvh"], [
    ...["TRUNCATED", "ELF_CLASS", "ELF_PHENTSIZE", "ELF_SEGMENT_OVERLAP", "NOTE_MALFORMED"],
    ...["ENTRY_OUTSIDE_KERNEL", "OUTSIDE_RAM", "OVERLAP", "NO_SPACE", "ADDRESS_OVERFLOW"],
    ...["ELF_NO_SEGMENTS", "EMPTY_INITRD", "INVALID_OPTION", "PVH_NOT_PRESENT", "CMDLINE_ASCII"],
  ]],
  ["bzImageBoots", bzImageBoots, ["linux64", "linux32"], [
    ...["TRUNCATED", "BZIMAGE_VERSION", "BZIMAGE_FIELD", "BZIMAGE_NO_64BIT_ENTRY", "NO_SPACE"],
    ...["BZIMAGE_LOADFLAGS", "MISALIGNED", "OUTSIDE_RAM", "BZIMAGE_BOOT_FLAG"],
  ]],
  ["arm64Boots", arm64Boots, ["arm64"], ["IMAGE_BIG_ENDIAN", "FDT_STRUCTURE", "FDT_VALUE"]],
  ["riscv64Boots", riscv64Boots, ["riscv64"], ["IMAGE_BIG_ENDIAN", "IMAGE_FIELD", "NO_SPACE"]],
];

describe("boots", () => {
  for (const [name, boots, protocols, codes] of KINDS) {
    it(`${name}: many succeed, and the others are refused for every reason`, () => {
      const counts = outcomes(boots, 3000);
      const planned = protocols.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
      assertEquals(planned > 250, true, `${planned} plans`);
      for (const code of [...protocols, ...codes]) assertEquals(counts.has(code), true, code);
    });
  }

  it("can be stored", () => {
    for (const boot of sample(elfBoots, 50)) {
      assertEquals(encodeInput(decodeInput(encodeInput(boot))), encodeInput(boot));
    }
  });
});

describe("layOut", () => {
  it("gives regions that are neither empty nor overlap, up to the top of the address space", () => {
    let top = 0;
    for (const [i, recipe] of sample(layouts([0, 0x10000], [0, 0x1000]), 500).entries()) {
      const low = i % 2 === 0 ? 0x100000n : (1n << 64n) - 0x1000n;
      const regions = [...layOut(recipe, low, low + 0x800n)]
        .sort((a, b) => a.start < b.start ? -1 : 1);
      for (const [j, { start, size }] of regions.entries()) {
        assertEquals(size > 0 && start + BigInt(size) <= 1n << 64n, true);
        if (j > 0) assertEquals(regions[j - 1].start + BigInt(regions[j - 1].size) <= start, true);
        if (start + BigInt(size) === 1n << 64n) top++;
      }
    }
    assertEquals(top > 0, true);
  });
});

describe("bent", () => {
  it("leaves the file as it was, and is the file itself without bends", () => {
    const file = elfImage();
    const before = file.join();
    assertEquals(bent(file, []).join(), before);
    let changed = 0;
    for (const how of sample(bends([[0x20, 8]]), 200)) {
      if (bent(file, how).join() !== before) changed++;
    }
    assertEquals(file.join(), before);
    assertEquals(changed > 80, true);
  });
});

describe("noteFiles, dtbFiles", () => {
  it("are valid often enough", () => {
    const parses = (run: () => unknown) => {
      try {
        return run() === undefined ? 0 : 1;
      } catch {
        return 0;
      }
    };
    const trees = sample(dtbFiles, 600).filter((file) => parses(() => library.parseFdt(file)));
    assertEquals(trees.length > 150, true, `${trees.length} trees`);
    const found = sample(noteFiles, 1000).filter(({ bytes }) => {
      const source = sourceWith(bytes);
      return parses(() => library.findPvhNote(source, library.parseElf(source)));
    });
    assertEquals(found.length > 0, true, "a PVH note out of words");
  });
});

describe("sourceWith", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const read = (fault: Parameters<typeof sourceWith>[1], times = 1) => {
    const source = sourceWith(bytes, fault);
    let count: number | string = 0;
    for (let i = 0; i < times; i++) {
      try {
        count = source.readAt(0, new Uint8Array(8));
      } catch (error) {
        count = (error as Error).message;
      }
    }
    return [count, source.failed, source.reads];
  };

  it("reads short, fails, shrinks and lies", () => {
    assertEquals(read({ kind: "none" }), [8, false, 1]);
    assertEquals(read({ kind: "short", most: 3 }), [3, false, 1]);
    assertEquals(read({ kind: "shrinks", read: 0, to: 128 }), [4, true, 1]);
    assertEquals(read({ kind: "lies", read: 0, returns: "more" }), [9, true, 1]);
    assertEquals(read({ kind: "throws", read: 1 }), [8, false, 1]);
    assertEquals(read({ kind: "throws", read: 1 }, 2)[1], true);
  });
});
