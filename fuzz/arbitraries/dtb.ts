/** Device trees, and how they are written: as plainly as can be, right or wrong. */

/** A node, in the library's shape. */
export interface Node {
  name: string;
  properties: { name: string; value: Uint8Array }[];
  children: Node[];
}

/** A tree, in the library's shape. */
export interface Tree {
  bootCpuId: number;
  reservations: { start: bigint; size: bigint }[];
  root: Node;
}
/**
 * Writes a DTB: Devicetree Specification v0.4, chapter 5, as plainly as can be. No bounds are checked.
 *
 * @param tree The tree.
 * @param nops FDT_NOPs before every token but the first and the last, where dtc wants none.
 * @param version The version: before 16, nodes tell their path, and long values are aligned to 8.
 * @param gap Bytes before the structure block.
 * @param isLate Whether a node's last property follows its children.
 * @returns The file.
 */
export function dtb(
  { bootCpuId, reservations, root }: Tree,
  nops = 0,
  version = 17,
  gap = 0,
  isLate = false,
): Uint8Array {
  const structure: number[] = [];
  const strings: number[] = [];
  const offsets = new Map<string, number>();
  const word = (value: number) =>
    structure.push(value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
  const pad = () => {
    while (structure.length % 4 !== 0) structure.push(0);
  };
  const token = (value: number, before = nops) => {
    for (let i = 0; i < before; i++) word(4);
    word(value);
  };
  const chars = (text: string) => [...text].map((char) => char.charCodeAt(0));
  const write = (node: Node, parent: string) => {
    token(1, node === root ? 0 : nops);
    const path = version < 16 ? `${parent}/${node.name}` : node.name;
    structure.push(...chars(path), 0);
    pad();
    const writeProperty = ({ name, value }: Node["properties"][number]) => {
      if (!offsets.has(name)) {
        offsets.set(name, strings.length);
        strings.push(...chars(name), 0);
      }
      token(3);
      word(value.length);
      word(offsets.get(name)!);
      if (version < 16 && value.length >= 8 && structure.length % 8 !== 0) word(0);
      for (const byte of value) structure.push(byte);
      pad();
    };
    const late = isLate ? node.properties.slice(-1) : [];
    node.properties.slice(0, node.properties.length - late.length).forEach(writeProperty);
    node.children.forEach((child) => write(child, node === root ? "" : path));
    late.forEach(writeProperty);
    token(2);
  };
  write(root, "");
  token(9, 0);
  const reserved = 16 * (reservations.length + 1);
  const structureAt = 40 + reserved + gap;
  const bytes = new Uint8Array(structureAt + structure.length + strings.length);
  const view = new DataView(bytes.buffer);
  const stringsAt = structureAt + structure.length;
  [
    0xd00dfeed,
    bytes.length,
    structureAt,
    stringsAt,
    40,
    version,
    Math.min(version, 16),
    bootCpuId,
    strings.length,
    structure.length,
  ].forEach((value, i) => view.setUint32(4 * i, value));
  reservations.forEach(({ start, size }, i) => {
    view.setBigUint64(40 + 16 * i, start);
    view.setBigUint64(48 + 16 * i, size);
  });
  bytes.set(structure, structureAt);
  bytes.set(strings, stringsAt);
  return bytes;
}
