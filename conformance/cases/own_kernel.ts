/** A kernel of the user's own: any guest that says something on its serial port. */
import { basename } from "node:path";
import { detectKernel } from "../../mod.ts";
import { type FileSource, openFile } from "../../src/files.ts";
import type { BootCase, Observation } from "../case.ts";
import { type Machine, MACHINES } from "../machines.ts";
import type { OwnKernel } from "../options.ts";

/** A console on the serial port, and an end when the kernel panics. */
const CMDLINES = {
  x86_64: "console=ttyS0 panic=-1 reboot=t",
  aarch64: "console=ttyAMA0 panic=-1",
} as const;

/**
 * Makes the case.
 *
 * @param own What the user asks for.
 * @returns The case.
 * @throws {LoaderError} If the file is no kernel.
 * @throws {Error} If a file cannot be read.
 */
export function ownKernelCase(own: OwnKernel): BootCase {
  const machine = own.machine === undefined ? defaultMachine(own.kernel) : MACHINES[own.machine];
  const { arch } = machine;
  // Read whole: the case may run long after this file could be closed.
  const initrd = own.initrd === undefined ? undefined : readWhole(own.initrd);
  const isDone = (serial: string) => own.expect.test(serial);
  return {
    kind: "boot",
    id: {
      driver: "qemu-tcg",
      machine: machine.name,
      arch,
      protocol: own.protocol ?? "auto",
      kernel: basename(own.kernel),
      what: "expect",
    },
    needs: [{ kind: "qemu", arch }],
    machine,
    ramSize: own.ramSize,
    layout: () => ({
      kernel: { path: own.kernel },
      options: {
        protocol: own.protocol,
        initrd,
        cmdline: own.cmdline ?? CMDLINES[arch],
        reservations: machine.reservations,
        deviceTree: machine.arm64,
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

function defaultMachine(path: string): Machine {
  const file: FileSource = openFile(path);
  try {
    return detectKernel(file) === "arm64-image" ? MACHINES.virt : MACHINES.pc;
  } finally {
    file.close();
  }
}

function readWhole(path: string): Uint8Array {
  const file = openFile(path);
  try {
    const bytes = new Uint8Array(file.size);
    for (let done = 0; done < bytes.length;) {
      const count = file.readAt(done, bytes.subarray(done));
      if (count === 0) throw new Error(`Cannot read ${path}: it ended at ${done} bytes`);
      done += count;
    }
    return bytes;
  } finally {
    file.close();
  }
}
