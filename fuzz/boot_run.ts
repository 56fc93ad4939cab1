/**
 * Boots that are tried: plans, applies and judges.
 *
 * @module
 */
import type { BootPlan, KernelSource } from "../mod.ts";
import type { BootCase, CaseOptions } from "./arbitraries/boots.ts";
import { judge, type Outcome } from "./judge.ts";
import type { Library } from "./property.ts";

/** Where a case's bytes come from: themselves, unless a property wraps them. */
export type Open = (bytes: Uint8Array, what: string) => Uint8Array | KernelSource;

/** The bytes themselves. */
export const AS_BYTES: Open = (bytes) => bytes;

/**
 * A case as the library's options.
 *
 * @param boot The case.
 * @param open Where its bytes come from.
 * @returns The options.
 */
export function optionsOf(
  boot: BootCase,
  open: Open = AS_BYTES,
): Parameters<Library["planBoot"]>[1] {
  const { initrd, modules, ...rest } = frozen(boot.options);
  return {
    ...rest,
    kernel: open(boot.kernel, "kernel"),
    ...initrd && { initrd: open(initrd, "initrd") },
    ...modules && {
      modules: modules.map((module, i) => ({
        ...module,
        source: open(module.source as Uint8Array, `module ${i}`),
      })),
    },
  };
}

/** What is a caller's is not changed: a change throws. Bytes cannot be frozen. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/**
 * The size of a case's largest input: an error's offset lies within.
 *
 * @param boot The case.
 * @returns Bytes.
 */
export function largestInput({ kernel, options }: BootCase): number {
  const { initrd, deviceTree, cmdline = "", modules = [] } = options;
  return Math.max(
    kernel.length,
    initrd?.length ?? 0,
    deviceTree instanceof Uint8Array ? deviceTree.length : 0,
    cmdline.length,
    ...modules.map(({ source, cmdline = "" }) => {
      return Math.max((source as Uint8Array).length, cmdline.length);
    }),
  );
}

/**
 * Plans a case.
 *
 * @param library The library under test.
 * @param boot The case.
 * @param open Where its bytes come from.
 * @returns The plan, or why there is none.
 */
export function plan(library: Library, boot: BootCase, open: Open = AS_BYTES): Outcome<BootPlan> {
  const layout = frozen({
    ram: boot.ram.map(({ start, size }) => ({ start, size: BigInt(size) })),
  });
  return judge(largestInput(boot), () => library.planBoot(layout, optionsOf(boot, open)));
}

/**
 * What a case reserves, its device tree's own reservations left out.
 *
 * @param options The case's options.
 * @returns Ranges that are not empty.
 */
export function reservedBy(options: CaseOptions): { start: bigint; size: bigint }[] {
  return (options.reservations ?? []).filter(({ size }) => size > 0n)
    .map(({ start, size }) => ({ start, size }));
}
