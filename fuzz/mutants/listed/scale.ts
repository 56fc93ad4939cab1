/** Faults that only what is large, or many, or comes again shows: work, narrow numbers, shared state. */
import type { ListedFault } from "./fault.ts";

const ADDRESS = "src/address.ts";
const MEMORY = "src/memory/guest_memory.ts";
const SPACE = "src/memory/space.ts";
const FREE_LIST = "src/memory/free_list.ts";
const APPLY = "src/memory/apply.ts";
const ZERO_PAGE = "src/params/zero_page.ts";
const PVH = "src/protocols/pvh.ts";
const X86_GUEST = "src/protocols/x86_guest.ts";
const FLAT = "src/protocols/flat_guest.ts";
const BZIMAGE = "src/protocols/bzimage_placement.ts";
const LOADER = "src/loader.ts";

export const SCALE: readonly ListedFault[] = [
  {
    id: "work-search-linear",
    what: "ranges are searched one after the other",
    file: ADDRESS,
    find: "const middle = (low + high) >>> 1;",
    replace: "const middle = low;",
  },
  {
    id: "work-subtract-restarts",
    what: "each range looks at all holes",
    file: ADDRESS,
    find: "    while (first < holes.length && rangeEnd(holes[first]) <= range.start) first++;\n",
    replace: "",
  },
  {
    id: "work-views-from-first",
    what: "each access looks at all regions",
    file: MEMORY,
    find: "let i = Math.max(indexAtOrBelow(this.regions, range.start), 0);",
    replace: "let i = 0;",
  },
  {
    id: "work-claims-merge-all",
    what: "each thing that is placed is compared with all others",
    file: SPACE,
    find:
      "    const from = Math.max(indexAtOrBelow(this.#taken, added[0].start), 0);\n    const to = indexAtOrBelow(this.#taken, added[added.length - 1].start) + 2;\n",
    replace: "    const [from, to] = [0, this.#taken.length];\n",
  },
  {
    id: "work-free-list-forgotten",
    what: "what is free is found out anew for each thing that is placed",
    file: SPACE,
    find: "if (!this.#free?.take(added[0])) this.#free = undefined;",
    replace: "this.#free = undefined;",
  },
  {
    id: "work-free-list-all",
    what: "each gap is looked at each time",
    file: FREE_LIST,
    find: "return most >= size;",
    replace: "return most >= 0n;",
  },
  {
    id: "x86-placements-shared",
    what: "what one guest has is what all of them have",
    file: X86_GUEST,
    find: "readonly #placements: Placement[] = [];",
    replace: "readonly #placements: Placement[] = ((X86Guest as any).all ??= []);",
  },
  {
    id: "zero-page-reused",
    what: "the zero page of the boot before is written over",
    file: ZERO_PAGE,
    find: "const page = new Uint8Array(BOOT_PARAMS.size);",
    replace:
      "const page: Uint8Array = ((buildZeroPage as any).page ??= new Uint8Array(BOOT_PARAMS.size));",
  },
  {
    id: "loader-header-shared",
    what: "the header that is handed on is the file's own bytes",
    file: LOADER,
    find: "    const { code32_start } = SETUP_HEADER.read(setupHeader);\n",
    replace:
      "    const own = image instanceof Uint8Array ? image.subarray(SETUP_HEADER_OFFSET) : setupHeader;\n" +
      "    const { code32_start } = SETUP_HEADER.read(setupHeader);\n" +
      "    SETUP_HEADER.write(own, { code32_start: Number(BigInt.asUintN(32, kernelOffset ?? 0n)) });\n",
  },
  {
    id: "apply-source-narrowed",
    what: "a source of 4 GiB is thought to be empty",
    file: APPLY,
    find: "? BigInt(source.size - offset)",
    replace: "? BigInt((source.size - offset) >>> 0)",
  },
  {
    id: "segment-offset-narrowed",
    what: "a segment behind 4 GiB of its file is read from elsewhere",
    file: "src/protocols/elf_segments.ts",
    find: 'const content = { kind: "source", source, offset } as const;',
    replace: 'const content = { kind: "source", source, offset: offset >>> 0 } as const;',
  },
  {
    id: "elf-load-offset-narrowed",
    what: "Elf.load: a segment behind 4 GiB of its file is read from elsewhere",
    file: "src/protocols/elf_load.ts",
    find: "offset: Number(p_offset) } as const;",
    replace: "offset: Number(p_offset) >>> 0 } as const;",
  },
  {
    id: "flat-size-narrowed",
    what: "an Image of 4 GiB is thought to be empty",
    file: FLAT,
    find: "const fileSize = BigInt(request.kernel.size);",
    replace: "const fileSize = BigInt(request.kernel.size >>> 0);",
  },
  {
    id: "x86-initrd-narrowed",
    what: "an initrd of 4 GiB is thought to be empty",
    file: X86_GUEST,
    find: "const size = BigInt(initrd.size);",
    replace: "const size = BigInt(initrd.size >>> 0);",
  },
  {
    id: "flat-initrd-narrowed",
    what: "an initrd of 2 GiB has a negative size",
    file: FLAT,
    find: "const size = BigInt(initrd.size);",
    replace: "const size = BigInt(initrd.size | 0);",
  },
  {
    id: "pvh-module-narrowed",
    what: "a module of 4 GiB is thought to be empty",
    file: PVH,
    find: "const size = BigInt(source.size);",
    replace: "const size = BigInt(source.size >>> 0);",
  },
  {
    id: "bzimage-size-narrowed",
    what: "a bzImage of 4 GiB is thought to be empty",
    file: BZIMAGE,
    find: "const size = BigInt(Math.min(kernelSize, fileKernelSize));",
    replace: "const size = BigInt(Math.min(kernelSize, fileKernelSize) >>> 0);",
  },
  {
    id: "bzimage-payload-wraps",
    what: "where the payload ends is a sum of 32 bits",
    file: BZIMAGE,
    find: "const end = payload_offset + payload_length;",
    replace: "const end = (payload_offset + payload_length) >>> 0;",
  },
];
