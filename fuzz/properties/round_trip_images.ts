import fc from "fast-check";
import {
  arm64Image,
  bzImage,
  EHDR,
  EHDR32,
  elfImage,
  IMAGE,
  PHDR,
  PHDR32,
  SETUP,
} from "../arbitraries/images.ts";
import { boundary } from "../arbitraries/numbers.ts";
import { sourceWith } from "../faulty_source.ts";
import { property, Violation } from "../property.ts";

/** Fields that say where something is, or what the file is: their values are the image builder's. */
const FIXED = new Set([
  ...["class", "data", "ident_version", "e_phoff", "e_phentsize", "e_phnum", "e_shoff"],
  ...["p_type", "p_offset", "p_filesz"],
  ...["setup_sects", "header", "version", "jump", "loadflags", "magic"],
]);

type Table = Readonly<Record<string, readonly [number, 1 | 2 | 4 | 8]>>;

/** A number for each field that may have any. */
function values(table: Table): fc.Arbitrary<Record<string, bigint>> {
  const free = Object.entries(table).filter(([name]) => !FIXED.has(name));
  return fc.tuple(...free.map(() => boundary)).map((numbers) => {
    return Object.fromEntries(free.map(([name, [, width]], i) => {
      return [name, BigInt.asUintN(8 * width, numbers[i])];
    }));
  });
}

const elf = (bits: 32 | 64, ehdr: Table, phdr: Table) =>
  fc.record({
    kind: fc.constant("elf" as const),
    bits: fc.constant(bits),
    fields: values(ehdr),
    segment: values(phdr),
  });

const inputs = fc.oneof(
  elf(64, EHDR, PHDR),
  elf(32, EHDR32, PHDR32),
  fc.record({ kind: fc.constant("bzimage" as const), fields: values(SETUP) }),
  fc.record({ kind: fc.constant("arm64" as const), fields: values(IMAGE) }),
);

/** Whether the parsed fields are the built ones; res0 and the like may go by other names. */
function compare(
  what: string,
  parsed: Readonly<Record<string, unknown>>,
  built: Readonly<Record<string, bigint>>,
): void {
  for (const [name, value] of Object.entries(built)) {
    const read = parsed[name];
    if (read === undefined && /^res\d$/.test(name)) continue;
    if (typeof read !== "number" && typeof read !== "bigint") {
      throw new Violation(`${what} lacks ${name}`);
    }
    if (BigInt(read) !== value) {
      throw new Violation(`${what}.${name} changes`, `${value} → ${read}`);
    }
  }
}

export default property({
  name: "round-trip-images",
  says: "what is built with any field values parses to the same values",
  inputs,
  check(input, { parseElf, parseBzImage, parseArm64Image }) {
    switch (input.kind) {
      case "elf": {
        const bytes = new Uint8Array(32).fill(7);
        const { bits, fields, segment } = input;
        const file = elfImage({ bits, header: fields, segments: [{ ...segment, bytes }] });
        const { header, segments } = parseElf(sourceWith(file));
        compare(`Elf${bits}_Ehdr`, { ...header }, fields);
        const { p_vaddr, p_paddr, p_memsz, p_align } = segment;
        const [{ vaddr, paddr, memSize, align }] = segments;
        compare(
          `Elf${bits}_Phdr`,
          { p_vaddr: vaddr, p_paddr: paddr, p_memsz: memSize, p_align: align },
          {
            p_vaddr,
            p_paddr,
            p_memsz,
            p_align,
          },
        );
        return;
      }
      case "bzimage":
        return compare(
          "setup_header",
          { ...parseBzImage(sourceWith(bzImage(input.fields))).header },
          input.fields,
        );
      case "arm64":
        return compare(
          "arm64_image_header",
          { ...parseArm64Image(sourceWith(arm64Image(input.fields))).header },
          input.fields,
        );
    }
  },
});
