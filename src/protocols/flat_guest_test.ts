import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { VIRT_ARM64 } from "../../fuzz/arbitraries/virt.ts";
import type { Arm64Machine } from "../params/arm64_machine.ts";
import { buildArm64Tree } from "../params/arm64_tree.ts";
import { baseTree } from "./flat_guest.ts";

describe("baseTree", () => {
  it("builds the tree of a machine", () => {
    const { root } = baseTree<Arm64Machine>(VIRT_ARM64, "gic", buildArm64Tree);
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
