/**
 * One guest in a process of its own: boots what a job file says, and prints what the guest prints.
 * It runs in Deno and in Bun, and is the whole of a small virtual machine monitor:
 *
 *     deno run --allow-ffi --allow-read --allow-write guest.ts JOB
 *     bun guest.ts JOB
 *
 * Exit code: 2n + 1 for n written to the debug-exit port, as QEMU has it; 0 for a reset; 254 if KVM
 * cannot go on, 255 if the guest was not even begun. The last two say why on standard error.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { bootLinux, GuestMemory } from "../../../mod.ts";
import { openFile } from "../../../src/files.ts";
import { COM1_INTERRUPT, LineWriter, Ports, Serial } from "./devices.ts";
import { describePlan } from "../../plan_text.ts";
import { decodeJob, type Job } from "./job.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { mapRam, VirtualMachine } from "./vmm.ts";

const STDOUT = 1;
const CANNOT_GO_ON = 254;
const NOT_BEGUN = 255;

function boot(libc: Libc, job: Job): number {
  // Guest RAM is mapped once; the library writes to the mapping, and the guest runs in it.
  const ram = mapRam(libc, job.ram);
  if (job.dirt !== undefined) { for (const { bytes } of ram) bytes.fill(job.dirt); }
  using kernel = openFile(job.kernel);
  const fresh = job.dirt === undefined;
  const plan = bootLinux(GuestMemory.of(ram), { ...job.options, kernel, fresh });
  writeFileSync(job.planFile, describePlan(plan));

  const machine = new VirtualMachine(libc, ram, { interrupts: job.interrupts });
  machine.setCpu(plan.cpu);
  const output = new LineWriter(STDOUT);
  const serial = new Serial(
    (byte) => output.push(byte),
    (level) => job.interrupts && machine.setInterrupt(COM1_INTERRUPT, level),
  );
  const ports = new Ports(serial);
  const stop = machine.run(ports, () => ports.exitValue !== undefined);
  output.flush();
  machine.close();
  if (stop.kind === "done") return ports.exitValue! * 2 + 1 & 0xff;
  if (stop.kind === "reset") return 0;
  console.error(`Cannot go on: ${stop.kind === "halt" ? "the guest halted" : stop.reason}`);
  return CANNOT_GO_ON;
}

try {
  const job = decodeJob(readFileSync(process.argv[2], "utf8"));
  process.exitCode = boot(await loadLibc(), job);
} catch (error) {
  console.error((error as Error).stack);
  process.exitCode = NOT_BEGUN;
}
