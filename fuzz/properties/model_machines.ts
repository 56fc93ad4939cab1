import fc from "fast-check";
import { machines, riscvMachines } from "../arbitraries/device_machines.ts";
import { judge } from "../judge.ts";
import { arm64Faults, isArm64Machine, isRiscv64Machine, riscv64Faults } from "../model/machines.ts";
import { property, requireNone, Violation } from "../property.ts";

export default property({
  name: "model-machines",
  says: "a machine's device tree says what the bindings want, and what is no machine is refused",
  inputs: fc.record({ arm64: machines, riscv64: riscvMachines }),
  share: 3,
  check({ arm64, riscv64 }, { buildArm64Tree, buildRiscv64Tree }) {
    const arm = judge(0, () => buildArm64Tree(arm64));
    if ((arm.value !== undefined) !== isArm64Machine(arm64)) {
      throw new Violation(
        `an arm64 machine is${arm.value ? " not" : ""} refused`,
        arm.refused?.message,
      );
    }
    const riscv = judge(0, () => buildRiscv64Tree(riscv64));
    if ((riscv.value !== undefined) !== isRiscv64Machine(riscv64)) {
      const what = `a riscv64 machine is${riscv.value ? " not" : ""} refused`;
      throw new Violation(what, riscv.refused?.message);
    }
    requireNone("a machine's tree is wrong", [
      ...arm.value ? arm64Faults(arm64, arm.value) : [],
      ...riscv.value ? riscv64Faults(riscv64, riscv.value) : [],
    ]);
  },
});
