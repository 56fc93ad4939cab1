/**
 * Builds the guests of kernels/ into kernels/bin/, or checks that a rebuild gives the same bytes.
 *
 * ```sh
 * deno run -A scripts/build_guests.ts
 * deno run -A scripts/build_guests.ts --check
 * ```
 *
 * The built files are committed, so that a test needs no compiler; `--check` keeps them honest. It
 * compares only under the compiler that built them: with another one, a difference proves nothing.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES: string = join(ROOT, "kernels", "src");
const BIN: string = join(ROOT, "kernels", "bin");
const MANIFEST = "MANIFEST.json";

/** The tools, by role. */
export interface Toolchain {
  readonly clang: string;
  readonly lld: string;
  readonly objcopy: string;
}

/** What MANIFEST.json holds. */
export interface Manifest {
  /** Each tool's own version line. */
  readonly toolchain: Toolchain;
  readonly files: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>;
}

/** One guest: which sources, for which machine, linked how. */
export interface Guest {
  /** Its file name in kernels/bin/. */
  readonly file: string;
  readonly target:
    | "i386-unknown-none-elf"
    | "x86_64-unknown-none-elf"
    | "aarch64-unknown-none-elf"
    | "riscv64-unknown-none-elf";
  /** Relative to kernels/src/, in link order. */
  readonly sources: readonly string[];
  /** The linker script; without one, an ordinary static program. */
  readonly script?: string;
  /**
   * `elf`: the linked file. `elf32`: the same in ELF32 headers for i386, whatever code is in it.
   * `flat`: a position independent image, its sections back to back.
   */
  readonly output: "elf" | "elf32" | "flat";
}

/** Every guest there is. */
export const GUESTS: readonly Guest[] = [
  {
    file: "probe-elf64.x86_64",
    target: "x86_64-unknown-none-elf",
    sources: ["x86_64/elf64.S", "x86_64/entry64.S", "x86_64/probe.c", "report.c"],
    script: "x86_64/elf.ld",
    output: "elf",
  },
  {
    file: "probe-elf32.i386",
    target: "x86_64-unknown-none-elf",
    sources: ["x86_64/elf32.S", "x86_64/entry64.S", "x86_64/probe.c", "report.c"],
    script: "x86_64/elf.ld",
    output: "elf32",
  },
  {
    file: "probe-bzimage.x86_64",
    target: "x86_64-unknown-none-elf",
    sources: ["x86_64/bzimage.S", "x86_64/entry64.S", "x86_64/probe.c", "report.c"],
    script: "x86_64/bzimage.ld",
    output: "flat",
  },
  {
    file: "probe-image.aarch64",
    target: "aarch64-unknown-none-elf",
    sources: ["aarch64/entry.S", "aarch64/probe.c", "image.c", "fdt.c", "report.c"],
    script: "image.ld",
    output: "flat",
  },
  {
    file: "probe-image.riscv64",
    target: "riscv64-unknown-none-elf",
    sources: ["riscv64/entry.S", "riscv64/probe.c", "image.c", "fdt.c", "report.c"],
    script: "image.ld",
    output: "flat",
  },
  {
    file: "init.i386",
    target: "i386-unknown-none-elf",
    sources: ["init/init.c", "report.c"],
    output: "elf",
  },
  {
    file: "init.x86_64",
    target: "x86_64-unknown-none-elf",
    sources: ["init/init.c", "report.c"],
    output: "elf",
  },
  {
    file: "init.aarch64",
    target: "aarch64-unknown-none-elf",
    sources: ["init/init.c", "report.c"],
    output: "elf",
  },
  {
    file: "init.riscv64",
    target: "riscv64-unknown-none-elf",
    sources: ["init/init.c", "report.c"],
    output: "elf",
  },
];

/** What a flat image is made of, in file order; everything else the linker adds stays out. */
const FLAT_SECTIONS: readonly string[] = [".setup", ".text", ".rodata", ".data"];

/** Sources are named relative to kernels/src/ and there is no debug information: the bytes do not depend on the checkout's path. */
const COMPILE_FLAGS: readonly string[] = [
  "-Os",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-nostdinc",
  "-ffreestanding",
  "-fPIE",
  // No GOT: nobody would fill in its addresses.
  "-fvisibility=hidden",
  "-fdirect-access-external-data",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
];

const TARGET_FLAGS: Readonly<Record<Guest["target"], readonly string[]>> = {
  // Absolute addresses: a position independent program would need a GOT for its data.
  "i386-unknown-none-elf": ["-march=i686", "-mgeneral-regs-only", "-fno-pie"],
  // Vector registers are not set up at a kernel's entry; an exception pushes onto the running stack.
  "x86_64-unknown-none-elf": ["-mgeneral-regs-only", "-mno-red-zone"],
  // With the MMU off, an unaligned access faults.
  "aarch64-unknown-none-elf": ["-mgeneral-regs-only", "-mstrict-align"],
  // The same, without floating point; relaxation would make the linker rewrite code.
  "riscv64-unknown-none-elf": ["-march=rv64imac", "-mabi=lp64", "-mcmodel=medany", "-mno-relax"],
};

const LINK_FLAGS: readonly string[] = [
  "--build-id=none",
  "--strip-all",
  "--no-dynamic-linker",
  "-z",
  "max-page-size=4096",
  "-z",
  "noexecstack",
];

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: SOURCES, encoding: "utf8" });
}

/** The first line of `--version` that names a version. */
function version(command: string): string | undefined {
  try {
    const lines = execFileSync(command, ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).split("\n");
    return lines.map((line) => line.trim()).find((line) => /\d+\.\d+/.test(line));
  } catch {
    return undefined;
  }
}

/** The first of these commands that runs, and its version. */
function find(names: readonly string[]): { command: string; version: string } | undefined {
  for (const name of names) {
    const found = version(name);
    if (found !== undefined) return { command: name, version: found };
  }
  return undefined;
}

/**
 * Finds the tools, preferring the version the committed files were built with.
 *
 * @returns the commands and their versions, or the name of the missing tool
 */
export function findToolchain(): { commands: Toolchain; versions: Toolchain } | {
  missing: string;
} {
  const clang = find(["clang-14", "clang"]);
  if (clang === undefined) return { missing: "clang" };
  const lld = find(["ld.lld-14", "ld.lld"]);
  if (lld === undefined) return { missing: "ld.lld" };
  const objcopy = find(["llvm-objcopy-14", "llvm-objcopy"]);
  if (objcopy === undefined) return { missing: "llvm-objcopy" };
  return {
    commands: { clang: clang.command, lld: lld.command, objcopy: objcopy.command },
    versions: { clang: clang.version, lld: lld.version, objcopy: objcopy.version },
  };
}

/**
 * Builds one guest.
 *
 * @param guest what to build
 * @param tools the commands to build it with
 * @param work a directory for the intermediate files
 * @returns the file's bytes
 */
export function buildGuest(guest: Guest, tools: Toolchain, work: string): Uint8Array {
  const objects = guest.sources.map((source) => {
    const object = join(work, `${guest.file}.${source.replaceAll("/", "_")}.o`);
    const flags = [...COMPILE_FLAGS, ...TARGET_FLAGS[guest.target]];
    run(tools.clang, ["-target", guest.target, ...flags, "-c", source, "-o", object]);
    return object;
  });

  const linked = join(work, `${guest.file}.elf`);
  const script = guest.script === undefined ? [] : ["-T", guest.script];
  const kind = guest.output === "flat" ? "-pie" : "-static";
  run(tools.lld, [kind, ...LINK_FLAGS, ...script, ...objects, "-o", linked]);

  const built = join(work, guest.file);
  if (guest.output === "flat") {
    const sections = FLAT_SECTIONS.flatMap((name) => ["-j", name]);
    run(tools.objcopy, ["-O", "binary", ...sections, linked, built]);
  } else {
    // .comment holds the compiler's name, and strip-all keeps it.
    const format = guest.output === "elf32" ? ["-O", "elf32-i386"] : [];
    run(tools.objcopy, [...format, "--strip-all", "-R", ".comment", linked, built]);
  }
  return readFileSync(built);
}

function buildAll(tools: Toolchain): Map<string, Uint8Array> {
  const work = mkdtempSync(join(tmpdir(), "guests-"));
  try {
    return new Map(GUESTS.map((guest) => [guest.file, buildGuest(guest, tools, work)]));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Builds everything into kernels/bin/ and records it. */
function build(): number {
  const found = findToolchain();
  if ("missing" in found) {
    console.error(`Cannot build the guests: ${found.missing} is not installed`);
    return 1;
  }
  const files: Record<string, { size: number; sha256: string }> = {};
  mkdirSync(BIN, { recursive: true });
  for (const [file, bytes] of buildAll(found.commands)) {
    writeFileSync(join(BIN, file), bytes);
    files[file] = { size: bytes.length, sha256: sha256(bytes) };
    console.log(`${file}: ${bytes.length} bytes, sha256 ${files[file].sha256}`);
  }
  const manifest: Manifest = { toolchain: found.versions, files };
  writeFileSync(join(BIN, MANIFEST), JSON.stringify(manifest, null, 2) + "\n");
  return 0;
}

/** Why the committed files cannot be compared with a rebuild here, if so. */
function reasonToSkip(manifest: Manifest): string | undefined {
  const found = findToolchain();
  if ("missing" in found) return `${found.missing} is not installed`;
  for (const tool of ["clang", "lld", "objcopy"] as const) {
    const recorded = manifest.toolchain[tool];
    const installed = found.versions[tool];
    if (installed !== recorded) {
      return `the guests were built with "${recorded}", installed is "${installed}"`;
    }
  }
  return undefined;
}

/** Compares kernels/bin/ with its manifest, then with a rebuild. */
function check(): number {
  const manifest: Manifest = JSON.parse(readFileSync(join(BIN, MANIFEST), "utf8"));
  let failures = 0;
  const expect = (file: string, what: string, bytes: Uint8Array | undefined): void => {
    const expected = manifest.files[file]?.sha256 ?? "no entry";
    const actual = bytes === undefined ? "no file" : sha256(bytes);
    if (actual === expected) return;
    console.error(`${file}: ${what}: expected sha256 ${expected}, got ${actual}`);
    failures++;
  };

  const names = new Set([...GUESTS.map((guest) => guest.file), ...Object.keys(manifest.files)]);
  for (const file of names) {
    let bytes: Uint8Array | undefined;
    try {
      bytes = readFileSync(join(BIN, file));
    } catch {
      bytes = undefined;
    }
    expect(file, "the file in kernels/bin", bytes);
  }

  const reason = reasonToSkip(manifest);
  if (reason !== undefined) {
    console.log(`SKIP: rebuild not compared: ${reason}`);
    return failures === 0 ? 0 : 1;
  }
  const found = findToolchain();
  if ("commands" in found) {
    for (const [file, bytes] of buildAll(found.commands)) expect(file, "the rebuild", bytes);
  }
  if (failures === 0) console.log(`${names.size} guests rebuild to the same bytes`);
  return failures === 0 ? 0 : 1;
}

function main(args: readonly string[]): number {
  if (args.length === 0) return build();
  if (args.length === 1 && args[0] === "--check") return check();
  console.error("usage: build_guests.ts [--check]");
  return 2;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.slice(2));
}
