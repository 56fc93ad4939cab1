import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { deriveMemoryMap, E820_TYPE, type MemoryMapEntry, type Reservation } from "./memory_map.ts";

/** [start, end) */
const range = (start: number, end: number) => ({ start: BigInt(start), size: BigInt(end - start) });
const entry = (start: number, end: number, type: MemoryMapEntry["type"] = "usable") => ({
  ...range(start, end),
  type,
});
const reservation = (start: number, end: number, type?: Reservation["type"]): Reservation => ({
  name: "firmware",
  ...range(start, end),
  type,
});

const RAM = [range(0, 100), range(200, 300)];

describe("deriveMemoryMap", () => {
  it("is RAM when nothing is taken", () => {
    assertEquals(deriveMemoryMap({ ram: RAM, reservations: [] }), [entry(0, 100), entry(200, 300)]);
  });

  it("says what is taken, of which kind, and that the rest is usable", () => {
    const reservations = [
      reservation(250, 260, "acpi"),
      reservation(0, 10),
      reservation(90, 120, "nvs"), // out of RAM
      reservation(400, 410, "persistent"), // outside
      reservation(20, 20), // nothing
    ];
    assertEquals(deriveMemoryMap({ ram: RAM, reservations }), [
      entry(0, 10, "reserved"),
      entry(10, 90),
      entry(90, 120, "nvs"),
      entry(200, 250),
      entry(250, 260, "acpi"),
      entry(260, 300),
      entry(400, 410, "persistent"),
    ]);
  });

  it("gives a byte that two reserve to the one that starts first", () => {
    const reservations = [reservation(30, 60, "acpi"), reservation(20, 40)];
    assertEquals(deriveMemoryMap({ ram: [range(0, 100)], reservations }), [
      entry(0, 20),
      entry(20, 40, "reserved"),
      entry(40, 60, "acpi"),
      entry(60, 100),
    ]);
  });

  it("has no usable entry in the hole, and still names what is reserved there", () => {
    const map = deriveMemoryMap({
      ram: [range(0, 1000)],
      reservations: [reservation(150, 160)],
      hole: range(100, 200),
    });
    assertEquals(map, [entry(0, 100), entry(150, 160, "reserved"), entry(200, 1000)]);
  });

  it("takes the caller's entries outside RAM", () => {
    const extra = [entry(150, 160, "reserved"), entry(100, 110, "acpi")];
    assertEquals(deriveMemoryMap({ ram: RAM, reservations: [], extra }), [
      entry(0, 100),
      entry(100, 110, "acpi"),
      entry(150, 160, "reserved"),
      entry(200, 300),
    ]);
  });

  it("keeps each byte of RAM in exactly one entry, whatever is reserved", () => {
    // Every pair of reservations over a small RAM, byte by byte
    for (let a = 0; a <= 12; a++) {
      for (let b = a; b <= 12; b++) {
        const reservations = [reservation(a, b, "acpi"), reservation(4, 7)];
        const map = deriveMemoryMap({ ram: [range(2, 5), range(6, 11)], reservations });
        for (let at = 0n; at < 14n; at++) {
          const found = map.filter(({ start, size }) => at >= start && at < start + size);
          const isRam = (at >= 2n && at < 5n) || (at >= 6n && at < 11n);
          const isTaken = (at >= a && at < b) || (at >= 4n && at < 7n);
          const kinds = isTaken ? ["taken"] : isRam ? ["usable"] : [];
          assertEquals(found.map(({ type }) => type === "usable" ? type : "taken"), kinds);
        }
        assertEquals(map.every(({ start }, i) => i === 0 || start > map[i - 1].start), true);
      }
    }
  });

  it("refuses entries over RAM, over each other, over reservations", () => {
    const derive = (extra: MemoryMapEntry[], reservations: Reservation[] = []) =>
      refusal(() => deriveMemoryMap({ ram: RAM, reservations, extra }));
    const inRam = {
      code: "INVALID_OPTION",
      field: "memoryMap",
      between: ["memory map entry", "guest RAM"],
    };
    // The second ends where the next RAM starts
    for (const [start, end] of [[99, 110], [99, 200], [0, 200], [199, 201], [299, 400], [0, 400]]) {
      assertEquals(derive([entry(start, end, "reserved")]), inRam);
    }
    assertEquals(derive([entry(110, 120, "acpi"), entry(119, 130, "nvs")]), {
      code: "OVERLAP",
      between: ["memory map entry (nvs)", "memory map entry (acpi)"],
    });
    assertEquals(derive([entry(110, 120, "acpi")], [reservation(115, 125)]).code, "OVERLAP");
  });

  it("refuses entries that are usable, empty or of no kind", () => {
    for (const type of ["usable", "ram"] as MemoryMapEntry["type"][]) {
      assertEquals(
        refusal(() =>
          deriveMemoryMap({ ram: RAM, reservations: [], extra: [entry(110, 120, type)] })
        ),
        { code: "INVALID_OPTION", field: "memoryMap", between: ["memory map entry"] },
      );
    }
    const empty = [entry(110, 110, "acpi")];
    assertEquals(
      refusal(() => deriveMemoryMap({ ram: RAM, reservations: [], extra: empty })).code,
      "INVALID_OPTION",
    );
  });

  it("refuses reservations of usable memory and of no kind", () => {
    for (const type of ["usable", "ram", ""] as unknown as Reservation["type"][]) {
      const reservations = [reservation(0, 10, type)];
      assertEquals(refusal(() => deriveMemoryMap({ ram: RAM, reservations })), {
        code: "INVALID_OPTION",
        field: "reservations",
        between: ["firmware"],
      });
    }
  });

  it("refuses ranges that pass 2^64", () => {
    const beyond = { name: "firmware", start: (1n << 64n) - 16n, size: 17n };
    assertEquals(refusal(() => deriveMemoryMap({ ram: RAM, reservations: [beyond] })), {
      code: "ADDRESS_OVERFLOW",
      field: "firmware",
    });
    const extra = [{ ...beyond, type: "reserved" as const }];
    assertEquals(
      refusal(() => deriveMemoryMap({ ram: RAM, reservations: [], extra })).code,
      "ADDRESS_OVERFLOW",
    );
    const last = { ...beyond, size: 16n };
    assertEquals(deriveMemoryMap({ ram: RAM, reservations: [last] }).at(-1)?.size, 16n);
  });

  it("refuses more than 4,096 entries", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => reservation(2 * i + 1, 2 * i + 2));
    const ram = [range(0, 10_000)];
    // n reservations cut RAM into n + 1 pieces
    assertEquals(deriveMemoryMap({ ram, reservations: many(2047) }).length, 4095);
    assertEquals(
      refusal(() => deriveMemoryMap({ ram, reservations: many(2048) })),
      { code: "LIMIT_EXCEEDED", field: "memoryMap" },
    );
  });
});

describe("E820_TYPE", () => {
  it("has the numbers of ACPI 6.5, table 15.4", () => {
    assertEquals({ ...E820_TYPE }, {
      usable: 1,
      reserved: 2,
      acpi: 3,
      nvs: 4,
      unusable: 5,
      persistent: 7,
    });
  });
});
