import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { adler32, crc32, crc64, xxh32 } from "./checksums.ts";

const text = (value: string) => new TextEncoder().encode(value);
const CHECK = text("123456789");

describe("checksums", () => {
  it("have the values that their specifications give for 123456789", () => {
    assertEquals(crc32(CHECK), 0xcbf43926);
    assertEquals(crc64(CHECK), 0x995dc9bbdf1939fan);
    assertEquals(adler32(CHECK), 0x091e01de);
    assertEquals(xxh32(CHECK), 0x937bad67);
  });

  it("have values for nothing", () => {
    const nothing = new Uint8Array(0);
    assertEquals([crc32(nothing), crc64(nothing), adler32(nothing)], [0, 0n, 1]);
    assertEquals(xxh32(nothing), 0x02cc5d05);
  });

  it("do not depend on where in the slices a byte falls", () => {
    const slowly = (bytes: Uint8Array) => {
      let crc = -1;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
      }
      return ~crc >>> 0;
    };
    for (let size = 0; size < 40; size++) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i * 37 + size);
      assertEquals(crc32(bytes), slowly(bytes), `${size} bytes`);
    }
  });

  it("do not overflow where all bytes are 255", () => {
    const bytes = new Uint8Array(1 << 24).fill(0xff); // sums of all of them pass 2^53
    // b is the sum of a: n + 255 n (n + 1) / 2
    const n = BigInt(bytes.length);
    const a = (1n + 255n * n) % 65521n;
    const b = (n + 255n * n * (n + 1n) / 2n) % 65521n;
    assertEquals(adler32(bytes), Number(b << 16n | a));
  });
});
