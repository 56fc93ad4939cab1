import { dtbFiles } from "../arbitraries/tree_files.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { readTree } from "../model/fdt.ts";
import { property, Violation } from "../property.ts";

/** The code for a totalsize that does not hold the header, or is past 2 MiB, where all else is right. */
function faultOfTotal(bytes: Uint8Array): string | undefined {
  if (bytes.length < 40) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [magic, total, version, compatible] = [0, 4, 20, 24].map((at) => view.getUint32(at));
  if (magic !== 0xd00dfeed || version < 16 || compatible > Math.min(version, 17)) return undefined;
  if (total < (version >= 17 ? 40 : 36)) return "FDT_STRUCTURE";
  return total > 2 << 20 ? "FDT_TOO_BIG" : undefined;
}

export default property({
  name: "model-fdt",
  says: "parseFdt takes and reads exactly the device trees that the plain reader does",
  inputs: dtbFiles,
  check(bytes, { parseFdt }) {
    const { value, refused } = judge(bytes.length, () => parseFdt(bytes));
    const wanted = readTree(bytes);
    if ((value === undefined) !== (wanted === undefined)) {
      throw new Violation(
        wanted ? "a device tree is refused" : "no device tree is taken",
        refused?.message,
      );
    }
    const due = faultOfTotal(bytes);
    const isSaid = refused?.code === due && refused?.field === "fdt_header.totalsize";
    if (due && !isSaid) throw new Violation("totalsize is not looked at", refused?.message);
    if (value && encodeInput(value) !== encodeInput(wanted)) throw new Violation("another tree");
  },
});
