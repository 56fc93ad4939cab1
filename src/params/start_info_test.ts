import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { peek } from "../../fuzz/arbitraries/images.ts";
import { buildStartInfo, startInfoSize } from "./start_info.ts";

describe("buildStartInfo", () => {
  const start = 0x6000n;
  const bytes = buildStartInfo({
    cmdline: 0x20000n,
    rsdp: 0xe0000n,
    modules: [
      { start: 0x7000000n, size: 0x1001n },
      { start: 0x1_0000_0000n, size: 0x1_0000_0002n, cmdline: 0x20100n },
    ],
    memoryMap: [
      { start: 0n, size: 0x9fc00n, type: "usable" },
      { start: 0xf0000n, size: 0x10000n, type: "reserved" },
      { start: 0x8000_0000_0000n, size: 0x1000n, type: "nvs" },
    ],
  }, start);
  const u32 = (at: number) => peek(bytes, at, 4);
  const u64 = (at: bigint | number) => peek(bytes, Number(at), 8);

  it("has the magic, version 1 and no flags", () => {
    assertEquals([u32(0), u32(4), u32(8)], [0x336ec578n, 1n, 0n]);
    assertEquals([u64(0x18), u64(0x20)], [0x20000n, 0xe0000n]);
    assertEquals(u32(0x34), 0n);
  });

  it("points at its modules, the initrd first", () => {
    assertEquals(u32(0x0c), 2n);
    const list = u64(0x10) - start;
    assertEquals(list >= 56n && list % 8n === 0n, true);
    const module = (i: bigint) => [0n, 8n, 16n, 24n].map((at) => u64(list + i * 32n + at));
    assertEquals(module(0n), [0x7000000n, 0x1001n, 0n, 0n]);
    assertEquals(module(1n), [0x1_0000_0000n, 0x1_0000_0002n, 0x20100n, 0n]);
  });

  it("points at its memory map, behind the modules", () => {
    assertEquals(u32(0x30), 3n);
    const map = u64(0x28) - start;
    assertEquals(map >= u64(0x10) - start + 64n && map % 8n === 0n, true);
    const row = (i: bigint) => [0n, 8n, 16n].map((at) => u64(map + i * 24n + at));
    assertEquals(row(0n), [0n, 0x9fc00n, 1n]);
    assertEquals(row(1n), [0xf0000n, 0x10000n, 2n]);
    assertEquals(row(2n), [0x8000_0000_0000n, 0x1000n, 4n]);
    assertEquals(map + 72n, BigInt(bytes.length));
  });

  it("is as large as was said", () => {
    assertEquals(BigInt(bytes.length), startInfoSize(2, 3));
    assertEquals(startInfoSize(2, 3), 56n + 64n + 72n);
  });

  it("has no module list and no RSDP where there is none", () => {
    const none = buildStartInfo({ cmdline: 0x20000n, modules: [], memoryMap: [] }, start);
    assertEquals([peek(none, 0x0c, 4), peek(none, 0x10, 8), peek(none, 0x20, 8)], [0n, 0n, 0n]);
    assertEquals(none.length, 56);
  });
});
