import fc from "fast-check";
import { elfFiles } from "../arbitraries/elf_files.ts";
import { arm64Files, bzImageFiles, riscv64Files } from "../arbitraries/flat_files.ts";
import { wrappedFiles, zbootFiles } from "../arbitraries/wrapped_files.ts";
import { sourceWith } from "../faulty_source.ts";
import { judge } from "../judge.ts";
import { formatOf } from "../model/wrapped.ts";
import { property, Violation } from "../property.ts";

/** The magics that detection knows, and some that people mistake for kernels. */
const MAGICS = [
  [0x7f, 0x45, 0x4c, 0x46],
  [0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67],
  [0x1f, 0x8b, 8],
  [0x42, 0x5a, 0x68],
  [0x5d, 0, 0],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
  [0x89, 0x4c, 0x5a],
  [0x02, 0x21, 0x4c, 0x18],
  [0x04, 0x22, 0x4d, 0x18],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x23, 0x21],
  [0xd0, 0x0d, 0xfe, 0xed],
];

const magicFiles = fc.tuple(
  fc.constantFrom(...MAGICS),
  fc.nat(9),
  fc.uint8Array({ maxLength: 80 }),
).map(([magic, cut, rest]) => Uint8Array.from([...magic.slice(0, cut), ...rest]));

/** What is at other places, and may be there beside another. */
const LATER = [[0x38, 0x644d5241], [0x38, 0x05435352], [0x202, 0x53726448]] as const;

const mixedFiles = fc.record({
  first: fc.constantFrom(...MAGICS, []),
  later: fc.subarray([...LATER]),
  size: fc.constantFrom(0x206, 0x205, 0x3c, 0x3b, 0x400),
}).map(({ first, later, size }) => {
  const bytes = new Uint8Array(0x400);
  bytes.set(first);
  for (const [at, magic] of later) new DataView(bytes.buffer).setUint32(at, magic, true);
  return bytes.slice(0, size);
});

export default property({
  name: "total-detect",
  says: "detectKernel names the format or throws a LoaderError, and reads no more than the magics",
  inputs: fc.record({
    near: fc.constantFrom(...MAGICS),
    bytes: fc.oneof(
      magicFiles,
      mixedFiles,
      fc.uint8Array({ maxLength: 600 }),
      fc.oneof(elfFiles, bzImageFiles, arm64Files, riscv64Files, wrappedFiles)
        .map(({ bytes }) => bytes),
      zbootFiles,
    ),
  }),
  check({ near, bytes }, { detectKernel }) {
    // A magic with one byte that is another
    for (const at of near.keys()) {
      const file = Uint8Array.from(near.with(at, near[at] ^ 0x20));
      const { value } = judge(file.length, () => detectKernel(sourceWith(file)));
      if (value !== formatOf(file)) throw new Violation("part of a magic is enough", `${value}`);
    }
    let furthest = 0;
    const source = {
      size: bytes.length,
      readAt(offset: number, target: Uint8Array) {
        furthest = Math.max(furthest, offset + target.length);
        target.set(bytes.subarray(offset, offset + target.length));
        return Math.min(target.length, bytes.length - offset);
      },
    };
    const { value } = judge(bytes.length, () => detectKernel(source));
    const wanted = formatOf(bytes);
    if (value !== wanted) throw new Violation("another format", `${value}, not ${wanted}`);
    if (furthest > 1024) throw new Violation("detection reads on", `to ${furthest}`);
  },
});
