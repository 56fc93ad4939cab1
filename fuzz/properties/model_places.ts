import fc from "fast-check";
import type { BootPlan } from "../../mod.ts";
import { arm64Boots, type BootCase, boots, riscv64Boots } from "../arbitraries/boots.ts";
import { pattern, peek } from "../arbitraries/images.ts";
import type { Region } from "../arbitraries/layouts.ts";
import { plan } from "../boot_run.ts";
import { hex } from "../guest.ts";
import { verdictOn } from "../model/boot.ts";
import type { Expected } from "../model/expected.ts";
import { property, requireNone, Violation } from "../property.ts";
import { registerFaults, UNMODELLED } from "./model_boot.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Where reach ends for somebody: below a Mebibyte, 512 MiB, windows of 32 GiB, 4 GiB, 47 bits, … */
const ENDS = [
  ...[0n, 0x100000n, 1n << 29n, 1n << 30n, (1n << 30n) + (1n << 29n), 1n << 31n, 1n << 32n],
  ...[1n << 35n, 33n << 30n, 1n << 36n, 1n << 40n, 1n << 47n, 1n << 48n, 1n << 56n],
];
const region = fc.record({
  start: fc.constantFrom(...ENDS),
  plus: fc.constantFrom(0n, 0n, 0x1000n, 0x200000n, -0x1000n, -0x200000n, -0x400000n, -0x600000n),
  size: fc.constantFrom(
    ...[0x1000, 0x10000, 2 * MIB, 4 * MIB, 6 * MIB, 8 * MIB, 512 * MIB, GIB, 33 * GIB],
  ),
});

/** RAM on both sides of an end. */
const edge = fc.record({
  end: fc.constantFrom(1n << 32n, 1n << 47n, 1n << 48n, 1n << 56n),
  before: fc.constantFrom(2 * MIB, 4 * MIB, 6 * MIB, 0x3000),
  after: fc.constantFrom(0x1000, 2 * MIB, 8 * MIB),
}).map(({ end, before, after }): Region[] => [
  { start: end - BigInt(before), size: before + after },
]);

/** RAM of any size: it is only planned for. */
const spacious = fc.array(region, { minLength: 1, maxLength: 4 }).map((all) => {
  const regions: Region[] = [];
  let end = 0n;
  const starts = all.map(({ start, plus, size }) => ({ start: start + plus, size }));
  for (const { start, size } of starts.sort((a, b) => a.start < b.start ? -1 : 1)) {
    const from = start > end ? start : end;
    if (from < 0n) continue;
    regions.push({ start: from, size });
    end = from + BigInt(size);
  }
  return regions.length > 0 ? regions : [{ start: 0n, size: GIB }];
});

/** A quarter of a GiB: windows are aligned to whole ones. */
const QUARTER = 1n << 28n;

/** RAM that has room for one thing each: the Image, its device tree, its initrd. */
const tight = fc.record({
  kernelAt: fc.constantFrom(4n, 33n * 4n, 33n * 4n + 2n, 64n * 4n + 2n).map((n) => n * QUARTER),
  tree: fc.constantFrom(0x20_0000n, 0x1fe0_0000n, 0x2000_0000n, 1n << 30n, -0x20_0000n, 33n << 30n),
  // 32 GiB are a window, if it starts with a whole one
  initrd: fc.constantFrom(...[4n, 8n, 31n * 4n, 127n, 127n, 128n, 129n].flatMap((n) => [n, -n]))
    .map((n) => n * QUARTER),
  isFixed: fc.boolean(),
});
type Tight = typeof tight extends fc.Arbitrary<infer T> ? T : never;

function tightened(boot: BootCase, { kernelAt, tree, initrd, isFixed }: Tight): BootCase {
  const { kernel, options } = boot;
  if (kernel.length < 64) return boot;
  const [offset, size] = [peek(kernel, 8, 8), peek(kernel, 16, 8)];
  const span = offset + (size > BigInt(kernel.length) ? size : BigInt(kernel.length));
  if (span > 0x20_0000n) return boot;
  // Not where an Image's base can be
  const at = kernelAt + initrd + 0x1000n;
  const dtb = kernelAt + tree;
  const isApart = at > 0n && (at < dtb || at >= dtb + 0x20_0000n);
  const ram = [
    { start: kernelAt, size: Number(span) },
    { start: dtb, size: 2 * MIB },
    ...isApart ? [{ start: at, size: 0x8000 }] : [],
  ];
  const { deviceTree, seeds, exceptionLevel, hartid } = options;
  const asked = {
    ...deviceTree && { deviceTree },
    ...seeds && { seeds },
    ...exceptionLevel && { exceptionLevel },
    ...hartid !== undefined && { hartid },
  };
  const initrdAddress = isFixed && isApart ? { initrdAddress: at } : {};
  return { kernel, ram, options: { ...asked, initrd: pattern(0x1234, 6), ...initrdAddress } };
}

/** What is planned lies where the model has it. */
function* placeFaults(expected: Expected, { placements }: BootPlan): Generator<string> {
  const has = (start: bigint, size?: bigint) =>
    placements.some((one) => one.start === start && (size === undefined || one.size === size));
  for (const { name, start, bytes } of expected.writes) {
    if (!has(start, BigInt(bytes.length))) yield `no ${name} at ${hex(start)}`;
  }
  for (const { start, size } of expected.zeros) {
    if (!has(start, size)) yield `no zeros at ${hex(start)}`;
  }
  for (const { name, start } of expected.meaningful) if (!has(start)) yield `no ${name}`;
}

const wide = fc.record({
  boot: fc.oneof(boots, arm64Boots, riscv64Boots),
  ram: fc.oneof({ arbitrary: spacious, weight: 3 }, { arbitrary: edge, weight: 2 }),
  own: fc.nat(3).map((n) => n === 0),
}).map(({ boot, ram, own }): BootCase => {
  // With the RAM that the kernel wants, where it lies apart from the other
  const ends = ({ start, size }: Region) => start + BigInt(size);
  const apart = boot.ram.filter((one) =>
    (own || !boot.options.deviceTree) &&
    ram.every((other) => ends(one) <= other.start || ends(other) <= one.start)
  );
  return { ...boot, ram: [...ram, ...apart] };
});
const narrow = fc.record({ boot: fc.oneof(arm64Boots, riscv64Boots), tight })
  .map(({ boot, tight }) => tightened(boot, tight));

export default property({
  name: "model-places",
  says: "with RAM of many GiB, and where reach ends, things lie where the plain model has them",
  inputs: fc.oneof({ arbitrary: wide, weight: 3 }, { arbitrary: narrow, weight: 1 }),
  share: 3,
  check(boot, library) {
    const verdict = verdictOn(boot);
    const { value, refused } = plan(library, boot);
    const isTree = boot.options.deviceTree !== undefined;
    if (refused) {
      if (isTree && UNMODELLED.includes(refused.code)) return;
      if ("refused" in verdict && verdict.refused.includes(refused.code)) return;
      const codes = "refused" in verdict ? verdict.refused.join(" or ") : "a plan";
      throw new Violation(`refused with ${refused.code}, not ${codes}`, refused.message);
    }
    if ("refused" in verdict) {
      throw new Violation(`not refused with ${verdict.refused.join(" or ")}`);
    }
    requireNone("not where the model has it", [
      ...registerFaults(verdict.expected, value),
      ...placeFaults(verdict.expected, value),
    ]);
  },
});
