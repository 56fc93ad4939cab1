import type { NamedRange } from "../errors.ts";
import type { FdtNode, FdtTree } from "../formats/fdt.ts";
import { decodeString, fdtValueError, findNode, getProperty } from "./device_tree.ts";
import { rootCells } from "./device_tree_edit.ts";

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
