/**
 * Where this library answers otherwise than linux-loader on purpose. Each divergence is a predicate
 * over the input and both answers, and names the fields that it may change; whatever it does not
 * name is still compared.
 */
import { GuestMemory, type LoaderError } from "../../mod.ts";
import type { Answer } from "./answers.ts";
import { type BootParamsCase, type Case, fromHex, type ImageCase, type Verdict } from "./cases.ts";
import { CLASS_64, endOf, type Load, loadsOf, offsetsOf } from "./elf_facts.ts";
import { type Guest, guestOf, runsOf, sameRuns } from "./guest.ts";

/** A field in which two answers can differ. */
export type Field = "outcome" | "kernel_load" | "kernel_end" | "pvh" | "setup_header" | "mem";

/** A case, and both answers. */
export interface Seen {
  readonly case: Case;
  readonly input: Uint8Array;
  readonly theirs: Verdict;
  readonly ours: Answer;
}

/** A difference on purpose. */
export interface Divergence {
  readonly name: string;
  /** Why, in one sentence. */
  readonly reason: string;
  /** What it may change. */
  readonly fields: readonly Field[];
  /** Whether it is the reason that a field differs. */
  explains(seen: Seen, field: Field): boolean;
}

const ADDRESS_END = 1n << 64n;

/** A predicate for cases that load an ELF file. */
function ofElf(
  explains: (seen: Seen, loads: readonly Load[], one: ImageCase) => boolean,
): (seen: Seen) => boolean {
  return (seen) =>
    seen.case.format === "elf" && explains(seen, loadsOf(seen.case, seen.input), seen.case);
}

const hasNoBytes = ({ filesz }: Load) => filesz === 0n;

function maxOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((a, b) => a > b ? a : b, 0n);
}

/** The index in `kernel segment 3`, `p_memsz[3]`. */
function segmentIndex(error: LoaderError | undefined): number | undefined {
  const name = error?.field ?? error?.ranges?.[0].name ?? "";
  const digits = /^(?:kernel segment |p_(?:paddr|memsz)\[)(\d+)\]?$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The one that is about errors: of a command line too, which has no other. */
export const MEMORY_UNTOUCHED: Divergence = {
  name: "memory-untouched",
  reason: "After an error guest memory is as it was: everything is checked before the first byte " +
    "is written, where linux-loader leaves what it had written until then.",
  fields: ["mem"],
  explains: ({ theirs, ours }) =>
    !theirs.ok && ours.error !== undefined && ours.guest !== undefined &&
    runsOf(ours.guest).length === 0,
};

const bssZeroed: Divergence = {
  name: "bss-zeroed",
  reason: "What a PT_LOAD segment has in memory and not in the file is zeroed, as the ELF " +
    "specification says, where linux-loader leaves what was there.",
  fields: ["mem"],
  explains: ofElf(({ theirs, ours }, loads, one) => {
    if (!theirs.ok || ours.error !== undefined) return false;
    // With the fill put back where BSS is, every byte must be theirs
    const { memory, fill } = ours.guest!;
    const copy = copyOf(ours.guest!);
    for (const { start, filesz, memsz } of loads) {
      if (memsz <= filesz) continue;
      const size = Number(memsz - filesz);
      const bss = start + filesz;
      if (memory.read(bss, size).some((byte) => byte !== 0)) return false;
      copy.memory.write(bss, new Uint8Array(size).fill(fill));
    }
    return one.fill !== undefined && sameRuns(theirs.mem ?? [], runsOf(copy));
  }),
};

const kernelEndCovers: Divergence = {
  name: "kernel-end-covers-the-kernel",
  reason: "kernelEnd is past everything that was written or zeroed, so that an initrd put there " +
    "is safe, where linux-loader leaves out segments without file bytes and trusts a p_memsz " +
    "below p_filesz.",
  fields: ["kernel_end"],
  explains: ofElf(({ theirs, ours }, loads) => {
    const counted = loads.filter((load) => !hasNoBytes(load));
    const their = maxOf(counted.map(({ start, memsz }) => start + memsz));
    return BigInt(theirs.kernel_end!) === their &&
      BigInt(ours.loaded.kernel_end!) === maxOf(loads.map(endOf));
  }),
};

const memszChecked: Divergence = {
  name: "bss-outside-ram",
  reason: "A segment whose p_memsz leaves guest RAM, or wraps, is refused, where linux-loader " +
    "looks at its file bytes alone.",
  fields: ["outcome"],
  explains: ofElf(({ theirs, ours }, loads, one) => {
    const load = loads.find(({ index }) => index === segmentIndex(ours.error));
    if (!theirs.ok || load === undefined) return false;
    const { start, filesz, memsz } = load;
    const wraps = start >= ADDRESS_END || start + memsz >= ADDRESS_END;
    // Where it wraps though the file has bytes, linux-loader refuses as well
    if (wraps) return ours.error?.code === "ADDRESS_OVERFLOW" && hasNoBytes(load);
    const { memory } = guestOf(one)!;
    return ours.error?.code === "OUTSIDE_RAM" && memsz > filesz &&
      !memory.contains({ start, size: memsz }) &&
      (hasNoBytes(load) || memory.contains({ start, size: filesz }));
  }),
};

const segmentOverlap: Divergence = {
  name: "segment-overlap",
  reason:
    "PT_LOAD segments that overlap in memory are refused, where linux-loader lets the later " +
    "one win: no kernel has them, and they make loading quadratic.",
  fields: ["outcome"],
  explains: ofElf(({ theirs, ours }, loads) => {
    const [b, a] = ours.error?.ranges ?? [];
    const named = [a, b].map((range) =>
      loads.find(({ index, start }) =>
        range?.name === `kernel segment ${index}` && range.start === start
      )
    );
    const [first, second] = named;
    return theirs.ok && ours.error?.code === "ELF_SEGMENT_OVERLAP" && first !== undefined &&
      second !== undefined && first !== second && first.start < endOf(second) &&
      second.start < endOf(first);
  }),
};

const elfClass: Divergence = {
  name: "elf-class",
  reason: "A file that says it is not a 64-bit one is refused for that, where linux-loader reads " +
    "its fields at the places of a 64-bit file.",
  fields: ["outcome"],
  explains: ({ case: one, input, ours }) =>
    one.format === "elf" && input.length >= 64 && input[4] !== CLASS_64 &&
    ours.error?.code === "ELF_CLASS",
};

const exactFit: Divergence = {
  name: "exact-fit",
  reason: "Boot parameters may end with the last byte of RAM, or of RAM before a hole, where " +
    "linux-loader wants one byte more.",
  fields: ["outcome", "mem"],
  explains: ({ case: one, theirs, ours }, field) => {
    if (one.format !== "bootparams" || theirs.ok) return false;
    const parts = partsOf(one);
    const refused = parts.findIndex(({ pastRamEnd }) => pastRamEnd === theirs.err);
    if (refused < 0) return false;
    const { start, bytes } = parts[refused];
    const range = { start, size: BigInt(bytes.length) };
    const guest = guestOf(one)!;
    const end = start + range.size;
    const fits = guest.memory.contains(range) &&
      guest.memory.ram.some((ram) => ram.start + ram.size === end);
    if (!fits) return false;
    if (ours.error !== undefined) {
      // It was refused for a part that linux-loader did not come to
      const name = ours.error.field ?? ours.error.ranges?.[0].name;
      return field === "outcome" && parts.slice(refused + 1).some((part) => part.name === name);
    }
    if (field === "outcome") return true;
    for (const { start, bytes } of parts) if (bytes.length > 0) guest.memory.write(start, bytes);
    return sameRuns(runsOf(guest), runsOf(ours.guest!));
  },
};

/**
 * The one that is about reading from a file: our answer is held against theirs from memory then, and
 * what differs there is to be explained by the others.
 */
export const SOURCE_INDEPENDENT: Pick<Divergence, "name" | "reason"> & {
  readonly explains: (seen: Seen, file: Verdict) => boolean;
} = {
  name: "source-independent",
  reason:
    "Bytes in memory and the same bytes in a file have one answer, where linux-loader's seek " +
    "in a file fails at offsets past 2^63, read from or not.",
  explains: ({ case: one, input }, file) =>
    one.format === "elf" && !file.ok && /^Elf\(Seek\w+\)$/.test(file.err ?? "") &&
    offsetsOf(input).some((offset) => offset >= 1n << 63n),
};

/** All of them, the narrowest first. */
export const DIVERGENCES: readonly Divergence[] = [
  elfClass,
  segmentOverlap,
  memszChecked,
  kernelEndCovers,
  bssZeroed,
  exactFit,
  MEMORY_UNTOUCHED,
];

/** What a protocol writes, in linux-loader's order, and its error if that is past the end of RAM. */
function partsOf(one: BootParamsCase) {
  const part = (name: string, start: string | null, hex: string | null, pastRamEnd?: string) =>
    hex === null || start === null
      ? []
      : [{ name, start: BigInt(start), bytes: fromHex(hex), pastRamEnd }];
  const header = (name: string, error: string) => part(name, one.header_start, one.header, error);
  switch (one.protocol) {
    case "linux":
      return header("zero page", "Linux(ZeroPagePastRamEnd)");
    case "fdt":
      return header("device tree", "Fdt(FDTPastRamEnd)");
    case "pvh":
      return [
        ...part(
          "memory map",
          one.sections_start,
          one.sections,
          "Pvh(MemmapTablePastRamEnd)",
        ),
        ...header("start info", "Pvh(StartInfoPastRamEnd)"),
        ...(one.modules === null ? [] : [{
          name: "modules",
          start: BigInt(one.modules_start ?? 0),
          bytes: fromHex(one.modules),
          pastRamEnd: undefined,
        }]),
      ];
    default:
      throw new Error(`Cannot explain protocol ${one.protocol satisfies never}`);
  }
}

function copyOf({ memory, fill }: Guest): Guest {
  const regions = memory.regions.map(({ start, bytes }) => ({ start, bytes: bytes.slice() }));
  return { memory: GuestMemory.of(regions), fill };
}
