import fc from "fast-check";
import * as lib from "../mod.ts";
import { arm64Boots, bzImageBoots, elfBoots, riscv64Boots } from "./arbitraries/boots.ts";
import { plan } from "./boot_run.ts";
for (const [name, arb] of Object.entries({ elfBoots, bzImageBoots, arm64Boots, riscv64Boots })) {
  const counts: Record<string, number> = {};
  for (const boot of fc.sample(arb as fc.Arbitrary<any>, { numRuns: 2000, seed: 5 })) {
    let k: string;
    try {
      const r = plan(lib, boot as any);
      k = r.refused?.code ?? "PLAN " + r.value!.protocol;
    } catch (e) {
      k = "!" + (e as Error).message.slice(0, 150);
    }
    counts[k] = (counts[k] ?? 0) + 1;
  }
  console.log(
    name,
    Object.entries(counts).sort((a, b) => b[1] - a[1]).map(([k, v]) => `${k}:${v}`).join(" "),
  );
}
