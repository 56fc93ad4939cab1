import { formatRange } from "../address.ts";
import { LoaderError, wrongType } from "../errors.ts";
import { type KernelSource, readExactly } from "../source.ts";
import type { GuestMemory } from "./guest_memory.ts";
import type { Placement } from "./placement.ts";
import { Space } from "./space.ts";

/** How placements are written. */
export interface ApplyOptions {
  /**
   * The caller knows that its memory is fresh (reads as zero everywhere): BSS is not written, which
   * saves touching pages for nothing. False if not given.
   */
  readonly fresh?: boolean;
}

/**
 * Checks placements against guest memory, then writes them. This is the only code that writes a
 * plan.
 *
 * @param memory Where to.
 * @param placements What goes where, in any order.
 * @param options How.
 * @throws {LoaderError} `INVALID_PLAN`, `INVALID_MEMORY`, `OUTSIDE_RAM` or `OVERLAP`, and then no
 * guest byte was touched; `PARTIALLY_APPLIED` if a source failed while it was read: ranges of these
 * placements may then be half written, nothing outside them is.
 * @throws {TypeError} If `fresh` is no boolean.
 */
export function applyPlacements(
  memory: GuestMemory,
  placements: readonly Placement[],
  options: ApplyOptions = {},
): void {
  if (options.fresh !== undefined && typeof options.fresh !== "boolean") {
    throw wrongType("fresh", "a boolean", options.fresh); // "no" would be taken for true
  }
  for (const placement of placements) checkContent(placement);
  new Space(memory).claim(placements);
  // Now, while nothing is written: a region may have lost its buffer since the memory was made.
  for (const placement of placements) if (placement.size > 0n) memory.views(placement);
  // Sources first: once one has failed, as little as possible has been written.
  const sources = placements.filter(({ content }) => content.kind === "source");
  const rest = placements.filter(({ content }) => content.kind !== "source");
  for (const placement of [...sources, ...rest]) write(memory, placement, options);
}

function checkContent(placement: Placement): void {
  const { name, start, size, content } = placement;
  const has = bytesOf(placement);
  if (size >= 0n && (content.kind === "source" ? has >= size : has === size)) return;
  throw new LoaderError(
    "INVALID_PLAN",
    `Cannot place ${name} at ${
      formatRange({ start, size })
    }: its ${content.kind} has ${has} bytes, ${size} are wanted`,
    { ranges: [{ name, start, size }] },
  );
}

/** How many bytes a placement's content has to give. */
function bytesOf({ name, start, size, content }: Placement): bigint {
  switch (content.kind) {
    case "source": {
      const { source, offset } = content;
      return Number.isSafeInteger(offset) && offset >= 0 && offset <= source.size
        ? BigInt(source.size - offset)
        : -1n;
    }
    case "bytes":
      return BigInt(content.bytes.length);
    case "zeros":
    case "claim":
      return size;
    default:
      content satisfies never;
      throw new LoaderError("INVALID_PLAN", `Cannot place ${name}: unknown kind of content`, {
        ranges: [{ name, start, size }],
      });
  }
}

function write(memory: GuestMemory, placement: Placement, { fresh }: ApplyOptions): void {
  const { start, content } = placement;
  if (placement.size === 0n) return;
  switch (content.kind) {
    case "source":
      return copy(memory, placement, content.source, content.offset);
    case "bytes":
      return memory.write(start, content.bytes);
    case "zeros":
      if (!fresh) { for (const view of memory.views(placement)) view.fill(0); }
      return;
    case "claim":
      return;
    default:
      content satisfies never;
  }
}

/** Reads straight into guest memory: no buffer lies between. */
function copy(
  memory: GuestMemory,
  placement: Placement,
  source: KernelSource,
  offset: number,
): void {
  let done = 0;
  for (const view of memory.views(placement)) {
    try {
      readExactly(source, offset + done, view, placement.name);
    } catch (cause) {
      throw new LoaderError(
        "PARTIALLY_APPLIED",
        `Cannot load ${placement.name} at ${formatRange(placement)}: ${
          (cause as Error).message
        }; ` +
          "the planned ranges may be half written, nothing outside them is",
        {
          field: placement.name,
          offset: offset + done,
          cause,
          ranges: [{ name: placement.name, start: placement.start, size: placement.size }],
        },
      );
    }
    done += view.length;
  }
}
