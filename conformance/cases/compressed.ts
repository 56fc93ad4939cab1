/** The probe on aarch64, unwrapped from what Images are shipped in, and what must not be unwrapped. */
import { unwrapKernel } from "../../src/compressed/mod.ts";
import type { Case, RefusalCase } from "../case.ts";
import { machineOptions, MACHINES, ramRanges } from "../machines.ts";
import { pack, type Packing, wrapInZboot } from "../packers.ts";
import { flatProbe, PARAMETERS, RAM_SIZE, readProbe } from "./flat_probe.ts";

const machine = MACHINES.virt;
const RAM = ramRanges(machine, RAM_SIZE);

const WRAPPERS: { readonly [what: string]: (image: Uint8Array) => Uint8Array } = {
  ...Object.fromEntries(
    (["gzip", "xz", "zstd"] satisfies Packing[]).flatMap((packing) => [
      [`image-${packing}`, (image: Uint8Array) => pack(image, packing)],
      [`zboot-${packing}`, (image: Uint8Array) => wrapInZboot(image, packing)],
    ]),
  ),
  "zboot-zstd-in-gzip": (image) => pack(wrapInZboot(image, "zstd"), "gzip"),
};

async function unwrap(file: Uint8Array): Promise<Uint8Array> {
  const { bytes } = await unwrapKernel(file, { maxSize: Number(RAM_SIZE) });
  if (bytes === undefined) throw new Error("Cannot unwrap the probe: there is nothing in it");
  return bytes;
}

const BOOTS = Object.entries(WRAPPERS).map(([what, wrap]) =>
  flatProbe(machine, {
    what,
    requirement: `booting.rst, "3. Decompress the kernel image": the loader decompresses: ${what}`,
    bend: (probe) => unwrap(wrap(probe)),
  })
);

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
  ram: RAM,
  layout: () => ({
    kernel: wrap(readProbe("aarch64")),
    options: { ...machineOptions(machine, RAM), ...PARAMETERS },
  }),
}));

/** Every case with a compressed kernel, but for Debian's own. */
export const COMPRESSED: readonly Case[] = [...BOOTS, ...REFUSALS];
