import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { LoaderError } from "../errors.ts";
import { sourceOf } from "../source.ts";
import { requireSections } from "./image.ts";

const PE_OFFSET = 0x40;
const OPTIONAL_SIZE = 0x70;
const TABLE = PE_OFFSET + 24 + OPTIONAL_SIZE;

/** An EFI application with two sections; the second ends at 0x900. */
function application(size = 0x900): Uint8Array {
  const bytes = new Uint8Array(0x1000);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x5a4d, true); // "MZ"
  view.setUint32(0x3c, PE_OFFSET, true); // e_lfanew
  view.setUint32(PE_OFFSET, 0x4550, true); // "PE\0\0"
  view.setUint16(PE_OFFSET + 6, 2, true); // NumberOfSections
  view.setUint16(PE_OFFSET + 20, OPTIONAL_SIZE, true); // SizeOfOptionalHeader
  view.setUint32(TABLE + 16, 0x100, true); // SizeOfRawData
  view.setUint32(TABLE + 20, 0x400, true); // PointerToRawData
  view.setUint32(TABLE + 40 + 16, 0x200, true);
  view.setUint32(TABLE + 40 + 20, 0x700, true);
  return bytes.subarray(0, size);
}

const check = (bytes: Uint8Array) => requireSections(sourceOf(bytes));

describe("requireSections", () => {
  it("accepts a file that holds every section, and more", () => {
    check(application(0x900));
    check(application(0x1000));
  });

  it("refuses a file that lacks the last byte of a section", () => {
    const error = assertThrows(() => check(application(0x8ff)), LoaderError);
    assertEquals([error.code, error.field], ["TRUNCATED", "SizeOfRawData"]);
    assertEquals(error.offset, TABLE + 40 + 16);
  });

  it("refuses every file that ends before its sections do", () => {
    for (let size = 2; size < 0x900; size++) {
      assertEquals(assertThrows(() => check(application(size)), LoaderError).code, "TRUNCATED");
    }
  });

  it("says nothing of a file that is no EFI application", () => {
    const plain = application(0x100);
    plain[0] = 0;
    check(plain);
    const other = application(0x100);
    other[PE_OFFSET] = 0;
    check(other);
  });

  it("does not add up past 32 bits", () => {
    const bytes = application();
    new DataView(bytes.buffer).setUint32(TABLE + 16, 0xffffffff, true);
    new DataView(bytes.buffer).setUint32(TABLE + 20, 0xffffffff, true);
    assertEquals(assertThrows(() => check(bytes), LoaderError).code, "TRUNCATED");
  });
});
