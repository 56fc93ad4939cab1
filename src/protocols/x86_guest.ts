import {
  addressAdd,
  type AddressRange,
  byStart,
  formatAddress,
  formatRange,
  PAGE_SIZE,
  rangeEnd,
  subtractRanges,
} from "../address.ts";
import type { X86CpuState } from "../cpu/state.ts";
import { buildGdt, type X86Mode } from "../cpu/x86.ts";
import { LoaderError } from "../errors.ts";
import type { Placement } from "../memory/placement.ts";
import { Space } from "../memory/space.ts";
import { deriveMemoryMap, type MemoryMapEntry, type Reservation } from "../params/memory_map.ts";
import {
  CMDLINE_START,
  FALLBACK_MIN,
  GDT_START,
  LEGACY_HOLE,
  LEGACY_RESERVED,
  LOW_END,
} from "./layout_x86.ts";
import { type BootPlan, type BootRequest, invalidOption } from "./plan.ts";

/** What the x86 protocols share: the memory they place things in, and what they have placed. */
export class X86Guest {
  /** What is asked for. */
  readonly request: BootRequest;
  /** What is taken. */
  readonly space: Space;
  /** The guest's memory map. */
  readonly memoryMap: readonly MemoryMapEntry[];
  readonly #placements: Placement[] = [];

  /**
   * @param request What is asked for.
   * @throws {LoaderError} If reservations or memory map entries cannot be.
   */
  constructor(request: BootRequest) {
    this.request = request;
    const { reservations = [], memoryMap: extra = [] } = request;
    this.memoryMap = deriveMemoryMap({
      ram: request.layout.ram,
      reservations: [...reservations, ...legacyReservations([...reservations, ...extra])],
      extra,
      hole: LEGACY_HOLE,
    });
    this.space = new Space(request.layout);
    // The hole last: a reservation in it keeps its own name in errors.
    const hole = { name: "legacy hole (video memory, ROM)", ...LEGACY_HOLE };
    this.space.reserve([...reservations, ...subtractNamed(hole, reservations)]);
  }

  /** Everything placed so far. */
  get placements(): readonly Placement[] {
    return this.#placements;
  }

  /**
   * Adds placements whose memory is taken already.
   *
   * @param placements What lies where: an ELF file may have 262,144, too many for a spread argument.
   */
  add(placements: readonly Placement[]): void {
    for (const placement of placements) this.#placements.push(placement);
  }

  /**
   * Places bytes that depend on where they lie below 4 GiB.
   *
   * @param name What they are.
   * @param size How many.
   * @param preferred Where they go if that is free.
   * @param build Makes them.
   * @param align Alignment in bytes.
   * @returns Their guest-physical address.
   * @throws {LoaderError} `NO_SPACE`.
   */
  place(
    name: string,
    size: bigint,
    preferred: bigint,
    build: (start: bigint) => Uint8Array,
    align = 8n,
  ): bigint {
    const bounds = { min: FALLBACK_MIN, max: LOW_END };
    const start = this.space.allocate({ name, size, align, preferred, ...bounds });
    this.add([{ name, start, size, content: { kind: "bytes", bytes: build(start) } }]);
    return start;
  }

  /**
   * Places the command line.
   *
   * @param bytes The line with its NUL.
   * @returns Its guest-physical address.
   */
  placeCmdline(bytes: Uint8Array): bigint {
    return this.place("command line", BigInt(bytes.length), CMDLINE_START, () => bytes, 1n);
  }

  /**
   * Places the GDT.
   *
   * @param mode The mode it is for.
   * @returns Its guest-physical address.
   */
  placeGdt(mode: X86Mode): bigint {
    const gdt = buildGdt(mode);
    return this.place("gdt", BigInt(gdt.length), GDT_START, () => gdt);
  }

  /**
   * Places the initrd, page-aligned, as high as may be.
   *
   * @param end One past the highest address it may cover.
   * @param why Where that bound comes from, for errors.
   * @returns Where it is, or undefined if there is none.
   * @throws {LoaderError} `NO_SPACE`, `MISALIGNED`, `OVERLAP`, `OUTSIDE_RAM`.
   */
  placeInitrd(end: bigint, why: string): AddressRange | undefined {
    const { initrd, initrdAddress } = this.request;
    if (!initrd) {
      if (initrdAddress === undefined) return undefined;
      throw invalidOption("initrdAddress", "there is no initrd, an initrd is wanted");
    }
    const size = BigInt(initrd.size);
    const name = "initrd";
    const bounds = { min: FALLBACK_MIN, max: end };
    const start = initrdAddress ??
      this.space.allocate({ name, size, align: PAGE_SIZE, ...bounds, from: "high" });
    const range = { start, size };
    if (initrdAddress !== undefined) {
      checkInitrdAddress(range, end, why);
      this.space.claim([{ name, ...range }]);
    }
    this.add([{ name, ...range, content: { kind: "source", source: initrd, offset: 0 } }]);
    return range;
  }

  /**
   * The plan of what was placed.
   *
   * @param protocol The protocol.
   * @param cpu How the first vCPU starts.
   * @returns The plan.
   */
  plan(protocol: BootPlan["protocol"], cpu: X86CpuState): BootPlan {
    return {
      arch: "x86_64",
      protocol,
      placements: [...this.#placements].sort(byStart),
      memoryMap: this.memoryMap,
      cpu,
      ram: this.request.layout.ram,
    };
  }
}

/** Checks an address that the caller chose for the initrd. */
function checkInitrdAddress(range: AddressRange, end: bigint, why: string): void {
  addressAdd(range.start, range.size, "initrd");
  if (range.start === 0n) {
    throw invalidOption("initrdAddress", "0x0, which tells the kernel that there is no initrd");
  }
  if (range.start % PAGE_SIZE !== 0n) {
    throw new LoaderError(
      "MISALIGNED",
      `Cannot place initrd at ${formatAddress(range.start)}: a multiple of ${
        formatAddress(PAGE_SIZE)
      } is wanted`,
      { field: "initrdAddress", ranges: [{ name: "initrd", ...range }] },
    );
  }
  if (rangeEnd(range) > end) {
    throw new LoaderError(
      "NO_SPACE",
      `Cannot place initrd at ${formatRange(range)}: it must end at or below ${
        formatAddress(end)
      } (${why})`,
      {
        field: "initrdAddress",
        ranges: [{ name: "initrd", ...range }, { name: why, start: 0n, size: end }],
      },
    );
  }
}

/** What the memory map says of the legacy hole, where the caller does not say something else. */
function legacyReservations(said: readonly AddressRange[]): Reservation[] {
  return LEGACY_RESERVED.flatMap((range) => subtractNamed({ name: "legacy hole", ...range }, said));
}

function subtractNamed(
  range: AddressRange & { name: string },
  holes: readonly AddressRange[],
): { name: string; start: bigint; size: bigint }[] {
  const sorted = holes.filter((hole) => hole.size > 0n).sort(byStart);
  return subtractRanges([range], sorted).map((piece) => ({ ...piece, name: range.name }));
}
