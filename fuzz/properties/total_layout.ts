import fc from "fast-check";
import { elfImage } from "../arbitraries/images.ts";
import { boundary } from "../arbitraries/numbers.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

/** Numbers that a caller may have computed from a file, below 0 and past 2^64 too. */
const number = fc.oneof(
  { arbitrary: boundary, weight: 8 },
  { arbitrary: fc.constantFrom(-1n, -(1n << 63n), 1n << 64n, (1n << 64n) + 1n), weight: 1 },
);

export default property({
  name: "total-layout",
  says: "any RAM is a sound layout or refused: ranges of every size, negative, past 2^64, empty",
  inputs: fc.array(
    fc.record({ start: number, size: fc.oneof(number, fc.constantFrom(0x1000n, 0x100000n)) }),
    { maxLength: 6 },
  ),
  check(ram, { planBoot, GuestMemory }) {
    const { value: plan, refused } = judge(64, () => planBoot({ ram }, { kernel: elfImage() }));
    const valid = ram.length > 0 &&
      ram.every(({ start, size }) => start >= 0n && size > 0n && start + size <= 1n << 64n) &&
      ram.every((a, i) =>
        ram.every((b, j) => i === j || a.start + a.size <= b.start || b.start + b.size <= a.start)
      );
    const says = ["INVALID_MEMORY", "ADDRESS_OVERFLOW"].includes(refused?.code ?? "");
    if (says === valid) {
      throw new Violation(valid ? "a layout is refused" : "no layout is accepted");
    }
    for (const { start, size } of plan?.ram ?? []) {
      const sum = ram.filter((range) => range.start >= start && range.start < start + size)
        .reduce((total, range) => total + range.size, 0n);
      if (sum !== size) throw new Violation("RAM that is not there");
    }
    const regions = ram.filter(({ size }) => size < 0x2000n)
      .map(({ start, size }) => ({ start, bytes: new Uint8Array(Number(size < 0n ? 0n : size)) }));
    const { value: memory } = judge(64, () => GuestMemory.of(regions));
    if (!memory) return;
    const faults: string[] = [];
    for (const { start, size } of ram) {
      for (const at of [start - 1n, start, start + size - 1n, start + size]) {
        const inside = regions.some((region) =>
          at >= region.start && at < region.start + BigInt(region.bytes.length)
        );
        const { value } = judge(64, () => memory.read(at, 1));
        if ((value !== undefined) !== inside) {
          faults.push(`0x${at.toString(16)} is${inside ? " not" : ""} RAM`);
        }
        judge(64, () => memory.write(at, Uint8Array.of(1, 2)));
      }
    }
    requireNone("guest memory is wrong", faults);
  },
});
