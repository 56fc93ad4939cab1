import { type BootCase, boots } from "../arbitraries/boots.ts";
import { plan } from "../boot_run.ts";
import { CanaryGuest, hex, sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone } from "../property.ts";

/** The input that a placement is named after. */
function inputOf(name: string, { kernel, options }: BootCase): Uint8Array | undefined {
  if (name.startsWith("kernel")) return kernel;
  if (name === "initrd") return options.initrd;
  const module = /^module (\d+)$/.exec(name);
  return module ? options.modules?.[Number(module[1]) - 1].source as Uint8Array : undefined;
}

export default property({
  name: "faithful",
  says: "every loaded byte is the file's byte, and BSS is zero in memory that was used before",
  inputs: boots,
  check(boot, library) {
    const { value } = plan(library, boot);
    if (!value) return;
    const guest = new CanaryGuest(library, boot.ram);
    judge(Infinity, () => library.applyPlan(guest.memory, value));
    const faults: string[] = [];
    for (const { name, start, size, content } of value.placements) {
      if (content.kind === "claim") continue;
      const there = guest.peek(start, Number(size));
      const input = inputOf(name, boot);
      const wanted = content.kind === "zeros"
        ? new Uint8Array(Number(size))
        : content.kind === "bytes"
        ? content.bytes
        : input?.slice(content.offset, content.offset + Number(size));
      if (!there || !wanted || !sameBytes(there, wanted)) faults.push(`${name} at ${hex(start)}`);
    }
    requireNone("loaded bytes are not the file's", faults);
    if (
      boot.options.initrd && !value.placements.some(({ name, size }) => {
        return name === "initrd" && size === BigInt(boot.options.initrd!.length);
      })
    ) requireNone("the initrd is not loaded whole", ["initrd"]);
  },
});
