import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { bzImage, elfImage, pattern, peek } from "../../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults } from "../../fuzz/arbitraries/plans.ts";
import { descriptor, translate } from "../../fuzz/arbitraries/x86_walk.ts";
import { bootLinux, planBoot } from "../boot.ts";
import type { X86CpuState } from "../cpu/state.ts";
import { GuestMemory } from "../memory/guest_memory.ts";
import type { BootOptions, BootPlan } from "./plan.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const RAM = [{ start: 0n, size: 3n * GIB }, { start: 4n * GIB, size: 13n * GIB }];
const INITRD = pattern(0x1801, 6);

function plan(options: Partial<BootOptions>, ram = RAM): BootPlan {
  const planned = planBoot({ ram }, { kernel: bzImage(), ...options });
  assertEquals(faults(planned, options.reservations), []);
  return planned;
}
const refused = (options: Partial<BootOptions>, ram = RAM) =>
  refusal(() => planBoot({ ram }, { kernel: bzImage(), ...options }));
const named = ({ placements }: BootPlan, wanted: string) =>
  placements.find(({ name }) => name === wanted);
/** The bytes that the plan writes itself, e.g. of the zero page. */
function bytesOf(plan: BootPlan, name: string): Uint8Array {
  const content = named(plan, name)?.content;
  if (content?.kind !== "bytes") throw new Error(`${name} is not bytes`);
  return content.bytes;
}

describe("planBoot by linux64: the zero page", () => {
  it("is where rsi points, with the kernel's header and what the kernel is told", () => {
    const planned = plan({ initrd: INITRD, cmdline: "console=ttyS0", rsdp: 0xe1234n });
    const cpu = planned.cpu as X86CpuState;
    const zeroPage = named(planned, "zero page")!;
    assertEquals([zeroPage.start, zeroPage.size], [cpu.rsi, 4096n]);
    assertEquals(zeroPage.start % 4096n, 0n);
    const page = bytesOf(planned, "zero page");
    const header = bzImage().slice(0x1f1, 0x26c);
    assertEquals(
      page.slice(0x1f1, 0x210),
      header.slice(0, 0x1f).map((byte, i) => {
        return i === 0x1fa - 0x1f1 || i === 0x1fb - 0x1f1 ? 0xff : byte; // vid_mode
      }),
    );
    assertEquals(page[0x1ef], 0); // the sentinel is 0xee in the file
    assertEquals(page.slice(0x26c, 0x2d0), new Uint8Array(0x64)); // 0xee in the file
    const initrd = named(planned, "initrd")!;
    assertEquals(peek(page, 0x218, 4), initrd.start);
    assertEquals(peek(page, 0x21c, 4), 0x1801n);
    assertEquals(peek(page, 0x228, 4), named(planned, "command line")!.start);
    assertEquals(peek(page, 0x70, 8), 0xe1234n);
    assertEquals(peek(page, 0x210, 1), 0xffn);
  });

  it("copies the header exactly as long as byte 0x201 says", () => {
    const short = bytesOf(
      plan({ kernel: bzImage({ jump: 0x62eb, init_size: 0xffff }) }),
      "zero page",
    );
    assertEquals(peek(short, 0x260, 4), 0xffffn); // ends at 0x264
    const shorter = bytesOf(plan({ kernel: bzImage({ jump: 0x5eeb }) }), "zero page");
    assertEquals(peek(shorter, 0x258, 8), 0x1000000n);
    assertEquals(peek(shorter, 0x260, 8), 0n);
    const long = bytesOf(plan({ kernel: bzImage({ jump: 0x8eeb }) }), "zero page");
    assertEquals(long[0x28f], 0xee); // what the file has behind the known fields
    assertEquals(long[0x290], 0);
  });

  it("has a header of its own for a vmlinux, which has none", () => {
    const page = bytesOf(plan({ kernel: elfImage(), initrd: INITRD }), "zero page");
    assertEquals(peek(page, 0x1fe, 2), 0xaa55n);
    assertEquals(peek(page, 0x202, 4), 0x53726448n);
    assertEquals(peek(page, 0x206, 2) >= 0x20cn, true);
    assertEquals(peek(page, 0x210, 1), 0xffn); // with 0 the kernel ignores the initrd
    assertEquals(peek(page, 0x211, 1), 1n); // LOADED_HIGH
    assertEquals(peek(page, 0x214, 4), 0x100000n); // code32_start
    assertEquals(peek(page, 0x22c, 4), 0x7fffffffn);
    assertEquals(peek(page, 0x230, 4), 0x200000n);
    assertEquals(peek(page, 0x1fa, 2), 0xffffn);
    assertEquals(peek(page, 0x228, 4) !== 0n, true); // also of an empty line
  });
});

describe("planBoot by linux64: the initrd", () => {
  it("is page-aligned, as high as initrd_addr_max lets it be, which is inclusive", () => {
    for (const kernel of [bzImage(), elfImage()]) {
      const { start, size } = named(plan({ kernel, initrd: INITRD }), "initrd")!;
      assertEquals([start, size], [0x8000_0000n - 0x2000n, 0x1801n]);
    }
    const odd = named(
      plan({ kernel: bzImage({ initrd_addr_max: 0x37ffe800 }), initrd: INITRD }),
      "initrd",
    )!;
    assertEquals(odd.start, 0x37ffd000n); // its last byte is 0x37ffe800
    const short = bzImage({ initrd_addr_max: 0x37ffe7ff });
    assertEquals(named(plan({ kernel: short, initrd: INITRD }), "initrd")!.start, 0x37ffc000n);
  });

  it("stays low where RAM ends lower", () => {
    const ram = [{ start: 0n, size: 64n * MIB }];
    assertEquals(named(plan({ initrd: INITRD }, ram), "initrd")!.start, 64n * MIB - 0x2000n);
  });

  it("goes above 4 GiB on request, address and size split, where the kernel allows it", () => {
    const big = { size: 0x1_0000_1001, readAt: () => 0 }; // 4 GiB + 4 KiB + 1
    const planned = plan({ initrd: big, initrdPlacement: "high" });
    const { start } = named(planned, "initrd")!;
    assertEquals(start, 17n * GIB - 0x1_0000_2000n);
    const page = bytesOf(planned, "zero page");
    assertEquals(peek(page, 0x218, 4), start & 0xffffffffn);
    assertEquals(peek(page, 0xc0, 4), start >> 32n);
    assertEquals(peek(page, 0x21c, 4), 0x1001n);
    assertEquals(peek(page, 0xc4, 4), 1n);
    const low = bzImage({ xloadflags: 1 });
    const stays = named(plan({ kernel: low, initrd: INITRD, initrdPlacement: "high" }), "initrd")!;
    assertEquals(stays.start, 0x8000_0000n - 0x2000n);
  });

  it("is where the caller says, above initrd_addr_max only where the kernel allows it", () => {
    const at = (initrdAddress: bigint, kernel = bzImage()) => ({
      kernel,
      initrd: INITRD,
      initrdAddress,
    });
    assertEquals(named(plan(at(0x400_0000n)), "initrd")!.start, 0x400_0000n);
    assertEquals(named(plan(at(6n * GIB)), "initrd")!.start, 6n * GIB);
    const low = bzImage({ xloadflags: 1 });
    for (const address of [6n * GIB, 0x8000_0000n - 0x1000n]) {
      assertEquals(refused(at(address, low)), {
        code: "NO_SPACE",
        field: "initrdAddress",
        between: ["initrd", "initrd_addr_max of this kernel"],
      });
    }
    assertEquals(refused(at(0x400_0800n)).code, "MISALIGNED");
    assertEquals(refused(at(0x100_0000n)).between, ["initrd", "kernel"]);
    assertEquals(refused(at(3n * GIB)).code, "OUTSIDE_RAM");
    assertEquals(refused(at((1n << 64n) - 0x1000n)).code, "ADDRESS_OVERFLOW");
    assertEquals(refused(at(-0x1000n)).code, "INVALID_OPTION");
  });

  it("is never at 0, which tells the kernel that there is none", () => {
    assertEquals(refused({ initrd: INITRD, initrdAddress: 0n }), {
      code: "INVALID_OPTION",
      field: "initrdAddress",
    });
    // Everything else is taken: page 0 would be the only room.
    const reservations = [{ name: "firmware", start: 0x2000n, size: 0x100_0000n - 0x2000n }, {
      name: "more",
      start: 0x101_0000n,
      size: GIB,
    }];
    const ram = [{ start: 0n, size: 32n * MIB }];
    const tiny = { kernel: bzImage(), initrd: INITRD.slice(0, 0x200), reservations };
    const { code, between } = refused({ ...tiny, cmdline: "x".repeat(2047) }, ram);
    assertEquals([code, between?.[0]], ["NO_SPACE", "initrd"]);
  });

  it("does not fit: the error names what is in the way", () => {
    const huge = { size: 2 ** 40, readAt: () => 0 };
    const kernel = bzImage({ init_size: 0x1000000 });
    assertEquals(refused({ kernel, initrd: huge }), {
      code: "NO_SPACE",
      between: ["initrd", "kernel work area"],
    });
    assertEquals(refused({ initrd: { ...huge, size: Number.MAX_SAFE_INTEGER } }).code, "NO_SPACE");
  });

  it("must be there for an initrdAddress, and hold a byte", () => {
    assertEquals(refused({ initrdAddress: 0x400_0000n }), {
      code: "INVALID_OPTION",
      field: "initrdAddress",
    });
    assertEquals(refused({ initrd: new Uint8Array(0) }), { code: "EMPTY_INITRD", field: "initrd" });
  });
});

describe("planBoot by linux64: the command line", () => {
  const line = (length: number) => "x".repeat(length);

  it("may be as long as cmdline_size says, and not a byte more", () => {
    const kernel = bzImage({ cmdline_size: 100 });
    assertEquals(named(plan({ kernel, cmdline: line(100) }), "command line")!.size, 101n);
    assertEquals(refused({ kernel, cmdline: line(101) }), {
      code: "CMDLINE_TOO_LONG",
      field: "command line",
      offset: 100,
    });
    const { message } = assertThrows(() => plan({ kernel, cmdline: line(5000) })) as Error;
    assertStringIncludes(message, "cmdline_size");
    assertStringIncludes(message, "100");
  });

  it("may have 2,047 bytes for a vmlinux, 255 without the field", () => {
    for (const [kernel, most] of [[elfImage(), 2047], [bzImage({ jump: 0x36eb }), 255]] as const) {
      assertEquals(bytesOf(plan({ kernel, cmdline: line(most) }), "command line").length, most + 1);
      assertEquals(refused({ kernel, cmdline: line(most + 1) }).offset, most);
    }
  });

  it("may be longer where the caller knows better", () => {
    const planned = plan({ cmdline: line(5000), maxCmdlineSize: 5000 });
    assertEquals(bytesOf(planned, "command line"), new TextEncoder().encode(line(5000) + "\0"));
    assertEquals(refused({ cmdline: line(11), maxCmdlineSize: 10 }).code, "CMDLINE_TOO_LONG");
    for (const maxCmdlineSize of [-1, 1.5, 2 ** 20 + 1, NaN]) {
      assertEquals(refused({ maxCmdlineSize }), {
        code: "INVALID_OPTION",
        field: "maxCmdlineSize",
      });
    }
  });

  it("is printable ASCII, as it is, and one NUL where it is empty", () => {
    assertEquals(bytesOf(plan({}), "command line"), Uint8Array.of(0));
    const kept = bytesOf(plan({ cmdline: ' a  "b ' }), "command line");
    assertEquals(kept, new TextEncoder().encode(' a  "b \0'));
    assertEquals(refused({ cmdline: "quiet\0" }), {
      code: "CMDLINE_ASCII",
      field: "command line",
      offset: 5,
    });
  });
});

describe("planBoot by linux64: setup_data", () => {
  const walk = (planned: BootPlan) => {
    const { start } = named(planned, "setup_data")!;
    const bytes = bytesOf(planned, "setup_data");
    const types: bigint[] = [];
    for (let at = peek(bytesOf(planned, "zero page"), 0x250, 8); at !== 0n;) {
      types.push(peek(bytes, Number(at - start) + 8, 4));
      at = peek(bytes, Number(at - start), 8);
    }
    return types;
  };

  it("is a chain from the zero page, the caller's items first", () => {
    const setupData = [{ type: 9, data: pattern(32) }, { type: 2, data: pattern(7) }];
    assertEquals(walk(plan({ setupData })), [9n, 2n]);
    assertEquals(peek(bytesOf(plan({}), "zero page"), 0x250, 8), 0n);
  });

  it("has the e820 entries past 128", () => {
    const ram = Array.from(
      { length: 200 },
      (_, i) => ({ start: BigInt(i) * 32n * MIB, size: 24n * MIB }),
    );
    const planned = plan({ setupData: [{ type: 9, data: pattern(4) }] }, ram);
    const page = bytesOf(planned, "zero page");
    const bytes = bytesOf(planned, "setup_data");
    assertEquals(walk(planned), [9n, 1n]);
    assertEquals(page[0x1e8], 128);
    // The first node takes 16 + 4, padded to 24; then 16 bytes of header
    const rest = Number(peek(bytes, 24 + 12, 4)) / 20;
    assertEquals(128 + rest, planned.memoryMap.length);
    for (const [i, { start, size }] of planned.memoryMap.entries()) {
      const [table, at] = i < 128 ? [page, 0x2d0 + 20 * i] : [bytes, 40 + 20 * (i - 128)];
      assertEquals([peek(table, at, 8), peek(table, at + 8, 8)], [start, size]);
    }
  });

  it("is refused in thousands", () => {
    const setupData = Array.from({ length: 1025 }, () => ({ type: 1, data: new Uint8Array(1) }));
    assertEquals(refused({ setupData }), { code: "LIMIT_EXCEEDED", field: "setupData" });
  });
});

describe("bootLinux by linux64: what the CPU sees in memory", () => {
  it("is its GDT, and page tables that map every placement and the first 4 GiB", () => {
    // 6 MiB at 5 GiB and 4 GiB below a hole: two regions of few MiB stand for both.
    const dirty = dirtyRam(
      { start: 0n, size: 0x200_0000 },
      { start: 5n * GIB, size: 0x60_0000 },
      { start: 700n * GIB, size: 0x10_0000 },
    );
    const memory = GuestMemory.of(dirty.regions);
    const { cpu, placements } = bootLinux(memory, {
      kernel: bzImage(),
      kernelAddress: 5n * GIB,
      initrd: INITRD,
      initrdPlacement: "high",
    }) as BootPlan & { cpu: X86CpuState };
    const u64 = (address: bigint) => peek(memory.read(address, 8), 0, 8);
    for (const { name, start, size } of placements) {
      for (const at of [start, start + size - 1n]) {
        assertEquals(translate(cpu.cr3, at, u64), at, name);
      }
    }
    assertEquals(placements.at(-1)?.name, "initrd");
    assertEquals(placements.at(-1)!.start > 700n * GIB, true);
    for (let at = 0n; at < 4n * GIB; at += 512n * MIB + 0x1234n) {
      assertEquals(translate(cpu.cr3, at, u64), at);
    }
    assertEquals(translate(cpu.cr3, 4n * GIB, u64), undefined);
    assertEquals(cpu.cr3 < 4n * GIB && cpu.cr3 % 4096n === 0n, true);
    const { selector: _, ...cs } = cpu.segments.cs;
    assertEquals(descriptor(u64(cpu.gdt.base + 0x10n)), cs);
    assertEquals(cpu.rip, 5n * GIB + 0x200n);
    assertEquals(memory.read(cpu.rip, 16), pattern(4096).slice(0x200, 0x210));
  });

  it("maps what crosses 4 GiB", () => {
    const load = 4n * GIB - 2n * MIB;
    const dirty = dirtyRam({ start: 0n, size: 0x10_0000 }, { start: load, size: 0x60_0000 });
    const memory = GuestMemory.of(dirty.regions);
    const u64 = (address: bigint) => peek(memory.read(address, 8), 0, 8);
    const mapped = (options: Partial<BootOptions>) => {
      const { cpu, placements } = bootLinux(memory, { kernel: bzImage(), ...options });
      for (const { name, start, size } of placements) {
        for (const at of [start, start + size / 2n, start + size - 1n]) {
          assertEquals(translate((cpu as X86CpuState).cr3, at, u64), at, name);
        }
      }
      return placements.filter(({ start, size }) => start < 4n * GIB && start + size > 4n * GIB)
        .map(({ name }) => name);
    };
    const kernel = bzImage({ init_size: 0x30_0000 });
    assertEquals(mapped({ kernel, kernelAddress: load }), ["kernel work area"]);
    const whole = bzImage({ kernel: pattern(0x20_1001), init_size: 0x20_1001 });
    assertEquals(mapped({ kernel: whole, kernelAddress: load }), ["kernel"]);
    const initrd = { initrd: INITRD, initrdAddress: 4n * GIB - 0x1000n };
    const segments = [{ bytes: pattern(16), p_paddr: 0x5_0000 }];
    assertEquals(mapped({ kernel: elfImage({ segments }), ...initrd }), ["initrd"]);
  });

  it("does not reach beyond what four levels map", () => {
    const ram = [{ start: 0n, size: GIB }, { start: (1n << 47n) - GIB, size: 2n * GIB }];
    const last = (1n << 47n) - 0x2000n;
    assertEquals(
      named(plan({ initrd: INITRD, initrdPlacement: "high" }, ram), "initrd")!.start,
      last,
    );
    assertEquals(refused({ initrd: INITRD, initrdAddress: last + 0x1000n }, ram), {
      code: "NO_SPACE",
      field: "initrdAddress",
      between: ["initrd", "what page tables can map"],
    });
    const high = elfImage({
      segments: [{ bytes: pattern(16) }, { bytes: pattern(16), p_paddr: 1n << 47n }],
    });
    assertEquals(refused({ kernel: high }, ram), {
      code: "NO_SPACE",
      between: ["kernel segment 1", "identity map"],
    });
  });
});
