/** Probe guests on x86_64: what the 64-bit Linux protocol and PVH promise, seen from inside. */
import type { BootCase, LayoutOptions } from "../case.ts";
import { type Machine, MACHINES } from "../machines.ts";
import { judgeX86Probe } from "../matchers/x86_probe.ts";
import { guestPath, noise } from "./data.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;

/** The committed guests, by their names in ids. */
const GUESTS = {
  "probe-elf64": "probe-elf64.x86_64",
  "probe-bzimage": "probe-bzimage.x86_64",
} as const;

/** A way to enter a guest. */
interface Entry {
  readonly kernel: keyof typeof GUESTS;
  readonly protocol: "linux64" | "pvh";
}

const PVH: Entry = { kernel: "probe-elf64", protocol: "pvh" };
const VMLINUX: Entry = { kernel: "probe-elf64", protocol: "linux64" };
const BZIMAGE: Entry = { kernel: "probe-bzimage", protocol: "linux64" };
const ALL: readonly Entry[] = [PVH, VMLINUX, BZIMAGE];

/** Something to show, and the entries that it applies to. */
interface Variant {
  readonly what: string;
  readonly entries: readonly Entry[];
  readonly options: LayoutOptions;
  readonly ramSize?: bigint;
  readonly dirt?: number;
  /** Where it runs; the microvm if not given. */
  readonly machines?: readonly Machine[];
  /** Whether it runs under KVM, too. */
  readonly kvm?: boolean;
}

const INITRD = noise(40_000, 1);
const BASE: LayoutOptions = { cmdline: "console=ttyS0 probe", initrd: INITRD };
const DEFAULT_RAM = 64n * MIB;
const { microvm, pc, q35 } = MACHINES;

const VARIANTS: readonly Variant[] = [
  { what: "boot", entries: ALL, options: BASE, machines: [microvm, pc, q35], kvm: true },
  { what: "no-initrd", entries: ALL, options: {} },
  // boot.rst, "cmdline_size"; arch/x86/include/asm/setup.h, COMMAND_LINE_SIZE
  { what: "cmdline-limit", entries: ALL, options: { ...BASE, cmdline: "x".repeat(2047) } },
  { what: "bss-dirty", entries: ALL, options: BASE, dirt: 0xa5, kvm: true },
  // The probe lies at 16 MiB: with 18 MiB there is room for it and little else
  { what: "min-ram", entries: [PVH, VMLINUX], options: BASE, ramSize: 18n * MIB },
  {
    what: "low-memory-reserved",
    entries: ALL,
    options: { ...BASE, reservations: [{ name: "monitor", start: 0n, size: 0x3_0000n }] },
  },
  {
    what: "reservation-types",
    entries: ALL,
    options: {
      ...BASE,
      reservations: [
        { name: "acpi tables", start: 63n * MIB, size: 0x1_0000n, type: "acpi" },
        { name: "acpi nvs", start: 63n * MIB + 0x1_0000n, size: 0x1000n, type: "nvs" },
        { name: "bad memory", start: 40n * MIB + 0x123n, size: 0x777n, type: "unusable" },
      ],
      memoryMap: [{ start: 0xfeb0_0000n, size: 0x1000n, type: "reserved" }],
    },
  },
  { what: "initrd-address", entries: ALL, options: { ...BASE, initrdAddress: 32n * MIB } },
  // boot.rst, "initrd_addr_max" is inclusive: the last page below 2 GiB
  { what: "initrd-at-addr-max", entries: [BZIMAGE], options: BASE, ramSize: 5n * GIB / 2n },
  {
    what: "initrd-high",
    entries: [PVH, VMLINUX, BZIMAGE],
    options: { ...BASE, initrdPlacement: "high" },
    ramSize: 5n * GIB,
    machines: [microvm, q35],
  },
  { what: "rsdp", entries: ALL, options: { ...BASE, rsdp: 0xf_0000n } },
  {
    what: "setup-data",
    entries: [VMLINUX, BZIMAGE],
    options: {
      ...BASE,
      // bootparam.h: SETUP_RNG_SEED 9, SETUP_DTB 2
      setupData: [{ type: 9, data: noise(32, 2) }, { type: 2, data: noise(333, 3) }],
    },
  },
  {
    what: "e820-overflow",
    entries: ALL,
    options: {
      ...BASE,
      reservations: Array.from({ length: 100 }, (_, i) => ({
        name: `reservation ${i}`,
        start: 32n * MIB + BigInt(i) * 0x2000n,
        size: 0x1000n,
      })),
    },
  },
  {
    what: "modules",
    entries: [PVH],
    options: {
      ...BASE,
      modules: [
        { source: noise(5000, 4), cmdline: "first module" },
        { source: noise(1, 5) },
      ],
    },
  },
  { what: "kernel-address", entries: [BZIMAGE], options: { ...BASE, kernelAddress: 34n * MIB } },
  {
    what: "kernel-above-4g",
    entries: [BZIMAGE],
    options: { ...BASE, kernelAddress: 4n * GIB + 2n * MIB },
    ramSize: 5n * GIB,
  },
];

/** Every probe case on x86_64. */
export const X86_PROBES: readonly BootCase[] = VARIANTS.flatMap((variant) =>
  variant.entries.flatMap((entry) => [
    ...(variant.machines ?? [microvm]).map((machine) =>
      probeCase("qemu-tcg", machine, entry, variant)
    ),
    ...(variant.kvm ? [probeCase("qemu-kvm", microvm, entry, variant)] : []),
  ])
);

function probeCase(
  driver: "qemu-tcg" | "qemu-kvm",
  machine: Machine,
  { kernel, protocol }: Entry,
  variant: Variant,
): BootCase {
  return {
    kind: "boot",
    id: { driver, machine: machine.name, arch: "x86_64", protocol, kernel, what: variant.what },
    needs: [
      { kind: "qemu", arch: "x86_64" },
      ...(driver === "qemu-kvm" ? [{ kind: "kvm" } as const] : []),
    ],
    machine,
    ramSize: variant.ramSize ?? DEFAULT_RAM,
    layout: () => ({
      kernel: { path: guestPath(GUESTS[kernel]) },
      options: { ...variant.options, protocol },
      dirt: variant.dirt,
    }),
    judge: judgeX86Probe,
    timeout: 30,
  };
}
