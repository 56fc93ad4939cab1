import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { FDT_HEADER, FDT_HEADER_SIZE_V16 } from "./fdt.ts";

describe("FDT_HEADER", () => {
  it("is ten big-endian 32-bit fields in the specification's order", () => {
    const bytes = new Uint8Array(40).map((_, index) => index % 4 === 3 ? 1 + (index >> 2) : 0);
    assertEquals(Object.entries(FDT_HEADER.read(bytes)), [
      ["magic", 1],
      ["totalsize", 2],
      ["off_dt_struct", 3],
      ["off_dt_strings", 4],
      ["off_mem_rsvmap", 5],
      ["version", 6],
      ["last_comp_version", 7],
      ["boot_cpuid_phys", 8],
      ["size_dt_strings", 9],
      ["size_dt_struct", 10],
    ]);
    assertEquals(FDT_HEADER.encode(FDT_HEADER.read(bytes)), bytes);
  });

  it("ends with size_dt_strings before version 17", () => {
    assertEquals(FDT_HEADER.fields.size_dt_struct.offset, FDT_HEADER_SIZE_V16);
  });
});
