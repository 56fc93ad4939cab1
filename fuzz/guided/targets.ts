/**
 * The targets of the coverage-guided loop, and of any other engine: `fuzz(data)` of each module.
 *
 * @module
 */
import {
  arm64Image,
  bzImage,
  elfImage,
  noteBytes,
  pattern,
  poke,
  pvhImage,
  word,
} from "../arbitraries/images.ts";
import { framed, lz4Block, lzoBlock } from "../arbitraries/block_sequences.ts";
import { bzip2 } from "../arbitraries/bzip2_writer.ts";
import { lzma2Chunks, lzmaFile } from "../arbitraries/lzma_files.ts";
import { USUAL } from "../arbitraries/lzma_writer.ts";
import type { Step } from "../arbitraries/steps.ts";
import { zbootImage } from "../arbitraries/wrapped_files.ts";
import { dtb } from "../arbitraries/dtb.ts";
import { storedSeeds } from "../corpus.ts";

/** A target. */
export interface TargetFile {
  readonly name: string;
  readonly says: string;
  /** The module, from the root on. */
  readonly entry: string;
  /** Valid inputs. */
  readonly seeds: () => Uint8Array[];
}

const xen = noteBytes([{ descriptor: word(0x100000) }, {
  name: "GNU\0",
  type: 3,
  descriptor: word(1),
}]);

function kernels(): Uint8Array[] {
  const riscv = arm64Image({ magic: 0x05435352 }, 256);
  poke(riscv, 0x20, 4, 2);
  return [
    elfImage(),
    pvhImage(),
    elfImage({ bits: 32 }),
    elfImage({ segments: [{ bytes: pattern(64) }, { p_type: 4, p_align: 8, bytes: xen }] }),
    bzImage({ kernel: pattern(0x400) }),
    arm64Image({}, 256),
    riscv,
  ];
}

/** A kernel behind the prefix of the boot target. */
function asked(kernel: Uint8Array, ...prefix: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 + kernel.length);
  bytes.set(prefix);
  bytes.set(kernel, 8);
  return bytes;
}

/** Small streams behind the byte that says what they are: fuzz/targets/unpack.ts. */
function packedSeeds(): Uint8Array[] {
  const steps: readonly Step[] = [
    { literals: [1, 2, 3, 4, 5], distance: 5, length: 20, variant: 0 },
    { literals: [6], distance: 5, length: 2, variant: 0 },
  ];
  const sequences = { list: [{ literals: 5, distance: 5, length: 20, way: 0 }], last: 12 };
  const { bytes: chunks } = lzma2Chunks([{ resets: "all", properties: USUAL, steps }]);
  const streams = [
    bzip2()(pattern(40)),
    lzmaFile(steps, USUAL, false).bytes,
    framed.lzo([lzoBlock(sequences)]),
    framed["lz4-legacy"]([lz4Block(sequences)]),
    framed.lz4([lz4Block(sequences)]),
    chunks,
  ];
  return streams.map((stream, i) => Uint8Array.from([i, ...stream]));
}

const text = (line: string) => Uint8Array.from([32, ...new TextEncoder().encode(line)]);

const tree = (depth: number) => {
  let root = {
    name: "",
    properties: [{ name: "reg", value: pattern(8) }],
    children: [] as never[],
  };
  for (let i = 0; i < depth; i++) root = { ...root, children: [{ ...root, name: "n" }] as never[] };
  return dtb({ bootCpuId: 0, reservations: [{ start: 1n, size: 2n }], root });
};

/** All of them. */
export const TARGETS: readonly TargetFile[] = [
  {
    name: "target-detect",
    says: "detectKernel, and the model's answer",
    entry: "fuzz/targets/detect.ts",
    seeds: () => kernels().map((kernel) => kernel.slice(0, 0x210)),
  },
  {
    name: "target-elf",
    says: "parseElf, findPvhNote, the model's reader, Elf.load",
    entry: "fuzz/targets/elf.ts",
    seeds: () => kernels().slice(0, 4),
  },
  {
    name: "target-bzimage",
    says: "parseBzImage, the model's reader, BzImage.load",
    entry: "fuzz/targets/bzimage.ts",
    seeds: () => [bzImage({ kernel: pattern(64) })],
  },
  {
    name: "target-image",
    says: "parseArm64Image, parseRiscv64Image, the model's reader, PE.load",
    entry: "fuzz/targets/image.ts",
    seeds: () => kernels().slice(5),
  },
  {
    name: "target-fdt",
    says: "parseFdt, writeFdt, and the model's reader",
    entry: "fuzz/targets/fdt.ts",
    seeds: () => [tree(0), tree(1), tree(3)],
  },
  {
    name: "target-zboot",
    says: "parseZboot, and the model's reader",
    entry: "fuzz/targets/zboot.ts",
    seeds: () => [zbootImage("gzip", pattern(40)), zbootImage("lz4-legacy", pattern(40))],
  },
  {
    name: "target-unpack",
    says: "decompressors, the first byte says which",
    entry: "fuzz/targets/unpack.ts",
    seeds: packedSeeds,
  },
  {
    name: "target-cmdline",
    says: "Cmdline",
    entry: "fuzz/targets/cmdline.ts",
    seeds: () => [text("quiet -- single"), text('ka="b c"\0iinit\0mk=a=b\0plain')],
  },
  {
    name: "target-boot",
    says: "planBoot with a few options, and the model's verdict",
    entry: "fuzz/targets/boot.ts",
    seeds: () => [
      ...kernels().slice(0, 5).map((kernel) => asked(kernel, 0, 3)),
      asked(bzImage({ kernel: pattern(0x400) }), 16, 3), // linux32
      ...kernels().slice(5).map((kernel) => asked(kernel, 8, 1)),
    ],
  },
];

/**
 * What a target starts from: valid inputs, and what is stored of it.
 *
 * @param target The target.
 * @returns The inputs.
 */
export function seedsOf(target: TargetFile): Uint8Array[] {
  return [...target.seeds(), ...storedSeeds(target.name).map(({ input }) => input)];
}
