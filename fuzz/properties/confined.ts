import fc from "fast-check";
import { boots } from "../arbitraries/boots.ts";
import { optionsOf, plan } from "../boot_run.ts";
import { CanaryGuest } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone } from "../property.ts";

export default property({
  name: "confined",
  says: "only planned ranges are written: no claimed ones, and no zeros where memory is fresh",
  inputs: fc.record({ boot: boots, fresh: fc.boolean() }),
  check({ boot, fresh }, library) {
    const { value } = plan(library, boot);
    if (!value) return;
    const guest = new CanaryGuest(library, boot.ram);
    judge(Infinity, () => library.applyPlan(guest.memory, value, { fresh }));
    const written = value.placements.filter(({ content: { kind } }) => {
      return kind !== "claim" && !(fresh && kind === "zeros");
    });
    requireNone("written outside the plan", guest.changes(written));
    const again = new CanaryGuest(library, boot.ram);
    judge(Infinity, () => library.bootLinux(again.memory, { ...optionsOf(boot), fresh }));
    requireNone("bootLinux writes outside the plan", again.changes(written));
  },
});
