import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { pattern } from "../../fuzz/arbitraries/images.ts";
import { detach, dirtyRam, refusal } from "../../fuzz/arbitraries/machines.ts";
import { GuestMemory } from "./guest_memory.ts";

const region = (start: bigint, size: number) => ({ start, bytes: new Uint8Array(size) });

describe("GuestMemory.of", () => {
  it("sorts regions and joins those that touch", () => {
    const memory = GuestMemory.of([
      region(0x3000n, 0x1000),
      region(0x1000n, 0x1000),
      region(0x2000n, 0x1000),
      region(0x8000n, 0x10),
    ]);
    assertEquals(memory.ram, [{ start: 0x1000n, size: 0x3000n }, { start: 0x8000n, size: 0x10n }]);
    assertEquals(memory.regions.map(({ start }) => start), [0x1000n, 0x2000n, 0x3000n, 0x8000n]);
  });

  it("never copies", () => {
    const bytes = new Uint8Array(0x100);
    const memory = GuestMemory.of([{ start: 0x1000n, bytes }]);
    memory.write(0x1010n, Uint8Array.of(1, 2, 3));
    assertEquals(bytes.slice(0x0f, 0x14), Uint8Array.of(0, 1, 2, 3, 0));
    bytes[0x20] = 9;
    assertEquals(memory.read(0x1020n, 1), Uint8Array.of(9));
  });

  it("stays as it is when the caller's objects change", () => {
    const mine = [region(0x1000n, 0x100), region(0x1100n, 0x100)];
    const [bytes] = mine.map((one) => one.bytes);
    const memory = GuestMemory.of(mine);
    mine[0].start = 0x9000n;
    mine[1].bytes = new Uint8Array(1);
    mine.reverse();
    mine.pop();
    assertEquals(memory.regions.map(({ start }) => start), [0x1000n, 0x1100n]);
    assertEquals(memory.contains({ start: 0x1000n, size: 0x200n }), true);
    memory.write(0x10ffn, Uint8Array.of(7, 8));
    assertEquals(memory.read(0x10ffn, 2), Uint8Array.of(7, 8));
    assertEquals(bytes[0xff], 7);
    assertEquals(refusal(() => memory.read(0x9000n, 1)).code, "OUTSIDE_RAM");
  });

  it("takes a region that ends at 2^64", () => {
    const memory = GuestMemory.of([region(0xffff_ffff_ffff_f000n, 0x1000)]);
    memory.write(0xffff_ffff_ffff_ffffn, Uint8Array.of(7));
    assertEquals(memory.read(0xffff_ffff_ffff_fffen, 2), Uint8Array.of(0, 7));
  });

  it("refuses a region that passes 2^64 or starts below 0", () => {
    assertEquals(refusal(() => GuestMemory.of([region(0xffff_ffff_ffff_f001n, 0x1000)])), {
      code: "ADDRESS_OVERFLOW",
      field: "guest memory region",
    });
    assertEquals(refusal(() => GuestMemory.of([region(-1n, 1)])).code, "ADDRESS_OVERFLOW");
  });

  it("refuses regions that overlap by a byte, and names both", () => {
    const overlapping = [region(0x2000n, 0x1000), region(0x1000n, 0x1001)];
    const { code, between } = refusal(() => GuestMemory.of(overlapping));
    assertEquals([code, between], ["INVALID_MEMORY", ["region", "region"]]);
    const error = assertThrows(() => GuestMemory.of(overlapping)) as Error;
    assertEquals(error.message.includes("[0x2000..0x3000)"), true);
    assertEquals(error.message.includes("[0x1000..0x2001)"), true);
  });

  it("refuses none, an empty one, a detached one, and more than KVM has slots", () => {
    assertEquals(refusal(() => GuestMemory.of([])).code, "INVALID_MEMORY");
    assertEquals(refusal(() => GuestMemory.of([region(0n, 0)])).code, "INVALID_MEMORY");
    const detached = region(0n, 16);
    detach(detached.bytes);
    assertEquals(refusal(() => GuestMemory.of([detached])).code, "INVALID_MEMORY");
    const byte = new Uint8Array(1);
    const many = Array.from({ length: 32_765 }, (_, i) => ({ start: BigInt(2 * i), bytes: byte }));
    assertEquals(refusal(() => GuestMemory.of(many)).code, "INVALID_MEMORY");
    assertEquals(GuestMemory.of(many.slice(1)).ram.length, 32_764);
  });

  it("throws a TypeError for what is no region", () => {
    const bytes = new Uint8Array(1);
    for (const wrong of [undefined, {}, { start: 0, bytes }, { start: 0n, bytes: [1] }]) {
      assertThrows(
        () => GuestMemory.of([wrong as unknown as { start: bigint; bytes: Uint8Array }]),
        TypeError,
      );
    }
  });
});

describe("GuestMemory with regions that touch and holes", () => {
  const RAM = [
    { start: 0x1000n, size: 0x1000 },
    { start: 0x2000n, size: 0x10 },
    { start: 0x2010n, size: 0xff0 },
    { start: 0x5000n, size: 0x1000 },
  ];

  it("writes and reads over regions that touch", () => {
    const dirty = dirtyRam(...RAM);
    const memory = GuestMemory.of(dirty.regions);
    const bytes = new Uint8Array(0x40); // zeros: no canary is zero
    memory.write(0x1ff0n, bytes);
    assertEquals(memory.read(0x1ff0n, 0x40), bytes);
    assertEquals(dirty.changes(), [
      { start: 0x1ff0n, end: 0x2000n },
      { start: 0x2000n, end: 0x2010n },
      { start: 0x2010n, end: 0x2030n },
    ]);
  });

  it("keeps the order of bytes over regions", () => {
    const memory = GuestMemory.of(dirtyRam(...RAM).regions);
    memory.write(0x1ff8n, pattern(0x30, 9));
    assertEquals(memory.read(0x1ff8n, 0x30), pattern(0x30, 9));
    assertEquals(memory.read(0x2010n, 4), pattern(0x30, 9).slice(0x18, 0x1c));
  });

  it("writes nothing of what does not lie in RAM whole", () => {
    const dirty = dirtyRam(...RAM);
    const memory = GuestMemory.of(dirty.regions);
    const writes: [bigint, number][] = [
      [0xfffn, 2], // one byte before RAM
      [0x2fffn, 2], // into the hole
      [0x2ff0n, 0x2100], // over the hole
      [0x4000n, 1], // inside the hole
      [0x5fffn, 2], // one byte past RAM
      [0xffff_ffff_ffff_ffffn, 1],
    ];
    for (const [address, size] of writes) {
      const { code, between } = refusal(() => memory.write(address, new Uint8Array(size)));
      assertEquals([code, between], ["OUTSIDE_RAM", ["guest memory access", "guest RAM"]]);
      assertEquals(refusal(() => memory.read(address, size)).code, "OUTSIDE_RAM");
    }
    assertEquals(dirty.changes(), []);
  });

  it("refuses an access that passes 2^64 or starts below 0", () => {
    const memory = GuestMemory.of([region(0n, 16)]);
    assertEquals(refusal(() => memory.read(0xffff_ffff_ffff_ffffn, 2)).code, "ADDRESS_OVERFLOW");
    assertEquals(refusal(() => memory.read(-1n, 1)).code, "ADDRESS_OVERFLOW");
  });

  it("reads copies", () => {
    const memory = GuestMemory.of([region(0n, 16)]);
    memory.read(0n, 16).fill(1);
    assertEquals(memory.read(0n, 16), new Uint8Array(16));
  });

  it("reads and writes nothing at an edge of RAM", () => {
    const memory = GuestMemory.of(dirtyRam(...RAM).regions);
    memory.write(0x3000n, new Uint8Array(0));
    assertEquals(memory.read(0x1000n, 0), new Uint8Array(0));
  });
});

describe("GuestMemory.views", () => {
  it("gives one view of each region that the range touches", () => {
    const memory = GuestMemory.of([region(0n, 0x10), region(0x10n, 0x10), region(0x20n, 0x10)]);
    const sizes = (start: bigint, size: bigint) =>
      memory.views({ start, size }).map((view) => view.length);
    assertEquals(sizes(0n, 0x30n), [0x10, 0x10, 0x10]);
    assertEquals(sizes(0xfn, 2n), [1, 1]);
    assertEquals(sizes(0x10n, 0x10n), [0x10]);
    assertEquals(sizes(0x18n, 0x10n), [8, 8]);
    assertEquals(sizes(0x30n, 0n), []);
  });

  it("refuses a range whose buffer was detached after the memory was made", () => {
    const [lost, kept] = [region(0n, 0x10), region(0x10n, 0x10)];
    const memory = GuestMemory.of([lost, kept]);
    detach(lost.bytes);
    assertEquals(refusal(() => memory.write(0xfn, Uint8Array.of(1, 2))).code, "INVALID_MEMORY");
    assertEquals(kept.bytes, new Uint8Array(0x10));
    memory.write(0x10n, Uint8Array.of(1));
  });
});

describe("GuestMemory.contains", () => {
  it("wants every address in RAM", () => {
    const memory = GuestMemory.of([region(0x10n, 0x10), region(0x20n, 0x10), region(0x40n, 0x10)]);
    assertEquals(memory.contains({ start: 0x10n, size: 0x20n }), true);
    assertEquals(memory.contains({ start: 0x10n, size: 0x21n }), false);
    assertEquals(memory.contains({ start: 0xfn, size: 1n }), false);
    assertEquals(memory.contains({ start: 0x20n, size: 0x30n }), false);
  });
});
