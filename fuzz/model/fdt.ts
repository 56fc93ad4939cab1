/**
 * A device tree read as plainly as can be: Devicetree Specification v0.4, chapter 5, and what dtc
 * makes of it. Independent of the library; small trees only, for it recurses.
 *
 * @module
 */
import type { Node, Tree } from "../arbitraries/dtb.ts";
import { must, reading } from "./said.ts";

/** The library's caps are part of what a tree must keep to. */
const MAX_DEPTH = 64;
const MAX_NAME = 255;
const MAX_SIZE = 2 << 20;

/**
 * Reads a DTB.
 *
 * @param file The file.
 * @returns The tree, or undefined if the file holds none.
 */
export function readTree(file: Uint8Array): Tree | undefined {
  return reading(() => treeIn(file)).value;
}

/** Section 5.2. */
const HEADER = [
  ...["magic", "totalsize", "off_dt_struct", "off_dt_strings", "off_mem_rsvmap", "version"],
  ...["last_comp_version", "boot_cpuid_phys", "size_dt_strings", "size_dt_struct"],
];

interface Header {
  readonly total: number;
  readonly structAt: number;
  readonly stringsAt: number;
  readonly stringsSize: number;
  readonly rsvAt: number;
  readonly version: number;
  readonly bootCpuId: number;
}

/** The header's words, which may be fewer before version 17, and blocks that lie inside. */
function headerOf(file: Uint8Array): Header {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const word = (name: string) => view.getUint32(4 * HEADER.indexOf(name));
  const header = (isRight: boolean, name: string, code = "FDT_STRUCTURE") =>
    must(isRight, code, `fdt_header.${name}`, 4 * HEADER.indexOf(name));
  must(file.length >= 4, "TRUNCATED", "fdt_header.magic", 0);
  header(word("magic") === 0xd00dfeed, "magic", "FDT_MAGIC");
  must(file.length >= 28, "TRUNCATED", "fdt_header", 0);
  const [total, version] = [word("totalsize"), word("version")];
  const size = version >= 17 ? 40 : version >= 3 ? 36 : version === 2 ? 32 : 28;
  header(total >= size, "totalsize");
  header(total <= MAX_SIZE, "totalsize", "FDT_TOO_BIG");
  must(file.length >= size, "TRUNCATED", "fdt_header", 0);
  must(file.length >= total, "TRUNCATED", "device tree", 0);
  const [structAt, stringsAt] = [word("off_dt_struct"), word("off_dt_strings")];
  header(word("off_mem_rsvmap") < total, "off_mem_rsvmap");
  header(structAt < total, "off_dt_struct");
  header(stringsAt <= total, "off_dt_strings");
  const stringsSize = version >= 3 ? word("size_dt_strings") : total - stringsAt;
  header(stringsAt + stringsSize <= total, "size_dt_strings");
  header(version < 17 || structAt + word("size_dt_struct") <= total, "size_dt_struct");
  const bootCpuId = version >= 2 ? word("boot_cpuid_phys") : 0;
  const rsvAt = word("off_mem_rsvmap");
  return { total, structAt, stringsAt, stringsSize, rsvAt, version, bootCpuId };
}

/**
 * Reads a DTB, or refuses.
 *
 * @param file The file.
 * @returns The tree.
 */
export function treeIn(file: Uint8Array): Tree {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const { total, structAt, stringsAt, stringsSize, rsvAt, version, bootCpuId } = headerOf(file);
  const shape = (isRight: boolean, field: string, offset: number) =>
    must(isRight, "FDT_STRUCTURE", field, offset);
  const limit = (isRight: boolean, what: string, offset: number) =>
    must(isRight, "LIMIT_EXCEEDED", `device tree ${what}`, offset);

  const reservations: { start: bigint; size: bigint }[] = [];
  for (let at = rsvAt;; at += 16) {
    shape(at + 16 <= total, "fdt_reserve_entry", at);
    const [start, size] = [view.getBigUint64(at), view.getBigUint64(at + 8)];
    if (size === 0n) break;
    reservations.push({ start, size });
  }

  let at = structAt;
  const word = (field: string) => {
    shape(at + 4 <= total, field, at);
    at += 4;
    return view.getUint32(at - 4);
  };
  const name = (field: string, from: number, until: number, max = MAX_NAME) => {
    const end = file.subarray(0, until).indexOf(0, from);
    limit(end >= 0 ? end - from <= max : until - from <= max, `bytes of a ${field}`, from);
    shape(end >= 0, field, from);
    return Array.from(file.subarray(from, end), (byte) => String.fromCharCode(byte)).join("");
  };
  const skip = (size: number, field: string) => {
    const end = at + Math.ceil(size / 4) * 4;
    shape(end <= total, field, at);
    at = end;
  };
  const phandles: number[] = [];
  const node = (depth: number, parent: string): Node => {
    const nameAt = at;
    limit(depth <= MAX_DEPTH, "nested nodes", at - 4);
    const path = name("node name", at, total, version < 16 ? 64 * 256 : MAX_NAME);
    skip(path.length + 1, "node name");
    const self: Node = { name: path, properties: [], children: [] };
    if (version < 16) {
      // The parent's path, and one more character, which is a slash
      const prefix = parent === "/" ? parent : parent + (path[parent.length] ?? "/");
      shape(path.startsWith(prefix) && path.startsWith(parent), "node name", nameAt);
      self.name = path.slice(prefix.length);
      limit(self.name.length <= MAX_NAME, "bytes of a node name", nameAt);
    }
    for (;;) {
      const tokenAt = at;
      const token = word("token");
      if (token === 4) continue;
      if (token === 2) {
        requireSound(self, phandles, nameAt - 4);
        return self;
      }
      if (token === 1) {
        self.children.push(node(depth + 1, path));
        continue;
      }
      shape(token === 3, "token", tokenAt);
      const size = word("property len");
      const called = word("property nameoff");
      shape(called < stringsSize, "property nameoff", tokenAt + 8);
      const text = name("property name", stringsAt + called, stringsAt + stringsSize);
      if (version < 16 && size >= 8 && (at - structAt) % 8 === 4) skip(4, "padding");
      const from = at;
      shape(from + size <= total, "property len", tokenAt + 4);
      skip(size, "property value");
      self.properties.push({ name: text, value: file.slice(from, from + size) });
    }
  };
  shape(word("token") === 1, "token", structAt);
  const root = node(1, "");
  const endAt = at;
  shape(word("token") === 9, "token", endAt);
  return { bootCpuId, reservations, root };
}

/** What `dtc` calls an ERROR, as its tests of a tree are described in its manual and messages. */
function requireSound(
  { name, properties, children }: Node,
  phandles: number[],
  offset: number,
): void {
  const value = (isRight: boolean, field: string) => must(isRight, "FDT_VALUE", field, offset);
  const hasOnly = (text: string, others: string) =>
    [...text].every((char) => /[a-zA-Z0-9]/.test(char) || others.includes(char));
  value(hasOnly(name, ",._+-@") && name.split("@").length <= 2, "node name");
  value(properties.every(({ name }) => hasOnly(name, ",._+*#?-")), "property name");
  for (const [items, field] of [[properties, "property name"], [children, "node name"]] as const) {
    value(new Set(items.map(({ name }) => name)).size === items.length, field);
  }
  for (const { name: called, value: told } of properties) {
    if (called !== "name") continue;
    value(new TextDecoder("latin1").decode(told) === `${name.split("@")[0]}\0`, "name");
  }
  let own = 0;
  for (const { name: called, value: told } of properties) {
    if (called !== "phandle" && called !== "linux,phandle") continue;
    value(told.length === 4, called);
    const phandle = Number(numberOf(told));
    value(phandle !== 0 && phandle !== 0xffff_ffff && (own === 0 || own === phandle), called);
    value(own === phandle || !phandles.includes(phandle), called);
    own = phandle;
  }
  if (own !== 0) phandles.push(own);
}

/**
 * The first property of a name.
 *
 * @param node The node.
 * @param name The name.
 * @returns Its value.
 */
export function valueOf(node: Node, name: string): Uint8Array | undefined {
  return node.properties.find((property) => property.name === name)?.value;
}

/**
 * The first child of a name, with a unit address or without.
 *
 * @param node The node.
 * @param name The name.
 * @returns The child.
 */
export function childOf(node: Node, name: string): Node | undefined {
  return node.children.find((child) => child.name === name || child.name.startsWith(`${name}@`));
}

/**
 * A number of big-endian bytes.
 *
 * @param bytes The bytes.
 * @returns The number.
 */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
}

/**
 * The cells of the root: 2 and 1 where it does not say.
 *
 * @param root The root.
 * @returns Cells of an address and of a size; undefined if they are neither 1 nor 2.
 */
export function cellsOf(root: Node): [number, number] | undefined {
  const read = (name: string, fallback: number) => {
    const value = valueOf(root, name);
    return value === undefined ? fallback : value.length === 4 ? Number(numberOf(value)) : 0;
  };
  const cells: [number, number] = [read("#address-cells", 2), read("#size-cells", 1)];
  return cells.every((count) => count === 1 || count === 2) ? cells : undefined;
}

/**
 * Ranges in a `reg`.
 *
 * @param reg The value.
 * @param cells Cells of an address and of a size.
 * @returns The ranges; undefined if it does not hold whole ones.
 */
export function rangesIn(
  reg: Uint8Array,
  [address, size]: [number, number],
): { start: bigint; size: bigint }[] | undefined {
  const width = 4 * (address + size);
  if (reg.length % width !== 0) return undefined;
  return Array.from({ length: reg.length / width }, (_, i) => {
    const at = i * width;
    return {
      start: numberOf(reg.subarray(at, at + 4 * address)),
      size: numberOf(reg.subarray(at + 4 * address, at + width)),
    };
  });
}

/**
 * What a tree reserves: its reservation block, and what lies under /reserved-memory and is enabled.
 *
 * @param tree The tree.
 * @returns Ranges that are not empty.
 */
export function reservedIn({ root, reservations }: Tree): { start: bigint; size: bigint }[] {
  const cells = cellsOf(root);
  const nodes = (childOf(root, "reserved-memory")?.children ?? []).filter((node) => {
    const status = valueOf(node, "status");
    const text = status && new TextDecoder("latin1").decode(status).split("\0")[0];
    return text === undefined || text === "okay" || text === "ok";
  });
  const named = nodes.flatMap((node) => {
    const reg = valueOf(node, "reg");
    return reg && cells ? rangesIn(reg, cells) ?? [] : [];
  });
  return [...reservations, ...named].filter(({ size }) => size > 0n);
}
