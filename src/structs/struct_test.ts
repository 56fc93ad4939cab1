import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { bytes, Struct, u16, u32, u32be, u64, u8 } from "./struct.ts";

interface Mixed {
  a: number;
  b: number;
  c: number;
  d: bigint;
  e: Uint8Array;
  f: number;
}

/** Unaligned on purpose, with a gap at 0x01. */
const MIXED = new Struct<Mixed>("mixed", 0x18, {
  a: u8(0x00),
  b: u16(0x02),
  c: u32(0x04),
  d: u64(0x08),
  e: bytes(0x10, 3),
  f: u32be(0x13),
});

const GOLDEN = Uint8Array.from([
  ...[0x7f], // 0x00 a
  ...[0x00], // 0x01 no row
  ...[0x34, 0x12], // 0x02 b
  ...[0x78, 0x56, 0x34, 0xf2], // 0x04 c
  ...[0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0xf1], // 0x08 d
  ...[1, 2, 3], // 0x10 e
  ...[0xde, 0xad, 0xbe, 0xef], // 0x13 f
  ...[0x00], // 0x17 no row
]);
const VALUE: Mixed = {
  a: 0x7f,
  b: 0x1234,
  c: 0xf2345678,
  d: 0xf123456789abcdefn,
  e: Uint8Array.of(1, 2, 3),
  f: 0xdeadbeef,
};

describe("Struct.read", () => {
  it("reads every width in its byte order, unsigned", () => {
    assertEquals(MIXED.read(GOLDEN), VALUE);
  });

  it("reads from an offset, also in a view that does not start its buffer", () => {
    const buffer = new Uint8Array(64);
    buffer.set(GOLDEN, 21);
    assertEquals(MIXED.read(buffer, 21), VALUE);
    assertEquals(MIXED.read(buffer.subarray(20), 1), VALUE);
  });

  it("copies bytes", () => {
    const input = GOLDEN.slice();
    const { e } = MIXED.read(input);
    input[0x10] = 99;
    assertEquals(e, Uint8Array.of(1, 2, 3));
  });

  it("does not read past the view, though the buffer goes on", () => {
    const view = new Uint8Array(64).subarray(0, 0x17);
    assertEquals(refusal(() => MIXED.read(view)), { code: "TRUNCATED", field: "mixed", offset: 0 });
    assertEquals(refusal(() => MIXED.read(GOLDEN, 1)).offset, 1);
  });
});

describe("Struct.encode", () => {
  it("is the way back, with zeros where there is no row", () => {
    assertEquals(MIXED.encode(VALUE), GOLDEN);
  });

  it("takes the largest value of every width and refuses the next", () => {
    const largest = { a: 0xff, b: 0xffff, c: 0xffff_ffff, d: (1n << 64n) - 1n, f: 0xffff_ffff };
    const all = { ...VALUE, ...largest };
    assertEquals(MIXED.read(MIXED.encode(all)), all);
    for (const name of ["a", "b", "c", "f"] as const) {
      for (const wrong of [largest[name] + 1, -1, 0.5, NaN]) {
        assertThrows(() => MIXED.encode({ ...VALUE, [name]: wrong }), RangeError);
      }
    }
    for (const wrong of [1n << 64n, -1n, 5 as unknown as bigint]) {
      assertThrows(() => MIXED.encode({ ...VALUE, d: wrong }), RangeError);
    }
    assertThrows(() => MIXED.encode({ ...VALUE, e: new Uint8Array(2) }), RangeError);
  });
});

describe("Struct.write", () => {
  it("leaves fields that are not given, and what is between fields", () => {
    const target = new Uint8Array(0x1a).fill(0xcc);
    MIXED.write(target, { b: 0x1234 }, 1);
    const expected = new Uint8Array(0x1a).fill(0xcc);
    expected.set([0x34, 0x12], 3);
    assertEquals(target, expected);
  });

  it("refuses a target that is too small", () => {
    assertEquals(refusal(() => MIXED.write(new Uint8Array(0x17), {})).code, "TRUNCATED");
  });
});

describe("Struct", () => {
  it("refuses rows that overlap, run backwards or leave the size", () => {
    assertThrows(() => new Struct("s", 8, { a: u32(0), b: u32(3) }), TypeError, "s.b");
    assertThrows(() => new Struct("s", 8, { a: u32(4), b: u32(0) }), TypeError, "s.b");
    assertThrows(() => new Struct("s", 7, { a: u32(0), b: u32(4) }), TypeError, "s.b");
    new Struct("s", 8, { a: u32(0), b: u32(4) });
  });

  it("says where a field lies", () => {
    assertEquals(MIXED.fields.d.offset, 8);
    assertEquals(MIXED.fields.d.size, 8);
  });
});
