/** The command line of `deno task conform`. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { BootProtocol } from "../mod.ts";
import { type MachineName, MACHINES } from "./machines.ts";
import type { Shard } from "./shard.ts";

/** What the command prints for --help. */
export const USAGE =
  `Boots the layouts that the library produces in QEMU and judges what the guests say.

deno task conform [options] [-- extra QEMU arguments, with --kernel]

  --list             print the ids of the cases, one a line, and nothing else
  --filter TEXT      run the cases whose id contains TEXT; may be given more than once
  --offline          committed guests and cached kernels only: no downloads, no installation
  --no-skip          every skip is red, but for a missing KVM
  --require kvm      a missing KVM is red, too
  --json FILE        write the results as JSON
  --report DIR       write a report: a page (index.html), JSON, JUnit XML and TAP; what DIR holds
                     may only be an earlier report, which is replaced
  --shard I/N        run the Ith of N parts; deno task conform:merge makes one report of all
  --keep             keep the artifacts of green cases, too
  --jobs N           run N cases at a time (default: the number of CPUs)
  --boots N          boot N random layouts in each of their cases (default: 30)
  --seed N           the seed of the random layouts (default: 1); "fresh" for another each time
  --path P           of that seed only the layout that a failure names
  --timeout S        hard limit for each case in seconds

a kernel of your own, instead of the cases:
  --kernel PATH      an ELF vmlinux, a bzImage or an Image; any guest, not only Linux
  --expect REGEX     what its serial port must say (required); the case ends when it has
  --protocol P       linux64, linux32, pvh, arm64 or riscv64 (default: what the kernel asks for)
  --machine M        microvm, pc, q35, virt, virt-riscv64 (behind OpenSBI) or virt-riscv64-bare
                     (default: pc, or the Image's virt)
  --memory MIB       RAM in MiB (default: 512)
  --cmdline S        its command line (default: a console on the serial port)
  --initrd PATH      its initrd`;

/** A kernel of the user's own. */
export interface OwnKernel {
  /** The file. */
  readonly kernel: string;
  /** What its serial port must say. */
  readonly expect: RegExp;
  /** The boot protocol. */
  readonly protocol?: BootProtocol;
  /** The machine. */
  readonly machine?: MachineName;
  /** RAM in bytes. */
  readonly ramSize: bigint;
  /** Its command line. */
  readonly cmdline?: string;
  /** Its initrd. */
  readonly initrd?: string;
  /** Additional arguments of QEMU. */
  readonly qemuArgs: readonly string[];
}

/** What the user asks for. */
export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  readonly filters: readonly string[];
  readonly offline: boolean;
  readonly noSkip: boolean;
  readonly requireKvm: boolean;
  readonly json?: string;
  readonly report?: string;
  readonly shard?: Shard;
  readonly keep: boolean;
  readonly jobs: number;
  readonly timeout?: number;
  readonly random: { readonly boots: number; readonly seed: number; readonly path?: string };
  readonly own?: OwnKernel;
}

/** A command line that cannot be: the message is for the user. */
export class UsageError extends Error {
  /** The class' name. */
  override readonly name: string = "UsageError";
}

const PROTOCOLS: readonly string[] = [
  "linux64",
  "linux32",
  "pvh",
  "arm64",
  "riscv64",
] satisfies BootProtocol[];
const FLAG = { type: "boolean" } as const;
const TEXT = { type: "string" } as const;
const OPTIONS = {
  help: FLAG,
  list: FLAG,
  offline: FLAG,
  "no-skip": FLAG,
  keep: FLAG,
  filter: { type: "string", multiple: true },
  require: TEXT,
  json: TEXT,
  report: TEXT,
  shard: TEXT,
  jobs: TEXT,
  timeout: TEXT,
  boots: TEXT,
  seed: TEXT,
  path: TEXT,
  kernel: TEXT,
  expect: TEXT,
  protocol: TEXT,
  machine: TEXT,
  memory: TEXT,
  cmdline: TEXT,
  initrd: TEXT,
} as const;
/** The options that only mean something for a kernel of one's own. */
const ONLY_OWN = ["expect", "protocol", "machine", "memory", "cmdline", "initrd"] as const;

/**
 * Reads the command line.
 *
 * @param args Without the program.
 * @returns What the user asks for.
 * @throws {UsageError} If it cannot be.
 */
export function parseOptions(args: readonly string[]): Options {
  const { parsed, extra } = readArguments(args);
  const { require: required } = parsed;
  if (required !== undefined && required !== "kvm") {
    throw new UsageError(`Cannot use --require ${required}: kvm is wanted`);
  }
  if (parsed.kernel !== undefined && parsed.shard !== undefined) {
    throw new UsageError("Cannot use --shard: --kernel makes a single case");
  }
  const stray = ONLY_OWN.find((name) => parsed[name] !== undefined) ??
    (extra.length > 0 ? "- with QEMU arguments" : undefined);
  if (parsed.kernel === undefined && stray !== undefined) {
    throw new UsageError(`Cannot use --${stray}: it goes with --kernel`);
  }
  return {
    help: parsed.help ?? false,
    list: parsed.list ?? false,
    filters: parsed.filter ?? [],
    offline: parsed.offline ?? false,
    noSkip: parsed["no-skip"] ?? false,
    requireKvm: required === "kvm",
    json: parsed.json,
    report: parsed.report,
    shard: shardOf(parsed.shard),
    keep: parsed.keep ?? false,
    jobs: positive("jobs", parsed.jobs) ?? availableParallelism(),
    timeout: positive("timeout", parsed.timeout),
    random: {
      boots: positive("boots", parsed.boots) ?? DEFAULT_BOOTS,
      seed: seedOf(parsed.seed),
      path: pathOf(parsed.path, parsed.seed),
    },
    own: parsed.kernel === undefined ? undefined : ownKernel(parsed, extra),
  };
}

function readArguments(args: readonly string[]) {
  let read;
  try {
    read = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });
  } catch (error) {
    const [reason] = (error as Error).message.split(". ");
    throw new UsageError(
      `Cannot understand the command line: ${reason} (--help lists the options)`,
    );
  }
  const end = args.indexOf("--");
  const extra = end < 0 ? [] : args.slice(end + 1);
  const stray = read.positionals.slice(0, read.positionals.length - extra.length);
  if (stray.length > 0) {
    throw new UsageError(`Cannot understand ${stray.join(" ")}: --help lists the options`);
  }
  const seen = new Set<string>();
  for (const token of read.tokens) {
    if (token.kind !== "option") continue;
    const { name, value } = token;
    if (value === "" && name !== "cmdline") {
      throw new UsageError(`Cannot use --${name}: it is empty`);
    }
    if (seen.has(name) && name !== "filter") {
      throw new UsageError(`Cannot use --${name}: it is given more than once`);
    }
    seen.add(name);
  }
  return { parsed: read.values, extra };
}

function ownKernel(
  parsed: ReturnType<typeof readArguments>["parsed"],
  qemuArgs: readonly string[],
): OwnKernel {
  const { kernel, expect, protocol, machine, cmdline, initrd } = parsed;
  if (expect === undefined) {
    throw new UsageError(
      "Cannot judge --kernel: --expect REGEX says what its serial port must say",
    );
  }
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    throw new UsageError(
      `Cannot use --protocol ${protocol}: one of ${PROTOCOLS.join(", ")} is wanted`,
    );
  }
  if (machine !== undefined && !Object.hasOwn(MACHINES, machine)) {
    const names = Object.keys(MACHINES).join(", ");
    throw new UsageError(`Cannot use --machine ${machine}: one of ${names} is wanted`);
  }
  return {
    kernel: kernel!,
    expect: regex(expect),
    protocol: protocol as BootProtocol | undefined,
    machine: machine as MachineName | undefined,
    ramSize: BigInt(positive("memory", parsed.memory) ?? 512) << 20n,
    cmdline,
    initrd,
    qemuArgs,
  };
}

function regex(text: string): RegExp {
  try {
    return new RegExp(text, "m");
  } catch (error) {
    throw new UsageError(`Cannot use --expect: ${(error as Error).message}`);
  }
}

function shardOf(text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined;
  const [, index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.map(Number) ?? [];
  if (index >= 1 && index <= count) return { index, count };
  throw new UsageError(`Cannot use --shard ${text}: I/N with I from 1 to N is wanted, e.g. 2/4`);
}

/** The same layouts every time: a run in CI says something of the change, not of its luck. */
const DEFAULT_SEED = 1;
const DEFAULT_BOOTS = 30;

function seedOf(text: string | undefined): number {
  if (text === "fresh") return Math.floor(Math.random() * 1_000_000) + 1;
  return positive("seed", text) ?? DEFAULT_SEED;
}

function pathOf(text: string | undefined, seed: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (seed === undefined || seed === "fresh") {
    throw new UsageError("Cannot use --path: it goes with the --seed that it was found with");
  }
  if (/^\d+(:\d+)*$/.test(text)) return text;
  throw new UsageError(`Cannot use --path ${text}: numbers and colons are wanted, e.g. 12:0:3`);
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 1_000_000) return value;
  throw new UsageError(`Cannot use --${name} ${text}: a whole number from 1 is wanted`);
}
