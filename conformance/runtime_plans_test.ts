import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { planBoot } from "../mod.ts";
import { openFile } from "../src/files.ts";
import { RUNTIME_NAMES } from "../scripts/runtimes.ts";
import { Capabilities } from "./capabilities.ts";
import type { BootCase } from "./case.ts";
import { ramRanges } from "./machines.ts";
import { parseOptions } from "./options.ts";
import { RuntimePlans } from "./runtime_plans.ts";
import { selectCases } from "./select.ts";

const args = ["--filter", "qemu-tcg/microvm/x86_64/pvh/probe-elf64/boot"];
const cases = selectCases(parseOptions(args));
const signal = new AbortController().signal;
const capabilities = new Capabilities();

async function planOf({ layout, machine, ramSize }: BootCase, cmdline?: string) {
  const { kernel, options } = await layout(() => "");
  if (kernel instanceof Uint8Array) throw new Error("a file is wanted");
  using file = openFile(kernel.path);
  const changed = cmdline === undefined ? {} : { cmdline };
  return planBoot({ ram: ramRanges(machine, ramSize) }, { ...options, ...changed, kernel: file });
}

describe("RuntimePlans", () => {
  const [test] = cases as readonly BootCase[];

  it("has the same plan from every runtime that is there, and sees another one", async () => {
    const plans = await RuntimePlans.start({ args, cases, capabilities, signal });
    assertEquals(await plans.compare(test, await planOf(test)), []);
    const found = await plans.compare(test, await planOf(test, "console=ttyS1 probe"));
    const names = RUNTIME_NAMES.filter((name) => plans.runtimes.includes(name));
    assertEquals(names.length > 0, true);
    assertEquals(found.map(({ what }) => what.replace(/, line .*/, "")), [
      ...names.map((name) => `the plan in ${name}`),
    ]);
  });

  it("plans nothing, and has no runtimes, for a run without boots", async () => {
    const plans = await RuntimePlans.start({ args, cases: [], capabilities, signal });
    assertEquals([plans.runtimes, await plans.answers("node")], [[], undefined]);
  });

  it("says which runtime failed", async () => {
    const wrong = ["--kernel", "/no/such/kernel", "--expect", "x"];
    const plans = await RuntimePlans.start({ args: wrong, cases, capabilities, signal });
    const [name] = plans.runtimes;
    await assertRejects(() => plans.answers(name), Error, `Cannot plan in ${name}`);
  });
});
