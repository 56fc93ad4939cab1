import fc from "fast-check";
import { boots } from "../arbitraries/boots.ts";
import { boundary, sometimes } from "../arbitraries/numbers.ts";
import { plan } from "../boot_run.ts";
import { property, Violation } from "../property.ts";

const odd = fc.oneof(
  { arbitrary: boundary, weight: 4 },
  { arbitrary: fc.constantFrom(-1n, -0x1000n, 1n << 64n, 1n << 65n), weight: 1 },
);

/** An item of each list that a caller hands over: none may have more than 1,024. */
const ITEMS = {
  reservations: { name: "r", start: 1n << 60n, size: 1n },
  memoryMap: { type: "acpi", start: 1n << 60n, size: 0n },
  setupData: { type: 9, data: new Uint8Array(1) },
  modules: { source: new Uint8Array(1) },
};
const LISTS = Object.keys(ITEMS) as (keyof typeof ITEMS)[];

export default property({
  name: "total-boot",
  says: "planBoot gives a plan that can be printed, or throws a LoaderError: whatever is asked for",
  inputs: fc.record({
    boot: boots,
    kernelAddress: sometimes(odd, 3),
    initrdAddress: sometimes(odd, 3),
    reserved: sometimes(fc.record({ start: odd, size: odd }), 3),
    entry: sometimes(fc.record({ start: odd, size: odd }), 3),
    many: sometimes(fc.constantFrom(...LISTS), 30),
  }),
  check({ boot, kernelAddress, initrdAddress, reserved, entry, many }, library) {
    const { options } = boot;
    const hostile = {
      ...options,
      ...kernelAddress !== undefined && { kernelAddress },
      ...initrdAddress !== undefined && { initrdAddress },
      ...reserved &&
        { reservations: [...options.reservations ?? [], { name: "odd", ...reserved }] },
      ...entry && { memoryMap: [...options.memoryMap ?? [], { type: "acpi" as const, ...entry }] },
    };
    const filled = many ? { ...hostile, [many]: Array(1025).fill(ITEMS[many]) } : hostile;
    const { value } = plan(library, { ...boot, options: filled });
    if (value && many) throw new Violation(`${many} without end`);
    if (!value) return;
    const { planToJson, formatPlan } = library;
    const json = JSON.parse(JSON.stringify(planToJson(value)));
    if (json.placements.length !== value.placements.length) throw new Violation("a plan is cut");
    if (!formatPlan(value).includes(value.placements[0].name)) throw new Violation("no text");
  },
});
