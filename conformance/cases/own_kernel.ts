/** A kernel of the user's own: any guest that says something on its serial port. */
import { basename } from "node:path";
import {
  type BootProtocol,
  detectKernel,
  findPvhNote,
  type KernelSource,
  LoaderError,
  parseBzImage,
  parseElf,
  XLF_KERNEL_64,
} from "../../mod.ts";
import { openFile } from "../../src/files.ts";
import type { BootCase, Observation } from "../case.ts";
import { type MachineName, machineOptions, MACHINES, ramRanges } from "../machines.ts";
import { bytesOf } from "../matchers/content.ts";
import type { OwnKernel } from "../options.ts";

/** A console on the serial port, and an end when the kernel panics. */
const CMDLINES = {
  x86_64: "console=ttyS0 panic=-1 reboot=t",
  aarch64: "console=ttyAMA0 panic=-1",
  riscv64: "console=ttyS0 panic=-1",
} as const;

const MACHINE_OF: { readonly [K in BootProtocol]: MachineName } = {
  linux64: "pc",
  linux32: "pc",
  pvh: "pc",
  arm64: "virt",
  riscv64: "virt-riscv64",
};

/**
 * Makes the case.
 *
 * @param own What the user asks for.
 * @returns The case.
 * @throws {Error} If a file cannot be read, or is no kernel.
 */
export function ownKernelCase(own: OwnKernel): BootCase {
  const asked = protocolOf(own.kernel);
  const protocol = own.protocol ?? asked;
  const machine = MACHINES[own.machine ?? MACHINE_OF[protocol]];
  const { arch } = machine;
  const initrd = own.initrd === undefined ? undefined : readWhole(own.initrd, own.ramSize);
  const isDone = (serial: string) => own.expect.test(serial);
  return {
    kind: "boot",
    id: {
      driver: "qemu-tcg",
      machine: machine.name,
      arch,
      protocol,
      kernel: basename(own.kernel),
      what: "expect",
    },
    needs: [{ kind: "qemu", arch }],
    machine,
    ramSize: own.ramSize,
    requirement: `A kernel of the user's own says ${own.expect} on its serial port`,
    layout: () => ({
      kernel: { path: own.kernel },
      options: {
        protocol,
        initrd,
        cmdline: own.cmdline ?? CMDLINES[arch],
        ...machineOptions(machine, ramRanges(machine, own.ramSize)),
      },
    }),
    judge: ({ serial }: Observation) =>
      isDone(serial) ? [] : [{
        what: "the serial port",
        expected: `a match of ${own.expect}`,
        actual: serial === "" ? "nothing" : `${serial.length} bytes without one`,
      }],
    isDone,
    timeout: 240,
    qemuArgs: own.qemuArgs,
  };
}

/** What planBoot would choose; a file that is no kernel, or one to unwrap, is refused here already. */
function protocolOf(path: string): BootProtocol {
  using file = openFile(path);
  try {
    return protocolIn(file, path);
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error;
    throw new Error(`Cannot use ${path}: ${error.message}`, { cause: error });
  }
}

function protocolIn(file: KernelSource, path: string): BootProtocol {
  const format = detectKernel(file);
  switch (format) {
    case "arm64-image":
      return "arm64";
    case "riscv64-image":
      return "riscv64";
    case "elf": {
      const elf = parseElf(file);
      return findPvhNote(file, elf) ? "pvh" : `linux${elf.elfClass}`;
    }
    case "bzimage":
      return (parseBzImage(file).header.xloadflags ?? 0) & XLF_KERNEL_64 ? "linux64" : "linux32";
    default:
      throw new Error(
        `Cannot use ${path}: it is ${format} data, unwrap it first: ` +
          `deno run -A scripts/extract_kernel.ts ${path} OUTPUT`,
      );
  }
}

/** Read whole: the case may run long after the file could be closed. What is larger never fits. */
function readWhole(path: string, most: bigint): Uint8Array {
  using file = openFile(path);
  if (BigInt(file.size) > most) {
    throw new Error(`Cannot use ${path}: ${file.size} bytes, the guest has ${most} (--memory)`);
  }
  return bytesOf(file);
}
