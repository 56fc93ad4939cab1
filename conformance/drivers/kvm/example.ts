/**
 * A virtual machine monitor in a page: boots a kernel on KVM, its serial port on standard output.
 *
 *     deno run --allow-ffi --allow-read conformance/drivers/kvm/example.ts KERNEL [COMMAND LINE]
 *     bun conformance/drivers/kvm/example.ts KERNEL [COMMAND LINE]
 *
 * To start your own from it, take along abi.ts, devices.ts, libc*.ts, registers.ts and vmm.ts.
 */
import process from "node:process";
import { bootLinux, formatPlan, GuestMemory } from "../../../mod.ts";
import { openFile } from "../../../src/files.ts";
import { COM1_INTERRUPT, LineWriter, Ports, Serial } from "./devices.ts";
import { loadLibc } from "./libc.ts";
import { mapRam, VirtualMachine } from "./vmm.ts";

const [path, cmdline = "console=ttyS0 panic=-1 reboot=t"] = process.argv.slice(2);
const libc = await loadLibc();
// RAM from 0, mapped once: the library writes to the mapping, and the guest runs in it.
const ram = mapRam(libc, [{ start: 0n, size: 512n << 20n }]);
using kernel = openFile(path);
const plan = bootLinux(GuestMemory.of(ram), { kernel, cmdline, fresh: true });
console.error(formatPlan(plan));

const machine = new VirtualMachine(libc, ram, { interrupts: true });
machine.setCpu(plan.cpu);
const output = new LineWriter(1);
const interrupt = (level: boolean) => machine.setInterrupt(COM1_INTERRUPT, level);
const ports = new Ports(new Serial((byte) => output.push(byte), interrupt));
// Nothing else runs in this process from here on: whoever wants more starts it as a child.
const stop = machine.run(ports, () => ports.exitValue !== undefined);
output.flush();
console.error(stop);
