import { spawnSync } from "node:child_process";
import { dtbFiles } from "../arbitraries/tree_files.ts";
import { judge, type Refused } from "../judge.ts";
import { property, Violation } from "../property.ts";

/** dtc does not end on some trees whose clocks have a wrong number of cells. */
const TIMEOUT_MS = 5_000;
/** Versions before it tell a node's whole path. */
const FIRST_WITH_NAMES = 16;

/** What dtc makes of a file; nothing if it refuses; its signal if it dies. */
function dtc(input: Uint8Array): Uint8Array | string | undefined {
  const options = { input, timeout: TIMEOUT_MS };
  const run = spawnSync("dtc", ["-q", "-I", "dtb", "-O", "dtb"], options);
  if (run.status === null) return run.signal ?? "nothing";
  return run.status === 0 ? run.stdout : undefined;
}

/** Where dtc may answer otherwise: caps of ours, and what it reads outside of its buffer. */
function isNamed({ code, field, message }: Refused, version: number): boolean {
  if (code === "LIMIT_EXCEEDED" || code === "FDT_TOO_BIG") return true;
  if (code === "FDT_STRUCTURE" && field === "fdt_header.totalsize") return true;
  return version < FIRST_WITH_NAMES && message.includes("a path in");
}

export default property({
  name: "dtc",
  says: "parseFdt takes what `dtc -I dtb` takes, and writeFdt writes what means the same to it",
  inputs: dtbFiles,
  share: 0.1,
  skip: () => spawnSync("dtc", ["--version"]).status === 0 ? undefined : "dtc is not installed",
  check(bytes, { parseFdt, writeFdt }) {
    const version = bytes.length < 24 ? 0 : new DataView(bytes.buffer).getUint32(20);
    const { value: tree, refused } = judge(bytes.length, () => parseFdt(bytes));
    const wanted = dtc(bytes);
    if (typeof wanted === "string") return;
    if (tree === undefined) {
      if (wanted === undefined || isNamed(refused!, version)) return;
      throw new Violation("a tree that dtc takes is refused", refused!.message);
    }
    if (wanted === undefined) throw new Violation("a tree that dtc refuses is taken");
    // What version 1 has for a boot CPU is another block's word to dtc
    if (version < 2) tree.bootCpuId = new DataView(wanted.buffer, wanted.byteOffset).getUint32(28);
    const again = dtc(writeFdt(tree));
    if (!(again instanceof Uint8Array) || again.join() !== wanted.join()) {
      throw new Violation("dtc sees another tree in what was written");
    }
  },
});
