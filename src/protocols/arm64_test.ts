import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { arm64Image, pattern, peek } from "../../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults, NO_HOLE } from "../../fuzz/arbitraries/plans.ts";
import { bootLinux, planBoot } from "../boot.ts";
import type { Arm64CpuState } from "../cpu/state.ts";
import { parseFdt } from "../formats/fdt.ts";
import { writeFdt } from "../formats/fdt_write.ts";
import { GuestMemory } from "../memory/guest_memory.ts";
import type { Arm64Machine } from "../params/arm64_machine.ts";
import { findNode, getProperty } from "../params/device_tree.ts";
import type { BootOptions, BootPlan } from "./plan.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const BASE = GIB; // as QEMU's virt machine
const RAM = [{ start: BASE, size: GIB }];
const MACHINE: Arm64Machine = {
  cpus: 1,
  psci: "hvc",
  gic: {
    version: 3,
    distributor: { start: 0x800_0000n, size: 0x1_0000n },
    redistributors: [{ start: 0x80a_0000n, size: 0x2_0000n }],
  },
};

function plan(options: Partial<BootOptions>, ram = RAM): BootPlan & { cpu: Arm64CpuState } {
  const planned = planBoot({ ram }, { kernel: arm64Image(), deviceTree: MACHINE, ...options });
  assertEquals(faults(planned, options.reservations, NO_HOLE), []);
  return planned as BootPlan & { cpu: Arm64CpuState };
}
const refused = (options: Partial<BootOptions>, ram = RAM) =>
  refusal(() => planBoot({ ram }, { kernel: arm64Image(), deviceTree: MACHINE, ...options }));
const named = ({ placements }: BootPlan, wanted: string) =>
  placements.find(({ name }) => name === wanted)!;
const kernelAt = (fields: Parameters<typeof arm64Image>[0], options = {}, ram = RAM) =>
  named(plan({ kernel: arm64Image(fields), ...options }, ram), "kernel").start;
/** The device tree of a plan. */
function treeOf(planned: BootPlan) {
  const { content } = named(planned, "device tree");
  if (content.kind !== "bytes") throw new Error("the device tree is not bytes");
  return parseFdt(content.bytes);
}
const chosen = (planned: BootPlan, name: string) =>
  getProperty(findNode(treeOf(planned).root, "/chosen")!, name);
const bigEndian = (value: bigint) =>
  Uint8Array.from({ length: 8 }, (_, i) => Number(value >> BigInt(56 - 8 * i) & 0xffn));

describe("planBoot of an arm64 Image: the kernel", () => {
  it("is text_offset above the lowest 2 MiB boundary of RAM, entered at its first byte", () => {
    assertEquals(kernelAt({}), BASE);
    assertEquals(kernelAt({ text_offset: 0x80000 }), BASE + 0x80000n);
    assertEquals(kernelAt({ text_offset: 0x200000 }), BASE + 0x200000n);
    assertEquals(kernelAt({ text_offset: 0x280000 }), BASE + 0x280000n);
    assertEquals(kernelAt({ image_size: 0 }), BASE + 0x80000n);
    assertEquals(kernelAt({}, {}, [{ start: BASE + 1n, size: GIB }]), BASE + 2n * MIB);
    const planned = plan({ kernel: arm64Image({ text_offset: 0x80000 }) });
    assertEquals(planned.cpu.pc, BASE + 0x80000n);
  });

  it("has image_size to itself, zeroed behind the file", () => {
    const planned = plan({ kernel: arm64Image({ image_size: 0x50000 }, 0x1234) });
    const [kernel, bss] = [named(planned, "kernel"), named(planned, "kernel bss")];
    assertEquals([kernel.size, bss.start, bss.size], [0x1234n, BASE + 0x1234n, 0x50000n - 0x1234n]);
    assertEquals(bss.content.kind, "zeros");
    const whole = plan({ kernel: arm64Image({ image_size: 0x100 }, 0x1234) });
    assertEquals(named(whole, "kernel").size, 0x1234n);
    assertEquals(named(whole, "kernel bss"), undefined);
  });

  it("moves up by 2 MiB when something is there, itself or the memory it needs", () => {
    for (const at of [BASE, BASE + 0x2fffn]) {
      const reservations = [{ name: "tee", start: at, size: 1n }];
      assertEquals(kernelAt({}, { reservations }), BASE + 2n * MIB);
    }
    const behind = [{ name: "tee", start: BASE + 0x3000n, size: 1n }];
    assertEquals(kernelAt({}, { reservations: behind }), BASE);
  });

  it("is where the caller says, on 2 MiB plus text_offset", () => {
    assertEquals(kernelAt({}, { kernelAddress: BASE + 8n * MIB }), BASE + 8n * MIB);
    const fields = { text_offset: 0x80000 };
    const right = { kernelAddress: BASE + 0x280000n };
    assertEquals(kernelAt(fields, right), BASE + 0x280000n);
    for (const address of [BASE + MIB, BASE + 0x80000n, BASE + 1n]) {
      assertEquals(refused({ kernelAddress: address }), {
        code: "MISALIGNED",
        field: "kernelAddress",
        between: ["kernel"],
      });
    }
    assertEquals(refused({ kernelAddress: 0n }).code, "OUTSIDE_RAM");
    assertEquals(refused({ kernelAddress: BASE + GIB }).between, ["kernel", "guest RAM"]);
  });

  it("does not fit, however large it says it is", () => {
    const all = (1n << 64n) - 1n;
    for (const image_size of [GIB + 1n, 1n << 63n, all]) {
      const { code, between } = refused({ kernel: arm64Image({ image_size }) });
      assertEquals([code, between?.[0]], ["NO_SPACE", "kernel"]);
    }
    for (const text_offset of [GIB, 1n << 63n, all, all - 0xfffffn]) {
      assertEquals(refused({ kernel: arm64Image({ text_offset }) }).code, "NO_SPACE");
      assertEquals(
        refused({ kernel: arm64Image({ text_offset, image_size: all }) }).code,
        "NO_SPACE",
      );
    }
  });

  it("is refused when it is big-endian", () => {
    assertEquals(refused({ kernel: arm64Image({ flags: 1 }) }), {
      code: "IMAGE_BIG_ENDIAN",
      field: "flags",
      offset: 0x18,
    });
  });
});

describe("planBoot of an arm64 Image: the device tree", () => {
  it("is where x0 points, in 2 MiB of its own above the kernel", () => {
    const planned = plan({});
    const { start, size } = named(planned, "device tree");
    assertEquals(planned.cpu.x0, start);
    assertEquals(start % (2n * MIB), 0n);
    assertEquals(start, BASE + 2n * MIB);
    assertEquals(size <= 2n * MIB, true);
    assertEquals([planned.cpu.x1, planned.cpu.x2, planned.cpu.x3], [0n, 0n, 0n]);
  });

  it("stays within 512 MiB of a kernel from before 3.17, which does not say its size", () => {
    const ram = [{ start: BASE, size: 4n * GIB }];
    const { start } = named(plan({ kernel: arm64Image({ image_size: 0 }) }, ram), "device tree");
    assertEquals(start, BASE + 510n * MIB);
  });

  it("has the command line, the initrd's range, and the RAM", () => {
    const initrd = pattern(0x1801);
    const ram = [{ start: BASE, size: GIB }, { start: 8n * GIB, size: GIB }];
    const planned = plan({ cmdline: "console=ttyAMA0", initrd }, ram);
    const { start } = named(planned, "initrd");
    assertEquals(chosen(planned, "bootargs"), new TextEncoder().encode("console=ttyAMA0\0"));
    assertEquals(chosen(planned, "linux,initrd-start"), bigEndian(start));
    assertEquals(chosen(planned, "linux,initrd-end"), bigEndian(start + 0x1801n));
    const memory = treeOf(planned).root.children.filter(({ name }) => name.startsWith("memory@"));
    assertEquals(memory.map((node) => getProperty(node, "reg")), [
      Uint8Array.of(...bigEndian(BASE), ...bigEndian(GIB)),
      Uint8Array.of(...bigEndian(8n * GIB), ...bigEndian(GIB)),
    ]);
  });

  it("has the seeds, and the reservations with no-map", () => {
    const planned = plan({
      seeds: { kaslr: 0x0102030405060708n, rng: pattern(32) },
      reservations: [{ name: "secure world!", start: BASE + 64n * MIB, size: 0x1000n }],
    });
    assertEquals(chosen(planned, "kaslr-seed"), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    assertEquals(chosen(planned, "rng-seed"), pattern(32));
    const [node] = findNode(treeOf(planned).root, "/reserved-memory")!.children;
    assertEquals(node.name, "secure-world-@44000000");
    assertEquals(
      getProperty(node, "reg"),
      Uint8Array.of(...bigEndian(BASE + 64n * MIB), ...bigEndian(0x1000n)),
    );
    assertEquals(getProperty(node, "no-map")?.length, 0);
  });

  it("completes one that the caller brings, and keeps clear of what that one reserves", () => {
    const mine = treeOf(plan({ cmdline: "old", initrd: pattern(16) }));
    mine.reservations.push({ start: BASE, size: 0x1000n });
    mine.root.properties.push({ name: "serial-number", value: Uint8Array.of(0x78, 0) });
    const planned = plan({ deviceTree: writeFdt(mine), cmdline: "new" });
    assertEquals(named(planned, "kernel").start, BASE + 2n * MIB);
    assertEquals(planned.memoryMap[0], { start: BASE, size: 0x1000n, type: "reserved" });
    assertEquals(chosen(planned, "bootargs"), new TextEncoder().encode("new\0"));
    assertEquals(chosen(planned, "linux,initrd-start"), undefined);
    assertEquals(treeOf(planned).reservations, [{ start: BASE, size: 0x1000n }]);
  });

  it("must be there, and be one", () => {
    const { code, field } = refused({ deviceTree: undefined });
    assertEquals([code, field], ["INVALID_OPTION", "deviceTree"]);
    assertEquals(refused({ deviceTree: new Uint8Array(64) }).code, "FDT_MAGIC");
    assertEquals(refused({ deviceTree: new Uint8Array(3) }).code, "TRUNCATED");
  });

  it("has 2 MiB at most", () => {
    const rng = new Uint8Array(2 << 20);
    assertEquals(refused({ seeds: { rng } }).code, "FDT_TOO_BIG");
    plan({ seeds: { rng: rng.subarray(4096) } });
  });

  it("does not fit where the kernel leaves less than 2 MiB", () => {
    const ram = [{ start: BASE, size: 3n * MIB }];
    const { code, between } = refused({}, ram);
    assertEquals([code, between?.[0]], ["NO_SPACE", "device tree"]);
  });
});

describe("planBoot of an arm64 Image: the initrd", () => {
  const initrd = pattern(0x1801);

  it("is page-aligned above what the kernel needs", () => {
    const { start } = named(plan({ initrd }), "initrd");
    assertEquals([start % 4096n, start >= BASE + 0x3000n], [0n, true]);
  });

  it("is in one 1 GiB aligned window of 32 GiB with the kernel", () => {
    const at = (initrdAddress: bigint) => ({ initrd, initrdAddress });
    const ram = [{ start: BASE, size: 64n * GIB }];
    // The kernel is at 1 GiB: the window ends at 33 GiB.
    assertEquals(named(plan(at(33n * GIB - 0x2000n), ram), "initrd").start, 33n * GIB - 0x2000n);
    assertEquals(refused(at(33n * GIB - 0x1000n), ram), {
      code: "NO_SPACE",
      field: "initrdAddress",
      between: ["initrd", "kernel"],
    });
    const far = [{ start: BASE, size: 4n * MIB }, { start: 40n * GIB, size: GIB }];
    assertEquals(refused({ initrd: pattern(0x20_0000) }, far).code, "NO_SPACE");
    const near = [{ start: BASE, size: 4n * MIB }, { start: 32n * GIB, size: GIB }];
    assertEquals(named(plan({ initrd: pattern(0x20_0000) }, near), "initrd").start, 32n * GIB);
  });

  it("may lie below the kernel", () => {
    const options = { initrd, initrdAddress: BASE, kernelAddress: BASE + 31n * GIB };
    const ram = [{ start: BASE, size: 64n * GIB }];
    assertEquals(named(plan(options, ram), "initrd").start, BASE);
    const above = { ...options, kernelAddress: BASE + 32n * GIB };
    assertEquals(refused(above, ram).code, "NO_SPACE");
  });

  it("is aligned, in RAM, over nothing else, larger than nothing and smaller than RAM", () => {
    assertEquals(refused({ initrd, initrdAddress: BASE + 8n * MIB + 1n }).code, "MISALIGNED");
    assertEquals(refused({ initrd, initrdAddress: BASE + GIB - 0x1000n }).code, "OUTSIDE_RAM");
    assertEquals(refused({ initrd, initrdAddress: BASE }).between, ["initrd", "kernel"]);
    const onTree = { initrd, initrdAddress: BASE + 2n * MIB, kernelAddress: BASE };
    assertEquals(refused(onTree).between, ["initrd", "device tree"]);
    const top = (1n << 64n) - 4096n;
    assertEquals(refused({ initrd, initrdAddress: top }).code, "ADDRESS_OVERFLOW");
    assertEquals(refused({ initrd: new Uint8Array(0) }).code, "EMPTY_INITRD");
    assertEquals(refused({ initrdAddress: BASE }).field, "initrdAddress");
    const huge = { size: Number.MAX_SAFE_INTEGER, readAt: () => 0 };
    assertEquals(refused({ initrd: huge }).between?.[0], "initrd");
  });
});

describe("planBoot of an arm64 Image: the CPU and the command line", () => {
  it("starts at EL1 with everything masked, at EL2 on request, at nothing else", () => {
    assertEquals([plan({}).cpu.el, plan({}).cpu.pstate], [1, 0x3c5n]);
    assertEquals(plan({ exceptionLevel: 2 }).cpu.pstate, 0x3c9n);
    assertEquals(refused({ exceptionLevel: 3 as 1 }), {
      code: "INVALID_OPTION",
      field: "exceptionLevel",
    });
  });

  it("may have 2,047 bytes of command line", () => {
    plan({ cmdline: "x".repeat(2047) });
    assertEquals(refused({ cmdline: "x".repeat(2048) }).code, "CMDLINE_TOO_LONG");
  });
});

describe("bootLinux of an arm64 Image", () => {
  it("writes kernel, zeros, device tree and initrd into dirty memory, and nothing else", () => {
    const dirty = dirtyRam({ start: BASE, size: 0x10_0000 }, {
      start: BASE + MIB,
      size: 0x80_0000,
    });
    const memory = GuestMemory.of(dirty.regions);
    const initrd = pattern(0x1801, 6);
    const kernel = arm64Image({ image_size: 0x18_0000 }, 0xf_f000); // BSS in both regions
    const planned = bootLinux(memory, { kernel, initrd, deviceTree: MACHINE });
    assertEquals(memory.read(BASE, kernel.length), kernel);
    assertEquals(memory.read(BASE + 0xf_f000n, 0x8_1000), new Uint8Array(0x8_1000));
    const tree = named(planned, "device tree");
    assertEquals(peek(memory.read(tree.start, 4), 0, 4), 0xedfe0dd0n);
    assertEquals(memory.read(named(planned, "initrd").start, initrd.length), initrd);
    for (const { start, end } of dirty.changes()) {
      const inside = planned.placements.filter((placement) =>
        start < placement.start + placement.size && placement.start < end
      );
      assertEquals(inside[0]?.start <= start, true, `changed [${start}..${end})`);
      const last = inside.at(-1)!;
      assertEquals(end <= last.start + last.size, true, `changed [${start}..${end})`);
    }
  });
});
