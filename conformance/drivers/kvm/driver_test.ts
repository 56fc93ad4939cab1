import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { planBoot } from "../../../mod.ts";
import { type GuestExit, runGuest } from "../guest_process.ts";
import { judgeVmm, prepareVmmGuest, probe, type VmmState } from "./driver.ts";
import { tinyKernel } from "./instructions.ts";
import { describePlan } from "../../plan_text.ts";
import { decodeJob } from "./job.ts";

const RAM = [{ start: 0n, size: 4n << 20n }];
const OPTIONS = { protocol: "linux64" } as const;
const ENDED: GuestExit = { serial: "", stderr: "", code: 1, timedOut: false, ms: 1 };

/** A directory for the time of a test. */
async function withDirectory(test: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "kvm-driver-"));
  try {
    await test(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function prepare(
  runtime: "deno" | "bun",
  path: string,
  directory: string,
  code: readonly number[],
  interrupts = false,
): string[] {
  const layout = { kernel: tinyKernel(code), options: OPTIONS };
  return prepareVmmGuest({ runtime, path, layout, ram: RAM, interrupts, directory });
}

describe("prepareVmmGuest", () => {
  it("writes a job, and a kernel that is bytes", async () => {
    await withDirectory((directory) => {
      const command = prepare("bun", "/opt/bun", directory, [0x90]);
      assertEquals([command[0], command.at(-1)], ["/opt/bun", join(directory, "job.json")]);
      const job = decodeJob(readFileSync(join(directory, "job.json"), "utf8"));
      assertEquals([job.ram, job.options], [RAM, OPTIONS]);
      assertEquals(new Uint8Array(readFileSync(job.kernel)), tinyKernel([0x90]));
    });
  });

  it("lets Deno write to the guest's directory only", async () => {
    await withDirectory((directory) => {
      const command = prepare("deno", "/opt/deno", directory, []);
      assert(command.includes(`--allow-write=${directory}`));
      assert(!command.some((part) => part === "-A" || part === "--allow-write"));
    });
  });
});

describe("judgeVmm", () => {
  const plan = planBoot({ ram: RAM }, { kernel: tinyKernel([]), ...OPTIONS });
  const written = (directory: string, text: string) =>
    writeFileSync(join(directory, "plan-in-guest.json"), text);

  it("takes the same plan from a guest that ended by itself", async () => {
    await withDirectory((directory) => {
      written(directory, describePlan(plan));
      assertEquals(judgeVmm(directory, plan, ENDED), []);
    });
  });

  it("shows the first line of the plan that differs", async () => {
    await withDirectory((directory) => {
      written(directory, describePlan(plan).replace('"efer": "0x500"', '"efer": "0x100"'));
      const [mismatch, ...others] = judgeVmm(directory, plan, ENDED);
      assertEquals(others, []);
      assertMatch(mismatch.what, /^the plan in the guest's process, line \d+$/);
      assertMatch(`${mismatch.expected} ${mismatch.actual}`, /"efer": "0x500".*"efer": "0x100"/);
    });
  });

  it("does not take a plan that goes on, or none", async () => {
    await withDirectory((directory) => {
      assertEquals(judgeVmm(directory, plan, ENDED).length, 1);
      written(directory, `${describePlan(plan)}\n{}`);
      assertEquals(judgeVmm(directory, plan, ENDED).map(({ actual }) => actual), ["{}"]);
    });
  });

  it("passes on what the monitor complains of", async () => {
    await withDirectory((directory) => {
      written(directory, describePlan(plan));
      const exit = { ...ENDED, stderr: "Cannot go on: the guest halted\n", code: 254 };
      assertEquals(judgeVmm(directory, plan, exit).map(({ actual }) => actual), [
        "Cannot go on: the guest halted",
      ]);
    });
  });
});

/** Guests of a few instructions, really run: in each runtime that is there, where there is a KVM. */
const signal = new AbortController().signal;
for (const runtime of ["deno", "bun"] as const) {
  const state = await probe({ kind: "vmm", runtime, guest: "any" }, signal);
  // What is broken is not skipped: it fails
  const skip = state.state === "missing" && state.reason;
  const { path } = state as Extract<VmmState, { state: "there" }>;
  const run = async (code: readonly number[], timeout: number, interrupts = false) => {
    const exits: GuestExit[] = [];
    await withDirectory(async (directory) => {
      exits.push(
        await runGuest(prepare(runtime, path, directory, code, interrupts), { timeout }),
      );
    });
    return exits[0];
  };

  describe(`guest.ts in ${runtime}`, () => {
    it("ends with twice the value of the debug-exit port, plus one", { skip }, async () => {
      // mov al, 5; out 0xf4, al
      const { code, stderr, serial } = await run([0xb0, 0x05, 0xe6, 0xf4], 60);
      assertEquals([code, stderr, serial], [11, "", ""]);
    });

    it("prints what goes to the serial port", { skip }, async () => {
      // mov dx, 0x3f8; mov al, 'K'; out dx, al
      const { serial } = await run([0x66, 0xba, 0xf8, 0x03, 0xb0, 0x4b, 0xee], 60);
      assertEquals(serial, "K");
    });

    it("ends with 0 after a triple fault", { skip }, async () => {
      const { code, stderr } = await run([0x0f, 0x0b], 60); // ud2
      assertEquals([code, stderr], [0, ""]);
    });

    it("says that a guest halted which nothing can wake", { skip }, async () => {
      const { code, stderr } = await run([0xf4], 60); // hlt
      assertEquals([code, stderr], [254, "Cannot go on: the guest halted\n"]);
    });

    it("is killed at the time limit, though its event loop stands still", { skip }, async () => {
      const { timedOut, ms } = await run([0xeb, 0xfe], 2); // jmp to itself
      assertEquals(timedOut, true);
      assert(ms < 30_000, `${ms} ms`);
    });

    it("starts with interrupt controllers, too", { skip }, async () => {
      const { code } = await run([], 60, true);
      assertEquals(code, 1);
    });

    it("says why it cannot begin", { skip }, async () => {
      await withDirectory(async (directory) => {
        const command = prepare(runtime, path, directory, []);
        writeFileSync(join(directory, "kernel"), "no kernel");
        const { code, stderr } = await runGuest(command, { timeout: 60 });
        assertEquals(code, 255);
        assertMatch(stderr, /LoaderError/);
      });
    });
  });

  describe(`example.ts in ${runtime}`, () => {
    it("boots a kernel", { skip }, async () => {
      await withDirectory(async (directory) => {
        const kernel = join(directory, "kernel");
        writeFileSync(kernel, tinyKernel([0x66, 0xba, 0xf8, 0x03, 0xb0, 0x4b, 0xee]));
        const example = fileURLToPath(new URL("./example.ts", import.meta.url));
        const args = runtime === "deno" ? ["run", "--no-lock", "--allow-ffi", "--allow-read"] : [];
        const { serial, stderr, code } = await runGuest([path, ...args, example, kernel], {
          timeout: 60,
        });
        assertEquals([serial, code], ["K", 0], stderr);
        assertMatch(stderr, /kind: "done"/);
      });
    });
  });
}
