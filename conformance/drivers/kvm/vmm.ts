/**
 * A virtual machine with one vCPU on Linux' KVM: RAM, the vCPU's first state, and the loop that runs
 * it. KVM_RUN does not return while the guest computes, so this belongs in a process (or a Worker) of
 * its own: an event loop would stand still.
 */
import type { AddressRange, CpuState, MemoryRegion } from "../../../mod.ts";
import { API_VERSION, EXIT, EXIT_IO_OUT, KVM, MEMORY_REGION, RUN, SIZE } from "./abi.ts";
import type { PortBus } from "./devices.ts";
import { type Libc, type Mapping, MAX_VIEW, SystemError } from "./libc.ts";
import { encodeRegs, encodeSregs, readReg } from "./registers.ts";

/** Guest RAM, mapped: it can be handed to `GuestMemory.of` as it is. */
export interface RamMapping extends MemoryRegion, Mapping {}

/** Why a guest no longer runs. */
export type Stop =
  /** `until` said so. */
  | { readonly kind: "done" }
  /** A triple fault, which is also how guests ask for a reset. */
  | { readonly kind: "reset" }
  /** It waits for an interrupt, and nothing could send one. */
  | { readonly kind: "halt" }
  /** KVM cannot go on. */
  | { readonly kind: "error"; readonly reason: string };

/**
 * Maps guest RAM.
 *
 * @param libc The C library.
 * @param ranges Where RAM is in the guest; page aligned.
 * @returns Mappings, one or several for each range: those of one range touch each other.
 */
export function mapRam(libc: Libc, ranges: readonly AddressRange[]): RamMapping[] {
  const ram: RamMapping[] = [];
  for (const { start, size } of ranges) {
    for (let at = 0n; at < size; at += MAX_VIEW) {
      const length = size - at < MAX_VIEW ? size - at : MAX_VIEW;
      ram.push({ start: start + at, ...libc.mapMemory(Number(length)) });
    }
  }
  return ram;
}

/** Below the BIOS, and so in no one's RAM: three pages and one that Intel's KVM keeps for itself. */
const TSS_ADDRESS = 0xfffb_d000;
const IDENTITY_MAP_ADDRESS = 0xfffb_c000n;
/** api.rst, 4.46: at most so many CPUID entries (arch/x86/include/asm/kvm_host.h). */
const MAX_CPUID_ENTRIES = 256;
/** Intel SDM vol. 4, table 2-2: IA32_MISC_ENABLE, fast strings. Firmware would have turned them on. */
const MISC_ENABLE = { index: 0x1a0, value: 1n };

/** kvm.h, kvm_pit_config.flags: port 0x61, by which Linux measures time, is the timer's, too. */
const PIT_SPEAKER_DUMMY = 1;

/** How a machine is made. */
export interface MachineOptions {
  /** Whether it has interrupt controllers and a timer. Linux wants them; a guest that only polls does not. */
  readonly interrupts?: boolean;
}

/** The machine. */
export class VirtualMachine {
  readonly #libc: Libc;
  readonly #kvm: number;
  readonly #vm: number;
  readonly #vcpu: number;
  /** struct kvm_run, which the kernel writes and we read. */
  readonly #run: Mapping;

  /**
   * Makes a machine.
   *
   * @param libc The C library.
   * @param ram Its memory.
   * @param options What else it has.
   * @throws {SystemError} If the kernel refuses; opening /dev/kvm is the first that may fail.
   */
  constructor(libc: Libc, ram: readonly RamMapping[], options: MachineOptions = {}) {
    this.#libc = libc;
    this.#kvm = libc.open("/dev/kvm");
    const version = libc.ioctl("KVM_GET_API_VERSION", this.#kvm, KVM.GET_API_VERSION);
    if (version !== API_VERSION) {
      throw new Error(`Cannot use /dev/kvm: API version ${version}, ${API_VERSION} is wanted`);
    }
    this.#vm = libc.ioctl("KVM_CREATE_VM", this.#kvm, KVM.CREATE_VM);
    libc.ioctl("KVM_SET_TSS_ADDR", this.#vm, KVM.SET_TSS_ADDR, TSS_ADDRESS);
    const identityMap = new Uint8Array(BigUint64Array.of(IDENTITY_MAP_ADDRESS).buffer);
    libc.ioctl("KVM_SET_IDENTITY_MAP_ADDR", this.#vm, KVM.SET_IDENTITY_MAP_ADDR, identityMap);
    if (options.interrupts) {
      libc.ioctl("KVM_CREATE_IRQCHIP", this.#vm, KVM.CREATE_IRQCHIP);
      const pit = new Uint8Array(SIZE.pit_config);
      pit[0] = PIT_SPEAKER_DUMMY;
      libc.ioctl("KVM_CREATE_PIT2", this.#vm, KVM.CREATE_PIT2, pit);
    }
    for (const [slot, region] of ram.entries()) this.#plugIn(slot, region);

    this.#vcpu = libc.ioctl("KVM_CREATE_VCPU", this.#vm, KVM.CREATE_VCPU, 0);
    const runSize = libc.ioctl("KVM_GET_VCPU_MMAP_SIZE", this.#kvm, KVM.GET_VCPU_MMAP_SIZE);
    this.#run = libc.mapDevice(this.#vcpu, runSize);
    this.#setCpuid();
    this.#setMsr(MISC_ENABLE);
  }

  #plugIn(slot: number, { start, address, bytes }: RamMapping): void {
    const region = new DataView(new ArrayBuffer(SIZE.userspace_memory_region));
    region.setUint32(MEMORY_REGION.slot, slot, true);
    region.setBigUint64(MEMORY_REGION.guest_phys_addr, start, true);
    region.setBigUint64(MEMORY_REGION.memory_size, BigInt(bytes.length), true);
    region.setBigUint64(MEMORY_REGION.userspace_addr, address, true);
    this.#libc.ioctl(
      "KVM_SET_USER_MEMORY_REGION",
      this.#vm,
      KVM.SET_USER_MEMORY_REGION,
      new Uint8Array(region.buffer),
    );
  }

  /** The guest's CPU has all that KVM can give it. Without this, it has not even long mode. */
  #setCpuid(): void {
    const cpuid = new Uint8Array(SIZE.cpuid2 + MAX_CPUID_ENTRIES * SIZE.cpuid_entry2);
    new DataView(cpuid.buffer).setUint32(0, MAX_CPUID_ENTRIES, true); // in: room; out: entries
    this.#libc.ioctl("KVM_GET_SUPPORTED_CPUID", this.#kvm, KVM.GET_SUPPORTED_CPUID, cpuid);
    this.#libc.ioctl("KVM_SET_CPUID2", this.#vcpu, KVM.SET_CPUID2, cpuid);
  }

  #setMsr({ index, value }: { index: number; value: bigint }): void {
    const msrs = new DataView(new ArrayBuffer(SIZE.msrs + SIZE.msr_entry));
    msrs.setUint32(0, 1, true); // how many
    msrs.setUint32(SIZE.msrs, index, true);
    msrs.setBigUint64(SIZE.msrs + 8, value, true);
    this.#libc.ioctl("KVM_SET_MSRS", this.#vcpu, KVM.SET_MSRS, new Uint8Array(msrs.buffer));
  }

  /**
   * Sets the vCPU to the state of a plan: `cpu` of what `bootLinux` returns.
   *
   * @param cpu The state.
   * @throws {Error} If it is not for x86_64.
   */
  setCpu(cpu: CpuState): void {
    if (cpu.arch !== "x86_64") throw new Error(`Cannot run ${cpu.arch} code: x86_64 is wanted`);
    const current = new Uint8Array(SIZE.sregs);
    this.#libc.ioctl("KVM_GET_SREGS", this.#vcpu, KVM.GET_SREGS, current);
    this.#libc.ioctl("KVM_SET_SREGS", this.#vcpu, KVM.SET_SREGS, encodeSregs(cpu, current));
    this.#libc.ioctl("KVM_SET_REGS", this.#vcpu, KVM.SET_REGS, encodeRegs(cpu));
  }

  /** Sets an interrupt line; without interrupt controllers there is none. */
  setInterrupt(line: number, level: boolean): void {
    const argument = new Uint8Array(Uint32Array.of(line, Number(level)).buffer);
    this.#libc.ioctl("KVM_IRQ_LINE", this.#vm, KVM.IRQ_LINE, argument);
  }

  /**
   * Runs the vCPU until the guest ends.
   *
   * @param ports Answers its port accesses.
   * @param until Asked after each: whether to stop.
   * @returns Why it ended.
   */
  run(ports: PortBus, until: () => boolean): Stop {
    const run = new DataView(this.#run.bytes.buffer);
    for (;;) {
      if (!this.#enter()) continue;
      const reason = run.getUint32(RUN.exit_reason, true);
      switch (reason) {
        case EXIT.IO:
          this.#doPortAccess(run, ports);
          if (until()) return { kind: "done" };
          break;
        case EXIT.MMIO: // nothing is there: writes are lost, reads are ones
          if (!run.getUint8(RUN.mmio.is_write)) {
            this.#run.bytes.fill(0xff, RUN.mmio.data, RUN.mmio.len);
          }
          break;
        case EXIT.HLT:
          return { kind: "halt" };
        case EXIT.SHUTDOWN:
          return { kind: "reset" };
        default:
          return { kind: "error", reason: `${describe(run, reason)} at ${this.#where()}` };
      }
    }
  }

  /** Enters the guest. False if a signal came instead of an exit: runtimes use signals themselves. */
  #enter(): boolean {
    try {
      this.#libc.ioctl("KVM_RUN", this.#vcpu, KVM.RUN);
      return true;
    } catch (error) {
      if (error instanceof SystemError && ["EINTR", "EAGAIN"].includes(error.code)) return false;
      throw error;
    }
  }

  /** An access is `count` times `size` bytes; a wide one reaches as many ports, as on an ISA bus. */
  #doPortAccess(run: DataView, ports: PortBus): void {
    const isWrite = run.getUint8(RUN.io.direction) === EXIT_IO_OUT;
    const size = run.getUint8(RUN.io.size);
    const port = run.getUint16(RUN.io.port, true);
    const length = run.getUint32(RUN.io.count, true) * size;
    const start = Number(run.getBigUint64(RUN.io.data_offset, true));
    const data = this.#run.bytes.subarray(start, start + length);
    for (const [i, byte] of data.entries()) {
      if (isWrite) ports.write(port + i % size, byte);
      else data[i] = ports.read(port + i % size);
    }
  }

  #where(): string {
    const regs = new Uint8Array(SIZE.regs);
    this.#libc.ioctl("KVM_GET_REGS", this.#vcpu, KVM.GET_REGS, regs);
    return `rip 0x${readReg(regs, "rip").toString(16)}`;
  }

  /** Ends the machine. Its RAM stays mapped: that is its owner's. */
  close(): void {
    this.#libc.unmap(this.#run);
    for (const fd of [this.#vcpu, this.#vm, this.#kvm]) this.#libc.close(fd);
  }
}

/** api.rst, 5, "KVM_EXIT_FAIL_ENTRY" and "KVM_EXIT_INTERNAL_ERROR". */
function describe(run: DataView, reason: number): string {
  switch (reason) {
    case EXIT.FAIL_ENTRY: {
      const at = RUN.fail_entry.hardware_entry_failure_reason;
      return `the CPU refuses to enter the guest, reason 0x${
        run.getBigUint64(at, true).toString(16)
      },`;
    }
    case EXIT.INTERNAL_ERROR: {
      const suberror = run.getUint32(RUN.internal.suberror, true);
      return suberror === 1 ? "KVM cannot emulate an instruction" : `KVM's own error ${suberror}`;
    }
    default:
      return `exit reason ${reason}, which nothing handles,`;
  }
}
