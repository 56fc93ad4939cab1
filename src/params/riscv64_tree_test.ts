import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { VIRT_RISCV64 } from "../../fuzz/arbitraries/virt.ts";
import { LoaderError } from "../errors.ts";
import { writeFdt } from "../formats/fdt_write.ts";
import { findNode, getProperty } from "./device_tree.ts";
import type { Riscv64Machine } from "./riscv64_machine.ts";
import { buildRiscv64Tree } from "./riscv64_tree.ts";

const MACHINE: Riscv64Machine = {
  ...VIRT_RISCV64,
  cpus: 2,
  virtioMmio: [{ address: 0x1000_1000n, irq: 1 }],
};

function cells(path: string, property: string, machine = MACHINE): number[] {
  const node = findNode(buildRiscv64Tree(machine).root, path);
  const value = node && getProperty(node, property);
  assert(value, `${path}/${property}`);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i));
}

const hasDtc = spawnSync("dtc", ["--version"]).status === 0;

describe("buildRiscv64Tree", () => {
  it("connects the PLIC to the machine and supervisor external interrupt of each hart", () => {
    const [hart0] = cells("/cpus/cpu@0/interrupt-controller", "phandle");
    const [hart1] = cells("/cpus/cpu@1/interrupt-controller", "phandle");
    // Privileged ISA, mcause: 11 is machine external, 9 supervisor external
    const expected = [hart0, 11, hart0, 9, hart1, 11, hart1, 9];
    assertEquals(cells("/interrupt-controller@c000000", "interrupts-extended"), expected);
    assertEquals(cells("/interrupt-controller@c000000", "riscv,ndev"), [95]);
    // 3 is machine software, 7 machine timer
    assertEquals(cells("/clint@2000000", "interrupts-extended"), [
      hart0,
      3,
      hart0,
      7,
      hart1,
      3,
      hart1,
      7,
    ]);
  });

  it("connects devices to the PLIC", () => {
    const [plic] = cells("/interrupt-controller@c000000", "phandle");
    assertEquals(cells("/serial@10000000", "interrupt-parent"), [plic]);
    assertEquals(cells("/serial@10000000", "interrupts"), [10]);
    assertEquals(cells("/virtio_mmio@10001000", "interrupts"), [1]);
    assertEquals(cells("/cpus", "timebase-frequency"), [10_000_000]);
  });

  it("is a tree that dtc reads without a complaint", {
    skip: hasDtc ? false : "dtc is not installed",
  }, () => {
    const { status, stderr, stdout } = spawnSync("dtc", ["-I", "dtb", "-O", "dts"], {
      input: writeFdt(buildRiscv64Tree(MACHINE)),
    });
    assertEquals(status, 0, `${stderr}`);
    assertStringIncludes(`${stdout}`, 'mmu-type = "riscv,sv39"');
  });

  for (
    const [what, bend] of [
      ["no harts", { cpus: 0 }],
      ["too many harts", { cpus: 513 }],
      ["an interrupt that the PLIC has not", { uart: { address: 0x1000_0000n, irq: 96 } }],
      ["devices that overlap", { uart: { address: 0x0c00_0000n, irq: 1 } }],
      ["an unknown translation", { mmu: "sv32" as "sv39" }],
    ] as const
  ) {
    it(`refuses ${what}`, () => {
      const error = assertThrows(() => buildRiscv64Tree({ ...MACHINE, ...bend }), LoaderError);
      assertEquals(error.code, "INVALID_OPTION");
    });
  }
});
