import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { crc32, formatCrc32 } from "./crc32.ts";

describe("crc32", () => {
  it("has the check value of CRC-32/ISO-HDLC", () => {
    assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  });

  it("is zero for nothing", () => {
    assertEquals(formatCrc32(new Uint8Array(0)), "0x00000000");
  });
});
