import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { pattern, peek, SETUP } from "../../fuzz/arbitraries/images.ts";
import type { MemoryMapEntry } from "./memory_map.ts";
import {
  buildSetupData,
  buildZeroPage,
  e820Overflow,
  setupDataSize,
  type ZeroPageInput,
} from "./zero_page.ts";

const USABLE: MemoryMapEntry = { start: 0x100000n, size: 0x7ff00000n, type: "usable" };
const INPUT: ZeroPageInput = {
  headerBytes: new Uint8Array(0),
  header: {},
  kernel: 0x1000000n,
  cmdline: 0x20000n,
  memoryMap: [USABLE],
};

const build = (input: Partial<ZeroPageInput>) => buildZeroPage({ ...INPUT, ...input });
function field(page: Uint8Array, name: keyof typeof SETUP): bigint {
  const [offset, width] = SETUP[name];
  return peek(page, offset, width);
}

/** An entry of e820_table: its address, size and type. */
const e820 = (page: Uint8Array, i: number) => [
  peek(page, 0x2d0 + 20 * i, 8),
  peek(page, 0x2d0 + 20 * i + 8, 8),
  peek(page, 0x2d0 + 20 * i + 16, 4),
];

describe("buildZeroPage", () => {
  it("tells the kernel who loads, where it is, and where the command line is", () => {
    const page = build({});
    assertEquals(page.length, 4096);
    assertEquals(field(page, "type_of_loader"), 0xffn); // with 0 the initrd is ignored
    assertEquals(field(page, "vid_mode"), 0xffffn);
    assertEquals(field(page, "code32_start"), 0x1000000n);
    assertEquals(field(page, "cmd_line_ptr"), 0x20000n);
    assertEquals(peek(page, 0xc8, 4), 0n);
  });

  it("is zero where nothing is said", () => {
    const page = build({});
    const found = [...page.keys()].filter((at) => page[at] !== 0 && at < 0x2d0);
    // e820_entries, vid_mode, type_of_loader, code32_start, cmd_line_ptr
    assertEquals(found, [0x1e8, 0x1fa, 0x1fb, 0x210, 0x217, 0x22a]);
    assertEquals(page.subarray(0x2d0 + 20).every((byte) => byte === 0), true);
  });

  it("holds the kernel's header as it is, but for the fields of a loader, and no byte of others", () => {
    const headerBytes = pattern(0x26c - 0x1f1);
    const page = build({ headerBytes });
    const written = ["type_of_loader", "vid_mode", "code32_start", "ramdisk_image"] as const;
    const more = ["ramdisk_size", "cmd_line_ptr", "setup_data"] as const;
    const isWritten = new Set<number>();
    for (const name of [...written, ...more]) {
      const [offset, width] = SETUP[name];
      for (let i = 0; i < width; i++) isWritten.add(offset + i);
    }
    for (let at = 0x1f1; at < 0x26c; at++) {
      if (!isWritten.has(at)) {
        assertEquals(page[at], headerBytes[at - 0x1f1], `0x${at.toString(16)}`);
      }
    }
    assertEquals(page.slice(0, 0x1e8), new Uint8Array(0x1e8));
    assertEquals(page[0x1ef], 0, "the sentinel");
    assertEquals(page.slice(0x26c, 0x2d0), new Uint8Array(0x64));
  });

  it("overrides fields of the header", () => {
    const page = build({ headerBytes: pattern(0x7b), header: { kernel_alignment: 0x1000 } });
    assertEquals(field(page, "kernel_alignment"), 0x1000n);
  });

  it("says that there is no initrd and no setup_data, whatever the file's header says", () => {
    const page = build({ headerBytes: pattern(0x7b) });
    assertEquals(field(page, "ramdisk_image"), 0n);
    assertEquals(field(page, "ramdisk_size"), 0n);
    assertEquals(field(page, "setup_data"), 0n);
  });

  it("splits addresses and sizes above 4 GiB into the ext_ fields", () => {
    const page = build({
      kernel: 0x5_1234_5000n,
      initrd: { start: 0x1_2345_6000n, size: 0x3_0000_0007n },
      cmdline: 0x6_0002_0000n,
      rsdp: 0x7_8000_0000n,
      setupData: 0x8_0004_0000n,
    });
    assertEquals(field(page, "ramdisk_image"), 0x2345_6000n);
    assertEquals(peek(page, 0xc0, 4), 1n);
    assertEquals(field(page, "ramdisk_size"), 7n);
    assertEquals(peek(page, 0xc4, 4), 3n);
    assertEquals(field(page, "cmd_line_ptr"), 0x2_0000n);
    assertEquals(peek(page, 0xc8, 4), 6n);
    assertEquals(field(page, "code32_start"), 0x1234_5000n);
    assertEquals(peek(page, 0x70, 8), 0x7_8000_0000n);
    assertEquals(field(page, "setup_data"), 0x8_0004_0000n);
  });

  it("writes the memory map as packed e820 entries", () => {
    const page = build({
      memoryMap: [
        { start: 0n, size: 0x9fc00n, type: "usable" },
        { start: 0x9fc00n, size: 0x400n, type: "reserved" },
        { start: (1n << 64n) - 0x1000n, size: 0x1000n, type: "persistent" },
      ],
    });
    assertEquals(page[0x1e8], 3);
    assertEquals(e820(page, 0), [0n, 0x9fc00n, 1n]);
    assertEquals(e820(page, 1), [0x9fc00n, 0x400n, 2n]);
    assertEquals(e820(page, 2), [(1n << 64n) - 0x1000n, 0x1000n, 7n]);
  });
});

/** So many entries of 4 KiB, one after the other. */
const entries = (count: number): MemoryMapEntry[] =>
  Array.from({ length: count }, (_, i) => ({
    start: BigInt(i) << 12n,
    size: 0x1000n,
    type: i % 2 ? "reserved" : "usable",
  }));

describe("e820Overflow", () => {
  it("has nothing up to 128 entries", () => {
    assertEquals(e820Overflow(entries(128)), []);
    const page = build({ memoryMap: entries(128) });
    assertEquals(page[0x1e8], 128);
    assertEquals(e820(page, 127), [127n << 12n, 0x1000n, 2n]);
    assertEquals(page.subarray(0x2d0 + 128 * 20).every((byte) => byte === 0), true);
  });

  it("holds the 129th and what follows, as SETUP_E820_EXT", () => {
    const map = entries(300);
    const page = build({ memoryMap: map });
    assertEquals(page[0x1e8], 128);
    assertEquals(page.subarray(0x2d0 + 128 * 20).every((byte) => byte === 0), true);
    const [{ type, data }, ...rest] = e820Overflow(map);
    assertEquals([type, data.length, rest.length], [1, 172 * 20, 0]);
    for (const i of [0, 171]) {
      const kind = i % 2 ? 2n : 1n;
      assertEquals(peek(data, 20 * i, 8), BigInt(128 + i) << 12n);
      assertEquals(peek(data, 20 * i + 8, 8), 0x1000n);
      assertEquals(peek(data, 20 * i + 16, 4), kind);
    }
  });
});

describe("buildSetupData", () => {
  it("chains items on 8 bytes; the last one's next is 0", () => {
    const items = [
      { type: 9, data: pattern(5, 1) },
      { type: 2, data: new Uint8Array(0) },
      { type: 0x80000000, data: pattern(8, 2) },
    ];
    const start = 0x1_0004_0000n;
    const bytes = buildSetupData(items, start);
    // 16 + 5 is padded to 24; 16; 24
    assertEquals(bytes.length, 64);
    assertEquals(setupDataSize(items), 64n);
    let at = 0n;
    const found: { type: number; data: Uint8Array }[] = [];
    for (let address = start; address !== 0n; address = at) {
      assertEquals(address % 8n, 0n);
      const offset = Number(address - start);
      const size = Number(peek(bytes, offset + 12, 4));
      found.push({
        type: Number(peek(bytes, offset + 8, 4)),
        data: bytes.slice(offset + 16, offset + 16 + size),
      });
      at = peek(bytes, offset, 8);
    }
    assertEquals(found, items);
  });
});
