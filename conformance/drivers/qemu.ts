/** Boots what a plan put into guest memory in QEMU, without QEMU's own kernel loader. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BootPlan, CpuState, GuestMemory } from "../../mod.ts";
import { type Machine, ramRanges } from "../machines.ts";
import type { Accelerator } from "../case.ts";
import { monitorArguments } from "./accelerator.ts";
import { buildArm64Stub } from "./arm64_stub.ts";
import { writeRamFile } from "./ram_file.ts";
import {
  BARE_STUB_ADDRESS,
  buildBareStub,
  buildOpensbiStub,
  OPENSBI_STUB_ADDRESS,
} from "./riscv64_stub.ts";
import { buildX86Stub } from "./x86_stub.ts";

/**
 * Up to this size all that the library was told of is handed over, with what it may have written
 * outside its plan; of more only what was planned.
 */
const MAX_SCANNED = 1n << 30n;

/** A guest to boot. */
export interface QemuGuest {
  /** The machine. */
  readonly machine: Machine;
  /** The accelerator; there is never a second choice. */
  readonly accelerator: Accelerator;
  /** RAM in bytes; QEMU may be given more. */
  readonly ramSize: bigint;
  /** The plan, for the CPU's state. */
  readonly plan: BootPlan;
  /** What the plan was applied to. */
  readonly memory: GuestMemory;
  /** Additional arguments. */
  readonly args?: readonly string[];
  /** Where its files go: RAM, the stub, and what the monitor is asked and answers. */
  readonly directory: string;
}

/** A guest that QEMU itself is to load. */
export interface OwnLoaderGuest {
  /** The machine. */
  readonly machine: Machine;
  /** The accelerator. */
  readonly accelerator: Accelerator;
  /** RAM in bytes. */
  readonly ramSize: bigint;
  /** The kernel's file. */
  readonly kernel: string;
  /** The initrd's file. */
  readonly initrd?: string;
  /** The command line. */
  readonly cmdline: string;
  /** arm64: the exception level, 1 if not given. */
  readonly exceptionLevel?: 1 | 2;
  /** Where the files go that the monitor is asked by. */
  readonly directory: string;
}

/**
 * How QEMU's own loader boots a guest.
 *
 * @param guest The guest.
 * @returns The command.
 */
export function ownLoaderCommand(guest: OwnLoaderGuest): string[] {
  const { machine, accelerator, ramSize, kernel, initrd, cmdline, directory } = guest;
  return [
    ...machineArguments(machine, accelerator, ramSize, guest.exceptionLevel, ""),
    ...["-kernel", kernel],
    ...(initrd === undefined ? [] : ["-initrd", initrd]),
    ...["-append", cmdline],
    ...deviceArguments(machine, directory),
  ];
}

/**
 * Writes the files of a guest.
 *
 * @param guest The guest.
 * @returns The command that boots it, as often as one likes: RAM and stub are only read.
 */
export function prepareGuest(guest: QemuGuest): string[] {
  const { machine, plan, directory } = guest;
  const { leastRam = 0n } = machine;
  const ramSize = guest.ramSize > leastRam ? guest.ramSize : leastRam;
  const ram = join(directory, "ram");
  const stub = join(directory, "stub.bin");
  const held = guest.memory.ram.reduce((sum, { size }) => sum + size, 0n);
  const written = held > MAX_SCANNED ? plan.placements : guest.memory.ram;
  writeRamFile(ram, guest.memory, ramRanges(machine, ramSize), written);
  writeFileSync(stub, buildStub(plan.cpu, machine));
  const el = plan.cpu.arch === "aarch64" ? plan.cpu.el : undefined;
  return [
    ...machineArguments(machine, guest.accelerator, ramSize, el, ",memory-backend=ram"),
    // share=off: what the guest writes does not reach the file.
    ...["-object", `memory-backend-file,id=ram,size=${ramSize},mem-path=${ram},share=off`],
    ...startArguments(machine, stub),
    ...deviceArguments(machine, directory),
    ...(guest.args ?? []),
  ];
}

function machineArguments(
  { arch, type, cpu, bootHart = 0 }: Machine,
  accelerator: Accelerator,
  ramSize: bigint,
  exceptionLevel: 1 | 2 | undefined,
  backend: string,
): string[] {
  const el2 = exceptionLevel === 2 ? ",virtualization=on" : "";
  return [
    `qemu-system-${arch}`,
    ...["-M", `${type}${el2}${backend}`],
    ...["-accel", accelerator],
    ...(cpu ? ["-cpu", cpu] : []),
    ...["-smp", `${bootHart + 1}`, "-m", `${ramSize >> 20n}M`],
  ];
}

function deviceArguments({ arch }: Machine, directory: string): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...["-serial", "stdio", "-monitor", "none", "-no-reboot"],
    ...monitorArguments(directory),
    ...(arch === "x86_64" ? ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"] : []),
  ];
}

function buildStub(cpu: CpuState, { firmware, bootHart = 0 }: Machine): Uint8Array {
  switch (cpu.arch) {
    case "x86_64":
      return buildX86Stub(cpu);
    case "aarch64":
      return buildArm64Stub(cpu);
    case "riscv64":
      return firmware === "opensbi" ? buildOpensbiStub(cpu) : buildBareStub(cpu, bootHart);
    default:
      return cpu satisfies never;
  }
}

/** Where the CPUs start: in the stub. */
function startArguments({ arch, firmware, bootHart = 0 }: Machine, stub: string): string[] {
  if (arch !== "riscv64") return ["-bios", stub];
  const isBare = firmware === undefined;
  const address = `0x${(isBare ? BARE_STUB_ADDRESS : OPENSBI_STUB_ADDRESS).toString(16)}`;
  return [
    // OpenSBI is of QEMU's own data directory
    ...["-bios", isBare ? "none" : "opensbi-riscv64-generic-fw_dynamic.bin"],
    ...["-device", `loader,file=${stub},addr=${address},force-raw=on,cpu-num=0`],
    ...Array.from({ length: bootHart }, (_, i) => [
      "-device",
      `loader,addr=${address},cpu-num=${i + 1}`,
    ]).flat(),
  ];
}
