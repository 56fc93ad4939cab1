import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import type { Arm64Machine } from "../params/arm64_machine.ts";
import { buildArm64Tree } from "../params/arm64_tree.ts";
import { baseTree } from "./flat_guest.ts";

const MACHINE: Arm64Machine = {
  cpus: 1,
  psci: "hvc",
  gic: {
    version: 2,
    distributor: { start: 0x0800_0000n, size: 0x1_0000n },
    cpuInterface: { start: 0x0801_0000n, size: 0x1_0000n },
  },
};

describe("baseTree", () => {
  it("builds the tree of a machine", () => {
    const { root } = baseTree(MACHINE, "gic", buildArm64Tree);
    assertEquals(root.children.some(({ name }) => name === "psci"), true);
  });

  it("refuses a machine of another architecture: the file says which one it is for", () => {
    const other = { cpus: 1, plic: {} } as unknown as Arm64Machine;
    assertEquals(refusal(() => baseTree(other, "gic", buildArm64Tree)), {
      code: "INVALID_OPTION",
      field: "deviceTree",
    });
    assertEquals(refusal(() => baseTree(undefined, "gic", buildArm64Tree)).code, "INVALID_OPTION");
  });
});
