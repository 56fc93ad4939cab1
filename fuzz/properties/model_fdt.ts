import { dtbFiles } from "../arbitraries/tree_files.ts";
import { encodeInput } from "../codec.ts";
import { judge } from "../judge.ts";
import { readTree } from "../model/fdt.ts";
import { property, Violation } from "../property.ts";

/** Whether a header is as it should be, but for a totalsize that does not hold it. */
function hasShortTotal(bytes: Uint8Array): boolean {
  if (bytes.length < 40) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [magic, total, version, compatible] = [0, 4, 20, 24].map((at) => view.getUint32(at));
  return magic === 0xd00dfeed && version >= 16 && compatible <= Math.min(version, 17) &&
    total < (version >= 17 ? 40 : 36);
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
    if (hasShortTotal(bytes) && refused?.field !== "fdt_header.totalsize") {
      throw new Violation("totalsize is not looked at", refused?.field);
    }
    if (value && encodeInput(value) !== encodeInput(wanted)) throw new Violation("another tree");
  },
});
