/** Command lines, and what is done to one under construction. */
import fc from "fast-check";
import { boundary, boundary32 } from "./numbers.ts";

const part = fc.constantFrom(
  ...["quiet", "console=ttyS0", "root=/dev/vda", "a=b=c", "--", " -- ", '"', ' "', '" ', " "],
  ...["a", "=", 'x="y z"', "init=/bin/sh", "-- single", "\t", "\n", "\0", "\u00a0", "\u2028"],
  ...["\ud83d", "\ude00", "😀", "é", "\x7f", "~", "\x1f", "\ufeff", "\u0085"],
);

/** Any text, mostly of parts that a command line is made of. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.array(part, { maxLength: 6 }).map((parts) => parts.join("")), weight: 4 },
  { arbitrary: fc.array(part, { maxLength: 6 }).map((parts) => parts.join(" ")), weight: 2 },
  { arbitrary: fc.string({ unit: "binary", maxLength: 40 }), weight: 1 },
);

/** Command lines for a boot: most can be used, some are exactly as long as is allowed. */
export const cmdlines: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom("console=ttyS0", "quiet root=/dev/vda -- single", ""), weight: 6 },
  {
    arbitrary: fc.constantFrom(1, 5, 16, 17, 64, 255, 256, 1023, 1024, 2047, 2048)
      .map((length) => "x".repeat(length)),
    weight: 3,
  },
  { arbitrary: texts, weight: 1 },
);

/** Something that is done to a command line. */
export type CmdlineStep =
  | { readonly kind: "insert"; readonly key: string; readonly value: string }
  | { readonly kind: "multiple"; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: "str" | "init"; readonly text: string }
  | {
    readonly kind: "virtio";
    readonly size: bigint;
    readonly base: bigint;
    readonly irq: number;
    readonly id?: number;
  };

/** A command line and its steps. */
export interface CmdlineCase {
  readonly capacity: number;
  /** What it is parsed from; empty if not given. */
  readonly raw?: string;
  readonly steps: readonly CmdlineStep[];
}

/** Names, most of which are none. */
const keys = fc.constantFrom("k", "k", "=", "=a", "a=", "a b", " a", "é", "");

const step: fc.Arbitrary<CmdlineStep> = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), key: fc.oneof(keys, texts), value: texts }),
  fc.record({
    kind: fc.constant("multiple" as const),
    key: fc.constantFrom("k", "", "a b"),
    values: fc.array(fc.oneof(fc.constantFrom("a", "b", '"c d"'), texts), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constantFrom("str" as const, "init" as const), text: texts }),
  fc.record({
    kind: fc.constant("virtio" as const),
    size: fc.oneof(fc.constantFrom(0x200n, 0x1000n, 0x300000n, 1n << 30n, 0n), boundary),
    base: boundary,
    irq: fc.oneof(fc.constantFrom(0, 5), boundary32),
    id: fc.oneof(fc.constantFrom(0, 1, undefined), fc.option(boundary32, { nil: undefined })),
  }),
);

/** Command lines under construction. */
export const cmdlineCases: fc.Arbitrary<CmdlineCase> = fc.record({
  capacity: fc.constantFrom(64, 64, 2048, 128, 1, 2, 8, 16, 2048, 0, -1, 1.5),
  raw: fc.option(texts, { nil: undefined }),
  steps: fc.array(step, { maxLength: 5 }),
});
