/**
 * A device tree read as plainly as can be: Devicetree Specification v0.4, chapter 5, and what dtc
 * makes of it. Independent of the library; small trees only, for it recurses.
 *
 * @module
 */
import type { Node, Tree } from "../arbitraries/tree_files.ts";

class Malformed extends Error {}

/** Where a device tree is wrong if it is: the library's caps are part of what is wrong. */
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
  try {
    return read(file);
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return undefined;
    throw error;
  }
}

function need(condition: boolean): void {
  if (!condition) throw new Malformed();
}

function read(file: Uint8Array): Tree {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const u32 = (at: number) => view.getUint32(at); // a RangeError past the end
  need(u32(0) === 0xd00dfeed);
  const [total, structAt, stringsAt, rsvAt] = [u32(4), u32(8), u32(12), u32(16)];
  const version = u32(20);
  u32(24);
  const headerSize = version >= 17 ? 40 : version >= 3 ? 36 : version === 2 ? 32 : 28;
  need(total >= headerSize && total <= MAX_SIZE && total <= file.length);
  const bootCpuId = version >= 2 ? u32(28) : 0;
  const stringsSize = version >= 3 ? u32(32) : total - stringsAt;
  need(structAt < total && rsvAt < total && stringsAt <= total && stringsAt + stringsSize <= total);
  if (version >= 17) need(structAt + u32(36) <= total);

  const reservations: { start: bigint; size: bigint }[] = [];
  for (let at = rsvAt;; at += 16) {
    need(at + 16 <= total);
    const [start, size] = [view.getBigUint64(at), view.getBigUint64(at + 8)];
    if (size === 0n) break;
    reservations.push({ start, size });
  }

  const end = total;
  let at = structAt;
  const word = () => {
    need(at + 4 <= end);
    at += 4;
    return u32(at - 4);
  };
  const name = (from: number, until: number, max = MAX_NAME) => {
    let text = "";
    for (let i = from;; i++) {
      need(i < until && text.length <= max);
      if (file[i] === 0) return text;
      text += String.fromCharCode(file[i]);
    }
  };
  const skip = (size: number) => {
    at += Math.ceil(size / 4) * 4;
    need(at <= end);
  };
  const phandles: number[] = [];
  const node = (depth: number, parent: string): Node => {
    need(depth <= MAX_DEPTH);
    const path = name(at, end, version < 16 ? 64 * 256 : MAX_NAME);
    skip(path.length + 1);
    const self: Node = { name: path, properties: [], children: [] };
    if (version < 16) {
      // The parent's path, and one more character, which is a slash
      const prefix = parent === "/" ? parent : parent + path[parent.length];
      need(path.startsWith(prefix) && path.startsWith(parent));
      self.name = path.slice(prefix.length);
      need(self.name.length <= MAX_NAME);
    }
    for (;;) {
      const token = word();
      if (token === 4) continue;
      if (token === 2) {
        requireSound(self, phandles);
        return self;
      }
      if (token === 1) {
        self.children.push(node(depth + 1, path));
        continue;
      }
      need(token === 3);
      const [size, nameAt] = [word(), word()];
      need(nameAt < stringsSize);
      const called = name(stringsAt + nameAt, stringsAt + stringsSize);
      if (version < 16 && size >= 8 && (at - structAt) % 8 === 4) skip(4);
      const from = at;
      skip(size);
      self.properties.push({ name: called, value: file.slice(from, from + size) });
    }
  };
  need(word() === 1);
  const root = node(1, "");
  need(word() === 9);
  return { bootCpuId, reservations, root };
}

/** What `dtc` calls an ERROR, as its tests of a tree are described in its manual and messages. */
function requireSound({ name, properties, children }: Node, phandles: number[]): void {
  for (const items of [properties, children]) {
    for (const item of items) {
      need(items.every((other) => other === item || other.name !== item.name));
    }
  }
  need([...name].every((char) => /[a-zA-Z0-9]/.test(char) || ",._+-@".includes(char)));
  need(name.split("@").length <= 2);
  let own = 0;
  for (const { name: called, value } of properties) {
    need([...called].every((char) => /[a-zA-Z0-9]/.test(char) || ",._+*#?-".includes(char)));
    if (called === "name") {
      need(new TextDecoder("latin1").decode(value) === `${name.split("@")[0]}\0`);
    }
    if (called !== "phandle" && called !== "linux,phandle") continue;
    need(value.length === 4);
    const phandle = Number(numberOf(value));
    need(phandle !== 0 && phandle !== 0xffff_ffff && (own === 0 || own === phandle));
    own = phandle;
  }
  if (own !== 0) {
    need(!phandles.includes(own));
    phandles.push(own);
  }
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
