import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { sha256 } from "./cases.ts";
import { guestOf, runsOf, sameRuns } from "./guest.ts";

describe("runsOf", () => {
  const guest = () =>
    guestOf({ regions: [["0x1800", "0x2000"], ["0x3800", "0x1000"]], fill: 0x5a })!;

  it("finds nothing in memory that is as it was", () => {
    assertEquals(runsOf(guest()), []);
    assertEquals(guestOf({}), undefined);
  });

  it("takes pages at multiples of 4096, clipped to the region, never over its edge", () => {
    const { memory, fill } = guest();
    memory.write(0x1fffn, Uint8Array.of(1, 2)); // the first page, which is half a page, and the next
    memory.write(0x37ffn, Uint8Array.of(3, 4)); // the end of one region and the start of the other
    const run = (start: number, end: number) => {
      const hash = sha256(memory.read(BigInt(start), end - start));
      return [`0x${start.toString(16)}`, `0x${end.toString(16)}`, hash];
    };
    const runs = [run(0x1800, 0x3800), run(0x3800, 0x4000)];
    assertEquals(runsOf({ memory, fill }) as unknown, runs);
    assertEquals(sameRuns(runsOf({ memory, fill }), runs as never), true);
    memory.write(0x4000n, Uint8Array.of(0)); // 0 is not the fill
    assertEquals(sameRuns(runsOf({ memory, fill }), runs as never), false);
  });
});
