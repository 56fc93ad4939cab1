/**
 * What the kernel and a monitor say to each other through /dev/kvm: numbers and layouts, no logic.
 *
 * Sources: Linux, include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h; what each means is in
 * Documentation/virt/kvm/api.rst.
 */

// asm-generic/ioctl.h: direction in bits 30 and 31, the argument's size from bit 16, then KVMIO, then the number
const [NONE, WRITE, READ] = [0, 1, 2];
const KVMIO = 0xae;
const ioctl = (direction: number, number: number, size = 0): number =>
  direction * 2 ** 30 + size * 2 ** 16 + (KVMIO << 8) + number;

/** Sizes of structs in bytes. */
export const SIZE = {
  userspace_memory_region: 32,
  regs: 144,
  sregs: 312,
  segment: 24,
  pit_config: 64,
  irq_level: 8,
  cpuid2: 8,
  cpuid_entry2: 40,
  msrs: 8,
  msr_entry: 16,
} as const;

/** The calls, by their names without `KVM_`. */
export const KVM = {
  // on /dev/kvm
  GET_API_VERSION: ioctl(NONE, 0x00),
  CREATE_VM: ioctl(NONE, 0x01),
  GET_VCPU_MMAP_SIZE: ioctl(NONE, 0x04),
  GET_SUPPORTED_CPUID: ioctl(READ | WRITE, 0x05, SIZE.cpuid2),
  // on a virtual machine
  CREATE_VCPU: ioctl(NONE, 0x41),
  SET_USER_MEMORY_REGION: ioctl(WRITE, 0x46, SIZE.userspace_memory_region),
  SET_TSS_ADDR: ioctl(NONE, 0x47),
  SET_IDENTITY_MAP_ADDR: ioctl(WRITE, 0x48, 8),
  CREATE_IRQCHIP: ioctl(NONE, 0x60),
  IRQ_LINE: ioctl(WRITE, 0x61, SIZE.irq_level),
  CREATE_PIT2: ioctl(WRITE, 0x77, SIZE.pit_config),
  // on a vCPU
  RUN: ioctl(NONE, 0x80),
  SET_REGS: ioctl(WRITE, 0x82, SIZE.regs),
  GET_REGS: ioctl(READ, 0x81, SIZE.regs),
  GET_SREGS: ioctl(READ, 0x83, SIZE.sregs),
  SET_SREGS: ioctl(WRITE, 0x84, SIZE.sregs),
  SET_MSRS: ioctl(WRITE, 0x89, SIZE.msrs),
  SET_CPUID2: ioctl(WRITE, 0x90, SIZE.cpuid2),
} as const;

/** The only version there has ever been (api.rst, 4.1). */
export const API_VERSION = 12;

/** kvm_run.exit_reason: why a vCPU came back. */
export const EXIT = {
  IO: 2,
  HLT: 5,
  MMIO: 6,
  SHUTDOWN: 8,
  FAIL_ENTRY: 9,
  INTERNAL_ERROR: 17,
} as const;

/** kvm_run.io.direction: the guest writes. */
export const EXIT_IO_OUT = 1;

/** Where things lie in struct kvm_run, which a vCPU shares with us. */
export const RUN = {
  exit_reason: 8, // u32
  fail_entry: { hardware_entry_failure_reason: 32 }, // u64
  io: { direction: 32, size: 33, port: 34, count: 36, data_offset: 40 }, // u8, u8, u16, u32, u64
  mmio: { phys_addr: 32, data: 40, len: 48, is_write: 52 }, // u64, u8[8], u32, u8
  internal: { suberror: 32 }, // u32
} as const;

/** struct kvm_userspace_memory_region. */
export const MEMORY_REGION = {
  slot: 0, // u32
  guest_phys_addr: 8, // u64
  memory_size: 16, // u64
  userspace_addr: 24, // u64
} as const;

/** struct kvm_regs: these, 64 bits each. */
export const REGS = [
  ...["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"],
  ...["r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"],
] as const;

/** struct kvm_sregs. */
export const SREGS = {
  segments: { cs: 0, ds: 24, es: 48, fs: 72, gs: 96, ss: 120, tr: 144, ldt: 168 },
  gdt: 192, // struct kvm_dtable
  idt: 208,
  cr0: 224, // u64, as those that follow
  cr2: 232,
  cr3: 240,
  cr4: 248,
  cr8: 256,
  efer: 264,
} as const;

/** struct kvm_segment: base is 64 bits wide, limit 32, selector 16, the others 8. */
export const SEGMENT = {
  base: 0,
  limit: 8,
  selector: 12,
  type: 14,
  present: 15,
  dpl: 16,
  db: 17,
  s: 18,
  l: 19,
  g: 20,
  avl: 21,
  unusable: 22,
} as const;

/** struct kvm_dtable: base is 64 bits wide, limit 16. */
export const DTABLE = { base: 0, limit: 8 } as const;
