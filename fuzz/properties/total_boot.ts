import fc from "fast-check";
import type { Placement } from "../../mod.ts";
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

const plainly = ({ content, ...rest }: Placement) => ({ ...rest, content: content.kind });
const inHex = (_: string, value: unknown) =>
  typeof value === "bigint" ? `0x${value.toString(16)}` : value;

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
    const plain = { ...value, placements: value.placements.map(plainly) };
    if (JSON.stringify(json) !== JSON.stringify(plain, inHex)) throw new Violation("other JSON");
    const text = formatPlan(value);
    const rows = [...value.placements, ...value.memoryMap].map((range) => {
      const name = "name" in range ? range.name : range.type;
      return ` 0x${range.start.toString(16)} +0x${range.size.toString(16)} +${
        name.replace(/\W/g, ".")
      }\n`;
    });
    const entered = value.cpu.arch === "x86_64" ? value.cpu.rip : value.cpu.pc;
    const says = [...rows, `entry 0x${entered.toString(16)}\n`];
    if (!says.every((row) => new RegExp(row).test(`${text}\n`))) throw new Violation("other text");
  },
});
