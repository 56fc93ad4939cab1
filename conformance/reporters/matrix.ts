/** The results of a run as a table: architecture and protocol down, driver and machine across. */
import type { CaseResult } from "../case.ts";

/** What the table is made of: the parts of an id. */
export interface IdParts {
  /** Who ran it. */
  readonly driver: string;
  /** The machine. */
  readonly machine: string;
  /** The guest's architecture. */
  readonly arch: string;
  /** The boot protocol. */
  readonly protocol: string;
  /** Kernel and what is shown. */
  readonly rest: string;
}

/**
 * The parts of an id.
 *
 * @param id The id.
 * @returns Its parts; what is not there is empty.
 */
export function partsOf(id: string): IdParts {
  const [driver = "", machine = "", arch = "", protocol = "", ...rest] = id.split("/");
  return { driver, machine, arch, protocol, rest: rest.join("/") };
}

/** A row of the table. */
export interface MatrixRow {
  /** The architecture. */
  readonly arch: string;
  /** The boot protocol. */
  readonly protocol: string;
  /** The results, a list for each column. */
  readonly cells: readonly (readonly CaseResult[])[];
}

/** A column of the table. */
export interface MatrixColumn {
  /** The driver. */
  readonly driver: string;
  /** The machine; undefined if columns are not split by it. */
  readonly machine?: string;
}

/** The table. */
export interface Matrix {
  /** Across. */
  readonly columns: readonly MatrixColumn[];
  /** Down. */
  readonly rows: readonly MatrixRow[];
}

/** The drivers in the order of their columns; others come behind. */
const DRIVERS: readonly string[] = ["qemu-tcg", "qemu-kvm", "kvm-deno", "kvm-bun", "none"];

function rankOf(driver: string): number {
  const rank = DRIVERS.indexOf(driver);
  return rank < 0 ? DRIVERS.length : rank;
}

/**
 * Makes the table.
 *
 * @param results The results.
 * @param by Whether there is a column for each driver, or for each machine of each driver.
 * @returns Rows and columns.
 */
export function matrixOf(results: readonly CaseResult[], by: "driver" | "machine"): Matrix {
  const all = results.map((result) => ({ result, parts: partsOf(result.id) }));
  const columnOf = ({ driver, machine }: IdParts) =>
    by === "driver" ? driver : `${driver} ${machine}`;
  const columnKeys = unique(all.map(({ parts }) => columnOf(parts)))
    .sort((a, b) => rankOf(a.split(" ")[0]) - rankOf(b.split(" ")[0]));
  const rowKeys = unique(all.map(({ parts }) => `${parts.arch} ${parts.protocol}`));
  const columns = columnKeys.map((key): MatrixColumn => {
    const [driver, machine] = key.split(" ");
    return { driver, machine };
  });
  const rows = rowKeys.map((key): MatrixRow => {
    const [arch, protocol] = key.split(" ");
    const inRow = all.filter(({ parts }) => parts.arch === arch && parts.protocol === protocol);
    const cells = columnKeys.map((column) =>
      inRow.filter(({ parts }) => columnOf(parts) === column).map(({ result }) => result)
    );
    return { arch, protocol, cells };
  });
  return { columns, rows };
}

/**
 * The different texts, sorted.
 *
 * @param texts Texts.
 * @returns Each of them once.
 */
export function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
