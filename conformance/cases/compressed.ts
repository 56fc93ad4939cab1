/** The probe on aarch64, unwrapped from what Images are shipped in, and what must not be unwrapped. */
import { readFileSync } from "node:fs";
import { unwrapKernel } from "../../src/compressed/mod.ts";
import type { BootCase, Case, RefusalCase } from "../case.ts";
import { MACHINES } from "../machines.ts";
import { judgeArm64Probe } from "../matchers/arm64_probe.ts";
import { pack, type Packing, wrapInZboot } from "../packers.ts";
import { guestPath, noise } from "./data.ts";

const machine = MACHINES.virt;
const RAM = 64n << 20n;
const OPTIONS = {
  deviceTree: machine.deviceTree,
  reservations: machine.reservations,
  cmdline: "console=ttyAMA0 probe",
  initrd: noise(40_000, 1),
};

const WRAPPERS: { readonly [what: string]: (image: Uint8Array) => Uint8Array } = {
  ...Object.fromEntries(
    (["gzip", "xz", "zstd"] satisfies Packing[]).flatMap((packing) => [
      [`image-${packing}`, (image: Uint8Array) => pack(image, packing)],
      [`zboot-${packing}`, (image: Uint8Array) => wrapInZboot(image, packing)],
    ]),
  ),
  "zboot-zstd-in-gzip": (image) => pack(wrapInZboot(image, "zstd"), "gzip"),
};

const probe = () => new Uint8Array(readFileSync(guestPath("probe-image.aarch64")));

async function unwrap(file: Uint8Array): Promise<Uint8Array> {
  const { bytes } = await unwrapKernel(file, { maxSize: Number(RAM) });
  if (bytes === undefined) throw new Error("Cannot unwrap the probe: there is nothing in it");
  return bytes;
}

const BOOTS = Object.entries(WRAPPERS).map(([what, wrap]): BootCase => ({
  kind: "boot",
  id: {
    driver: "qemu-tcg",
    machine: machine.name,
    arch: "aarch64",
    protocol: "arm64",
    kernel: "probe-image",
    what,
  },
  needs: [{ kind: "qemu", arch: "aarch64" }],
  machine,
  ramSize: RAM,
  requirement: `booting.rst, "3. Decompress the kernel image": the loader decompresses: ${what}`,
  layout: async () => ({ kernel: await unwrap(wrap(probe())), options: OPTIONS }),
  judge: judgeArm64Probe,
  timeout: 30,
}));

/** What is compressed is not booted by accident: it is to be unwrapped first. */
const REFUSALS = Object.entries(WRAPPERS).map(([what, wrap]): RefusalCase => ({
  kind: "refusal",
  id: {
    driver: "none",
    machine: "-",
    arch: "aarch64",
    protocol: "arm64",
    kernel: "probe-image",
    what: `refusal-${what}`,
  },
  needs: [],
  requirement:
    'booting.rst, "3. Decompress the kernel image": what is compressed is not entered as it is',
  code: "UNSUPPORTED_FORMAT",
  ram: [{ start: machine.ramStart, size: RAM }],
  layout: () => ({ kernel: wrap(probe()), options: OPTIONS }),
}));

/** Every case with a compressed kernel, but for Debian's own. */
export const COMPRESSED: readonly Case[] = [...BOOTS, ...REFUSALS];
