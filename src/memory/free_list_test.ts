import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { FreeList, type Room } from "./free_list.ts";

const RAM = [{ start: 0x100n, size: 0x780n }, { start: 0xa00n, size: 0x800n }];
const ANYWHERE = { align: 1n, min: 0n, max: 1n << 64n, from: "low" } as const;

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** A 1 for each address that is free. */
function plainly(ram: typeof RAM): Uint8Array {
  const isFree = new Uint8Array(0x1300);
  for (const { start, size } of ram) isFree.fill(1, Number(start), Number(start + size));
  return isFree;
}

/** Looks at every address. */
function searched(isFree: Uint8Array, { size, align, min, max, from }: Room): bigint | undefined {
  const [length, step] = [Number(size), Number(align)];
  const fits: number[] = [];
  for (let at = 0; at + length <= isFree.length; at += step) {
    if (at < min || BigInt(at + length) > max) continue;
    if (isFree.subarray(at, at + length).every((one) => one === 1)) fits.push(at);
  }
  const at = from === "low" ? fits[0] : fits.at(-1);
  return at === undefined ? undefined : BigInt(at);
}

describe("FreeList.take", () => {
  it("takes what lies in one gap, to its last byte, and nothing else", () => {
    const free = new FreeList(RAM);
    assertEquals(free.take({ start: 0x100n, size: 0x780n }), true);
    for (const [start, size] of [[0xffn, 2n], [0x100n, 1n], [0x9ffn, 2n], [0x11ffn, 2n]]) {
      assertEquals(free.take({ start, size }), false);
    }
    assertEquals(free.find({ ...ANYWHERE, size: 0x800n }), 0xa00n);
    assertEquals(free.take({ start: 0xa00n, size: 0x800n }), true);
    assertEquals(free.find({ ...ANYWHERE, size: 1n }), undefined);
  });
});

describe("FreeList.find", () => {
  it("finds nothing where nothing is free", () => {
    assertEquals(new FreeList([]).find({ ...ANYWHERE, size: 1n }), undefined);
    assertEquals(new FreeList([]).take({ start: 0n, size: 1n }), false);
  });

  it("agrees with a plain list, whatever is wanted and however many gaps there are", () => {
    const random = numbers(1);
    const isFree = plainly(RAM);
    const free = new FreeList(RAM);
    let found = 0;
    for (let i = 0; i < 4000; i++) {
      const min = random(2) * random(0x1200);
      const room: Room = {
        size: BigInt(1 + random(i % 3 === 0 ? 100 : 12)),
        align: 1n << BigInt(random(7)),
        min: BigInt(min),
        max: random(2) === 0 ? 1n << 64n : BigInt(min + random(0x300)),
        from: random(2) === 0 ? "low" : "high",
      };
      const at = searched(isFree, room);
      assertEquals(free.find(room), at, `${i}`);
      if (at !== undefined) found++;
      // Mostly single addresses anywhere: each leaves one more gap
      const wanted = i % 8 === 0 && at !== undefined
        ? { start: at, size: room.size }
        : { start: BigInt(0x100 + random(0x1100)), size: 1n };
      const places = isFree.subarray(Number(wanted.start), Number(wanted.start + wanted.size));
      assertEquals(free.take(wanted), places.every((one) => one === 1), `${i}`);
      places.fill(0);
    }
    assert(found > 500 && found < 3900, `found room ${found} times`);
  });

  it("finds each of many gaps, also after blocks of them were cut in two", () => {
    const free = new FreeList([{ start: 0n, size: 4001n }]);
    const odd = Array.from({ length: 2000 }, (_, i) => BigInt(2 * (i * 7 % 2000) + 1));
    for (const start of odd) assertEquals(free.take({ start, size: 1n }), true);
    for (let at = 0n; at < 4001n; at++) {
      for (const from of ["low", "high"] as const) {
        const found = free.find({ ...ANYWHERE, size: 1n, min: at, max: at + 1n, from });
        assertEquals(found, at % 2n === 0n ? at : undefined);
      }
    }
  });

  it("gives the very last byte", () => {
    const odd = Array.from({ length: 2000 }, (_, i) => ({ start: BigInt(2 * i), size: 1n }));
    const free = new FreeList(odd);
    for (let i = 0; i < odd.length; i++) {
      const from = i % 2 === 0 ? "low" : "high";
      const start = free.find({ ...ANYWHERE, from, size: 1n })!;
      assertEquals(start, odd[from === "low" ? i / 2 : odd.length - (i + 1) / 2].start);
      assertEquals(free.take({ start, size: 1n }), true);
    }
    assertEquals(free.find({ ...ANYWHERE, size: 1n }), undefined);
  });
});
