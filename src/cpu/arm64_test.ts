import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { arm64CpuState } from "./arm64.ts";

describe("arm64CpuState", () => {
  it("is what booting.rst asks for: x0 the device tree, x1 to x3 zero, DAIF masked", () => {
    assertEquals(arm64CpuState({ pc: 0x40200000n, dtb: 0x48000000n, el: 1 }), {
      arch: "aarch64",
      pc: 0x40200000n,
      el: 1,
      pstate: 0x3c5n, // D, A, I, F; EL1h
      x0: 0x48000000n,
      x1: 0n,
      x2: 0n,
      x3: 0n,
    });
    assertEquals(arm64CpuState({ pc: 0n, dtb: 0n, el: 2 }).pstate, 0x3c9n); // EL2h
  });
});
