/**
 * Says what /dev/kvm is good for, as seen from the runtime that this runs in: a line of JSON on standard
 * output, {@linkcode KvmReport}.
 */
import process from "node:process";
import { bootLinux, type CpuState, GuestMemory } from "../../../mod.ts";
import { Ports, Serial } from "./devices.ts";
import { INSTRUCTIONS, RESET_PAGE, resetPage, tinyKernel } from "./instructions.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { mapRam, type RamMapping, type Stop, VirtualMachine } from "./vmm.ts";

/** What was found. */
export interface KvmReport {
  /** The runtime and its version. */
  readonly version: string;
  /** The names of the instructions that do not work in a guest's kernel mode. */
  readonly lacks: readonly string[];
  /** What is wrong, if something is. */
  readonly problem?: {
    /** Who is to blame: the runtime's FFI, the KVM, or the library, whose CPU state it does not take. */
    readonly with: "ffi" | "kvm" | "library";
    /** What it is. */
    readonly reason: string;
  };
}

const RAM = [{ start: 0n, size: 4n << 20n }];

/** Runs a tiny guest; it works if it reaches its end. */
function run(libc: Libc, ram: readonly RamMapping[], cpu?: CpuState): Stop {
  const machine = new VirtualMachine(libc, ram);
  try {
    if (cpu !== undefined) machine.setCpu(cpu);
    const ports = new Ports(new Serial(() => {}));
    return machine.run(ports, () => ports.exitValue !== undefined);
  } finally {
    machine.close();
    ram.forEach((mapping) => libc.unmap(mapping));
  }
}

/** A CPU just after reset: nothing of the library has a part in that. */
function runFromReset(libc: Libc): Stop {
  const ram = mapRam(libc, [RESET_PAGE]);
  ram[0].bytes.set(resetPage());
  return run(libc, ram);
}

function runInstructions(libc: Libc, code: readonly number[]): Stop {
  const ram = mapRam(libc, RAM);
  const kernel = tinyKernel(code);
  const plan = bootLinux(GuestMemory.of(ram), { kernel, protocol: "linux64", fresh: true });
  return run(libc, ram, plan.cpu);
}

async function report(): Promise<KvmReport> {
  const { deno, bun } = process.versions;
  const version = deno === undefined ? `bun ${bun}` : `deno ${deno}`;
  let blamed: "ffi" | "kvm" | "library" = "ffi";
  try {
    const libc = await loadLibc();
    blamed = "kvm";
    expectEnd(runFromReset(libc));
    blamed = "library";
    expectEnd(runInstructions(libc, []));
    const names = Object.keys(INSTRUCTIONS);
    const lacks = names.filter((name) => runInstructions(libc, INSTRUCTIONS[name]).kind !== "done");
    return { version, lacks };
  } catch (error) {
    return { version, lacks: [], problem: { with: blamed, reason: (error as Error).message } };
  }
}

function expectEnd(stop: Stop): void {
  if (stop.kind === "done") return;
  const why = stop.kind === "error" ? stop.reason : `it ends with a ${stop.kind}`;
  throw new Error(`Cannot run the tiniest guest: ${why}`);
}

console.log(JSON.stringify(await report()));
