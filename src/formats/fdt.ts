import type { AddressRange } from "../address.ts";
import { fieldError, type LoaderError, quoteText } from "../errors.ts";
import { MAX_FDT_DEPTH, MAX_FDT_NAME, MAX_FDT_NODES, MAX_FDT_PROPERTIES } from "../limits.ts";
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_LAST_COMP_VERSION,
  FDT_NOP,
  FDT_PROP,
  FDT_RESERVE_ENTRY_SIZE,
  FDT_TOKEN_SIZE,
  type FdtHeader,
} from "../structs/fdt.ts";
import { parseFdtHeader } from "./fdt_header.ts";
import { FdtRules } from "./fdt_rules.ts";

/** A property of a device tree node. */
export interface FdtProperty {
  /** Its name: each character is one byte of it. */
  name: string;
  /** Its value, which only the name gives a meaning to. */
  value: Uint8Array;
}

/** A device tree node. */
export interface FdtNode {
  /** Its name with the unit address, e.g. `"memory@40000000"`: each character is one byte of it. */
  name: string;
  /** Its properties, in order. No two have the same name. */
  properties: FdtProperty[];
  /** Its child nodes, in order. No two have the same name. */
  children: FdtNode[];
}

/** A device tree, to be changed at will. */
export interface FdtTree {
  /** boot_cpuid_phys: the `reg` of the boot CPU's node. */
  bootCpuId: number;
  /** The memory reservation block. No entry is empty: an empty one ends the block. */
  reservations: AddressRange[];
  /** The root node. Its name is empty. */
  root: FdtNode;
}

/**
 * Reads a flattened device tree (DTB).
 *
 * Accepted is what `dtc -I dtb` exits 0 on, within the caps of limits.ts: the blocks may lie
 * anywhere in `totalsize`, a property after a child node joins the node's other properties, and
 * names and phandles are unique and well-formed. PORTING.md lists where dtc's answer is another.
 * Of versions before 16, whose nodes tell their whole path, the tree has the names only.
 *
 * @param bytes The file. It is copied: the tree does not depend on it.
 * @returns The tree.
 * @throws {LoaderError} `TRUNCATED` if the file ends before its `totalsize`; `FDT_MAGIC` for another
 * format; `FDT_STRUCTURE` for blocks, tokens or strings that are not where they must be; `FDT_VALUE`
 * for names and phandles that no tree may have; `FDT_TOO_BIG` past {@linkcode MAX_FDT_SIZE};
 * `LIMIT_EXCEEDED` past another cap.
 *
 * @example
 * ```ts
 * import { parseFdt, writeFdt } from "@vmm/linux-loader";
 *
 * const root = { name: "", properties: [], children: [] };
 * const bytes = writeFdt({ bootCpuId: 0, reservations: [], root });
 * console.log(parseFdt(bytes).root.children.length); // 0
 * ```
 */
export function parseFdt(bytes: Uint8Array): FdtTree {
  const header = parseFdtHeader(bytes);
  // Not slice(): that of a Node Buffer does not copy.
  const blob = new Uint8Array(bytes.subarray(0, header.totalsize));
  return {
    bootCpuId: header.boot_cpuid_phys,
    reservations: parseReservations(blob, header),
    root: new StructureReader(blob, header).readTree(),
  };
}

function parseReservations(blob: Uint8Array, header: FdtHeader): AddressRange[] {
  const view = viewOf(blob);
  const reservations: AddressRange[] = [];
  let at = header.off_mem_rsvmap;
  for (; at + FDT_RESERVE_ENTRY_SIZE <= blob.length; at += FDT_RESERVE_ENTRY_SIZE) {
    const size = view.getBigUint64(at + 8);
    // The specification's last entry is all zeros; dtc, libfdt and Linux look at the size only.
    if (size === 0n) return reservations;
    reservations.push({ start: view.getBigUint64(at), size });
  }
  const location = { field: "fdt_reserve_entry", offset: at };
  throw fieldError("FDT_STRUCTURE", location, "an entry", "the end of the device tree");
}

/** A path in a tree of the caps; each lies in the file, so that all are read in linear time. */
const MAX_PATH = MAX_FDT_DEPTH * (MAX_FDT_NAME + 1);

/** A node whose end is not read yet. */
interface OpenNode {
  readonly node: FdtNode;
  /** Where its token lies. */
  readonly at: number;
  /** Its name as it is in the file: a path before version 16. */
  readonly flatName: string;
}

/**
 * Reads the structure block token by token; what is open is a list, not the call stack. As in dtc,
 * the block may go on past `size_dt_struct`: FDT_END is its end.
 */
class StructureReader {
  readonly #blob: Uint8Array;
  readonly #view: DataView;
  readonly #header: FdtHeader;
  readonly #start: number;
  readonly #strings: Uint8Array;
  readonly #names: Map<number, string> = new Map();
  readonly #rules: FdtRules = new FdtRules();
  readonly #isOld: boolean;
  #at: number;
  #nodes = 0;
  #properties = 0;

  constructor(blob: Uint8Array, header: FdtHeader) {
    this.#blob = blob;
    this.#view = viewOf(blob);
    this.#header = header;
    this.#start = this.#at = header.off_dt_struct;
    const stringsEnd = header.off_dt_strings + header.size_dt_strings;
    this.#strings = blob.subarray(header.off_dt_strings, stringsEnd);
    this.#isOld = header.version < FDT_LAST_COMP_VERSION;
  }

  readTree(): FdtNode {
    this.#expect(FDT_BEGIN_NODE, "FDT_BEGIN_NODE");
    const root = this.#beginNode("");
    const open: OpenNode[] = [root];
    while (open.length > 0) {
      const at = this.#at;
      const { node, flatName } = open[open.length - 1];
      const token = this.#word("token");
      switch (token) {
        case FDT_NOP:
          break;
        case FDT_PROP:
          node.properties.push(this.#property());
          break;
        case FDT_BEGIN_NODE: {
          if (open.length === MAX_FDT_DEPTH) throw limitError("nested nodes", MAX_FDT_DEPTH, at);
          const child = this.#beginNode(flatName);
          node.children.push(child.node);
          open.push(child);
          break;
        }
        case FDT_END_NODE:
          this.#endNode(open.pop()!);
          break;
        default:
          throw structureError("token", at, "a token that may stand in a node", hex(token));
      }
    }
    this.#expect(FDT_END, "FDT_END");
    return root.node;
  }

  #expect(wanted: number, name: string): void {
    const at = this.#at;
    const token = this.#word("token");
    if (token !== wanted) {
      throw structureError("token", at, `${name} (${hex(wanted)})`, hex(token));
    }
  }

  /** A node, whose token is behind; the token begins four bytes before. */
  #beginNode(parent: string): OpenNode {
    const at = this.#at;
    if (++this.#nodes > MAX_FDT_NODES) {
      throw limitError("nodes", MAX_FDT_NODES, at - FDT_TOKEN_SIZE);
    }
    const max = this.#isOld ? MAX_PATH : MAX_FDT_NAME;
    const flatName = readName(this.#blob.subarray(at), "node name", at, max);
    this.#skip(flatName.length + 1, "node name");
    const name = this.#isOld ? nameInPath(flatName, parent, at) : flatName;
    return { node: { name, properties: [], children: [] }, at: at - FDT_TOKEN_SIZE, flatName };
  }

  #endNode({ node, at }: OpenNode): void {
    const fault = this.#rules.faultIn(node);
    if (fault === undefined) return;
    const { field, expected, actual } = fault;
    throw fieldError("FDT_VALUE", { field, offset: at }, expected, actual);
  }

  /** A property, whose token is behind. */
  #property(): FdtProperty {
    const at = this.#at;
    if (++this.#properties > MAX_FDT_PROPERTIES) {
      throw limitError("properties", MAX_FDT_PROPERTIES, at - FDT_TOKEN_SIZE);
    }
    const size = this.#word("property len");
    const nameOffset = this.#word("property nameoff");
    const name = this.#propertyName(nameOffset, at + FDT_TOKEN_SIZE);
    // Before version 16 a value that may be a number of 64 bits lies as one wants to.
    if (this.#isOld && size >= 8 && (this.#at - this.#start) % 8 !== 0) this.#skip(4, "padding");
    const start = this.#at;
    const room = this.#blob.length - start;
    if (size > room) throw structureError("property len", at, `at most ${hex(room)}`, hex(size));
    this.#skip(size, "property value");
    return { name, value: this.#blob.subarray(start, start + size) };
  }

  /** The string at an offset into the strings block; `at` is where the offset itself lies. */
  #propertyName(nameOffset: number, at: number): string {
    const known = this.#names.get(nameOffset);
    if (known !== undefined) return known;
    if (nameOffset >= this.#strings.length) {
      const expected = `below ${hex(this.#strings.length)}`;
      throw structureError("property nameoff", at, expected, hex(nameOffset));
    }
    const start = this.#header.off_dt_strings + nameOffset;
    const name = readName(this.#strings.subarray(nameOffset), "property name", start, MAX_FDT_NAME);
    this.#names.set(nameOffset, name);
    return name;
  }

  #word(field: string): number {
    if (this.#at + FDT_TOKEN_SIZE > this.#blob.length) {
      const expected = `${FDT_TOKEN_SIZE} more bytes`;
      throw structureError(field, this.#at, expected, "the end of the device tree");
    }
    const value = this.#view.getUint32(this.#at);
    this.#at += FDT_TOKEN_SIZE;
    return value;
  }

  /** Moves past some bytes and their padding, which must be there, too. */
  #skip(size: number, field: string): void {
    const padded = (size + FDT_TOKEN_SIZE - 1) & -FDT_TOKEN_SIZE;
    if (padded > this.#blob.length - this.#at) {
      const expected = `${padded} bytes with their padding`;
      throw structureError(field, this.#at, expected, "the end of the device tree");
    }
    this.#at += padded;
  }
}

/** A NUL-terminated name; `at` is where `from` lies in the input. */
function readName(from: Uint8Array, field: string, at: number, max: number): string {
  const size = from.subarray(0, max + 1).indexOf(0);
  if (size >= 0) {
    // Not a spread: that takes four times as long (measured).
    return String.fromCharCode.apply(null, from.subarray(0, size) as unknown as number[]);
  }
  if (from.length > max) throw limitError(`bytes of a ${field}`, max, at);
  throw structureError(field, at, "a NUL", "the end of the block");
}

/** A node's name in its path: what follows the parent's path and a slash, which dtc takes for granted. */
function nameInPath(path: string, parent: string, at: number): string {
  const start = parent === "/" ? 1 : parent.length + 1;
  if (!path.startsWith(parent) || path.length < start) {
    throw structureError(
      "node name",
      at,
      `a path in ${quoteText(parent)}`,
      quoteText(path),
    );
  }
  const name = path.slice(start);
  if (name.length > MAX_FDT_NAME) throw limitError("bytes of a node name", MAX_FDT_NAME, at);
  return name;
}

function structureError(field: string, at: number, expected: string, actual: string): LoaderError {
  return fieldError("FDT_STRUCTURE", { field, offset: at }, expected, actual);
}

function limitError(what: string, max: number, at: number): LoaderError {
  return fieldError(
    "LIMIT_EXCEEDED",
    { field: `device tree ${what}`, offset: at },
    `at most ${max}`,
    "more",
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
