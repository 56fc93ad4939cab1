import { ADDRESS_END, type AddressRange, formatAddress } from "../address.ts";
import { LoaderError, quoteText } from "../errors.ts";
import type { FdtNode } from "../formats/fdt.ts";

/** How many 32-bit cells an address and a size take in the `reg` of a node's children. */
export interface CellCounts {
  /** The parent's `#address-cells`. */
  readonly addressCells: number;
  /** The parent's `#size-cells`. */
  readonly sizeCells: number;
}

/** Devicetree Specification v0.4, section 2.3.5: what a node means that does not say. */
export const DEFAULT_CELLS: CellCounts = { addressCells: 2, sizeCells: 1 };

/**
 * The error of a value that a device tree cannot hold, or should not.
 *
 * @param field The property, or the node's path and the property.
 * @param expected What would have been accepted.
 * @param actual What was there.
 * @returns An `FDT_VALUE` error that reads "Cannot set FIELD: expected E, got A".
 */
export function fdtValueError(field: string, expected: string, actual: string): LoaderError {
  return new LoaderError(
    "FDT_VALUE",
    `Cannot set ${field}: expected ${expected}, got ${actual}`,
    { field, expected, actual },
  );
}

/**
 * A value of 32-bit cells (`<prop-encoded-array>`, `<u32>`).
 *
 * @param cells 32-bit numbers.
 * @param field Named in the error.
 * @returns Four bytes each, big-endian.
 * @throws {LoaderError} `FDT_VALUE` if a number is not one of 32 bits.
 *
 * @example
 * ```ts
 * import { encodeCells } from "@vmm/linux-loader";
 *
 * console.log(encodeCells([0, 1, 4])); // interrupts = <0 1 4>
 * ```
 */
export function encodeCells(cells: readonly number[], field = "property"): Uint8Array {
  const bytes = new Uint8Array(4 * cells.length);
  const view = new DataView(bytes.buffer);
  cells.forEach((cell, index) => {
    if (!Number.isInteger(cell) || cell < 0 || cell > 0xffff_ffff) {
      throw fdtValueError(field, "32-bit cells", `${cell}`);
    }
    view.setUint32(4 * index, cell);
  });
  return bytes;
}

/**
 * A number that takes some 32-bit cells, the most significant first.
 *
 * @param value The number.
 * @param cells How many cells: 2 for a `<u64>`.
 * @param field Named in the error.
 * @returns Four bytes for each cell.
 * @throws {LoaderError} `FDT_VALUE` if it does not fit.
 */
export function encodeNumber(value: bigint, cells: number, field = "property"): Uint8Array {
  if (value < 0n || value >> BigInt(32 * cells) !== 0n) {
    throw fdtValueError(field, `a number of ${cells} 32-bit cells`, formatAddress(value));
  }
  const bytes = new Uint8Array(4 * cells);
  const view = new DataView(bytes.buffer);
  for (let cell = cells - 1, rest = value; cell >= 0; cell--, rest >>= 32n) {
    view.setUint32(4 * cell, Number(rest & 0xffff_ffffn));
  }
  return bytes;
}

/**
 * A `reg`: an address and a size for each range.
 *
 * @param ranges Guest-physical ranges.
 * @param counts How many cells each takes: those of the node's parent.
 * @param field Named in the error.
 * @returns The value.
 * @throws {LoaderError} `FDT_VALUE` if an address or a size does not fit its cells, or a range
 * leaves the 64-bit address space.
 */
export function encodeReg(
  ranges: readonly AddressRange[],
  counts: CellCounts,
  field = "reg",
): Uint8Array {
  return concat(ranges.flatMap(({ start, size }) => {
    if (start + size > ADDRESS_END) {
      const actual = `${formatAddress(start)} + ${formatAddress(size)}`;
      throw fdtValueError(field, "a range in the 64-bit address space", actual);
    }
    return [
      encodeNumber(start, counts.addressCells, field),
      encodeNumber(size, counts.sizeCells, field),
    ];
  }));
}

/**
 * A `<string>`.
 *
 * @param text The text.
 * @param field Named in the error.
 * @returns UTF-8 with a NUL.
 * @throws {LoaderError} `FDT_VALUE` if the text has a NUL or half a surrogate pair.
 */
export function encodeString(text: string, field = "property"): Uint8Array {
  if (/[\0\p{Surrogate}]/u.test(text)) {
    throw fdtValueError(field, "text without NUL and lone surrogates", quoteText(text));
  }
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * A `<stringlist>`, e.g. a `compatible`.
 *
 * @param texts The texts.
 * @param field Named in the error.
 * @returns UTF-8, each with a NUL.
 * @throws {LoaderError} As {@linkcode encodeString}.
 */
export function encodeStrings(texts: readonly string[], field = "property"): Uint8Array {
  return concat(texts.map((text) => encodeString(text, field)));
}

/**
 * A `<phandle>`: the number that a node goes by, in its `phandle` and in what refers to it.
 *
 * @param phandle The number.
 * @param field Named in the error.
 * @returns Four bytes.
 * @throws {LoaderError} `FDT_VALUE` for 0 and 0xffffffff, which are none.
 */
export function encodePhandle(phandle: number, field = "phandle"): Uint8Array {
  if (phandle === 0 || phandle === 0xffff_ffff) {
    throw fdtValueError(field, "a phandle in [0x1..0xfffffffe]", formatAddress(phandle));
  }
  return encodeCells([phandle], field);
}

/**
 * The first string of a value, as C reads it.
 *
 * @param value A property's value.
 * @returns Its bytes up to a NUL or the end, each as a character.
 */
export function decodeString(value: Uint8Array): string {
  const end = value.indexOf(0);
  let text = "";
  for (const byte of end < 0 ? value : value.subarray(0, end)) text += String.fromCharCode(byte);
  return text;
}

/**
 * A property's value.
 *
 * @param node The node.
 * @param name The property.
 * @returns The value of the first property of that name, the one that Linux sees.
 */
export function getProperty(node: FdtNode, name: string): Uint8Array | undefined {
  return node.properties.find((property) => property.name === name)?.value;
}

/**
 * Sets a property: in its place if the node has it, at the end otherwise.
 *
 * @param node The node.
 * @param name The property. Duplicates of it go.
 * @param value Its value; none for a property whose presence says it all.
 */
export function setProperty(node: FdtNode, name: string, value?: Uint8Array): void {
  const property = { name, value: value ?? new Uint8Array(0) };
  const at = node.properties.findIndex((other) => other.name === name);
  if (at < 0) {
    node.properties.push(property);
  } else {
    deleteProperty(node, name);
    node.properties.splice(at, 0, property);
  }
}

/**
 * Removes a property and its duplicates.
 *
 * @param node The node.
 * @param name The property.
 */
export function deleteProperty(node: FdtNode, name: string): void {
  node.properties = node.properties.filter((property) => property.name !== name);
}

/**
 * The node at a path. As in libfdt, the unit address may be left out (`/memory` finds
 * `/memory@40000000`), the first child that fits is taken, and repeated slashes are one.
 *
 * @param root The node that the path starts at.
 * @param path E.g. `"/cpus/cpu@0"`.
 * @returns The node, if there is one.
 * @throws {LoaderError} `INVALID_OPTION` if the path does not start with a slash.
 */
export function findNode(root: FdtNode, path: string): FdtNode | undefined {
  let node: FdtNode | undefined = root;
  for (const name of splitPath(path)) node = node && findChild(node, name);
  return node;
}

/**
 * The node at a path, which is made, and the nodes above it, where there is none.
 *
 * @param root The node that the path starts at.
 * @param path E.g. `"/reserved-memory"`.
 * @returns The node.
 * @throws {LoaderError} `INVALID_OPTION` if the path does not start with a slash.
 *
 * @example
 * ```ts
 * import { encodeString, ensureNode, parseFdt, setProperty, writeFdt } from "@vmm/linux-loader";
 *
 * function disable(dtb: Uint8Array, path: string): Uint8Array {
 *   const tree = parseFdt(dtb);
 *   setProperty(ensureNode(tree.root, path), "status", encodeString("disabled"));
 *   return writeFdt(tree);
 * }
 * ```
 */
export function ensureNode(root: FdtNode, path: string): FdtNode {
  let node = root;
  for (const name of splitPath(path)) node = findChild(node, name) ?? addChild(node, name);
  return node;
}

/**
 * Adds a child node after the others.
 *
 * @param parent The parent.
 * @param name The child's name with its unit address. That no other has it is not checked.
 * @param properties Names and values, in order.
 * @returns The child.
 */
export function addChild(
  parent: FdtNode,
  name: string,
  properties: Readonly<Record<string, Uint8Array>> = {},
): FdtNode {
  const child: FdtNode = {
    name,
    properties: Object.entries(properties).map(([name, value]) => ({ name, value })),
    children: [],
  };
  parent.children.push(child);
  return child;
}

function findChild(node: FdtNode, name: string): FdtNode | undefined {
  const withUnit = name.includes("@") ? undefined : `${name}@`;
  return node.children.find((child) =>
    child.name === name || (withUnit !== undefined && child.name.startsWith(withUnit))
  );
}

function splitPath(path: string): string[] {
  if (!path.startsWith("/")) {
    throw new LoaderError(
      "INVALID_OPTION",
      `Cannot find device tree node ${quoteText(path)}: a path that starts with "/" is wanted`,
      { field: "path", expected: 'a path that starts with "/"', actual: quoteText(path) },
    );
  }
  return path.split("/").filter((name) => name !== "");
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
