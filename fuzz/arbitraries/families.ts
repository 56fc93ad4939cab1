/** Files that grow, each in a way that made some loader take far too long or far too much. */
import { judged } from "../judge.ts";
import type { Library } from "../property.ts";
import type { KernelSource } from "../../mod.ts";
import {
  arm64Image,
  bzImage,
  elfImage,
  noteBytes,
  pattern,
  pvhImage,
  type Segment,
  word,
} from "./images.ts";
import { dtb, type Node } from "./dtb.ts";

/** A family of inputs. */
export interface Family {
  readonly name: string;
  /** The smallest member that grows evenly, in the family's own unit. */
  readonly first: number;
  /** Makes a member, and says how large its inputs are in bytes. */
  readonly make: (n: number) => { readonly size: number; readonly run: (library: Library) => void };
  /** More than linear by nature: comparing sorted things takes n log n. */
  readonly slack?: number;
}

const RAM = { ram: [{ start: 0n, size: 1n << 40n }] };
const MIB = 1n << 20n;

/** Runs something that may well be refused, if it is told where, in an input of so many bytes. */
function attempt(size: number, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    judged(error, size);
  }
}

function boots(name: string, first: number, file: (n: number) => Uint8Array): Family {
  return {
    name,
    first,
    make(n) {
      const kernel = file(n);
      return {
        size: kernel.length,
        run: ({ planBoot }) => attempt(kernel.length, () => planBoot(RAM, { kernel })),
      };
    },
  };
}

const elf = (segments: readonly Segment[]) => elfImage({ segments });
const repeat = <T>(n: number, make: (i: number) => T) =>
  Array.from({ length: n }, (_, i) => make(i));

/** Elf.load instead of planBoot. */
function loads(name: string, first: number, file: (n: number) => Uint8Array): Family {
  return {
    name: `Elf.load: ${name}`,
    first,
    make(n) {
      const kernel = file(n);
      return {
        size: kernel.length,
        run({ Elf, GuestMemory }) {
          const memory = GuestMemory.of([{ start: MIB, bytes: new Uint8Array(1 << 16) }]);
          attempt(kernel.length, () => Elf.load(memory, kernel));
        },
      };
    },
  };
}

/** The work for a file that is mostly holes, of n MiB: reading zeros is not to be worth much. */
const HOLES_SLACK = 0.25;

/** A file of n MiB, of which all but the head is holes. */
function sparse(
  name: string,
  first: number,
  head: (size: number) => Uint8Array,
  run: (library: Library, kernel: KernelSource) => void,
): Family {
  return {
    name: `a sparse file: ${name}`,
    first,
    slack: HOLES_SLACK,
    make(n) {
      const size = n << 20;
      const bytes = head(size);
      const kernel = {
        size,
        readAt(offset: number, target: Uint8Array) {
          target.fill(0).set(bytes.subarray(offset, offset + target.length));
          return Math.min(target.length, size - offset);
        },
      };
      return { size, run: (library) => attempt(size, () => run(library, kernel)) };
    },
  };
}

/** An ELF file with a PT_NOTE of the rest of the file. */
const allNotes = (size: number) =>
  elf([{ bytes: pattern(64) }, { p_type: 4, p_offset: 240, p_filesz: size - 240 }]);

function noted(bytes: Uint8Array, segments = 1): Uint8Array {
  const one = { p_type: 4, bytes };
  // All lie on the bytes of the last one
  const others = repeat(segments - 1, () => ({
    p_type: 4,
    p_offset: 64 + 56 * (segments + 1) + 64,
    p_filesz: bytes.length,
  }));
  return elf([{ bytes: pattern(64) }, ...others, one]);
}

function tree(name: string, first: number, root: (n: number) => Node, nops = 0): Family {
  return {
    name,
    first,
    make(n) {
      const file = dtb({ bootCpuId: 0, reservations: [], root: root(n) }, nops);
      return {
        size: file.length,
        run: ({ parseFdt, writeFdt }) => attempt(file.length, () => writeFdt(parseFdt(file))),
      };
    },
  };
}

const node = (name: string, children: Node[] = [], properties: Node["properties"] = []): Node => {
  return { name, properties, children };
};

/** A boot whose caller's lists grow. */
function asked(
  name: string,
  first: number,
  unit: number,
  options: (n: number) => Record<string, unknown>,
  ram: (n: number) => typeof RAM = () => RAM,
): Family {
  return {
    name,
    first,
    make(n) {
      const all = { kernel: bzImage(), ...options(n) };
      const layout = ram(n);
      return {
        size: 4096 + n * unit,
        run: ({ planBoot }) => attempt(4096, () => planBoot(layout, all)),
      };
    },
  };
}

/** All of them. */
export const FAMILIES: readonly Family[] = [
  boots("program headers onto one range", 512, (n) => {
    return elf([
      { bytes: pattern(4096) },
      ...repeat(n, () => ({ p_offset: 64 + 56 * (n + 1), p_filesz: 4096, p_memsz: 4096 })),
    ]);
  }),
  boots("program headers side by side", 512, (n) => {
    return elf(repeat(n, (i) => ({ p_paddr: MIB + BigInt(16 * i), bytes: pattern(16) })));
  }),
  boots("32-bit program headers side by side", 512, (n) => {
    const segments = repeat(n, (i) => ({ p_paddr: MIB + BigInt(16 * i), bytes: pattern(16) }));
    return elfImage({ bits: 32, segments });
  }),
  boots("program headers in descending order", 512, (n) => {
    return elf(repeat(n, (i) => ({ p_paddr: MIB + BigInt(16 * (n - i)), bytes: pattern(16) })));
  }),
  boots("program headers of no meaning", 512, (n) => elf(repeat(n, () => ({ p_type: 6 })))),
  boots("notes of another owner", 512, (n) => {
    return noted(noteBytes(repeat(n, () => ({ name: "GNU\0", type: 3, descriptor: word(1) }))));
  }),
  boots("one long note", 8192, (n) => {
    const header = noteBytes([{ name: "GNU\0", descriptor: new Uint8Array(0), descsz: n }]);
    const note = new Uint8Array(header.length + n);
    note.set(header);
    return noted(note);
  }),
  boots("notes of no size", 512, (n) => noted(new Uint8Array(12 * n))),
  boots("notes packed to 8 bytes that are not clean", 512, (n) => {
    const notes = repeat(n, () => ({ name: "abcde", type: 3, descriptor: pattern(3) }));
    return noted(noteBytes(notes, 8));
  }),
  boots("PT_NOTE segments on each other", 64, (n) => {
    return noted(noteBytes(repeat(n, () => ({ name: "GNU\0", descriptor: word(1) }))), n);
  }),
  loads("program headers onto one range", 512, (n) => {
    return elf([
      { bytes: pattern(4096) },
      ...repeat(n, () => ({ p_offset: 64 + 56 * (n + 1), p_filesz: 4096, p_memsz: 4096 })),
    ]);
  }),
  loads("program headers side by side", 256, (n) => {
    return elf(repeat(n, (i) => ({ p_paddr: MIB + BigInt(i), bytes: pattern(1) })));
  }),
  {
    name: "Elf.load: program headers, each in a region of its own",
    first: 256,
    make(n) {
      const kernel = elf(repeat(n, (i) => ({ p_paddr: MIB + BigInt(2 * i), bytes: pattern(1) })));
      const regions = repeat(n, (i) => ({ start: MIB + BigInt(2 * i), bytes: new Uint8Array(1) }));
      return {
        size: kernel.length + n,
        run: ({ Elf, GuestMemory }) =>
          attempt(kernel.length, () => Elf.load(GuestMemory.of(regions), kernel)),
      };
    },
  },
  loads("notes of no size", 512, (n) => noted(new Uint8Array(12 * n))),
  loads("PT_NOTE segments on each other", 256, (n) => noted(new Uint8Array(12 * n), n)),
  boots("a bzImage's kernel", 16384, (n) => bzImage({ kernel: pattern(n) })),
  boots("bytes that are nothing", 16384, (n) => new Uint8Array(n)),
  tree("device tree nodes side by side", 512, (n) => node("", repeat(n, (i) => node(`n${i}`)))),
  tree("device tree nodes of one name", 512, (n) => node("", repeat(n, () => node("chosen")))),
  tree("device tree properties of one long name", 512, (n) => {
    const name = "x".repeat(200);
    const property = { name, value: new Uint8Array(0) };
    return node("", repeat(n, (i) => node(`n${i}`, [], [property])));
  }),
  tree("device tree properties of many names", 512, (n) => {
    return node("", [], repeat(n, (i) => ({ name: `p${i}`, value: pattern(4) })));
  }),
  tree("a long device tree property", 8192, (n) => {
    return node("", [], [{ name: "p", value: pattern(n) }]);
  }),
  tree("FDT_NOPs", 256, (n) => node("", repeat(n, (i) => node(`n${i}`))), 16),
  {
    name: "a device tree deeper and deeper",
    first: 8,
    make(n) {
      let root = node("n");
      for (let i = 1; i < n; i++) root = node("n", [root]);
      const file = dtb({ bootCpuId: 0, reservations: [], root: { ...root, name: "" } });
      return {
        size: file.length,
        run: ({ parseFdt }) => attempt(file.length, () => parseFdt(file)),
      };
    },
  },
  {
    name: "memory reservations of a device tree",
    first: 256,
    make(n) {
      const reservations = repeat(n, (i) => ({ start: MIB * BigInt(2 * i + 64), size: 4096n }));
      const cells = ["#address-cells", "#size-cells"].map((name) => {
        return { name, value: Uint8Array.of(0, 0, 0, 2) };
      });
      const deviceTree = dtb({ bootCpuId: 0, reservations, root: node("", [], cells) });
      const options = { kernel: arm64Image(), deviceTree };
      return {
        size: deviceTree.length,
        run: ({ planBoot }) => attempt(deviceTree.length, () => planBoot(RAM, options)),
      };
    },
  },
  sparse("notes, for planBoot", 8, allNotes, ({ planBoot }, kernel) => {
    planBoot(RAM, { kernel });
  }),
  sparse("notes, for Elf.load", 8, allNotes, ({ Elf, GuestMemory }, kernel) => {
    Elf.load(GuestMemory.of([{ start: MIB, bytes: new Uint8Array(1 << 16) }]), kernel);
  }),
  sparse("an Image", 64, () => arm64Image(), ({ parseArm64Image }, kernel) => {
    parseArm64Image(kernel);
  }),
  sparse("a bzImage", 64, () => bzImage(), ({ planBoot }, kernel) => {
    planBoot(RAM, { kernel });
  }),
  {
    name: "separators in a command line",
    first: 2048,
    make(n) {
      const line = `"${" -- ".repeat(n / 4)}`;
      return {
        size: line.length,
        run: ({ Cmdline }) => attempt(line.length, () => Cmdline.tryFrom(line, 1 << 24)),
      };
    },
  },
  asked("reservations", 64, 64, (n) => ({
    reservations: repeat(n, (i) => ({ name: "r", start: BigInt(i) * MIB * 2n, size: MIB })),
  })),
  asked("reservations on each other", 64, 64, (n) => ({
    reservations: repeat(n, (i) => ({ name: "r", start: BigInt(i), size: 1n << 39n })),
  })),
  asked(
    "reservations, each in a region of its own",
    64,
    128,
    (n) => ({
      reservations: repeat(n, (i) => ({
        name: "r",
        start: (1n << 41n) + BigInt(i) * MIB,
        size: 16n,
      })),
    }),
    (n) => ({
      ram: [
        ...RAM.ram,
        ...repeat(n, (i) => ({ start: (1n << 41n) + BigInt(i) * MIB, size: 4096n })),
      ],
    }),
  ),
  asked("setup_data", 64, 64, (n) => ({
    setupData: repeat(n, () => ({ type: 9, data: pattern(32) })),
  })),
  {
    name: "segments that leave no page between them, and modules that want one",
    first: 512,
    make(n) {
      const base = 32n * MIB;
      const segments = repeat(
        n,
        (i) => ({ p_paddr: base + BigInt(8192 * i) - 1n, bytes: word(0) }),
      );
      const kernel = pvhImage(segments, Number(base));
      const modules = repeat(n / 8, () => ({ source: pattern(4096), cmdline: "x" }));
      // Searched from the top, and only the RAM below all segments has room
      const ram = [{ start: 0n, size: base + BigInt(8192 * n) - 8189n }];
      return {
        size: kernel.length + 4096 * modules.length,
        run: ({ planBoot }) => void planBoot({ ram }, { kernel, initrd: pattern(1), modules }),
      };
    },
  },
  asked("regions", 1024, 64, () => ({}), (n) => ({
    ram: [...RAM.ram, ...repeat(n, (i) => ({ start: (1n << 41n) + BigInt(i) * MIB, size: 4096n }))],
  })),
];
