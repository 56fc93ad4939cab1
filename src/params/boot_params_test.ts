import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { pattern, word } from "../../fuzz/arbitraries/images.ts";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { MAX_BOOT_PARAMS_LIST } from "../limits.ts";
import {
  HVM_MEMMAP_TABLE_ENTRY,
  HVM_MODLIST_ENTRY,
  HVM_START_INFO,
} from "../structs/start_info.ts";
import { BootParams } from "./boot_params.ts";

const U64_MAX = (1n << 64n) - 1n;
const fives = (value: number) => new Uint8Array(5).fill(value);

describe("BootParams", () => {
  it("has a header as bytes or typed, and nothing else", () => {
    const header = pattern(8);
    const params = new BootParams(header, 0x1000n);
    assertEquals([params.header, params.headerStart], [header, 0x1000n]);
    assertEquals([params.sections, params.sectionsStart], [undefined, undefined]);
    assertEquals([params.modules, params.modulesStart], [undefined, undefined]);
    const info = HVM_START_INFO.make({ magic: 0x336ec578 });
    const typed = BootParams.of(HVM_START_INFO, info, 0x6000n);
    assertEquals(typed.header, HVM_START_INFO.encode(info));
    assertEquals(typed.headerStart, 0x6000n);
    assertEquals(refusal(() => new BootParams(header, -1n)).field, "headerStart");
    assertThrows(() => new BootParams(header, 1 as unknown as bigint), TypeError);
  });
});

describe("BootParams.setSections", () => {
  it("sets all sections, as bytes or typed, again and again", () => {
    const params = new BootParams(pattern(8), 0x1000n);
    const entries = [
      HVM_MEMMAP_TABLE_ENTRY.make({ addr: 1n, type: 1 }),
      HVM_MEMMAP_TABLE_ENTRY.make({ addr: 2n, type: 2 }),
    ];
    params.setSections(HVM_MEMMAP_TABLE_ENTRY, entries, 0x2000n);
    const bytes = entries.flatMap((entry) => [...HVM_MEMMAP_TABLE_ENTRY.encode(entry)]);
    assertEquals(params.sections, Uint8Array.from(bytes));
    assertEquals(params.sectionsStart, 0x2000n);
    params.setSections(new Uint8Array(0), 0x3000n);
    assertEquals([params.sections, params.sectionsStart], [new Uint8Array(0), 0x3000n]);
    assertEquals(refusal(() => params.setSections(pattern(1), 1n << 64n)).field, "sectionsStart");
    assertEquals(params.sectionsStart, 0x3000n);
  });
});

describe("BootParams.setModules", () => {
  it("sets all modules, as bytes or typed", () => {
    const params = new BootParams(pattern(8), 0x1000n);
    const module = HVM_MODLIST_ENTRY.make({ paddr: 0x10_0000n, size: 5n });
    params.setModules(HVM_MODLIST_ENTRY, [module], 0x4000n);
    assertEquals(params.modules, HVM_MODLIST_ENTRY.encode(module));
    params.setModules(pattern(3), 0x5000n);
    assertEquals([params.modules, params.modulesStart], [pattern(3), 0x5000n]);
    assertEquals(params.sections, undefined);
  });
});

for (const [add, list] of [["addSection", "sections"], ["addModule", "modules"]] as const) {
  const startOf = `${list}Start` as const;
  const withList = (bytes?: Uint8Array, start?: bigint) => {
    const params = new BootParams(pattern(8), 0x1000n);
    [params[list], params[startOf]] = [bytes, start];
    return params;
  };

  describe(`BootParams.${add}`, () => {
    it("wants an address for the first one", () => {
      const params = withList();
      assertEquals(refusal(() => params[add](fives(1))).code, "BOOT_PARAMS_MISSING");
      assertEquals([params[list], params[startOf]], [undefined, undefined]);
      assertEquals(params[add](fives(1), 0x2000n), 0x2000n);
      assertEquals([params[list], params[startOf]], [fives(1), 0x2000n]);
    });

    it("appends what has no address", () => {
      const params = withList(undefined, 0x2000n);
      assertEquals(params[add](fives(1)), 0x2000n);
      assertEquals(params[add](fives(2)), 0x2005n);
      assertEquals(params[list], Uint8Array.of(...fives(1), ...fives(2)));
    });

    it("appends values of different structs", () => {
      const params = withList(undefined, 0x2000n);
      params[add](HVM_MEMMAP_TABLE_ENTRY, HVM_MEMMAP_TABLE_ENTRY.make({ addr: 7n }));
      const module = HVM_MODLIST_ENTRY.make({ paddr: 9n });
      assertEquals(params[add](HVM_MODLIST_ENTRY, module), 0x2018n);
      assertEquals(params[add](HVM_MODLIST_ENTRY, module, 0x2000n), 0x2000n);
      const expected = [...HVM_MODLIST_ENTRY.encode(module)];
      assertEquals(params[list]!.slice(0, 32), Uint8Array.from(expected));
      assertEquals(params[list]!.length, 56);
    });

    it("overwrites what is there, and no more", () => {
      const params = withList(Uint8Array.of(0, 0, 0, 0, 0, 2, 2, 2, 3, 3), 0x1000n);
      assertEquals(params[add](fives(1), 0x1008n), 0x1008n);
      assertEquals(params[list], Uint8Array.of(0, 0, 0, 0, 0, 2, 2, 2, 1, 1, 1, 1, 1));
      params[add](fives(9), 0x1000n);
      assertEquals(params[list], Uint8Array.of(9, 9, 9, 9, 9, 2, 2, 2, 1, 1, 1, 1, 1));
    });

    it("fills a gap with zeros", () => {
      const params = withList(Uint8Array.of(7), 0x1000n);
      assertEquals(params[add](Uint8Array.of(8), 0x1003n), 0x1003n);
      assertEquals(params[list], Uint8Array.of(7, 0, 0, 8));
    });

    it("refuses an address before the list", () => {
      const params = withList(fives(1), 0x1000n);
      const said = refusal(() => params[add](fives(2), 0x0fffn));
      assertEquals(said, { code: "INVALID_OPTION", field: "address" });
      assertEquals(params[list], fives(1));
    });

    it("does not grow without bound", () => {
      const params = withList(undefined, 0x1000n);
      const past = 0x1000n + BigInt(MAX_BOOT_PARAMS_LIST) - 4n;
      assertEquals(refusal(() => params[add](fives(1), past)).code, "LIMIT_EXCEEDED");
      assertEquals(refusal(() => params[add](fives(1), U64_MAX - 5n)).code, "LIMIT_EXCEEDED");
      assertEquals(params[list], undefined);
      assertEquals(params[add](fives(1), past - 1n), past - 1n);
    });

    it("does not pass the end of the address space", () => {
      const params = withList(undefined, U64_MAX - 3n);
      assertEquals(refusal(() => params[add](fives(1))).code, "ADDRESS_OVERFLOW");
      assertEquals(params[add](word(1)), U64_MAX - 3n);
      assertEquals(refusal(() => params[add](fives(1))).code, "ADDRESS_OVERFLOW");
    });
  });
}
