/**
 * The standard edits of a device tree, as plainly as can be: Devicetree Specification v0.4, 3.4
 * "/memory node", 3.5 "/reserved-memory Node" and 3.6 "/chosen Node"; Linux' chosen.yaml.
 *
 * @module
 */
import type { Chosen, ReservedMemory } from "../../mod.ts";
import type { Node, Tree } from "../arbitraries/dtb.ts";
import { cellsOf, childOf, valueOf } from "./fdt.ts";
import type { Span } from "./room.ts";
import { TOP } from "./verdict.ts";

/** Thrown where an edit must be refused. */
export class NoEdit extends Error {}

function need(condition: boolean): void {
  if (!condition) throw new NoEdit();
}

/** Big-endian cells. */
function cells(value: bigint, count: number): Uint8Array {
  need(value >= 0n && value < 1n << BigInt(32 * count));
  const bytes = new Uint8Array(4 * count);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) {
    bytes[i] = Number(rest & 255n);
  }
  return bytes;
}

function text(value: string): Uint8Array {
  need(!/[\0\p{Surrogate}]/u.test(value));
  return new TextEncoder().encode(`${value}\0`);
}

/** A property once: where the first of its name was, else at the end. */
function put(node: Node, name: string, value: Uint8Array | null): void {
  const at = node.properties.findIndex((property) => property.name === name);
  const others = node.properties.filter((property) => property.name !== name);
  if (value !== null) others.splice(at < 0 ? others.length : at, 0, { name, value });
  node.properties = others;
}

function rangeOf({ start, size }: Span, [address, length]: [number, number]): Uint8Array {
  need(size > 0n && start + size <= TOP);
  return Uint8Array.from([...cells(start, address), ...cells(size, length)]);
}

function putCells(node: Node, [address, length]: [number, number]): void {
  put(node, "#address-cells", cells(BigInt(address), 1));
  put(node, "#size-cells", cells(BigInt(length), 1));
}

/**
 * Sets what a kernel is told.
 *
 * @param tree The tree, which is changed.
 * @param chosen What: null takes out, undefined leaves as it is.
 */
export function choose({ root }: Tree, chosen: Chosen): void {
  const { bootargs, initrd, stdoutPath, kaslrSeed, rngSeed } = chosen;
  const on = <T>(
    value: T | null | undefined,
    encode: (value: T) => Uint8Array,
  ): Uint8Array | null | undefined => {
    if (value === undefined) return undefined;
    return value === null ? null : encode(value);
  };
  const values = {
    "bootargs": on(bootargs, text),
    "linux,initrd-start": on(initrd, ({ start }) => cells(start, 2)),
    "linux,initrd-end": on(initrd, ({ start, size }) => cells(start + size, 2)),
    "stdout-path": on(stdoutPath, text),
    "kaslr-seed": on(kaslrSeed, (seed) => cells(seed, 2)),
    "rng-seed": on(rngSeed, (seed) => seed),
  };
  let node = childOf(root, "chosen");
  if (!node) root.children.push(node = { name: "chosen", properties: [], children: [] });
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) put(node, name, value);
  }
}

/**
 * Says where RAM is.
 *
 * @param tree The tree, which is changed.
 * @param ranges RAM.
 */
export function remember({ root }: Tree, ranges: readonly Span[]): void {
  const counts = cellsOf(root);
  need(counts !== undefined);
  need(new Set(ranges.map(({ start }) => start)).size === ranges.length);
  const nodes = ranges.map((range): Node => ({
    name: `memory@${range.start.toString(16)}`,
    properties: [
      { name: "device_type", value: text("memory") },
      { name: "reg", value: rangeOf(range, counts!) },
    ],
    children: [],
  }));
  const isMemory = (node: Node) => {
    const type = valueOf(node, "device_type");
    return /^memory($|@)/.test(node.name) ||
      type && new TextDecoder("latin1").decode(type).split("\0")[0] === "memory";
  };
  const first = root.children.findIndex(isMemory);
  const others = root.children.filter((node) => !isMemory(node));
  others.splice(first < 0 ? others.length : first, 0, ...nodes);
  root.children = others;
  putCells(root, counts!);
}

/**
 * Keeps memory from the kernel.
 *
 * @param tree The tree, which is changed.
 * @param entries What is kept.
 */
export function keep({ root }: Tree, entries: readonly ReservedMemory[]): void {
  if (entries.length === 0) return;
  const counts = cellsOf(root);
  need(counts !== undefined);
  let node = childOf(root, "reserved-memory");
  if (node) {
    need((valueOf(node, "ranges") ?? []).length === 0);
    const own = cellsOf(node);
    need(node.children.length === 0 || own !== undefined && own.join() === counts!.join());
  }
  const names = new Set(node?.children.map(({ name }) => name));
  const nodes = entries.map((entry): Node => {
    const name = `${entry.name}@${entry.start.toString(16)}`;
    need(/^[0-9A-Za-z,._+-]{1,31}$/.test(entry.name) && !names.has(name));
    names.add(name);
    const properties = [{ name: "reg", value: rangeOf(entry, counts!) }];
    if (entry.noMap ?? true) properties.push({ name: "no-map", value: new Uint8Array(0) });
    return { name, properties, children: [] };
  });
  putCells(root, counts!);
  if (!node) root.children.push(node = { name: "reserved-memory", properties: [], children: [] });
  putCells(node, counts!);
  put(node, "ranges", new Uint8Array(0));
  node.children.push(...nodes);
}

/**
 * Adds to the memory reservation block.
 *
 * @param tree The tree, which is changed.
 * @param range What is kept.
 */
export function keepBlock({ reservations }: Tree, { start, size }: Span): void {
  need(start >= 0n && size > 0n && start + size <= TOP);
  reservations.push({ start, size });
}
