import fc from "fast-check";
import { cmdlines } from "../arbitraries/cmdlines.ts";
import { pattern } from "../arbitraries/images.ts";
import { layOut, layouts } from "../arbitraries/layouts.ts";
import { boundary } from "../arbitraries/numbers.ts";
import { covered } from "../arbitraries/plans.ts";
import { sourceWith } from "../faulty_source.ts";
import { CanaryGuest, sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

/** booting.rst: a device tree has at most 2 MiB. */
const MAX_DTB = 2 << 20;
const BASE = 0x100000n;

const inputs = fc.record({
  line: cmdlines,
  dtb: fc.constantFrom(0, 1, 40, 0x1800),
  /** A source that says so, and is never read. */
  huge: fc.constantFrom(MAX_DTB, MAX_DTB + 1),
  at: fc.oneof(
    {
      arbitrary: fc.integer({ min: -2, max: 0x2002 }).map((n) => BASE + BigInt(n)),
      weight: 6,
    },
    { arbitrary: fc.oneof(boundary, fc.constantFrom(-1n, 1n << 64n)), weight: 1 },
  ),
  layout: layouts([0, 0x1000], [0x1000, 0x2000]),
}).map(({ layout, ...rest }) => ({ ...rest, ram: layOut(layout, BASE, BASE + 0x1000n) }));

export default property({
  name: "load-parts",
  says: "loadDtb and loadCmdline write what they are given, or refuse and change nothing",
  inputs,
  check({ line, dtb, huge, at, ram }, library) {
    const { loadCmdline, loadDtb, Cmdline } = library;
    const cmdline = Cmdline.tryFrom("", 4096);
    if (/^[ -~]*$/.test(line)) cmdline.insertStr(line);
    const real = ram.map(({ start, size }) => ({ start, size: BigInt(size) }));
    const bytes = pattern(dtb, 3);
    const parts = [
      { bytes, load: (guest: CanaryGuest) => loadDtb(guest.memory, at, bytes) },
      {
        bytes: new TextEncoder().encode(`${cmdline}\0`),
        load: (guest: CanaryGuest) => loadCmdline(guest.memory, at, cmdline),
      },
    ];
    for (const { bytes, load } of parts) {
      const guest = new CanaryGuest(library, ram);
      const { refused } = judge(Infinity, () => load(guest));
      const range = { start: at, size: BigInt(bytes.length) };
      const is64Bit = at >= 0n && at < 1n << 64n;
      const fits = is64Bit && (bytes.length === 0 || covered(range, real) === range.size);
      if (fits === (refused !== undefined)) {
        throw new Violation(fits ? "a part is refused" : "a part outside RAM", refused?.message);
      }
      requireNone("written elsewhere", guest.changes(refused ? [] : [range]));
      if (!refused && bytes.length > 0 && !sameBytes(guest.peek(at, bytes.length)!, bytes)) {
        throw new Violation("other bytes");
      }
    }
    const guest = new CanaryGuest(library, ram);
    const source = { ...sourceWith(new Uint8Array(0)), size: huge };
    const { refused } = judge(Infinity, () => loadDtb(guest.memory, at, source));
    const wanted = at < 0n || at >= 1n << 64n ? "INVALID_OPTION" : "FDT_TOO_BIG";
    if (huge > MAX_DTB && refused?.code !== wanted) throw new Violation("a tree past 2 MiB");
    if (huge <= MAX_DTB && refused?.code === "FDT_TOO_BIG") throw new Violation("a tree of 2 MiB");
  },
});
