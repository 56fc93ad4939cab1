import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type BootOptions,
  type BootPlan,
  buildRiscv64Tree,
  LoaderError,
  parseFdt,
  planBoot,
  writeFdt,
} from "../../mod.ts";
import { VIRT_RISCV64 } from "../../fuzz/arbitraries/virt.ts";
import { findNode, getProperty } from "../params/device_tree.ts";

const MIB = 1n << 20n;
const RAM = 0x8000_0000n;

const MACHINE = { ...VIRT_RISCV64, cpus: 2 };

/** boot-image-header.rst. */
function image(
  fields: { textOffset?: bigint; imageSize?: bigint; flags?: bigint } = {},
): Uint8Array {
  const bytes = new Uint8Array(0x1000).fill(0x13);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0x08, fields.textOffset ?? 2n * MIB, true);
  view.setBigUint64(0x10, fields.imageSize ?? 0x5000n, true);
  view.setBigUint64(0x18, fields.flags ?? 0n, true);
  view.setUint32(0x20, 2, true); // version 0.2
  view.setBigUint64(0x30, 0x5643534952n, true); // "RISCV"
  view.setUint32(0x38, 0x05435352, true); // "RSC\x05"
  return bytes;
}

function plan(options: Partial<BootOptions> = {}, ramSize = 64n * MIB): BootPlan {
  const ram = [{ start: RAM, size: ramSize }];
  return planBoot({ ram }, { kernel: image(), deviceTree: MACHINE, ...options });
}

function refusal(options: Partial<BootOptions>): LoaderError {
  return assertThrows(() => plan(options), LoaderError);
}

const named = ({ placements }: BootPlan, name: string) =>
  placements.find((placement) => placement.name === name);

describe("planBoot of a riscv64 Image", () => {
  it("enters the Image with the hart's id, the device tree and translation off", () => {
    const { arch, protocol, cpu, ...rest } = plan();
    assertEquals([arch, protocol], ["riscv64", "riscv64"]);
    assert(cpu.arch === "riscv64");
    // boot.rst: a0 is the hartid, a1 the device tree, satp 0
    assertEquals([cpu.pc, cpu.a0, cpu.satp], [RAM + 2n * MIB, 0n, 0n]);
    assertEquals(cpu.a1, rest.placements.find(({ name }) => name === "device tree")?.start);
  });

  it("loads at text_offset above a base that firmware may occupy", () => {
    const firmware = { name: "OpenSBI", start: RAM, size: 2n * MIB };
    const planned = plan({ reservations: [firmware] });
    assertEquals(named(planned, "kernel")?.start, RAM + 2n * MIB);
    assertEquals(planned.memoryMap[0], { start: RAM, size: 2n * MIB, type: "reserved" });
  });

  it("keeps the block free that the kernel ends in, wherever text_offset has it start", () => {
    const fields = { textOffset: 2n * MIB - 0x1000n, imageSize: 0x3000n };
    const planned = plan({ kernel: image(fields), initrd: new Uint8Array(3) });
    const work = named(planned, "kernel work area")!;
    assertEquals(work.start, RAM + 2n * MIB + 0x2000n);
    assertEquals(work.start + work.size, RAM + 4n * MIB);
    assert(named(planned, "initrd")!.start >= RAM + 4n * MIB);
  });

  it("reserves image_size, zeroed beyond the file, and puts the rest above", () => {
    const planned = plan({ initrd: new Uint8Array(3) });
    assertEquals(named(planned, "kernel bss"), {
      name: "kernel bss",
      start: RAM + 2n * MIB + 0x1000n,
      size: 0x4000n,
      content: { kind: "zeros" },
    });
    for (const name of ["initrd", "device tree"]) {
      const start = named(planned, name)?.start ?? 0n;
      assert(start >= RAM + 2n * MIB + 0x5000n, name);
      assertEquals(start % 0x1000n, 0n);
    }
  });

  it("tells the guest its command line, initrd and memory", () => {
    const planned = plan({ cmdline: "console=ttyS0", initrd: new Uint8Array(5) });
    const content = named(planned, "device tree")?.content;
    assert(content?.kind === "bytes");
    const { root } = parseFdt(content.bytes);
    const chosen = findNode(root, "/chosen")!;
    assertEquals(
      new TextDecoder().decode(getProperty(chosen, "bootargs")),
      "console=ttyS0\0",
    );
    const cell = (name: string) => {
      const value = getProperty(chosen, name)!;
      return new DataView(value.buffer, value.byteOffset).getBigUint64(0);
    };
    const start = named(planned, "initrd")?.start ?? 0n;
    assertEquals(cell("linux,initrd-start"), start);
    assertEquals(cell("linux,initrd-end"), start + 5n);
    assert(findNode(root, "/memory@80000000"));
  });

  it("passes another hart's id, in a0 and in the tree", () => {
    const bootCpuId = (options: Partial<BootOptions>) => {
      const content = named(plan(options), "device tree")?.content;
      assert(content?.kind === "bytes");
      return parseFdt(content.bytes).bootCpuId;
    };
    const { cpu } = plan({ hartid: 3n });
    assert(cpu.arch === "riscv64");
    assertEquals(cpu.a0, 3n);
    assertEquals(bootCpuId({ hartid: 3n }), 3);
    const brought = writeFdt({ ...buildRiscv64Tree(MACHINE), bootCpuId: 1 });
    assertEquals(bootCpuId({ deviceTree: brought }), 1);
    assertEquals(bootCpuId({ deviceTree: brought, hartid: 0n }), 0);
  });

  it("refuses an Image without image_size, which is mandatory", () => {
    const error = refusal({ kernel: image({ imageSize: 0n }) });
    assertEquals([error.code, error.field, error.offset], ["IMAGE_FIELD", "image_size", 0x10]);
  });

  it("refuses a big-endian Image", () => {
    const error = refusal({ kernel: image({ flags: 1n }) });
    assertEquals([error.code, error.field, error.offset], ["IMAGE_BIG_ENDIAN", "flags", 0x18]);
  });

  it("refuses a command line of 1,024 bytes: COMMAND_LINE_SIZE of riscv's setup.h counts the NUL", () => {
    assertEquals(refusal({ cmdline: "x".repeat(1024) }).code, "CMDLINE_TOO_LONG");
    assertEquals(plan({ cmdline: "x".repeat(1023) }).arch, "riscv64");
  });

  it("refuses what does not fit", () => {
    assertEquals(refusal({ initrd: new Uint8Array(65 << 20) }).code, "NO_SPACE");
    assertEquals(refusal({ kernel: image({ imageSize: 1n << 63n }) }).code, "NO_SPACE");
    assertEquals(refusal({ kernel: image({ textOffset: (1n << 64n) - 1n }) }).code, "NO_SPACE");
  });

  it("refuses options of other architectures", () => {
    assertEquals(refusal({ exceptionLevel: 2 }).code, "INVALID_OPTION");
    assertEquals(refusal({ hartid: -1n }).code, "INVALID_OPTION");
    assertEquals(refusal({ deviceTree: undefined }).code, "INVALID_OPTION");
  });
});
