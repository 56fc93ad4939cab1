import fc from "fast-check";
import { boots } from "../arbitraries/boots.ts";
import { faultsOfSources } from "../arbitraries/sources.ts";
import { type CountingSource, sourceWith } from "../faulty_source.ts";
import { largestInput, optionsOf, plan } from "../boot_run.ts";
import { CanaryGuest } from "../guest.ts";
import { judge, type Refused } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

export default property({
  name: "atomic-sources",
  says:
    "a source that fails changes nothing, or planned ranges of sources only and says PARTIALLY_APPLIED",
  inputs: fc.record({
    boot: boots,
    fault: faultsOfSources,
    where: fc.constantFrom("kernel", "kernel", "initrd", "module 0"),
  }),
  check({ boot, fault, where }, library) {
    const expected = plan(library, boot);
    const guest = new CanaryGuest(library, boot.ram);
    let faulty: CountingSource | undefined;
    const options = optionsOf(boot, (bytes, what) => {
      return what === where ? faulty = sourceWith(bytes, fault) : bytes;
    });
    const { refused } = judge(largestInput(boot), () => library.bootLinux(guest.memory, options));
    if (refused?.code === "PARTIALLY_APPLIED") {
      if (!expected.value) throw new Violation("written without a plan");
      // What the planner made is written last: it would say that there is a kernel
      const read = expected.value.placements.filter(({ content }) => content.kind === "source");
      requireNone("written outside what is read", guest.changes(read));
      if (!faulty?.failed) throw new Violation("PARTIALLY_APPLIED without a fault");
      const causes = [refused.cause];
      if (fault.kind === "throws") causes.push((refused.cause as Refused | undefined)?.cause);
      if (!causes.every((cause) => cause instanceof Error)) {
        throw new Violation("an error that does not say what was thrown");
      }
      return;
    }
    if (refused) requireNone(`written before ${refused.code}`, guest.changes());
    if (refused?.code === "SOURCE_FAILED" && !faulty?.failed) {
      throw new Violation("SOURCE_FAILED without a fault");
    }
    if (!refused && faulty?.failed) throw new Violation("a fault is not noticed", fault.kind);
    if (!faulty?.failed && refused?.code !== expected.refused?.code) {
      throw new Violation(
        "another answer from a source than from bytes",
        `${refused?.code ?? "a plan"}, not ${expected.refused?.code ?? "a plan"}`,
      );
    }
  },
});
