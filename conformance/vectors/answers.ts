/** Our answers: each case put to this library. */
import {
  BootParams,
  BzImage,
  Cmdline,
  Elf,
  FdtBootConfigurator,
  type GuestMemory,
  type KernelLoaderResult,
  type KernelSource,
  LinuxBootConfigurator,
  loadCmdline,
  loadDtb,
  LoaderError,
  PE,
  PvhBootConfigurator,
} from "../../mod.ts";
import {
  type BootParamsCase,
  type CmdlineCase,
  type CmdlineOp,
  fromHex,
  type Hex,
  type ImageCase,
  toHex,
} from "./cases.ts";
import { type Guest, guestOf } from "./guest.ts";

/** The fields that a loaded kernel has; named as in a verdict. */
export interface Loaded {
  readonly kernel_load?: Hex;
  readonly kernel_end?: Hex;
  readonly pvh?: string;
  readonly setup_header?: string;
}

/** What this library answers: an error, or what it loaded. */
export interface Answer {
  readonly error?: LoaderError;
  readonly loaded: Loaded;
  /** Guest memory afterwards. */
  readonly guest?: Guest;
}

/** What this library answers about a command line. */
export interface CmdlineAnswer {
  /** The error of `new`. */
  readonly newError?: LoaderError;
  /** The error of each operation, undefined where it went well. */
  readonly ops: readonly (LoaderError | undefined)[];
  readonly result?: string;
  readonly error?: LoaderError;
  /** The error of loading it. */
  readonly loadError?: LoaderError;
  readonly guest?: Guest;
}

/**
 * Loads a file.
 *
 * @param one The case.
 * @param source The file.
 * @returns The answer.
 */
export function answerImage(one: ImageCase, source: Uint8Array | KernelSource): Answer {
  const guest = guestOf(one)!;
  let loaded: Loaded = {};
  const error = errorOf(() => {
    loaded = load(one, guest.memory, source);
  });
  return { error, loaded, guest };
}

function load(one: ImageCase, memory: GuestMemory, source: Uint8Array | KernelSource): Loaded {
  const kernelOffset = one.kernel_offset === null ? undefined : BigInt(one.kernel_offset);
  const highmemStart = one.himem === null ? undefined : BigInt(one.himem);
  const options = { kernelOffset, highmemStart };
  switch (one.format) {
    case "elf": {
      const result = Elf.load(memory, source, options);
      return { ...placeOf(result), pvh: pvhOf(result) };
    }
    case "bzimage": {
      const result = BzImage.load(memory, source, options);
      return { ...placeOf(result), setup_header: toHex(result.setupHeader!) };
    }
    case "pe-arm64":
      return placeOf(PE.load(memory, source, { ...options, arch: "aarch64" }));
    case "pe-riscv64":
      return placeOf(PE.load(memory, source, { ...options, arch: "riscv64" }));
    case "dtb":
      loadDtb(memory, kernelOffset ?? 0n, source);
      return {};
    default:
      throw new Error(`Cannot run format ${one.format satisfies never}`);
  }
}

function placeOf({ kernelLoad, kernelEnd }: KernelLoaderResult): Loaded {
  return { kernel_load: hex(kernelLoad), kernel_end: hex(kernelEnd) };
}

function pvhOf({ pvhBootCap }: KernelLoaderResult): string {
  switch (pvhBootCap.kind) {
    case "present":
      return hex(pvhBootCap.entry);
    case "not-present":
      return "not_present";
    default:
      return pvhBootCap.kind;
  }
}

/**
 * Writes boot parameters.
 *
 * @param one The case.
 * @returns The answer.
 */
export function answerBootParams(one: BootParamsCase): Answer {
  const guest = guestOf(one)!;
  const params = new BootParams(fromHex(one.header), BigInt(one.header_start));
  const address = (hex: Hex | null) => hex === null ? undefined : BigInt(hex);
  const bytes = (hex: string | null) => hex === null ? undefined : fromHex(hex);
  params.sections = bytes(one.sections);
  params.sectionsStart = address(one.sections_start);
  params.modules = bytes(one.modules);
  params.modulesStart = address(one.modules_start);
  const configurator =
    { linux: LinuxBootConfigurator, pvh: PvhBootConfigurator, fdt: FdtBootConfigurator }[
      one.protocol
    ];
  const error = errorOf(() => configurator.writeBootparams(params, guest.memory));
  return { error, loaded: {}, guest };
}

/**
 * Builds a command line, and loads it if the case says so.
 *
 * @param one The case.
 * @returns The answer.
 */
export function answerCmdline(one: CmdlineCase): CmdlineAnswer {
  const guest = guestOf(one);
  let cmdline: Cmdline | undefined;
  const newError = errorOf(() => {
    cmdline = new Cmdline(one.capacity);
  });
  if (cmdline === undefined) return { newError, ops: [], guest };
  let line = cmdline;
  const ops = one.ops.map((op) =>
    errorOf(() => {
      line = apply(line, op, one.capacity);
    })
  );
  let result: string | undefined;
  const error = errorOf(() => {
    result = new TextDecoder("utf-8", { ignoreBOM: true }).decode(line.asCString().subarray(0, -1));
  });
  const loadError = one.load_addr === undefined || guest === undefined
    ? undefined
    : errorOf(() => loadCmdline(guest.memory, BigInt(one.load_addr!), line));
  return { ops, result, error, loadError, guest };
}

/** The line after an operation: the same, or the one that takes its place. */
function apply(line: Cmdline, op: CmdlineOp, capacity: number): Cmdline {
  switch (op[0]) {
    case "insert":
      line.insert(op[1], op[2]);
      return line;
    case "insert_multiple":
      line.insertMultiple(op[1], op[2]);
      return line;
    case "insert_str":
      line.insertStr(op[1]);
      return line;
    case "insert_init_args":
      line.insertInitArgs(op[1]);
      return line;
    case "try_from":
      return Cmdline.tryFrom(op[1], capacity);
    case "virtio_mmio":
      line.addVirtioMmioDevice(BigInt(op[1]), BigInt(op[2]), op[3], op[4] ?? undefined);
      return line;
    default:
      throw new Error(`Cannot run ${JSON.stringify(op satisfies never)}`);
  }
}

/** Anything but a LoaderError is a bug, and ends the run. */
function errorOf(run: () => void): LoaderError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof LoaderError) return error;
    throw error;
  }
}

function hex(address: bigint): Hex {
  return `0x${address.toString(16)}`;
}
