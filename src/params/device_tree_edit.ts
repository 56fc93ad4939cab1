import { type AddressRange, formatAddress, rangeEnd } from "../address.ts";
import { type NamedRange, quoteText } from "../errors.ts";
import type { FdtNode, FdtTree } from "../formats/fdt.ts";
import {
  addChild,
  type CellCounts,
  decodeString,
  DEFAULT_CELLS,
  deleteProperty,
  encodeCells,
  encodeNumber,
  encodeReg,
  encodeString,
  ensureNode,
  fdtValueError,
  findNode,
  getProperty,
  setProperty,
} from "./device_tree.ts";

/**
 * What `/chosen` says. A value that is left out leaves the tree's own, `null` removes it.
 */
export interface Chosen {
  /** `bootargs`: the kernel's command line. */
  readonly bootargs?: string | null;
  /**
   * `linux,initrd-start` and `linux,initrd-end` (exclusive): where the initrd lies. Always 64-bit,
   * so that the tree's size does not depend on the address.
   */
  readonly initrd?: AddressRange | null;
  /** `stdout-path`: a path or alias, options after a colon, e.g. `"serial0:115200n8"`. */
  readonly stdoutPath?: string | null;
  /** `kaslr-seed`: 64 random bits for the kernel's own address. */
  readonly kaslrSeed?: bigint | null;
  /** `rng-seed`: random bytes for the kernel's entropy pool. */
  readonly rngSeed?: Uint8Array | null;
}

/** A range that the guest must not use as memory: a child of `/reserved-memory`. */
export interface ReservedMemory extends AddressRange {
  /** The node's name before the unit address: 1 to 31 letters, digits and `,._+-`. */
  readonly name: string;
  /** Whether the guest must not even map it. @default {true} */
  readonly noMap?: boolean;
}

/**
 * Sets properties of `/chosen` (Devicetree Specification v0.4, section 3.6; dt-schema's chosen.yaml).
 * Nothing changes if it throws.
 *
 * A tree may have two `/chosen`. Linux reads the first child of the root that is called `chosen`,
 * with a unit address or without (libfdt's fdt_path_offset), and that one is set.
 *
 * @param tree The tree, which is changed.
 * @param chosen What to set.
 * @throws {LoaderError} `FDT_VALUE` if an address or the seed does not fit 64 bits, or a text holds
 * a NUL or half a surrogate pair.
 */
export function setChosen(tree: FdtTree, chosen: Chosen): void {
  const { bootargs, initrd, stdoutPath, kaslrSeed, rngSeed } = chosen;
  const edits = [
    edit("bootargs", bootargs, (value) => encodeString(value, "/chosen/bootargs")),
    edit("linux,initrd-start", initrd, ({ start }) => {
      return encodeNumber(start, 2, "/chosen/linux,initrd-start");
    }),
    edit("linux,initrd-end", initrd, (range) => {
      return encodeNumber(rangeEnd(range), 2, "/chosen/linux,initrd-end");
    }),
    edit("stdout-path", stdoutPath, (value) => encodeString(value, "/chosen/stdout-path")),
    edit("kaslr-seed", kaslrSeed, (value) => encodeNumber(value, 2, "/chosen/kaslr-seed")),
    edit("rng-seed", rngSeed, (value) => value.slice()),
  ];
  const node = ensureNode(tree.root, "/chosen");
  for (const apply of edits) apply(node);
}

/**
 * Says where the RAM is: one `/memory@…` node for each range replaces every child of the root that
 * is named `memory` or has the device_type `memory`, where the first of them was. A root that does
 * not say its cells gets the specification's defaults written, as Linux takes others. Nothing
 * changes if it throws.
 *
 * @param tree The tree, which is changed. What else its memory nodes said, as a NUMA node, is lost.
 * @param ranges RAM, disjoint.
 * @throws {LoaderError} `FDT_VALUE` if a number does not fit the root's cells, two ranges start at
 * the same address, one is empty, or the root's cells are neither 1 nor 2.
 */
export function setMemory(tree: FdtTree, ranges: readonly AddressRange[]): void {
  const { root } = tree;
  const counts = rootCells(root);
  const starts = new Set<bigint>();
  const parts: FdtNode = { name: "", properties: [], children: [] };
  for (const range of ranges) {
    const { start } = range;
    const field = `/memory@${start.toString(16)}/reg`;
    requireNotEmpty(range, field);
    if (starts.has(start)) throw fdtValueError(field, "one range", "two that start there");
    starts.add(start);
    addChild(parts, `memory@${start.toString(16)}`, {
      device_type: encodeString("memory"),
      reg: encodeReg([range], counts, field),
    });
  }
  setCells(root, counts);
  const first = root.children.findIndex(isMemory);
  const before = first < 0 ? root.children : root.children.slice(0, first);
  const after = first < 0 ? [] : root.children.slice(first).filter((node) => !isMemory(node));
  root.children = [...before, ...parts.children, ...after];
}

/**
 * Keeps ranges from the guest's use: one child of `/reserved-memory` for each (Devicetree
 * Specification v0.4, section 3.5). Nothing changes if it throws.
 *
 * @param tree The tree, which is changed.
 * @param entries The ranges; with none, the tree stays as it is.
 * @throws {LoaderError} `FDT_VALUE` if a number does not fit the root's cells, a name is not one or
 * is taken, a range is empty, or a `/reserved-memory` that is there has cells other than the root's,
 * with which Linux ignores it, or translates addresses.
 *
 * @example
 * ```ts
 * import { addReservedMemory, type FdtTree } from "@vmm/linux-loader";
 *
 * function reserveFirmware(tree: FdtTree): void {
 *   addReservedMemory(tree, [{ name: "firmware", start: 0x4000_0000n, size: 0x20_0000n }]);
 * }
 * ```
 */
export function addReservedMemory(tree: FdtTree, entries: readonly ReservedMemory[]): void {
  if (entries.length === 0) return;
  const { root } = tree;
  const counts = rootCells(root);
  const path = "/reserved-memory";
  const present = findNode(root, path);
  if (present) requireReservedMemory(present, counts, path);

  const names = new Set(present?.children.map((child) => child.name));
  const parts: FdtNode = { name: "", properties: [], children: [] };
  for (const entry of entries) {
    const { name: base, start, noMap = true } = entry;
    if (!/^[0-9A-Za-z,._+-]{1,31}$/.test(base)) {
      throw fdtValueError(`${path} node name`, "1 to 31 of 0-9A-Za-z,._+-", quoteText(base));
    }
    const name = `${base}@${start.toString(16)}`;
    requireNotEmpty(entry, `${path}/${name}/reg`);
    if (names.has(name)) throw fdtValueError(`${path}/${name}`, "a name of its own", "one taken");
    names.add(name);
    const child = addChild(parts, name, { reg: encodeReg([entry], counts, `${path}/${name}/reg`) });
    if (noMap) setProperty(child, "no-map");
  }
  setCells(root, counts);
  const node = present ?? ensureNode(root, path);
  setCells(node, counts);
  setProperty(node, "ranges");
  for (const child of parts.children) node.children.push(child);
}

/**
 * Adds an entry to the memory reservation block: the guest keeps the range, and may map it.
 *
 * @param tree The tree, which is changed.
 * @param range The range.
 * @throws {LoaderError} `FDT_VALUE` if it is empty (an empty entry ends the block) or leaves the
 * 64-bit address space.
 */
export function reserve(tree: FdtTree, range: AddressRange): void {
  requireNotEmpty(range, "fdt_reserve_entry");
  encodeReg([range], { addressCells: 2, sizeCells: 2 }, "fdt_reserve_entry");
  tree.reservations.push({ start: range.start, size: range.size });
}

/**
 * How many cells addresses and sizes take in the children of the root.
 *
 * @param root The root node.
 * @returns What it says, or {@linkcode DEFAULT_CELLS}.
 * @throws {LoaderError} `FDT_VALUE` if a count is neither 1 nor 2.
 */
export function rootCells(root: FdtNode): CellCounts {
  return cellsOf(root, "");
}

function cellsOf(node: FdtNode, path: string): CellCounts {
  const read = (name: string, fallback: number): number => {
    const value = getProperty(node, name);
    if (value === undefined) return fallback;
    const last = value[value.length - 1];
    const isSmall = value.length === 4 && value.subarray(0, 3).every((byte) => byte === 0);
    if (isSmall && (last === 1 || last === 2)) return last;
    throw fdtValueError(`${path}/${name}`, "<1> or <2>", formatValue(value));
  };
  return {
    addressCells: read("#address-cells", DEFAULT_CELLS.addressCells),
    sizeCells: read("#size-cells", DEFAULT_CELLS.sizeCells),
  };
}

function setCells(node: FdtNode, counts: CellCounts): void {
  setProperty(node, "#address-cells", encodeCells([counts.addressCells]));
  setProperty(node, "#size-cells", encodeCells([counts.sizeCells]));
}

/** Linux' __reserved_mem_check_root, and addresses that are not translated. */
function requireReservedMemory(node: FdtNode, wanted: CellCounts, path: string): void {
  const ranges = getProperty(node, "ranges");
  if (ranges !== undefined && ranges.length > 0) {
    throw fdtValueError(`${path}/ranges`, "an empty value", formatValue(ranges));
  }
  if (node.children.length === 0) return;
  const counts = cellsOf(node, path);
  if (counts.addressCells !== wanted.addressCells || counts.sizeCells !== wanted.sizeCells) {
    const show = (c: CellCounts) => `${c.addressCells} address and ${c.sizeCells} size cells`;
    throw fdtValueError(path, `the root's ${show(wanted)}`, show(counts));
  }
}

function isMemory(node: FdtNode): boolean {
  if (node.name === "memory" || node.name.startsWith("memory@")) return true;
  const type = getProperty(node, "device_type");
  return type !== undefined && decodeString(type) === "memory";
}

function requireNotEmpty(range: AddressRange, field: string): void {
  if (range.size > 0n) return;
  throw fdtValueError(field, "a size above 0", formatAddress(range.size));
}

/** An edit of one property, its value made now, so that a refusal comes before any change. */
function edit<T>(
  name: string,
  value: T | null | undefined,
  encode: (value: T) => Uint8Array,
): (node: FdtNode) => void {
  if (value === undefined) return () => {};
  if (value === null) return (node) => deleteProperty(node, name);
  const bytes = encode(value);
  return (node) => setProperty(node, name, bytes);
}

function formatValue(value: Uint8Array): string {
  const shown = [...value.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `[${shown.join(" ")}${value.length > 16 ? " …" : ""}]`;
}

/**
 * What a device tree says is taken: its memory reservation block, and the nodes under
 * /reserved-memory that have a fixed place (Devicetree Specification v0.4, sections 3.5 and 5.3).
 *
 * @param tree A tree that a caller brings.
 * @returns The ranges, under names of their own.
 * @throws {LoaderError} `FDT_VALUE` if a `reg` does not hold whole ranges.
 */
export function reservedRanges(tree: FdtTree): NamedRange[] {
  const block = tree.reservations.map(({ start, size }, i) => ({
    name: `device tree memory reservation ${i}`,
    start,
    size,
  }));
  const parent = findNode(tree.root, "/reserved-memory");
  const nodes = (parent?.children ?? []).filter(isEnabled);
  return [...block, ...nodes.flatMap((node) => rangesOf(tree, node))].filter(({ size }) =>
    size > 0n
  );
}

function isEnabled(node: FdtNode): boolean {
  const status = getProperty(node, "status");
  return status === undefined || ["okay", "ok"].includes(decodeString(status));
}

/** The parent has the root's cells: section 3.5.2 wants "the same values". */
function rangesOf({ root }: FdtTree, node: FdtNode): NamedRange[] {
  const reg = getProperty(node, "reg");
  if (reg === undefined) return []; // the guest chooses the place
  const { addressCells, sizeCells } = rootCells(root);
  const width = 4 * (addressCells + sizeCells);
  const nodeName = printable(node.name);
  const field = `/reserved-memory/${nodeName}/reg`;
  if (reg.length % width !== 0) {
    throw fdtValueError(field, `a multiple of ${width} bytes`, `${reg.length}`);
  }
  const ranges: NamedRange[] = [];
  for (let at = 0; at < reg.length; at += width) {
    const start = readCells(reg, at, addressCells);
    const size = readCells(reg, at + 4 * addressCells, sizeCells);
    ranges.push({ name: `device tree node ${nodeName}`, start, size });
  }
  return ranges;
}

/** A name from a file in an error's message, which may end up in a terminal. */
function printable(name: string): string {
  return name.replace(
    /[^ -~]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function readCells(bytes: Uint8Array, at: number, cells: number): bigint {
  return bytes.subarray(at, at + 4 * cells).reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
}
