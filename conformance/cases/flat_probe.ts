/** A probe in a flat Image, on one of QEMU's virt machines: what the cases of arm64 and riscv64 share. */
import { readFileSync } from "node:fs";
import { type AddressRange, buildArm64Tree, buildRiscv64Tree, writeFdt } from "../../mod.ts";
import type { Arm64Machine, Riscv64Machine } from "../../mod.ts";
import type { BootCase, LayoutOptions } from "../case.ts";
import { type Machine, machineOptions, ramRanges } from "../machines.ts";
import { judgeArm64Probe } from "../matchers/arm64_probe.ts";
import { judgeRiscv64Probe } from "../matchers/riscv64_probe.ts";
import { guestPath, noise } from "./data.ts";

/** A case, but for what all have in common. */
export interface FlatVariant {
  /** The last part of its id. */
  readonly what: string;
  /** What of the protocol it shows, with the section of the specification. */
  readonly requirement: string;
  /** What the library is asked for beside the machine; {@linkcode PARAMETERS} if not given. */
  readonly options?: LayoutOptions;
  /** RAM in bytes, 64 MiB if not given. */
  readonly ramSize?: bigint;
  /** The parts of it that the plan is made for; all of it if not given. */
  readonly ram?: readonly AddressRange[];
  /** The byte that guest memory is filled with before; fresh memory if not given. */
  readonly dirt?: number;
  /** Makes the kernel from the probe. */
  readonly bend?: (image: Uint8Array<ArrayBuffer>) => Uint8Array | Promise<Uint8Array>;
  /** Replaces the machine. */
  readonly machine?: Machine;
}

/** A command line and an initrd. */
export const PARAMETERS: LayoutOptions = {
  cmdline: "console=ttyS0 probe",
  initrd: noise(40_000, 1),
};

/** RAM, unless a case says otherwise. */
export const RAM_SIZE = 64n << 20n;

/**
 * The probe's file.
 *
 * @param arch Its architecture.
 * @returns A copy.
 */
export function readProbe(arch: string): Uint8Array<ArrayBuffer> {
  const file = arch === "riscv64" ? "probe-image.riscv64" : "probe-image.aarch64";
  return new Uint8Array(readFileSync(guestPath(file)));
}

/**
 * Makes a case.
 *
 * @param usual The machine, if the variant has none.
 * @param variant What is particular.
 * @returns The case.
 */
export function flatProbe(usual: Machine, variant: FlatVariant): BootCase {
  const { what, requirement, options = PARAMETERS, ramSize = RAM_SIZE, bend, dirt } = variant;
  const { machine = usual } = variant;
  const { arch } = machine;
  const ram = variant.ram ?? ramRanges(machine, ramSize);
  return {
    kind: "boot",
    id: {
      driver: "qemu-tcg",
      machine: machine.name,
      arch,
      protocol: arch === "riscv64" ? "riscv64" : "arm64",
      kernel: "probe-image",
      what,
    },
    needs: [{ kind: "qemu", arch }],
    machine,
    ramSize,
    ram,
    layout: async () => ({
      kernel: bend ? await bend(readProbe(arch)) : readProbe(arch),
      options: { ...machineOptions(machine, ram), ...options },
      dirt,
    }),
    requirement,
    judge: arch === "riscv64" ? judgeRiscv64Probe : judgeArm64Probe,
    timeout: 30,
  };
}

/**
 * A tree as a caller may bring one: with a stale command line, initrd and memory to be replaced.
 *
 * @param machine What it describes.
 * @returns Its bytes.
 */
export function broughtTree({ deviceTree }: Machine): Uint8Array {
  const tree = deviceTree && "plic" in deviceTree
    ? buildRiscv64Tree(deviceTree as Riscv64Machine)
    : buildArm64Tree(deviceTree as Arm64Machine);
  const text = (value: string) => new TextEncoder().encode(`${value}\0`);
  tree.root.children.push({
    name: "chosen",
    properties: [
      { name: "bootargs", value: text("stale") },
      { name: "linux,initrd-start", value: new Uint8Array(8).fill(1) },
      { name: "linux,initrd-end", value: new Uint8Array(8).fill(2) },
    ],
    children: [],
  }, {
    name: "memory@1000",
    properties: [
      { name: "device_type", value: text("memory") },
      { name: "reg", value: new Uint8Array(16).fill(3) },
    ],
    children: [],
  });
  return writeFdt(tree);
}

/**
 * Writes a field of an Image's header.
 *
 * @param fields What to write, by the fields' names.
 * @returns Bends an Image.
 */
export function withHeader(
  fields: { readonly textOffset?: bigint; readonly imageSize?: bigint },
): (image: Uint8Array<ArrayBuffer>) => Uint8Array {
  return (image) => {
    const view = new DataView(image.buffer);
    // booting.rst and boot-image-header.rst agree on these
    if (fields.textOffset !== undefined) view.setBigUint64(0x08, fields.textOffset, true);
    if (fields.imageSize !== undefined) view.setBigUint64(0x10, fields.imageSize, true);
    return image;
  };
}
