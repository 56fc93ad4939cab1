/**
 * What a whole boot must come to: refused with one of some codes, or these bytes at these addresses.
 * Written from the protocols' documents and from what the library documents as its defaults; it
 * shares no code with it.
 *
 * @module
 */
import type { BootCase } from "../arbitraries/boots.ts";
import { checkBzImage, has64BitEntry } from "./bzimage.ts";
import { type ElfFile, pvhDescriptor, readElf } from "./elf.ts";
import type { Expected } from "./expected.ts";
import { expectFlat } from "./flat.ts";
import { look, need, Refusal } from "./verdict.ts";
import { expectLinux, expectPvh } from "./x86.ts";

/** A boot that goes well, or does not. */
export type Verdict = { readonly expected: Expected } | { readonly refused: readonly string[] };

/**
 * Judges a boot.
 *
 * @param boot The case: its RAM is a layout.
 * @returns What must come of it.
 */
export function verdictOn(boot: BootCase): Verdict {
  try {
    return { expected: expect(boot) };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.codes };
    throw error;
  }
}

/** Which options only some protocols take. */
const TAKERS: Readonly<Record<string, readonly string[]>> = {
  initrdPlacement: ["linux64", "linux32", "pvh"],
  rsdp: ["linux64", "linux32", "pvh"],
  setupData: ["linux64", "linux32"],
  modules: ["pvh"],
  deviceTree: ["arm64", "riscv64"],
  seeds: ["arm64", "riscv64"],
  exceptionLevel: ["arm64"],
  hartid: ["riscv64"],
};

function expect(boot: BootCase): Expected {
  const { kernel, options } = boot;
  const format = formatOf(kernel);
  let elf: ElfFile | undefined;
  let descriptor: Uint8Array | undefined;
  if (format === "elf") elf = readElf(kernel);
  else if (format === "bzimage") checkBzImage(kernel);
  else need(kernel.length >= 64, "TRUNCATED");
  if (elf && (options.protocol ?? "pvh") === "pvh") {
    // Whether there is a PVH note decides the protocol, if the caller does not.
    if (options.protocol === undefined) descriptor = pvhDescriptor(elf);
  }
  const own = {
    elf: descriptor ? "pvh" : elf?.bits === 32 ? "linux32" : "linux64",
    bzimage: format === "bzimage" && has64BitEntry(kernel) ? "linux64" : "linux32",
    arm64: "arm64",
    riscv64: "riscv64",
  };
  const protocol = options.protocol ?? own[format];
  for (const address of [options.kernelAddress, options.initrdAddress]) {
    need(address === undefined || address < 1n << 64n, "INVALID_OPTION");
  }
  for (const [name, takers] of Object.entries(TAKERS)) {
    const given = (options as Record<string, unknown>)[name] !== undefined;
    need(!given || takers.includes(protocol), "INVALID_OPTION");
  }
  need(options.initrd === undefined || options.initrd.length > 0, "EMPTY_INITRD");
  if ((protocol === "linux64" || protocol === "linux32") && (elf || format === "bzimage")) {
    return expectLinux(boot, elf, protocol);
  }
  if (protocol === "pvh" && elf) return expectPvh(boot, elf);
  if (protocol === "arm64" && format === "arm64") return expectFlat(boot, "arm64");
  if (protocol === "riscv64" && format === "riscv64") return expectFlat(boot, "riscv64");
  throw new Refusal("PROTOCOL_MISMATCH");
}

const COMPRESSED = [
  "1f8b08",
  "425a68",
  "fd377a585a00",
  "5d0000",
  "894c5a",
  "02214c18",
  "04224d18",
  "28b52ffd",
];

function formatOf(kernel: Uint8Array): "elf" | "bzimage" | "arm64" | "riscv64" {
  const hex = Array.from(kernel.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex.startsWith("7f454c46")) return "elf";
  if (hex === "4d5a00007a696d67") throw new Refusal("UNSUPPORTED_FORMAT");
  if (look(kernel, 0x202, 4) === 0x53726448n) return "bzimage";
  if (look(kernel, 0x38, 4) === 0x644d5241n) return "arm64";
  if (look(kernel, 0x38, 4) === 0x05435352n) return "riscv64";
  if (COMPRESSED.some((magic) => hex.startsWith(magic))) throw new Refusal("UNSUPPORTED_FORMAT");
  throw new Refusal("UNKNOWN_FORMAT");
}
