import { GuestMemory, parseArm64Image, parseRiscv64Image, PE } from "../../mod.ts";
import { judge } from "../judge.ts";
import { sourceWith } from "../faulty_source.ts";
import { imageOf } from "../model/parsed_flat.ts";
import { reading, requireSaid } from "../model/said.ts";

const memory = GuestMemory.of([{ start: 0x80000n, bytes: new Uint8Array(1 << 16) }]);

/** Reads any bytes as an Image of either architecture, as the model does, and loads it. */
export function fuzz(data: Uint8Array): void {
  const arm64 = judge(data.length, () => parseArm64Image(sourceWith(data)));
  requireSaid(arm64, reading(() => imageOf(data, "arm64")));
  const riscv64 = judge(data.length, () => parseRiscv64Image(sourceWith(data)));
  requireSaid(riscv64, reading(() => imageOf(data, "riscv64")));
  judge(data.length, () => PE.load(memory, data, { arch: "aarch64" }));
  judge(data.length, () => PE.load(memory, data, { arch: "riscv64" }));
}
