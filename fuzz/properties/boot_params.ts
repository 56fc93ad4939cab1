import fc from "fast-check";
import { pattern } from "../arbitraries/images.ts";
import { boundary, sometimes } from "../arbitraries/numbers.ts";
import { CanaryGuest, hex, sameBytes } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone, Violation } from "../property.ts";

const TOP = 1n << 64n;
/** A list of sections or modules takes at most so many bytes. */
const LIMIT = 1n << 20n;

const address = fc.oneof(
  { arbitrary: fc.constantFrom(0x1000n, 0x1018n, 0x2000n, 0x7000n, 0xfff0n, 0x10000n), weight: 8 },
  { arbitrary: boundary, weight: 1 },
  { arbitrary: fc.constantFrom(-1n, 1n << 64n, TOP - 24n, TOP - 7n), weight: 1 },
);
const elements = fc.array(
  fc.record({
    size: fc.constantFrom(24, 32, 0, 7),
    // Up to a list's limit, or a byte past
    address: fc.oneof(
      { arbitrary: sometimes(address, 2), weight: 6 },
      { arbitrary: fc.constantFrom("limit" as const, "past" as const), weight: 1 },
    ),
  }),
  { maxLength: 4 },
);
/** What a list is set to before something is added. */
const first = sometimes(fc.record({ size: fc.constantFrom(48, 24, 0), address }), 3);

/** What was added to a list: bytes from its start on. */
interface List {
  start?: bigint;
  bytes: Uint8Array;
}

const is64Bit = (address: bigint) => address >= 0n && address < TOP;

/** linux-loader's add_section and add_module: after the last, or where it is said; gaps are zero. */
function add(list: List, element: Uint8Array, address: bigint | undefined): bigint | undefined {
  const start = list.start ?? address;
  if (start === undefined || !is64Bit(address ?? start)) return undefined;
  const at = address ?? start + BigInt(list.bytes.length);
  const end = at + BigInt(element.length);
  if (at < start || end > TOP || end - start > LIMIT) return undefined;
  list.start = start;
  const from = Number(at - start);
  const bytes = new Uint8Array(Math.max(list.bytes.length, from + element.length));
  bytes.set(list.bytes);
  bytes.set(element, from);
  list.bytes = bytes;
  return at;
}

export default property({
  name: "boot-params",
  says: "configurators write the header and lists as they were put together, or change nothing",
  inputs: fc.record({
    which: fc.constantFrom("linux", "fdt", "pvh", "pvh"),
    header: fc.constantFrom(4096, 56, 0, 1),
    headerStart: address,
    sections: elements,
    modules: elements,
    firstSections: first,
    firstModules: first,
    end: fc.constantFrom(0x10000, 0x2000, 0x1019),
  }),
  check(input, library) {
    const { which, header, headerStart, sections, modules, end } = input;
    const { BootParams, LinuxBootConfigurator, PvhBootConfigurator, FdtBootConfigurator } = library;
    const bytes = pattern(header, 2);
    const { value: params } = judge(0, () => new BootParams(bytes, headerStart));
    if (!params) return;
    const lists: Record<"sections" | "modules", List> = {
      sections: { bytes: new Uint8Array(0) },
      modules: { bytes: new Uint8Array(0) },
    };
    const firsts = { sections: input.firstSections, modules: input.firstModules };
    for (const [name, added] of Object.entries({ sections, modules })) {
      const list = lists[name as "sections"];
      const set = firsts[name as "sections"];
      const given = pattern(set?.size ?? 0, 3);
      if (set) {
        const { refused } = judge(0, () => {
          return name === "sections"
            ? params.setSections(given, set.address)
            : params.setModules(given, set.address);
        });
        if (is64Bit(set.address) === (refused !== undefined)) throw new Violation("a list's start");
        if (!refused) Object.assign(list, { start: set.address, bytes: given.slice() });
      }
      for (const [i, { size, address: asked }] of added.entries()) {
        const limit = (list.start ?? 0n) + LIMIT - BigInt(size);
        const address = asked === "limit" ? limit : asked === "past" ? limit + 1n : asked;
        const element = pattern(size, i + 4);
        const { value: at, refused } = judge(0, () => {
          return name === "sections"
            ? params.addSection(element, address)
            : params.addModule(element, address);
        });
        const wanted = add(list, element, address);
        if (at === wanted) continue;
        throw new Violation("an element is elsewhere, or refused", `${at && hex(at)}`, refused);
      }
      const now = name === "sections"
        ? { bytes: params.sections, start: params.sectionsStart }
        : { bytes: params.modules, start: params.modulesStart };
      if (now.start !== list.start || !sameBytes(now.bytes ?? new Uint8Array(0), list.bytes)) {
        throw new Violation(`other ${name}`);
      }
      if (!sameBytes(given, pattern(given.length, 3))) throw new Violation("the caller's bytes");
    }
    const guest = new CanaryGuest(library, [{ start: 0x1000n, size: end - 0x1000 }]);
    const configurator = {
      linux: LinuxBootConfigurator,
      fdt: FdtBootConfigurator,
      pvh: PvhBootConfigurator,
    }[which]!;
    const { refused } = judge(0, () => configurator.writeBootparams(params, guest.memory));
    if (refused) return requireNone(`written before ${refused.code}`, guest.changes());
    const parts: { start: bigint; bytes: Uint8Array }[] = [];
    if (which === "pvh") parts.push({ start: lists.sections.start!, bytes: lists.sections.bytes });
    parts.push({ start: headerStart, bytes });
    if (which === "pvh" && lists.modules.bytes.length > 0) {
      parts.push({ start: lists.modules.start!, bytes: lists.modules.bytes });
    }
    const faults: string[] = [];
    for (const [i, { start, bytes }] of parts.entries()) {
      // What is written later may lie on what was written before
      const isCovered = parts.slice(i + 1).some((other) =>
        other.start < start + BigInt(bytes.length) &&
        start < other.start + BigInt(other.bytes.length)
      );
      const there = guest.peek(start, bytes.length);
      if (!there || !isCovered && !sameBytes(there, bytes)) faults.push(`part ${i}`);
    }
    const allowed = parts.map(({ start, bytes }) => ({ start, size: BigInt(bytes.length) }));
    requireNone("boot parameters are wrong", [...faults, ...guest.changes(allowed)]);
  },
});
