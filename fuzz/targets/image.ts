import { GuestMemory, parseArm64Image, parseRiscv64Image, PE } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";

const memory = GuestMemory.of([{ start: 0x80000n, bytes: new Uint8Array(1 << 16) }]);

/** Reads any bytes as an Image of either architecture, and loads it. */
export function fuzz(data: Uint8Array): void {
  judge(data.length, () => parseArm64Image(sourceWith(data)));
  judge(data.length, () => parseRiscv64Image(sourceWith(data)));
  judge(data.length, () => PE.load(memory, data, { arch: "aarch64" }));
  judge(data.length, () => PE.load(memory, data, { arch: "riscv64" }));
}
