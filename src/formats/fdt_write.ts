import { ADDRESS_END, type AddressRange, formatAddress } from "../address.ts";
import { LoaderError } from "../errors.ts";
import {
  MAX_FDT_DEPTH,
  MAX_FDT_NAME,
  MAX_FDT_NODES,
  MAX_FDT_PROPERTIES,
  MAX_FDT_SIZE,
} from "../limits.ts";
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER,
  FDT_LAST_COMP_VERSION,
  FDT_MAGIC,
  FDT_PROP,
  FDT_PROP_HEADER_SIZE,
  FDT_RESERVE_ENTRY_SIZE,
  FDT_TOKEN_SIZE,
  FDT_VERSION,
} from "../structs/fdt.ts";
import type { FdtNode, FdtProperty, FdtTree } from "./fdt.ts";
import { FdtRules } from "./fdt_rules.ts";

/** Every block starts at a multiple of this and the whole is one: at least what section 5.6 asks. */
const BLOCK_ALIGNMENT = 8;

/**
 * Writes a flattened device tree (DTB) of version 17.
 *
 * The same tree always gives the same bytes, and {@linkcode parseFdt} gives the same tree back. The
 * size depends on names, on the sizes of values and on how many of everything there are, never on
 * what the values hold.
 *
 * @param tree The tree.
 * @returns The bytes; their number is a multiple of 8.
 * @throws {LoaderError} `FDT_TOO_BIG` past {@linkcode MAX_FDT_SIZE}; `LIMIT_EXCEEDED` past another
 * cap, as a tree that contains itself is; `FDT_VALUE` for an empty reservation, one outside 64 bits,
 * a boot CPU outside 32 bits, and for names and phandles that {@linkcode parseFdt} refuses.
 *
 * @example
 * ```ts
 * import { writeFdt } from "@vmm/linux-loader";
 *
 * const root = { name: "", properties: [], children: [] };
 * console.log(writeFdt({ bootCpuId: 0, reservations: [], root }).length); // 72
 * ```
 */
export function writeFdt(tree: FdtTree): Uint8Array {
  const { bootCpuId, reservations, root } = tree;
  if (!Number.isInteger(bootCpuId) || bootCpuId < 0 || bootCpuId > 0xffff_ffff) {
    throw valueError("fdt_header.boot_cpuid_phys", "a 32-bit number", `${bootCpuId}`);
  }
  reservations.forEach(requireReservation);
  const layout = layOut(root);

  const rsvmapAt = align(FDT_HEADER.size, BLOCK_ALIGNMENT);
  const rsvmapSize = (reservations.length + 1) * FDT_RESERVE_ENTRY_SIZE;
  const structAt = align(rsvmapAt + rsvmapSize, BLOCK_ALIGNMENT);
  const stringsAt = align(structAt + layout.structSize, BLOCK_ALIGNMENT);
  const totalsize = align(stringsAt + layout.stringsSize, BLOCK_ALIGNMENT);
  requireFits(totalsize);

  const bytes = new Uint8Array(totalsize);
  const view = new DataView(bytes.buffer);
  FDT_HEADER.write(bytes, {
    magic: FDT_MAGIC,
    totalsize,
    off_dt_struct: structAt,
    off_dt_strings: stringsAt,
    off_mem_rsvmap: rsvmapAt,
    version: FDT_VERSION,
    last_comp_version: FDT_LAST_COMP_VERSION,
    boot_cpuid_phys: bootCpuId,
    size_dt_strings: layout.stringsSize,
    size_dt_struct: layout.structSize,
  });
  reservations.forEach(({ start, size }, index) => {
    view.setBigUint64(rsvmapAt + index * FDT_RESERVE_ENTRY_SIZE, start);
    view.setBigUint64(rsvmapAt + index * FDT_RESERVE_ENTRY_SIZE + 8, size);
  });
  writeStructure(bytes, view, structAt, layout);
  for (const [name, offset] of layout.strings) writeName(bytes, stringsAt + offset, name);
  return bytes;
}

/** The structure block before it is bytes. */
interface Layout {
  /** Nodes where they begin, properties, and `undefined` where a node ends. */
  readonly items: (FdtNode | FdtProperty | undefined)[];
  /** Size of the structure block in bytes. */
  readonly structSize: number;
  /** Offsets of the property names into the strings block, each name once. */
  readonly strings: Map<string, number>;
  /** Size of the strings block in bytes. */
  readonly stringsSize: number;
}

function layOut(root: FdtNode): Layout {
  const items: Layout["items"] = [];
  const strings: Layout["strings"] = new Map();
  let structSize = FDT_TOKEN_SIZE; // FDT_END
  let stringsSize = 0;
  let nodes = 0;
  let properties = 0;
  const rules = new FdtRules();

  const begin = (node: FdtNode): { node: FdtNode; next: number } => {
    requireName(node.name, "node name");
    requireCount(++nodes, MAX_FDT_NODES, "nodes");
    properties += node.properties.length;
    requireCount(properties, MAX_FDT_PROPERTIES, "properties");
    const fault = rules.faultIn(node);
    if (fault !== undefined) throw valueError(fault.field, fault.expected, fault.actual);
    items.push(node);
    structSize += FDT_TOKEN_SIZE + align(node.name.length + 1, FDT_TOKEN_SIZE) + FDT_TOKEN_SIZE;
    for (const property of node.properties) {
      items.push(property);
      structSize += FDT_PROP_HEADER_SIZE + align(property.value.length, FDT_TOKEN_SIZE);
      if (!strings.has(property.name)) {
        requireName(property.name, "property name");
        strings.set(property.name, stringsSize);
        stringsSize += property.name.length + 1;
      }
    }
    requireFits(structSize + stringsSize);
    return { node, next: 0 };
  };

  const open = [begin(root)];
  while (open.length > 0) {
    const last = open[open.length - 1];
    if (last.next === last.node.children.length) {
      items.push(undefined);
      open.pop();
    } else {
      requireCount(open.length + 1, MAX_FDT_DEPTH, "nested nodes");
      open.push(begin(last.node.children[last.next++]));
    }
  }
  return { items, structSize, strings, stringsSize };
}

function writeStructure(bytes: Uint8Array, view: DataView, start: number, layout: Layout): void {
  let at = start;
  const word = (value: number): void => {
    view.setUint32(at, value);
    at += FDT_TOKEN_SIZE;
  };
  for (const item of layout.items) {
    if (item === undefined) {
      word(FDT_END_NODE);
    } else if ("value" in item) {
      word(FDT_PROP);
      word(item.value.length);
      word(layout.strings.get(item.name)!);
      bytes.set(item.value, at);
      at += align(item.value.length, FDT_TOKEN_SIZE);
    } else {
      word(FDT_BEGIN_NODE);
      writeName(bytes, at, item.name);
      at += align(item.name.length + 1, FDT_TOKEN_SIZE);
    }
  }
  word(FDT_END);
}

/** Writes a name over zeros, which end it. */
function writeName(bytes: Uint8Array, at: number, name: string): void {
  for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
}

function requireName(name: string, field: string): void {
  if (name.length > MAX_FDT_NAME) throw limitError(`bytes of a ${field}`, MAX_FDT_NAME);
}

function requireReservation({ start, size }: AddressRange): void {
  if (start >= 0n && size > 0n && start < ADDRESS_END && size < ADDRESS_END) return;
  const actual = `${formatAddress(start)} + ${formatAddress(size)}`;
  throw valueError("fdt_reserve_entry", "a 64-bit address and a size above 0", actual);
}

function requireCount(count: number, max: number, what: string): void {
  if (count > max) throw limitError(what, max);
}

function requireFits(size: number): void {
  if (size <= MAX_FDT_SIZE) return;
  throw new LoaderError(
    "FDT_TOO_BIG",
    `Cannot write device tree: it takes at least ${size} bytes, at most ${MAX_FDT_SIZE} are allowed`,
    { field: "fdt_header.totalsize", expected: `at most ${MAX_FDT_SIZE}`, actual: `${size}` },
  );
}

function limitError(what: string, max: number): LoaderError {
  return new LoaderError(
    "LIMIT_EXCEEDED",
    `Cannot write device tree: more ${what} than ${max}`,
    { field: `device tree ${what}`, expected: `at most ${max}` },
  );
}

function valueError(field: string, expected: string, actual: string): LoaderError {
  return new LoaderError(
    "FDT_VALUE",
    `Cannot write ${field}: expected ${expected}, got ${actual}`,
    { field, expected, actual },
  );
}

function align(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}
