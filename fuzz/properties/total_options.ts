import fc from "fast-check";
import { arm64Image, bzImage, elfImage, pattern, pvhImage } from "../arbitraries/images.ts";
import { RISCV64_FIELDS } from "../arbitraries/flat_files.ts";
import { VIRT_ARM64, VIRT_RISCV64 } from "../arbitraries/virt.ts";
import { judge } from "../judge.ts";
import { type Library, property, Violation } from "../property.ts";

const MIB = 1n << 20n;
/** Boots that go well, each of another protocol. */
const BOOTS = {
  linux64: { kernel: elfImage() },
  linux32: { kernel: elfImage({ bits: 32 }) },
  bzimage: { kernel: bzImage({ kernel: pattern(0x1000), cmdline_size: 0xffff_ffff }) },
  old: { kernel: bzImage({ version: 0x202 }), initrd: pattern(100) },
  pvh: { kernel: pvhImage(), initrd: pattern(100) },
  arm64: { kernel: arm64Image(), deviceTree: VIRT_ARM64 },
  riscv64: { kernel: arm64Image(RISCV64_FIELDS), deviceTree: VIRT_RISCV64 },
};
type Kind = keyof typeof BOOTS;
const X86: Kind[] = ["linux64", "linux32", "bzimage", "old", "pvh"];
const TREES: Kind[] = ["arm64", "riscv64"];
const ALL: Kind[] = [...X86, ...TREES];

/** RAM below the legacy hole, at 1 MiB, at 1 GiB, where the Images go, and at 4 GiB. */
const RAM = [
  { start: 0x1000n, size: 0x9e000n },
  { start: MIB, size: 32n * MIB },
  { start: 1n << 30n, size: 64n * MIB },
  { start: 1n << 32n, size: MIB },
];

/** Something that is asked for, by which boots, and what is said of it: undefined if it can be. */
interface Asked {
  readonly of: readonly Kind[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly code?: string;
  /** Instead of the RAM that there is. */
  readonly ram?: readonly { readonly start: bigint; readonly size: bigint }[];
}
const bad = (of: readonly Kind[], code: string, ...all: Asked["options"][]): Asked[] =>
  all.map((options) => ({ of, options, code }));
const good = (of: readonly Kind[], ...all: Asked["options"][]): Asked[] =>
  all.map((options) => ({ of, options }));
const each = (name: string, ...values: unknown[]) => values.map((value) => ({ [name]: value }));
const item = (name: string, start: bigint, size: bigint, more = {}) => ({
  [name]: [{ name: "r", start, size, ...more }],
});
const FAR = 1n << 60n;
const entry = (type: string, start = FAR, size = 1n) => item("memoryMap", start, size, { type });
const reserved = (type: string) => item("reservations", FAR, 1n, { type });
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const lists = (count: number) => ({
  reservations: many(count, (i) => ({ name: "r", start: FAR + BigInt(2 * i), size: 1n })),
  memoryMap: many(count, (i) => ({ type: "acpi", start: FAR + BigInt(2 * i), size: 1n })),
  setupData: many(count, () => ({ type: 9, data: new Uint8Array(1) })),
  modules: many(count, () => ({ source: new Uint8Array(1) })),
});
const list = (name: keyof ReturnType<typeof lists>, count: number) => ({
  [name]: lists(count)[name],
});
/** So much RAM from 0 on, and what the PVH kernel takes. */
const tight = (low: bigint) => [{ start: 0n, size: low }, { start: MIB, size: 0x100n }];
const WIDE = [-1n, 1n << 64n, (1n << 64n) + 1n];

/** What each kernel is not: the protocols that do not boot it, with the device tree that they want. */
const NO_TREE = { deviceTree: undefined };
const BY = {
  linux64: { protocol: "linux64", ...NO_TREE },
  linux32: { protocol: "linux32", ...NO_TREE },
  pvh: { protocol: "pvh", ...NO_TREE },
  arm64: { protocol: "arm64", deviceTree: VIRT_ARM64 },
  riscv64: { protocol: "riscv64", deviceTree: VIRT_RISCV64 },
};

const ASKED: readonly Asked[] = [
  ...bad(X86, "PROTOCOL_MISMATCH", BY.arm64, BY.riscv64),
  ...bad(["bzimage", "old"], "PROTOCOL_MISMATCH", BY.pvh),
  ...bad(TREES, "PROTOCOL_MISMATCH", BY.linux64, BY.linux32, BY.pvh),
  ...bad(["arm64"], "PROTOCOL_MISMATCH", BY.riscv64),
  ...bad(["riscv64"], "PROTOCOL_MISMATCH", BY.arm64),
  ...bad(["linux64"], "ELF_CLASS", BY.linux32),
  ...bad(["linux32"], "ELF_CLASS", BY.linux64),
  ...bad(["linux64", "linux32"], "PVH_NOT_PRESENT", BY.pvh),
  ...bad(["old"], "BZIMAGE_VERSION", BY.linux64),
  ...bad(["bzimage"], "BZIMAGE_NO_64BIT_ENTRY", {
    kernel: bzImage({ xloadflags: 0b10 }),
    ...BY.linux64,
  }),
  // A relocatable kernel that is loaded below pref_address (16 MiB) runs there all the same
  { of: ["bzimage"], options: { kernelAddress: 2n * MIB } },
  {
    of: ["bzimage"],
    options: { kernelAddress: 2n * MIB },
    ram: [RAM[0], { start: MIB, size: 8n * MIB }],
    code: "OUTSIDE_RAM",
  },
  ...bad(["bzimage"], "OVERLAP", {
    kernelAddress: 2n * MIB,
    ...item("reservations", 16n * MIB + 0x800n, 1n),
  }),
  // Page tables of four levels reach half of 48 bits
  ...[(1n << 47n) - 0x40n, (1n << 47n) - 0x3fn, 1n << 47n].map((p_paddr): Asked => ({
    of: ["linux64"],
    options: { kernel: elfImage({ segments: [{ bytes: pattern(64), p_paddr }] }) },
    ram: [...RAM, { start: (1n << 47n) - MIB, size: 2n * MIB }],
    ...p_paddr + 64n > 1n << 47n && { code: "NO_SPACE" },
  })),
  ...good(["bzimage", "old"], BY.linux32),
  ...good(["pvh"], BY.linux64),
  ...bad(ALL, "INVALID_OPTION", { initrdAdress: 0n }, { toString: "x" }, { constructor: 1 }),
  ...bad(ALL, "INVALID_OPTION", ...each("protocol", "bios", "", "constructor", "x86")),
  ...bad(ALL, "INVALID_OPTION", ...each("kernelAddress", ...WIDE)),
  ...bad(ALL, "INVALID_OPTION", ...each("initrdAddress", ...WIDE)),
  ...bad(ALL, "INVALID_OPTION", ...each("initrdPlacement", "middle", "", "HIGH")),
  ...bad(ALL, "INVALID_OPTION", ...each("rsdp", ...WIDE), ...each("hartid", ...WIDE)),
  ...bad(ALL, "INVALID_OPTION", ...WIDE.map((kaslr) => ({ seeds: { kaslr } }))),
  ...bad(ALL, "INVALID_OPTION", ...each("exceptionLevel", 0, 3, 1.5, -1)),
  ...bad(ALL, "INVALID_OPTION", ...each("maxCmdlineSize", -1, 0.5, Infinity, 2 ** 20 + 1)),
  ...good(ALL, ...each("maxCmdlineSize", 0, 1, 2 ** 20)),
  ...bad(
    ALL,
    "INVALID_OPTION",
    ...[-1, 0.5, 2 ** 32].map((type) => ({ setupData: [{ type, data: pattern(1) }] })),
  ),
  ...good(
    ["linux64", "linux32", "bzimage"],
    ...[0, 2 ** 31, 2 ** 32 - 1].map((type) => ({ setupData: [{ type, data: pattern(1) }] })),
  ),
  ...bad(ALL, "INVALID_OPTION", ...["usable", "constructor", "ram", ""].map((type) => entry(type))),
  ...good(ALL, ...["reserved", "acpi", "nvs", "unusable", "persistent"].map((type) => entry(type))),
  // Empty; over RAM's first byte, its last, all of it, some of it
  ...bad(
    ALL,
    "INVALID_OPTION",
    entry("acpi", FAR, 0n),
    entry("acpi", 0xfffn, 2n),
    entry("acpi", RAM[0].start + RAM[0].size - 1n, 2n),
    entry("acpi", 0n, 1n << 33n),
    entry("acpi", MIB, 1n),
  ),
  ...good(ALL, entry("acpi", 0xfffn, 1n), entry("acpi", RAM[0].start + RAM[0].size, 1n)),
  ...bad(ALL, "ADDRESS_OVERFLOW", entry("acpi", -1n, 1n), entry("acpi", FAR << 4n, 1n)),
  ...bad(ALL, "INVALID_OPTION", ...["usable", "constructor", "ram", ""].map(reserved)),
  ...good(ALL, ...["reserved", "acpi", "nvs", "unusable", "persistent"].map(reserved)),
  ...bad(
    ALL,
    "ADDRESS_OVERFLOW",
    item("reservations", -1n, 2n),
    item("reservations", 1n, -1n),
    item("reservations", (1n << 64n) - 1n, 2n),
  ),
  ...bad(ALL, "LIMIT_EXCEEDED", list("reservations", 1025), list("memoryMap", 1025)),
  ...bad(ALL, "LIMIT_EXCEEDED", list("setupData", 1025), list("modules", 1025)),
  // The oldest kernel can be told of 128 entries
  ...good(["linux64", "arm64"], list("memoryMap", 1024)),
  ...good(["bzimage"], list("reservations", 1024)),
  ...bad(["old"], "LIMIT_EXCEEDED", list("memoryMap", 123), list("memoryMap", 1024)),
  ...good(["old"], list("memoryMap", 122)),
  ...good(["linux32"], list("setupData", 1024)),
  ...bad(["bzimage"], "CMDLINE_TOO_LONG", { cmdline: "x".repeat(2 ** 20 + 1) }),
  ...good(["bzimage"], { cmdline: "x".repeat(2 ** 20) }),
  ...bad(["linux64", "pvh", "arm64"], "CMDLINE_TOO_LONG", { cmdline: "x".repeat(2048) }),
  ...bad(["riscv64"], "CMDLINE_TOO_LONG", { cmdline: "x".repeat(1024) }),
  ...good(["linux64", "pvh", "arm64"], { cmdline: "x".repeat(2047) }),
  ...good(["riscv64"], { cmdline: "x".repeat(1023) }),
  ...bad(["pvh"], "INVALID_OPTION", { initrd: undefined, ...list("modules", 1) }),
  ...bad(["pvh"], "INVALID_OPTION", { modules: [{ source: new Uint8Array(0) }] }),
  ...bad(["pvh"], "CMDLINE_TOO_LONG", {
    modules: [{ source: pattern(1), cmdline: "x".repeat(2048) }],
  }),
  ...good(["pvh"], { modules: [{ source: pattern(1), cmdline: "x".repeat(2047) }] }),
  ...bad(["linux64", "linux32", "pvh"], "INVALID_OPTION", { kernelAddress: MIB }),
  // Page 0 is the vectors', and the next ones are needed
  { of: ["pvh"], options: {}, ram: tight(0x3000n) },
  { of: ["pvh"], options: {}, ram: tight(0x2000n), code: "NO_SPACE" },
  { of: ["pvh"], options: list("modules", 1), ram: tight(0x3000n), code: "NO_SPACE" },
  ...bad(ALL, "ADDRESS_OVERFLOW", {
    initrd: pattern(0x1001),
    initrdAddress: (1n << 64n) - 0x1000n,
  }),
  ...good(
    TREES,
    ...["", "x".repeat(40), "\u00fc", "a/b@c", "a b"].map((name) => ({
      reservations: [{ name, start: FAR, size: 1n }],
    })),
  ),
  // Before initrd_addr_max, and an i386 kernel without a header: the oldest kernels' limit
  ...[1n << 30n, 1n << 32n].flatMap((initrdAddress) => [
    ...bad(["old", "linux32"], "NO_SPACE", { initrd: pattern(1), initrdAddress }),
    ...good(["linux64", "bzimage", "pvh"], { initrd: pattern(1), initrdAddress }),
  ]),
  // Where there would be something of the loader's own
  ...[0x6000n, 0x7000n, 0x9000n, 0x1f000n, 0x20000n, 0x40000n].flatMap((initrdAddress) => {
    const setupData = [{ type: 9, data: pattern(1) }];
    return [
      ...good(X86, { initrd: pattern(0x1001), initrdAddress }),
      ...good(["linux64", "linux32"], { initrd: pattern(0x1001), initrdAddress, setupData }),
    ];
  }),
  // What a caller says of the legacy hole goes before what a PC has there
  ...good(
    X86,
    entry("acpi", 0x9fc00n, 0x400n),
    entry("nvs", 0x9f000n, 0x61000n),
    entry("acpi", 0xf8000n, 16n),
  ),
];
/** A boot with something that is asked for. */
interface Case extends Omit<Asked, "of"> {
  readonly kind: Kind;
  /** More RAM, in pages apart. */
  readonly pages?: number;
}
const CASES: readonly Case[] = ASKED.flatMap(({ of, ...asked }) => {
  return of.map((kind) => ({ kind, ...asked }));
});

/** What takes long: as many modules, and as much RAM page by page, as there can be. */
const COUNTS: readonly Case[] = [
  { kind: "pvh", options: list("modules", 1024) },
  { kind: "arm64", options: {}, pages: 4092 },
  { kind: "arm64", options: {}, pages: 4093, code: "LIMIT_EXCEEDED" },
  { kind: "linux64", options: {}, pages: 32_760, code: "LIMIT_EXCEEDED" },
  { kind: "linux64", options: {}, pages: 32_761, code: "INVALID_MEMORY" },
];

/** As many cases as are looked at in one run: all of them have their turn in a few dozen. */
const RUN = 12;

function check(library: Library, { kind, options, code, pages = 0, ram = RAM }: Case): void {
  const more = many(pages, (i) => ({ start: (1n << 41n) + BigInt(i) * MIB, size: 4096n }));
  const all = { ...BOOTS[kind], ...options };
  const { refused } = judge(Infinity, () => library.planBoot({ ram: [...ram, ...more] }, all));
  if (refused?.code === code) return;
  // What a protocol has no use for is refused as that
  if (code !== undefined && /has no use for it/.test(refused?.message ?? "")) return;
  const asked = Object.keys(options).join() || `${pages} pages`;
  const got = refused ? `${refused.code}, ${refused.message}` : "a plan";
  throw new Violation(`${kind}: ${asked}`, `${got}, not ${code ?? "a plan"}`);
}

export default property({
  name: "total-options",
  says: "an option that cannot be is refused for what it is, and one at its limit is taken",
  inputs: fc.oneof(
    {
      arbitrary: fc.noBias(fc.nat(CASES.length - 1)).map((from) => {
        return many(RUN, (i) => CASES[(from + i) % CASES.length]);
      }),
      weight: 20,
    },
    { arbitrary: fc.constantFrom(...COUNTS).map((one) => [one]), weight: 1 },
  ),
  share: 0.5,
  check(cases, library) {
    for (const one of cases) check(library, one);
  },
});
