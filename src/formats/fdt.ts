import type { AddressRange } from "../address.ts";
import { fieldError, type LoaderError, type LoaderErrorCode } from "../errors.ts";
import {
  MAX_FDT_DEPTH,
  MAX_FDT_NAME,
  MAX_FDT_NODES,
  MAX_FDT_PROPERTIES,
  MAX_FDT_SIZE,
} from "../limits.ts";
import { take } from "../bytes.ts";
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER,
  FDT_HEADER_SIZE_V16,
  FDT_LAST_COMP_VERSION,
  FDT_MAGIC,
  FDT_NOP,
  FDT_PROP,
  FDT_RESERVE_ENTRY_SIZE,
  FDT_RSVMAP_ALIGNMENT,
  FDT_STRUCT_ALIGNMENT,
  FDT_TOKEN_SIZE,
  FDT_VERSION,
  type FdtHeader,
} from "../structs/fdt.ts";

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
  /** Its properties, in order. Of two with the same name, Linux sees the first. */
  properties: FdtProperty[];
  /** Its child nodes, in order. Of two with the same name, Linux sees the first. */
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
 * Versions 16 and up that version 17 readers can read are accepted, bytes past `totalsize` are not
 * looked at. What is in the file is in the tree: duplicate nodes and properties stay, and nothing is
 * checked for its meaning. The block structure must be one that dtc, libfdt and Linux all accept;
 * a property after a child node, which dtc warns of, joins the node's other properties.
 *
 * @param bytes The file. It is copied: the tree does not depend on it.
 * @returns The tree.
 * @throws {LoaderError} `TRUNCATED` if the file ends before its `totalsize`; `FDT_MAGIC`,
 * `FDT_VERSION` for another format; `FDT_STRUCTURE` for blocks, tokens or strings that are not
 * where they must be; `FDT_TOO_BIG` past {@linkcode MAX_FDT_SIZE}; `LIMIT_EXCEEDED` past another cap.
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
  const header = parseHeader(bytes);
  // Not slice(): that of a Node Buffer does not copy.
  const blob = new Uint8Array(take(bytes, 0, header.totalsize, "device tree"));
  return {
    bootCpuId: header.boot_cpuid_phys,
    reservations: parseReservations(blob, header),
    root: new StructureReader(blob, header).readTree(),
  };
}

function parseHeader(bytes: Uint8Array): FdtHeader {
  const { fields } = FDT_HEADER;
  const word = take(bytes, 0, fields.magic.size, "fdt_header.magic");
  const magic = fields.magic.get(new DataView(word.buffer, word.byteOffset, word.length), 0);
  if (magic !== FDT_MAGIC) throw headerError("FDT_MAGIC", "magic", hex(FDT_MAGIC), hex(magic));

  const padded = new Uint8Array(FDT_HEADER.size);
  padded.set(take(bytes, 0, FDT_HEADER_SIZE_V16, FDT_HEADER.name));
  const { version } = FDT_HEADER.read(padded);
  if (version < FDT_LAST_COMP_VERSION) {
    throw headerError("FDT_VERSION", "version", `at least ${FDT_LAST_COMP_VERSION}`, `${version}`);
  }
  const hasStructSize = version >= FDT_VERSION;
  if (hasStructSize) padded.set(take(bytes, 0, FDT_HEADER.size, FDT_HEADER.name));
  let header = FDT_HEADER.read(padded);

  const newest = Math.min(version, FDT_VERSION);
  if (header.last_comp_version > newest) {
    const actual = `${header.last_comp_version}`;
    throw headerError("FDT_VERSION", "last_comp_version", `at most ${newest}`, actual);
  }
  const headerSize = hasStructSize ? FDT_HEADER.size : FDT_HEADER_SIZE_V16;
  const { totalsize } = header;
  if (totalsize < headerSize) {
    throw headerError("FDT_STRUCTURE", "totalsize", `at least ${hex(headerSize)}`, hex(totalsize));
  }
  if (totalsize > MAX_FDT_SIZE) {
    throw headerError("FDT_TOO_BIG", "totalsize", `at most ${hex(MAX_FDT_SIZE)}`, hex(totalsize));
  }
  take(bytes, 0, totalsize, "device tree");

  requireBlock(header, headerSize, "off_mem_rsvmap", FDT_RSVMAP_ALIGNMENT);
  requireBlock(header, headerSize, "off_dt_struct", FDT_STRUCT_ALIGNMENT);
  requireBlock(header, headerSize, "off_dt_strings", 1);
  if (!hasStructSize) header = { ...header, size_dt_struct: totalsize - header.off_dt_struct };
  requireSize(header, "size_dt_strings", totalsize - header.off_dt_strings);
  requireSize(header, "size_dt_struct", totalsize - header.off_dt_struct);
  return header;
}

function requireBlock(
  header: FdtHeader,
  headerSize: number,
  name: "off_mem_rsvmap" | "off_dt_struct" | "off_dt_strings",
  alignment: number,
): void {
  const offset = header[name];
  if (offset >= headerSize && offset <= header.totalsize && offset % alignment === 0) return;
  const aligned = alignment > 1 ? `a multiple of ${alignment} ` : "";
  const inside = `in [${hex(headerSize)}..${hex(header.totalsize)}]`;
  throw headerError("FDT_STRUCTURE", name, aligned + inside, hex(offset));
}

function requireSize(
  header: FdtHeader,
  name: "size_dt_strings" | "size_dt_struct",
  max: number,
): void {
  if (header[name] <= max) return;
  throw headerError("FDT_STRUCTURE", name, `at most ${hex(max)}`, hex(header[name]));
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

/** Reads the structure block token by token; what is open is a list, not the call stack. */
class StructureReader {
  readonly #blob: Uint8Array;
  readonly #view: DataView;
  readonly #header: FdtHeader;
  readonly #end: number;
  readonly #strings: Uint8Array;
  readonly #names: Map<number, string> = new Map();
  #at: number;
  #nodes = 0;
  #properties = 0;

  constructor(blob: Uint8Array, header: FdtHeader) {
    this.#blob = blob;
    this.#view = viewOf(blob);
    this.#header = header;
    this.#at = header.off_dt_struct;
    this.#end = header.off_dt_struct + header.size_dt_struct;
    const stringsEnd = header.off_dt_strings + header.size_dt_strings;
    this.#strings = blob.subarray(header.off_dt_strings, stringsEnd);
  }

  readTree(): FdtNode {
    this.#expect(FDT_BEGIN_NODE, "FDT_BEGIN_NODE");
    const root = this.#beginNode();
    const open: FdtNode[] = [root];
    while (open.length > 0) {
      const at = this.#at;
      const token = this.#word("token");
      switch (token) {
        case FDT_NOP:
          break;
        case FDT_PROP:
          open[open.length - 1].properties.push(this.#property());
          break;
        case FDT_BEGIN_NODE: {
          if (open.length === MAX_FDT_DEPTH) throw limitError("nested nodes", MAX_FDT_DEPTH, at);
          const node = this.#beginNode();
          open[open.length - 1].children.push(node);
          open.push(node);
          break;
        }
        case FDT_END_NODE:
          open.pop();
          break;
        default:
          throw structureError("token", at, "a token that may stand in a node", hex(token));
      }
    }
    this.#expect(FDT_END, "FDT_END");
    return root;
  }

  #expect(wanted: number, name: string): void {
    const at = this.#at;
    const token = this.#word("token");
    if (token !== wanted) {
      throw structureError("token", at, `${name} (${hex(wanted)})`, hex(token));
    }
  }

  /** The name of a node, whose token is behind; the token begins four bytes before. */
  #beginNode(): FdtNode {
    const at = this.#at;
    if (++this.#nodes > MAX_FDT_NODES) {
      throw limitError("nodes", MAX_FDT_NODES, at - FDT_TOKEN_SIZE);
    }
    const name = readName(this.#blob.subarray(at, this.#end), "node name", at);
    this.#skip(name.length + 1, "node name");
    return { name, properties: [], children: [] };
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
    const start = this.#at;
    if (size > this.#end - start) {
      throw structureError("property len", at, `at most ${hex(this.#end - start)}`, hex(size));
    }
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
    const name = readName(this.#strings.subarray(nameOffset), "property name", start);
    this.#names.set(nameOffset, name);
    return name;
  }

  #word(field: string): number {
    if (this.#at + FDT_TOKEN_SIZE > this.#end) {
      const expected = `${FDT_TOKEN_SIZE} more bytes`;
      throw structureError(field, this.#at, expected, "the end of the structure block");
    }
    const value = this.#view.getUint32(this.#at);
    this.#at += FDT_TOKEN_SIZE;
    return value;
  }

  /** Moves past some bytes and their padding, which must be there, too. */
  #skip(size: number, field: string): void {
    const padded = (size + FDT_TOKEN_SIZE - 1) & -FDT_TOKEN_SIZE;
    if (padded > this.#end - this.#at) {
      const expected = `${padded} bytes with their padding`;
      throw structureError(field, this.#at, expected, "the end of the structure block");
    }
    this.#at += padded;
  }
}

/** A NUL-terminated name; `at` is where `from` lies in the input. */
function readName(from: Uint8Array, field: string, at: number): string {
  const size = from.subarray(0, MAX_FDT_NAME + 1).indexOf(0);
  if (size >= 0) {
    // Not a spread: that takes four times as long (measured).
    return String.fromCharCode.apply(null, from.subarray(0, size) as unknown as number[]);
  }
  if (from.length > MAX_FDT_NAME) throw limitError(`bytes of a ${field}`, MAX_FDT_NAME, at);
  throw structureError(field, at, "a NUL", "the end of the block");
}

function headerError(
  code: LoaderErrorCode,
  name: keyof FdtHeader,
  expected: string,
  actual: string,
): LoaderError {
  const { offset } = FDT_HEADER.fields[name];
  return fieldError(code, { field: `${FDT_HEADER.name}.${name}`, offset }, expected, actual);
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
