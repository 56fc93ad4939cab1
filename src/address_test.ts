import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { refusal } from "../fuzz/arbitraries/machines.ts";
import {
  ADDRESS_END,
  addressAdd,
  alignDown,
  alignUp,
  containsRange,
  disjointPieces,
  formatAddress,
  formatRange,
  formatSize,
  indexAtOrBelow,
  isPowerOfTwo,
  mergeRanges,
  overlaps,
  subtractRanges,
} from "./address.ts";

/** [start, end) as a range. */
const range = (start: bigint | number, end: bigint | number) => ({
  start: BigInt(start),
  size: BigInt(end) - BigInt(start),
});

describe("addressAdd", () => {
  it("reaches 2^64 and not one byte more", () => {
    assertEquals(addressAdd(0xffff_ffff_ffff_fff0n, 0x10n), ADDRESS_END);
    assertEquals(ADDRESS_END, 18_446_744_073_709_551_616n);
    assertEquals(refusal(() => addressAdd(0xffff_ffff_ffff_fff0n, 0x11n, "initrd")), {
      code: "ADDRESS_OVERFLOW",
      field: "initrd",
    });
  });

  it("refuses what is negative", () => {
    assertEquals(refusal(() => addressAdd(-1n, 2n)).code, "ADDRESS_OVERFLOW");
    assertEquals(refusal(() => addressAdd(2n, -1n)).code, "ADDRESS_OVERFLOW");
  });

  it("is exact where a double is not", () => {
    assertEquals(addressAdd(9_007_199_254_740_992n, 1n), 9_007_199_254_740_993n);
  });
});

describe("alignUp, alignDown", () => {
  it("keep multiples and move the rest to the next one", () => {
    const cases: [bigint, bigint, bigint][] = [
      [0n, 0n, 0n],
      [1n, 0x1000n, 0n],
      [0xfffn, 0x1000n, 0n],
      [0x1000n, 0x1000n, 0x1000n],
      [0x1001n, 0x2000n, 0x1000n],
      [0xffff_ffff_ffff_ffffn, 1n << 64n, 0xffff_ffff_ffff_f000n],
    ];
    for (const [address, up, down] of cases) {
      assertEquals(alignUp(address, 0x1000n), up);
      assertEquals(alignDown(address, 0x1000n), down);
    }
  });

  it("leave everything where it is for an alignment of 1", () => {
    assertEquals(alignUp(0x1235n, 1n), 0x1235n);
    assertEquals(alignDown(0x1235n, 1n), 0x1235n);
  });
});

describe("isPowerOfTwo", () => {
  it("takes 1, 2, 4 and 2^63, and neither 0, 3 nor a negative number", () => {
    assertEquals([1n, 2n, 4n, 1n << 63n].map(isPowerOfTwo), [true, true, true, true]);
    assertEquals([0n, 3n, 6n, -2n, (1n << 63n) + 1n].map(isPowerOfTwo), Array(5).fill(false));
  });
});

describe("overlaps", () => {
  it("does not count ranges that touch", () => {
    assertEquals(overlaps(range(0, 10), range(10, 20)), false);
    assertEquals(overlaps(range(10, 20), range(0, 10)), false);
    assertEquals(overlaps(range(0, 11), range(10, 20)), true);
    assertEquals(overlaps(range(5, 6), range(0, 10)), true);
  });

  it("does not count an empty range, also inside another", () => {
    assertEquals(overlaps(range(5, 5), range(0, 10)), false);
    assertEquals(overlaps(range(0, 10), range(5, 5)), false);
  });
});

describe("indexAtOrBelow", () => {
  it("finds the last range that starts at or below an address", () => {
    const ranges = [range(10, 20), range(30, 40), range(50, 60)];
    const found = [9n, 10n, 29n, 30n, 49n, 50n, 1n << 64n].map((at) => indexAtOrBelow(ranges, at));
    assertEquals(found, [-1, 0, 0, 1, 1, 2, 2]);
    assertEquals(indexAtOrBelow([], 0n), -1);
  });
});

describe("containsRange", () => {
  const ranges = [range(10, 20), range(30, 40)];

  it("wants the whole range inside one of the ranges", () => {
    assertEquals(containsRange(ranges, range(10, 20)), true);
    assertEquals(containsRange(ranges, range(15, 16)), true);
    assertEquals(containsRange(ranges, range(9, 11)), false);
    assertEquals(containsRange(ranges, range(19, 21)), false);
    assertEquals(containsRange(ranges, range(10, 40)), false);
    assertEquals(containsRange(ranges, range(22, 25)), false);
  });
});

describe("mergeRanges", () => {
  it("sorts, joins what touches or overlaps, drops what is empty", () => {
    assertEquals(
      mergeRanges([range(30, 40), range(0, 10), range(10, 15), range(12, 14), range(25, 25)]),
      [range(0, 15), range(30, 40)],
    );
  });

  it("leaves its input as it is", () => {
    const input = [range(0, 10), range(10, 20)];
    mergeRanges(input);
    assertEquals(input, [range(0, 10), range(10, 20)]);
  });
});

describe("subtractRanges", () => {
  it("cuts holes at the edges, in the middle, and over more than one range", () => {
    const ranges = [range(0, 10), range(20, 30), range(40, 50)];
    assertEquals(subtractRanges(ranges, [range(0, 2)]), [range(2, 10), ...ranges.slice(1)]);
    assertEquals(subtractRanges(ranges, [range(4, 6)]), [
      range(0, 4),
      range(6, 10),
      ...ranges.slice(1),
    ]);
    assertEquals(subtractRanges(ranges, [range(5, 45)]), [range(0, 5), range(45, 50)]);
    assertEquals(subtractRanges(ranges, [range(0, 100)]), []);
    assertEquals(subtractRanges(ranges, [range(10, 20)]), ranges);
    assertEquals(subtractRanges(ranges, []), ranges);
  });

  it("cuts more than one hole out of one range", () => {
    assertEquals(subtractRanges([range(0, 10)], [range(1, 2), range(3, 4), range(9, 12)]), [
      range(0, 1),
      range(2, 3),
      range(4, 9),
    ]);
  });
});

describe("disjointPieces", () => {
  it("lets the range that starts first keep what two share, and names every piece", () => {
    assertEquals(
      disjointPieces([
        { name: "b", ...range(5, 20) },
        { name: "a", ...range(0, 10) },
        { name: "inside", ...range(12, 15) },
      ]),
      [{ name: "a", ...range(0, 10) }, { name: "b", ...range(10, 20) }],
    );
  });

  it("refuses a range that passes 2^64", () => {
    const beyond = { start: 0xffff_ffff_ffff_f000n, size: 0x1001n };
    assertEquals(refusal(() => disjointPieces([beyond])).code, "ADDRESS_OVERFLOW");
  });
});

describe("formatAddress, formatRange", () => {
  it("write lower-case hexadecimal, half-open ranges, and a sign", () => {
    assertEquals(formatAddress(0xABCn), "0xabc");
    assertEquals(formatAddress(255), "0xff");
    assertEquals(formatAddress(-16n), "-0x10");
    assertEquals(formatRange({ start: 0x1000n, size: 0x1000n }), "[0x1000..0x2000)");
  });
});

describe("formatSize", () => {
  it("counts bytes, KiB and MiB, the latter two to a tenth", () => {
    const MIB = 1n << 20n;
    const sizes: [bigint, string][] = [
      [0n, "0 bytes"],
      [1023n, "1023 bytes"],
      [1024n, "1 KiB"],
      [MIB - 1n, "1023.9 KiB"],
      [MIB, "1 MiB"],
      [8n * MIB, "8 MiB"],
      [MIB * 3n / 2n, "1.5 MiB"],
      [2n * MIB - 1n, "1.9 MiB"],
      [1n << 64n, "17592186044416 MiB"],
    ];
    for (const [size, text] of sizes) assertEquals(formatSize(size), text);
  });
});
