import { quoteText } from "../errors.ts";

/** What a node is judged by. */
interface Judged {
  readonly name: string;
  readonly properties: readonly { readonly name: string; readonly value: Uint8Array }[];
  readonly children: readonly { readonly name: string }[];
}

/** What is wrong in a node. */
export interface FdtFault {
  /** The part that is wrong. */
  readonly field: string;
  /** What would have been accepted. */
  readonly expected: string;
  /** What is there. */
  readonly actual: string;
}

/** Devicetree Specification v0.4, section 2.2.1, tables 2.1 and 2.2, without a limit on the size. */
const NODE_NAME = /^[0-9A-Za-z,._+-]*(?:@[0-9A-Za-z,._+-]*)?$/;
/** Section 2.2.4.1, table 2.3, with the "*", "-" and "." that dtc takes, too. */
const PROPERTY_NAME = /^[0-9A-Za-z,._+*#?-]*$/;
/** Section 2.3.3, and the name that it had before ePAPR. */
const PHANDLES = ["phandle", "linux,phandle"];

/**
 * What a tree must not have: all that `dtc` calls an error, as opposed to a warning. Linux takes the
 * first of two nodes with one name, and of two nodes with one phandle any: a tree like that has no
 * one meaning.
 *
 * One object sees all nodes of one tree, each once, in any order. The work for a node is linear in
 * the numbers of its properties and children.
 */
export class FdtRules {
  readonly #phandles: Set<number> = new Set();

  /**
   * Checks a node, without the nodes under it.
   *
   * @param node The node, its children named.
   * @returns What is wrong first, or nothing.
   */
  faultIn(node: Judged): FdtFault | undefined {
    const { name, properties, children } = node;
    if (!NODE_NAME.test(name)) {
      return fault("node name", 'letters, digits and ",._+-" with at most one "@"', name);
    }
    const badName = properties.find((property) => !PROPERTY_NAME.test(property.name));
    if (badName !== undefined) {
      return fault("property name", 'letters, digits and ",._+*#?-"', badName.name);
    }
    const property = firstDouble(properties);
    if (property !== undefined) {
      return fault("property name", `one of it in ${quoteText(name)}`, property);
    }
    const child = firstDouble(children);
    if (child !== undefined) return fault("node name", `one of it in ${quoteText(name)}`, child);
    return nameFault(node) ?? this.#phandleFault(node);
  }

  #phandleFault({ properties }: Judged): FdtFault | undefined {
    let own: number | undefined;
    for (const { name, value } of properties) {
      if (!PHANDLES.includes(name)) continue;
      const phandle = value.length === 4
        ? new DataView(value.buffer, value.byteOffset, 4).getUint32(0)
        : 0;
      if (phandle === 0 || phandle === 0xffff_ffff) {
        const actual = Array.from(value.subarray(0, 8), (byte) => hex(byte)).join(" ");
        return {
          field: name,
          expected: "a cell in [0x1..0xfffffffe]",
          actual: actual || "nothing",
        };
      }
      if (phandle === own) continue;
      if (own !== undefined) return { field: name, expected: hex(own), actual: hex(phandle) };
      if (this.#phandles.has(phandle)) {
        return { field: name, expected: "a number of its own", actual: hex(phandle) };
      }
      this.#phandles.add(own = phandle);
    }
  }
}

/** Before version 16 each node told its name without the unit address. Who still does must be right. */
function nameFault({ name, properties }: Judged): FdtFault | undefined {
  const value = properties.find((property) => property.name === "name")?.value;
  if (value === undefined) return undefined;
  const base = `${name.split("@", 1)[0]}\0`;
  const isRight = value.length === base.length &&
    value.every((byte, index) => byte === base.charCodeAt(index));
  if (isRight) return undefined;
  return {
    field: "name",
    expected: quoteText(base),
    actual: quoteText(latin1(value.subarray(0, MAX_SHOWN))),
  };
}

/** A loop over all pairs is quicker than a set for the few that nodes have, and quadratic. */
const FEW = 8;

function firstDouble(items: readonly { readonly name: string }[]): string | undefined {
  if (items.length <= FEW) {
    return items.find(({ name }, at) => items.findIndex((other) => other.name === name) < at)?.name;
  }
  const seen = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
}

function fault(field: string, expected: string, name: string): FdtFault {
  return { field, expected, actual: quoteText(name) };
}

/** A value may have 2 MiB; quoteText shows less than this. */
const MAX_SHOWN = 256;

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const hex = (value: number): string => `0x${value.toString(16)}`;
