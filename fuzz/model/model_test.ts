import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { arm64Image, bzImage, elfImage, pattern, peek, pvhImage } from "../arbitraries/images.ts";
import { dtb } from "../arbitraries/dtb.ts";
import { verdictOn } from "./boot.ts";
import type { Expected } from "./expected.ts";
import { readTree } from "./fdt.ts";
import { loadOf } from "./load.ts";
import { memoryMap } from "./memory_map.ts";
import { Room } from "./room.ts";
import type { Refusal } from "./verdict.ts";

const MIB = 1 << 20;
const RAM = [{ start: 0n, size: 64 * MIB }];

function expected(kernel: Uint8Array, options = {}, ram = RAM): Expected {
  const verdict = verdictOn({ ram, kernel, options });
  if ("refused" in verdict) throw new Error(verdict.refused.join());
  return verdict.expected;
}

const refused = (kernel: Uint8Array, options = {}, ram = RAM) => {
  const verdict = verdictOn({ ram, kernel, options });
  return "refused" in verdict ? verdict.refused.join() : "";
};

/** Where something is written. */
const placeOf = ({ writes, meaningful }: Expected, name: string) =>
  [...writes, ...meaningful].find((one) => one.name === name)?.start;

describe("verdictOn", () => {
  it("says where everything of a vmlinux is, by the documented defaults", () => {
    const plan = expected(elfImage(), { initrd: pattern(5000), cmdline: "quiet" });
    assertEquals(plan.protocol, "linux64");
    assertEquals(plan.registers, { rip: 0x100000n, rsi: 0x7000n, rbx: 0n, cr3: 0x9000n });
    assertEquals(placeOf(plan, "command line"), 0x20000n);
    assertEquals(placeOf(plan, "gdt"), 0x500n);
    assertEquals(placeOf(plan, "initrd"), 64n * BigInt(MIB) - 0x2000n);
    assertEquals(plan.map.map(({ start, type }) => [start, type]), [
      [0n, "usable"],
      [0x9fc00n, "reserved"],
      [0xf0000n, "reserved"],
      [0x100000n, "usable"],
    ]);
  });

  it("boots a PVH kernel by PVH, with a start_info", () => {
    const plan = expected(pvhImage());
    assertEquals(plan.registers, { rip: 0x100000n, rbx: 0x6000n, rsi: 0n, cr3: 0n });
    const info = plan.writes.find(({ name }) => name === "start info")!.bytes;
    assertEquals(peek(info, 0, 4), 0x336ec578n);
  });

  it("boots a bzImage where it prefers to be, at its 64-bit entry", () => {
    assertEquals(expected(bzImage()).registers.rip, 0x1000200n);
    const version = bzImage({ version: 0x20b });
    assertEquals(refused(version, { protocol: "linux64" }), "BZIMAGE_VERSION");
    assertEquals(refused(bzImage({ kernel_alignment: 3 })), "BZIMAGE_FIELD");
    assertEquals(refused(bzImage({ init_size: 0x7fffffff })), "NO_SPACE");
  });

  it("boots by the 32-bit protocol what has no 64-bit entry, or is asked for", () => {
    const rip = 0x1000000n;
    const registers = { rip, rsi: 0x7000n, rbx: 0n, cr3: 0n };
    assertEquals(expected(bzImage({ xloadflags: 2 })).registers, registers);
    assertEquals(expected(bzImage(), { protocol: "linux32" }).registers, registers);
    const vmlinux = elfImage({ bits: 32 });
    assertEquals(expected(vmlinux).registers, { ...registers, rip: 0x100000n });
    assertEquals(refused(vmlinux, { protocol: "linux64" }), "ELF_CLASS");
    assertEquals(refused(elfImage(), { protocol: "linux32" }), "ELF_CLASS");
    assertEquals(refused(bzImage({ version: 0x201 })), "BZIMAGE_VERSION");
  });

  it("boots an arm64 Image with a device tree, and not without", () => {
    const root = { name: "", properties: [], children: [] };
    const deviceTree = dtb({ bootCpuId: 0, reservations: [], root });
    const ram = [{ start: 0x40000000n, size: 16 * MIB }];
    const { registers } = expected(arm64Image(), { deviceTree }, ram);
    assertEquals(registers, { pc: 0x40000000n, x0: 0x40200000n, el: 1n });
    assertEquals(refused(arm64Image(), {}, ram), "INVALID_OPTION");
    assertEquals(refused(arm64Image({ flags: 1 }), { deviceTree }, ram), "IMAGE_BIG_ENDIAN");
  });

  it("refuses what cannot be", () => {
    assertEquals(refused(new Uint8Array(100)), "UNKNOWN_FORMAT");
    assertEquals(refused(elfImage({ header: { e_machine: 3 } })), "ELF_MACHINE");
    assertEquals(refused(elfImage(), { initrd: new Uint8Array(0) }), "EMPTY_INITRD");
    assertEquals(refused(elfImage(), { cmdline: "\n" }), "CMDLINE_ASCII");
    assertEquals(refused(elfImage(), {}, [{ start: 0n, size: MIB }]), "OUTSIDE_RAM");
    assertEquals(refused(elfImage(), { protocol: "pvh" }), "PVH_NOT_PRESENT");
    assertEquals(refused(elfImage(), { hartid: 1n }), "INVALID_OPTION");
  });
});

describe("Room", () => {
  it("finds the lowest and the highest place, on a multiple", () => {
    const room = new Room([{ start: 0x1000n, size: 0x800n }, { start: 0x1800n, size: 0x2800n }]);
    assertEquals(room.isRam({ start: 0x1000n, size: 0x3000n }), true);
    room.remove({ start: 0x2000n, size: 0x100n });
    assertEquals(room.lowestFor(0x1000n, 0x100n, 0n, 1n << 64n), 0x1000n);
    assertEquals(room.lowestFor(0x1001n, 0x100n, 0n, 1n << 64n), 0x2100n);
    assertEquals(room.highestFor(0x10n, 0x100n, 0n, 0x3001n), 0x2f00n);
    assertEquals(room.lowestFor(0x10n, 1n, 0x3ff1n, 1n << 64n), undefined);
  });

  it("claims all or nothing, with the code of what is wrong", () => {
    const room = new Room([{ start: 0n, size: 100n }]);
    const codes = (spans: { start: bigint; size: bigint }[]) => {
      try {
        room.claim(spans, "ELF_SEGMENT_OVERLAP");
        return "";
      } catch (error) {
        return (error as Refusal).codes.join();
      }
    };
    assertEquals(codes([{ start: 90n, size: 11n }]), "OUTSIDE_RAM");
    assertEquals(codes([{ start: 0n, size: 5n }, { start: 4n, size: 5n }]), "ELF_SEGMENT_OVERLAP");
    assertEquals(codes([{ start: 0n, size: 5n }]), "");
    assertEquals(codes([{ start: 4n, size: 1n }]), "OVERLAP");
  });
});

describe("memoryMap", () => {
  it("gives an address that two reserve to the one that starts first", () => {
    const reservations = [
      { name: "b", start: 0x20n, size: 0x20n, type: "acpi" as const },
      { name: "a", start: 0x10n, size: 0x18n },
    ];
    const map = memoryMap([{ start: 0n, size: 0x100n }], { reservations }, false);
    assertEquals(map.map(({ start, size, type }) => [start, size, type]), [
      [0n, 0x10n, "usable"],
      [0x10n, 0x18n, "reserved"],
      [0x28n, 0x18n, "acpi"],
      [0x40n, 0xc0n, "usable"],
    ]);
  });
});

describe("readTree", () => {
  it("reads what dtb writes, and nothing that is cut off", () => {
    const root = {
      name: "",
      properties: [{ name: "p", value: pattern(5) }],
      children: [{ name: "c", properties: [], children: [] }],
    };
    const file = dtb({ bootCpuId: 3, reservations: [{ start: 1n, size: 2n }], root });
    assertEquals(readTree(file), { bootCpuId: 3, reservations: [{ start: 1n, size: 2n }], root });
    for (let size = 0; size < file.length; size++) {
      assertEquals(readTree(file.slice(0, size)), undefined);
    }
  });
});

describe("loadOf", () => {
  it("is linux-loader's: entry and end of an ELF, a bzImage at code32_start, an Image at its offset", () => {
    const elf = loadOf("elf", elfImage(), 0x200000n);
    assertEquals([elf.kernelLoad, elf.kernelEnd], [0x300000n, 0x300040n]);
    assertEquals(loadOf("bzimage", bzImage(), undefined).kernelLoad, 0x100000n);
    assertEquals(loadOf("aarch64", arm64Image({ image_size: 0 }), 0x200000n).kernelLoad, 0x280000n);
  });
});
